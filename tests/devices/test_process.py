"""The process of models on a device: a text as the page gets it, from where the page asked for it."""

from __future__ import annotations

import queue

import numpy as np
import pytest
import torch

from app.models.model_processes import ModelProcesses
from app.models.sweep_job import SweepJob
from compecon.checkpoints.load import load_checkpoint
from compecon.views.attention.attention_stream import attention_stream
from compecon.views.attention.frames import Message, decode

_TEXT = "Not even a wonderful cast can save this tired, joyless sequel"
_WAIT_S = 100


def _ask(processes: ModelProcesses, device: str, text: str = _TEXT) -> list[Message]:
    parts: queue.Queue[bytes | None] = queue.Queue()
    processes.submit(SweepJob("sentiment", device, text), device, parts.put)
    return list(decode(b"".join(iter(lambda: parts.get(timeout=_WAIT_S), None))))


@pytest.mark.slow
def test_a_text_from_the_process_is_that_of_the_library_on_the_cpu(anywhere: torch.device) -> None:
    checkpoint, processes = load_checkpoint("sentiment", "cpu"), ModelProcesses()
    expected = list(attention_stream(checkpoint, checkpoint.encode(_TEXT)))
    try:
        found = _ask(processes, anywhere.type)
        assert [message.kind for message in found] == [message.kind for message in expected]
        for message, other in zip(found, expected, strict=True):
            for name, values in other.arrays.items():
                np.testing.assert_allclose(
                    message.arrays[name].astype(float), values.astype(float), rtol=2e-3, atol=2e-3
                )
        assert _ask(processes, anywhere.type, "Another one.")[-1].kind == "done"
        assert _ask(processes, "cpu", "And here.")[-1].kind == "done"
    finally:
        processes.close()
