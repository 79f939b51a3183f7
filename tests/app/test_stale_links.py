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


# Everything else that an address can name, by page; "nonsense" is none of the words there are, nor a number.
NAMES = {
    "attention": ("checkpoint", "device", "policy", "k", "layer", "head", "view", "tokens", "unit", "size"),
    "compare": ("a", "b", "policy", "device", "part", "table", "k", "layer", "head", "view", "statistic", "size_a"),
    "frontier": ("task", "x", "y", "log", "part", "ask", "ceiling", "change", "floor", "keys", "dominated", "chosen"),
    "allocation": (
        "stream", "rule", "belief", "noise", "money", "service", "part", "budget", "query", "order",
    ),
    "train": ("run", "state", "sweep", "part", "sort"),
    "help": ("topic",),
}  # fmt: skip
BEYOND = [
    ("frontier", {"keys": "9999", "x": "reads"}), ("allocation", {"budget": "9999"}), ("allocation", {"query": "9999"}),
    ("allocation", {"stream": "sentiment-sizes", "rule": "oracle"}), ("compare", {"size_a": "1.5"}),
]  # fmt: skip


@pytest.mark.parametrize("page", NAMES)
def test_whatever_an_address_names_in_vain_is_said_and_corrected(page: str) -> None:
    if page == "train":
        made(RunStore(Home.default().made()))
    silent = []
    for name in NAMES[page]:
        drawn = open_page(page, **{name: "nonsense"})
        assert not drawn.exception
        if [box.value.count("nonsense") for box in drawn.warning] != [1] or "nonsense" in address_of(drawn).values():
            silent.append(name)
    assert silent == []


@pytest.mark.parametrize(("page", "address"), BEYOND)
def test_what_lies_beyond_the_last_one_is_said_and_corrected(page: str, address: dict[str, str]) -> None:
    drawn = open_page(page, **address)
    [box] = drawn.warning
    [said] = [value for value in address.values() if value.replace("-", "\\-").replace(".", "\\.") in box.value]
    assert said not in address_of(drawn).values()


@pytest.mark.parametrize("page", LINKS)
def test_a_good_link_says_nothing(page: str) -> None:
    known = {"attention": {"checkpoint": "similarity"}, "compare": {"a": "sentiment", "b": "sentiment-45-taylor"}}
    assert not open_page(page, **known.get(page, {})).warning
