"""A sample of a task's rows: the same for everyone, in every kind of task."""

from __future__ import annotations

import numpy as np
import pytest

from compecon.errors import TaskError
from compecon.tasks.language_task import Document, LanguageTask
from compecon.tasks.rows import chosen_rows, with_few_rows
from compecon.tasks.task import Split, Task
from compecon.tasks.task_metrics import accuracy

TEXTS = tuple(f"text {i}" for i in range(50))
TARGETS = np.arange(50) % 2


@pytest.mark.parametrize("pairs", [(), TEXTS[::-1]], ids=["texts", "pairs"])
def test_rows_are_taken_with_their_pairs_and_targets(pairs: tuple[str, ...]) -> None:
    part = Split(TEXTS, pairs, TARGETS)
    task = Task("t", "classification", ("no", "yes"), {"dev": part, "test": part}, (accuracy,))
    few = with_few_rows(task, "test", 7)
    places = list(chosen_rows(50, 7))
    assert list(few.splits) == ["test"]
    assert few.part("test").texts == tuple(TEXTS[place] for place in places)
    assert few.part("test").pairs == tuple(pairs[place] for place in places if pairs)
    assert few.part("test").targets.tolist() == TARGETS[places].tolist()
    assert few.check_labels(("no", "yes")) == task.check_labels(("no", "yes"))
    for n_rows in (None, 50, 1000):
        assert with_few_rows(task, "test", n_rows) is task
    with pytest.raises(TaskError):
        with_few_rows(task, "train", 7)


def test_documents_are_taken_likewise_and_more_rows_begin_with_the_fewer() -> None:
    task = LanguageTask("t", {"test": tuple(Document(text, 2) for text in TEXTS)})
    few, more = (with_few_rows(task, "test", n).part("test") for n in (5, 20))
    assert more[:5] == few
    assert len(set(more)) == 20
    assert more != task.part("test")[:20]
