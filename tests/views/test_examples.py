"""The bundled texts."""

from __future__ import annotations

import json
from pathlib import Path

from compecon.views.attention.example_texts import Example, examples, examples_for

TASKS = {"sentiment", "similarity", "entailment", "causal"}
PAIRED = {"similarity", "entailment"}


def is_whole(example: Example) -> bool:
    has_text = bool(example.title.strip()) and example.text.strip() == example.text != ""
    has_pair = bool(example.pair.strip()) == (example.checkpoint in PAIRED)
    return has_text and has_pair and example.checkpoint in TASKS


def test_examples_are_whole_texts_for_a_checkpoint() -> None:
    assert [example.title for example in examples() if not is_whole(example)] == []


def test_a_bundled_checkpoint_has_examples_with_titles_of_their_own() -> None:
    own = {name: examples_for(name) for name in sorted(TASKS)}
    assert [name for name, found in own.items() if {e.checkpoint for e in found} != {name}] == []
    assert [name for name, found in own.items() if not len({e.title for e in found}) == len(found) >= 3] == []


def test_any_other_checkpoint_gets_every_single_text() -> None:
    assert examples_for("/somewhere/mine") == tuple(e for e in examples() if not e.pair)


def test_examples_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "examples.json"
    file.write_text(json.dumps([{"title": "t", "checkpoint": "c", "text": "é"}]), encoding="utf-8")
    assert examples(file) == (Example("t", "c", "é"),)
