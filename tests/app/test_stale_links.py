"""A link to what is not here (any more) says so, on every page, and shows something else."""

from __future__ import annotations

import pytest

from compecon.runs.home import Home
from compecon.runs.store import RunStore
from tests.support.made_runs import made
from tests.support.pages import address_of, open_page

pytestmark = pytest.mark.slow

LINKS = {
    "attention": {"checkpoint": "nonsense*"},
    "compare": {"a": "nonsense*", "b": "sentiment"},
    "frontier": {"task": "nonsense*"},
    "allocation": {"stream": "nonsense*"},
    "train": {"run": "nonsense*"},
}


@pytest.mark.parametrize("has_runs", [False, True])
@pytest.mark.parametrize("page", LINKS)
def test_a_link_to_what_is_gone_says_so_and_is_not_written_again(page: str, has_runs: bool) -> None:
    if has_runs and page == "train":
        made(RunStore(Home.default().made()))
    drawn = open_page(page, **LINKS[page])
    assert not drawn.exception
    assert any("nonsense" in box.value and "*" in box.value for box in drawn.warning)
    assert not any("nonsense" in value for value in address_of(drawn).values())
    drawn.run()
    assert len(drawn.warning) == 1


@pytest.mark.parametrize("page", LINKS)
def test_a_good_link_says_nothing(page: str) -> None:
    known = {"attention": {"checkpoint": "similarity"}, "compare": {"a": "sentiment", "b": "sentiment-45"}}
    assert not open_page(page, **known.get(page, {})).warning
