"""What the guard before a text expects, against what tensors take on the device."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from app.models.memory import free_on_cuda
from compecon.checkpoints.load import load_checkpoint
from compecon.views.attention.attention_stream import attention_stream
from compecon.views.attention.budget_grid import peak_bytes

_OFF = 1.25


def _most_allocated(device: torch.device, work: Callable[[], object]) -> int:
    """Most bytes that tensors of the device held at once, beyond those that were there."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    found = [event for event in profiled.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(found, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [4, 24])
@pytest.mark.parametrize("name", ["sentiment", "causal"])
def test_a_text_takes_no_more_than_the_guard_says_and_a_quarter(
    anywhere: torch.device, name: str, repeats: int
) -> None:
    if anywhere.type == "mps":
        pytest.skip("MPS does not say what was held at most")
    checkpoint = load_checkpoint(name, str(anywhere))
    text = checkpoint.encode("A fine film that is not for all. " * repeats)
    about, scores = checkpoint.preflight, checkpoint.model.config.vocab_size if name == "causal" else 0
    expected = peak_bytes(len(text.tokens), about.layers, about.heads, hidden=about.hidden_size, vocabulary=scores)
    list(attention_stream(checkpoint, checkpoint.encode("First.")))  # what libraries set up once
    found = _most_allocated(anywhere, lambda: [None for _ in attention_stream(checkpoint, text)])
    assert 0 < found <= _OFF * expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_the_guard_knows_what_is_free_on_the_device() -> None:
    before = free_on_cuda()
    held = torch.empty(10**9, dtype=torch.uint8, device="cuda")
    assert before - free_on_cuda() == pytest.approx(10**9, rel=0.05)
    del held
    assert free_on_cuda() == pytest.approx(before, rel=0.05)  # torch keeps it, to use it again
