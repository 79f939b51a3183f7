"""A request that can't be computed is refused at once, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.checkpoints.gate.preflight import Preflight
from compecon.views.attention.example_texts import examples_for
from compecon.views.attention.request import MAX_CHARACTERS, problem_with, text_for

ENTRY = CheckpointEntry("tiny", Path("tiny"), "local", "Tiny", "", "BertModel", None, "")


def reading(kind: str) -> CheckpointEntry:
    return replace(ENTRY, preflight=cast("Preflight", SimpleNamespace(kind=kind, several_stacks=False)))


@pytest.mark.parametrize("entry", [ENTRY, reading("classification"), reading("causal-lm")])
def test_a_text_for_a_checkpoint_is_fine(entry: CheckpointEntry) -> None:
    assert problem_with(entry, "a text", "") is None


@pytest.mark.parametrize("task", ["similarity", "entailment", "stsb", "mnli", "sick", "sick-relatedness", "xnli/de"])
@pytest.mark.parametrize("pair", ["", " \n"])
def test_what_compares_two_texts_gives_no_answer_for_one(task: str, pair: str) -> None:
    entry = replace(reading("regression"), task=task)
    assert "second" in (problem_with(entry, "a text", pair) or "")
    assert problem_with(entry, "a text", "another") is None


@pytest.mark.parametrize("task", ["sentiment", "sst2", "reviews", "my own", ""])
def test_a_record_says_whether_a_checkpoint_of_ones_own_compares_two_texts(task: str) -> None:
    own = [replace(reading("classification"), task=task, trained_on_pairs=pairs) for pairs in (False, True)]
    assert [problem_with(entry, "a text", "") is None for entry in own] == [True, False]


def test_a_bundled_checkpoint_opens_only_on_texts_that_it_can_answer() -> None:
    entries = {entry.name: entry for entry in list_checkpoints()}
    given = [(name, example) for name, entry in entries.items() for example in examples_for(name, entry.task)]
    assert not [name for name, text in given if problem_with(entries[name], text.text, text.pair)]


def test_an_example_of_one_text_gives_way_to_one_of_two_where_two_are_compared() -> None:
    similarity, sentiment = (replace(reading("regression"), task=task) for task in ("similarity", "sentiment"))
    single, pair = (examples_for(task)[0] for task in ("sentiment", "similarity"))
    assert text_for(similarity, single.text, "") == (pair.text, pair.pair)
    for entry, *texts in ((sentiment, single.text, ""), (similarity, "my own", ""), (similarity, pair.text, "")):
        assert text_for(entry, *texts) == tuple(texts)
    assert text_for(None, single.text, "") == (single.text, "")


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
