"""Names in a sentence: never a few of many as if they were all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compecon.views.checked_values import few


@given(st.lists(st.text("abc", min_size=1), max_size=30), st.integers(1, 12))
def test_what_is_not_named_is_counted(names: list[str], most: int) -> None:
    said, _, more = few(names, most).partition(" and ")
    assert said == ", ".join(names[:most])
    assert more == (f"{len(names) - most} more" if len(names) > most else "")
