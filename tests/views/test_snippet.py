"""The script behind "Copy as Python" runs, and prints the numbers of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from compecon.attention.policies import POLICIES
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from compecon.compression.compact_model import compact
from compecon.compression.units import Units
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.frames import Message
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS
from compecon.views.attention.snippet import HEAD, LAYER, SIZE, K, python_snippet
from tests.support.elastic import made_elastic
from tests.support.tokenizers import LOADER, in_this_process

PLAIN = "the film was great , but the end was bad ."  # a text of words that the models know, as most of a text must be
TEXTS = {
    "plain": PLAIN,
    "quotes": """the film's "end" was '''bad''' and \"\"\"long\"\"\" \\ .""",
    "lines": "the film\nwas great\r\n\tbut\u2028long",
    "emoji": "the film 🎬 was great 👩‍👩‍👧 é ﷺ",
    "braces": f"{PLAIN} {PLAIN} the {{film}} was {{0}} %s ${{x}} great {{",
    "code": f"{PLAIN} the film\"); raise SystemExit('bad') #",
    "placeholders": f"the film {K} was {LAYER} great {HEAD} {SIZE} {PLAIN} {PLAIN}",
}


def filled(code: str, k: int, layer: int, head: int) -> str:
    """As the page fills it in: JavaScript's replace takes the first occurrence."""
    for placeholder, value in ((K, k), (LAYER, layer), (HEAD, head)):
        code = code.replace(placeholder, str(value), 1)
    return code


def printed_by(code: str, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    exec(compile(code, "copied.py", "exec"), {})  # noqa: S102 - this is what a reader of the page does
    out = capsys.readouterr().out
    return {name: float(re.search(rf"{name} ([\d.e+-]+)", out)[1]) for name in ("Gini", "entropy, nats")}  # type: ignore[index]


def shown(checkpoint: Checkpoint, text: str, policy: str, at: tuple[int, int, int]) -> dict[str, float]:
    k, layer, head = at
    stream = attention_stream(checkpoint, checkpoint.encode(text), AttentionRequest(policy, budgets=(k,)))
    frame = next(m for m in stream if m.kind == "frame" and m.fields["k"] == k)
    return numbers(frame, layer, head)


def same_answer(output: Any, frame: Message) -> bool:
    """Whether a model's output is the answer that a frame shows: of a language model, the likeliest next token's."""
    found = output.logits[0].softmax(-1)
    if "top" in frame.fields:
        return float(found[-1].max()) == pytest.approx(frame.fields["top"][0][1], abs=1e-5)
    return found.tolist() == pytest.approx(frame.fields["probabilities"], abs=1e-5)


def numbers(frame: Message, layer: int, head: int) -> dict[str, float]:
    row = frame.arrays["statistics"][VIEWS.index("row"), TOKENS.index("all"), :, layer, head]
    return {"Gini": row[STATISTICS.index("gini")], "entropy, nats": row[STATISTICS.index("entropy")]}


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tokenizer's trial starts an interpreter; it has tests of its own."""
    monkeypatch.setattr(LOADER, in_this_process)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_copied_script_prints_the_numbers_of_the_page(
    load: Callable[[str], Checkpoint], folder_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    code = python_snippet(str(folder_of("classification")), "cpu", text, "", "top-k")
    expected = shown(load("classification"), text, "top-k", (3, 1, 0))
    assert printed_by(filled(code, 3, 1, 0), capsys) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["causal-lm", "encoder"])
def test_a_copied_script_uses_the_policy_of_the_page(
    load: Callable[[str], Checkpoint],
    folder_of: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    kind: str,
    policy: str,
) -> None:
    code = python_snippet(str(folder_of(kind)), "cpu", TEXTS["plain"], "", policy)
    expected = shown(load(kind), TEXTS["plain"], policy, (2, 1, 1))
    assert printed_by(filled(code, 2, 1, 1), capsys) == pytest.approx(expected, abs=1e-5)


def test_a_copied_script_finds_the_heads_that_a_compacted_model_has_left(
    load: Callable[[str], Checkpoint], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dense = load("classification")
    keep = Units((torch.tensor([False, False]), torch.tensor([False, True])), (torch.ones(32), torch.ones(32)))
    folder = save_checkpoint(compact(dense.model, keep), dense.tokenizer, tmp_path / "small")
    code = python_snippet(str(folder), "cpu", TEXTS["plain"], "", "top-k", compacted=True)
    expected = shown(load_checkpoint(folder, "cpu"), TEXTS["plain"], "top-k", (3, 1, 1))
    assert printed_by(filled(code, 3, 1, 1), capsys) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [1, 0.6, 0.5, 0.4])
@pytest.mark.parametrize("kind", ["classification", "causal-lm"])
def test_a_copied_script_shows_the_size_of_an_elastic_checkpoint(
    load: Callable[[str], Checkpoint], capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, size: float
) -> None:
    made = made_elastic(load(kind))
    assert made.elastic is not None
    folder = save_checkpoint(made.model, made.tokenizer, tmp_path / "elastic", prices=made.elastic.prices)
    whole = load_checkpoint(folder, "cpu")
    assert whole.preflight.elastic
    assert not whole.at(size).preflight.elastic
    code = python_snippet(str(folder), "cpu", TEXTS["placeholders"], "", "top-k", compacted=True, elastic=True)
    stream = list(
        attention_stream(whole, whole.encode(TEXTS["placeholders"]), AttentionRequest(budgets=(3,), size=size))
    )
    layer, head = next((1, h) for h in range(2) if (1, h) not in stream[0].fields["removed"])
    expected = numbers(stream[-2], layer, head)
    code = filled(code, 3, layer, head).replace(SIZE, str(size), 1)
    assert printed_by(code, capsys) == pytest.approx(expected, abs=1e-5)
    names: dict[str, Any] = {}
    exec(compile(code, "copied.py", "exec"), names)  # noqa: S102 - as above
    assert same_answer(names["output"], stream[-2])


def test_a_copied_script_reads_the_second_text(
    load: Callable[[str], Checkpoint], folder_of: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = python_snippet(str(folder_of("classification")), "cpu", "the film was great", "the end's bad", "top-k")
    alone = shown(load("classification"), "the film was great", "top-k", (3, 0, 0))
    assert printed_by(filled(code, 3, 0, 0), capsys) != pytest.approx(alone, abs=1e-3)
    assert "checkpoint.encode('the film was great', \"the end's bad\")" in code
