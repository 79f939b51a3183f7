"""Addresses with names of earlier versions lead to what takes their place, and say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.state.old_names import renewed
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import bundled_names
from compecon.checkpoints.successors import SUCCESSORS, successor_of
from compecon.errors import CheckpointError
from tests.support.pages import address_of

SCRIPT = Path(__file__).resolve().parents[2] / "app" / "streamlit_app.py"


def test_no_bundled_checkpoint_has_a_successor_and_every_successor_is_bundled() -> None:
    bundled = set(bundled_names())
    assert not bundled & SUCCESSORS.keys()
    assert {new.name for new in SUCCESSORS.values()} <= bundled


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"checkpoint": "sentiment-45"}, {"checkpoint": "sentiment-elastic", "size": "0.45"}),
        ({"checkpoint": "sentiment-45", "size": "0.2"}, {"checkpoint": "sentiment-elastic", "size": "0.2"}),
        ({"checkpoint": "similarity-any-budget"}, {"checkpoint": "similarity-elastic"}),
        ({"a": "sentiment", "b": "sentiment-30"}, {"a": "sentiment", "b": "sentiment-elastic", "size_b": "0.3"}),
        (
            {"a": "sentiment-60", "b": "sentiment-30"},
            {"a": "sentiment-elastic", "size_a": "0.6", "b": "sentiment-elastic", "size_b": "0.3"},
        ),
        ({"table": "causal|sentiment-60|sentiment-45"}, {"table": "causal|sentiment-elastic"}),
        ({"chosen": "bundled/sentiment-60"}, {"chosen": "bundled/sentiment-elastic@0.6"}),
        ({"chosen": "run/sentiment-60"}, {"chosen": "run/sentiment-60"}),
        ({"text": "sentiment-45"}, {"text": "sentiment-45"}),
    ],
)
def test_a_name_of_an_earlier_version_becomes_that_of_its_successor(old: dict[str, str], new: dict[str, str]) -> None:
    found, told = renewed(old)
    assert found == new
    assert bool(told) == (found != old)
    assert renewed(found) == (found, ())


def test_python_is_told_how_to_load_what_takes_the_place() -> None:
    with pytest.raises(CheckpointError, match=r"no longer bundled.*'sentiment-elastic'\)\.at\(0\.3\)"):
        load_checkpoint("sentiment-30")
    assert successor_of("sentiment") is None


@pytest.mark.slow
def test_the_dashboard_says_what_it_shows_instead_and_corrects_the_address() -> None:
    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.query_params["checkpoint"] = "sentiment-30"
    page.run()
    assert not page.exception
    [told] = page.info
    assert "no longer bundled" in told.value
    assert address_of(page)["checkpoint"] == "sentiment-elastic"
    assert not page.warning
