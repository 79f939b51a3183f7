"""A request that can't be computed is refused at once, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.preflight import Preflight
from compecon.views.attention.request import MAX_CHARACTERS, problem_with

ENTRY = CheckpointEntry("tiny", Path("tiny"), "local", "Tiny", "", "BertModel", None, "")


def reading(kind: str) -> CheckpointEntry:
    return replace(ENTRY, preflight=cast("Preflight", SimpleNamespace(kind=kind, several_stacks=False)))


@pytest.mark.parametrize("entry", [ENTRY, reading("classification"), reading("causal-lm")])
def test_a_text_for_a_checkpoint_is_fine(entry: CheckpointEntry) -> None:
    assert problem_with(entry, "a text", "") is None


def test_a_pair_is_fine_for_what_reads_pairs() -> None:
    assert problem_with(reading("classification"), "a text", "another") is None


@pytest.mark.parametrize(
    ("entry", "text", "pair", "says"),
    [
        (None, "a text", "", "no checkpoint"),
        (replace(ENTRY, problem="It is broken. Mend it."), "a text", "", "It is broken. Mend it."),
        (ENTRY, "", "", "empty"),
        (ENTRY, " \n\t\u3000", "", "empty"),
        (ENTRY, "a" * (MAX_CHARACTERS + 1), "", "100,001 characters"),
        (ENTRY, "a" * MAX_CHARACTERS, "b", "100,001 characters"),
        (reading("causal-lm"), "a text", "another", "Clear the second text"),
    ],
)
def test_a_problem_is_one_sentence_with_a_way_out(
    entry: CheckpointEntry | None, text: str, pair: str, says: str
) -> None:
    problem = problem_with(entry, text, pair)
    assert problem is not None
    assert says in problem
    assert problem.endswith(".")


def test_the_longest_text_is_just_fine() -> None:
    assert problem_with(ENTRY, "a" * MAX_CHARACTERS, "") is None
