"""The Compare page as a script: what it hands to its canvas, what it writes into the address, what it refuses."""

from __future__ import annotations

import json
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from app.server import resources
from app.server.routes import SweepBody
from app.state.compare_choice import CompareView
from compecon.views.attention.example_texts import FIRST_PAIR, examples_for
from compecon.views.attention.traces import TraceKey
from tests.support import pages
from tests.support.pages import address_of, canvas_of

open_page = partial(pages.open_page, "compare")
TEXT = examples_for("sentiment")[0].text


def elsewhere_script() -> None:
    import streamlit as st  # noqa: PLC0415 - as above

    from app.compare.compare_page import compare_page  # noqa: PLC0415
    from app.state.compare_state import choose_pair  # noqa: PLC0415

    if "sent" not in st.session_state:
        st.session_state["sent"] = True
        choose_pair("similarity", "similarity-45-taylor", "A cat.", "A dog.")
    compare_page()


def test_the_page_opens_on_two_recordings() -> None:
    page = open_page()
    data = canvas_of(page)
    for side, name in zip("ab", FIRST_PAIR, strict=True):
        assert data[side]["source"] == {"url": f"/compecon/trace/{TraceKey(name, TEXT).name}", "body": None}
    assert data["error"] is None
    assert data["notes"] == []
    assert address_of(page) == {}


def test_what_both_sides_ask_for_is_what_the_route_accepts() -> None:
    data = canvas_of(open_page(a="causal", b="sentiment", text="Mine.", policy="random", device="cpu"))
    for side, name in (("a", "causal"), ("b", "sentiment")):
        body = data[side]["live"]["body"]
        asked = SweepBody.model_validate_json(json.dumps({**body, "client": "abc", "layer": 0, "budgets": [3]}))
        assert (asked.checkpoint, asked.text, asked.policy, asked.device) == (name, "Mine.", "random", "cpu")
        assert data[side]["source"] == data[side]["live"]
    assert data["a"]["id"] != data["b"]["id"]
    assert any("relative depth" in note for note in data["notes"])


def test_the_address_holds_what_is_not_the_default() -> None:
    page = open_page(b="causal", text="Mine.", layer="1", head="0", k="3", view="received")
    assert address_of(page) == {
        "b": "causal", "text": "Mine.", "layer": "1", "head": "0", "k": "3", "view": "received"
    }  # fmt: skip
    page.selectbox(key="compare_a").set_value("similarity").run()
    assert address_of(page)["a"] == "similarity"


def test_swapping_in_the_canvas_swaps_the_widgets() -> None:
    page = open_page()
    before = canvas_of(page)
    page.session_state["compare_a"], page.session_state["compare_b"] = FIRST_PAIR[1], FIRST_PAIR[0]
    after = canvas_of(page.run())
    assert (after["a"], after["b"]) == (before["b"], before["a"])


def test_another_page_can_send_a_pair_and_a_text() -> None:
    page = AppTest.from_function(elsewhere_script, default_timeout=60).run()
    data = canvas_of(page)
    assert [data[side]["live"]["body"]["checkpoint"] for side in "ab"] == ["similarity", "similarity-45-taylor"]
    assert (data["text"], data["pair"]) == ("A cat.", "A dog.")


def test_an_example_is_one_click_away() -> None:
    page = open_page()
    other = examples_for("sentiment")[1]
    page.menu_button(key="compare_example").click(other.title).run()
    assert canvas_of(page)["text"] == other.text


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"b": "sentiment"}, "same checkpoint"),
        ({"text": "  "}, "empty"),
        ({"b": "causal", "text": "One.", "pair": "Two."}, "Clear the second text"),
        ({"text": "a" * 100_001}, "100,001 characters"),
    ],
)
def test_what_cannot_be_compared_is_said_and_the_last_picture_stays(params: dict[str, str], says: str) -> None:
    page = open_page()
    good = canvas_of(page)
    for name, value in params.items():
        key = f"compare_{name}"
        widget = page.selectbox(key=key) if name == "b" else page.text_area(key=key)
        widget.set_value(value)
    data = canvas_of(page.run())
    assert says in data["error"]
    assert data["id"] == good["id"]
    bad = canvas_of(open_page(**params))
    assert says in bad["error"]
    assert bad["a"] is None


@pytest.mark.parametrize("name", ["/nowhere", "<img src=x onerror=alert(1)>", "**bold** :smile:", "a" * 500])
def test_a_checkpoint_that_is_gone_is_named_letter_by_letter(name: str) -> None:
    page = open_page(a=name)
    assert canvas_of(page)["a"]["live"]["body"]["checkpoint"] == FIRST_PAIR[0]
    [warning] = page.warning
    assert "not available" in warning.value
    assert "<img" not in warning.value.replace("\\<", "")
    assert "**bold**" not in warning.value


def test_without_a_second_checkpoint_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"sentiment": resources.checkpoints()["sentiment"]}
    monkeypatch.setattr("app.compare.compare_page.checkpoints", lambda: only)
    assert "one checkpoint" in canvas_of(open_page())["error"]
    monkeypatch.setattr("app.compare.compare_page.checkpoints", dict)
    assert "no checkpoint" in canvas_of(open_page())["error"]


HOSTILE = {
    "k": "-3",
    "layer": "9e9",
    "head": "x",
    "view": "evil",
    "tokens": "<b>",
    "unit": "",
    "statistic": "__proto__",
    "size_a": "0",
    "size_b": "nan",
}


def test_a_hostile_view_keeps_its_defaults() -> None:
    assert CompareView.from_mapping(HOSTILE) == CompareView()
    assert CompareView.from_mapping({"layer": "0", "head": 3}) == CompareView(layer=0, head=3)
    sizes = CompareView.from_mapping({"size_a": "0.3", "size_b": 1, "size": "0.5"})
    assert (sizes.size_a, sizes.size_b) == (0.3, 1.0)


def test_the_table_shows_checkpoints_of_the_task_and_only_what_differs() -> None:
    page = open_page(part="table")
    assert not page.exception
    [frame] = page.dataframe
    assert frame.value.columns[0] == "property"
    of_task = [entry.title for entry in resources.checkpoints().values() if entry.task == "sentiment"]
    assert sorted(frame.value.columns[1:]) == sorted(of_task)
    assert "layers" not in set(frame.value["property"])
    page.toggle(key="compare_differences").set_value(False).run()
    assert "layers" in set(page.dataframe[0].value["property"])
    page.text_input(key="compare_sought").set_value("no such words").run()
    assert not page.dataframe


def test_the_checkpoints_of_the_table_are_in_the_address() -> None:
    page = open_page(part="table", table="sentiment|causal|<script>|sentiment-45-taylor")
    assert list(page.dataframe[0].value.columns[1:]) == [
        resources.checkpoints()[name].title for name in ("sentiment", "causal", "sentiment-45-taylor")
    ]
    assert address_of(page)["table"] == "sentiment|causal|sentiment-45-taylor"
