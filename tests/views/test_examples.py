"""The bundled texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compecon.views.attention.example_texts import Example, examples, examples_for
from compecon.views.attention.request import problem_with

TASKS = {"sentiment", "similarity", "entailment", "causal"}
PAIRED = {"similarity", "entailment"}


@pytest.mark.parametrize("example", examples(), ids=lambda e: e.title)
def test_an_example_is_a_whole_text_for_a_checkpoint(example: Example) -> None:
    assert example.checkpoint in TASKS
    assert example.title.strip()
    assert example.text.strip() == example.text != ""
    assert bool(example.pair.strip()) == (example.checkpoint in PAIRED)
    assert "no checkpoint" in (problem_with(None, example.text, example.pair) or "")


@pytest.mark.parametrize("checkpoint", sorted(TASKS))
def test_a_bundled_checkpoint_has_examples_with_titles_of_their_own(checkpoint: str) -> None:
    own = examples_for(checkpoint)
    assert {e.checkpoint for e in own} == {checkpoint}
    assert len({e.title for e in own}) == len(own) >= 3


def test_any_other_checkpoint_gets_every_single_text() -> None:
    assert examples_for("/somewhere/mine") == tuple(e for e in examples() if not e.pair)


def test_examples_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    file.write_text(json.dumps([{"title": "t", "checkpoint": "c", "text": "é"}]), encoding="utf-8")
    assert examples(file) == (Example("t", "c", "é"),)
