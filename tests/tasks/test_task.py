import numpy as np
import pytest

from compecon.errors import TaskError
from compecon.tasks.readers.glue import SICK, SST2, STSB, entailment, mnli
from compecon.tasks.rows import shuffled, split
from compecon.tasks.task import Split
from compecon.tasks.task_metrics import spearman


def test_a_split_says_which_columns_differ():
    with pytest.raises(ValueError, match="2 texts, 1 pairs, 2 targets"):
        Split(("a", "b"), ("c",), np.array([0, 1]))


def test_a_split_needs_a_row():
    with pytest.raises(ValueError, match="no rows"):
        split([], int)


def test_the_head_of_a_split_is_its_first_rows_and_at_most_all():
    rows = split([("a", "x", 0), ("b", "y", 1)], int)
    assert rows.head(1).all_texts == ("a", "x")
    assert len(rows.head(5)) == 2


def test_entailment_rehearses_mnli_and_learns_sick_with_as_many_rows_of_mnli():
    broad = mnli([(f"p{i}", f"h{i}", i % 3) for i in range(20)], [("m", "n", 0), ("o", "p", 1)])
    simple = SICK.task(
        {name: split([(f"{name}{i}", "x", 1) for i in range(2)], int) for name in ("train", "dev", "test")}
    )
    task = entailment(broad, simple)
    assert task.splits["rehearsal"].texts == tuple(f"p{i}" for i in range(18))
    assert task.splits["train"].texts == ("train0", "train1", "p0", "p1")
    assert task.splits["train"].targets.tolist() == [1, 1, 0, 1]
    assert task.splits["dev"].texts == ("dev0", "dev1")
    assert task.reported == ("test", "MNLI dev-matched")


def test_a_task_is_chosen_by_its_first_metric():
    task = STSB.task({})
    assert (task.metric, task.score, task.higher_is_better) == ("spearman", spearman, True)


def test_what_is_not_learnt_from_or_chosen_by_is_reported_and_dev_if_there_is_nothing_else():
    rows = split([("a", None, 0), ("b", None, 1)], int)
    assert SST2.task(dict.fromkeys(("rehearsal", "train", "dev", "test", "more"), rows)).reported == ("test", "more")
    assert SST2.task({"train": rows, "dev": rows}).reported == ("dev",)
    assert SST2.task({"train": rows}).reported == ()


def test_rows_that_are_not_there_are_refused_with_those_that_are():
    task = SST2.task({"train": split([("a", None, 0)], int)})
    assert task.part("train") is task.splits["train"]
    with pytest.raises(TaskError, match=r"sst2 has no test rows here, only train\.$"):
        task.part("test")


def test_one_fixed_shuffle_keeps_every_row():
    rows = [(str(i), None, i) for i in range(50)]
    assert shuffled(rows) == shuffled(rows) != rows
    assert sorted(shuffled(rows), key=lambda row: row[2]) == rows
