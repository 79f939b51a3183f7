import numpy as np
import pytest

from compecon.tasks.glue import SICK, entailment, mnli
from compecon.tasks.rows import split
from compecon.tasks.task import Split


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
