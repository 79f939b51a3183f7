import numpy as np
import pytest

from compecon.tasks.glue import split
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
