"""What a browser says before it has heard of the page's answer takes nothing back that the page has done since."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from compecon.views.attention.example_texts import examples_for
from tests.support.pages import address_of, canvas_of, open_page, text_of

MINE, (FIRST, OTHER, *_) = "Mine.", examples_for("sentiment")


def pick_example(page: AppTest) -> None:
    page.menu_button[0].click(OTHER.title)


def enter_text(page: AppTest) -> None:
    page.text_area[0].set_value(MINE)


def choose_checkpoint(page: AppTest) -> None:
    page.selectbox(key="checkpoint").set_value("similarity")


def act_twice(page: AppTest, act: Callable[[AppTest], None]) -> AppTest:
    """Act, then let the browser report something else, of its canvas say, before it has heard of the answer."""
    act(page)
    said = page._tree.get_widget_states()
    for pressed in [one for one in said.widgets if one.WhichOneof("value") == "string_trigger_value"]:
        said.widgets.remove(pressed)
    page.run()
    return page._run(said)


@pytest.mark.parametrize(
    ("name", "act", "text"),
    [
        ("attention", enter_text, (MINE, "")),
        ("attention", pick_example, (OTHER.text, OTHER.pair)),
        ("attention", choose_checkpoint, (examples_for("similarity")[0].text, examples_for("similarity")[0].pair)),
        ("compare", enter_text, (MINE, "")),
        ("compare", pick_example, (OTHER.text, OTHER.pair)),
    ],
)
def test_the_text_stays_that_was_chosen_last(name: str, act: Callable[[AppTest], None], text: tuple[str, str]) -> None:
    page = open_page(name)
    for title in (OTHER.title, FIRST.title):  # the fields have been filled in before
        page.menu_button[0].click(title).run()
    page = act_twice(page, act)
    assert text_of(page) == text
    assert canvas_of(page)["error"] is None
    assert address_of(page).get("text", text[0]) == text[0]
