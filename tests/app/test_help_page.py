"""The Help page as a script: which page of the guide is open, what the address keeps, what is refused."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from compecon.views.help.guide import INDEX, guide
from tests.support import pages
from tests.support.pages import address_of, canvas_of

open_page = partial(pages.open_page, "help")


def shown(page: AppTest) -> str:
    """Name of the page of the guide on the screen, which is drawn without HTML."""
    assert not page.exception
    [text] = page.markdown
    assert not text.allow_html
    [name] = [name for name, written in guide().items() if written.text.strip() == text.value]
    assert canvas_of(page)["topic"] == name
    return name


def test_it_opens_on_the_index() -> None:
    page = open_page()
    assert shown(page) == INDEX
    assert address_of(page) == {}


def test_an_address_opens_a_page() -> None:
    assert [name for name in guide() if shown(open_page(topic=name)) != name] == []


@pytest.mark.parametrize("topic", ["", "../../etc/passwd", "<b>", "runs.md", "RUNS"])
def test_what_no_link_of_ours_says_is_the_index(topic: str) -> None:
    page = open_page(topic=topic)
    assert shown(page) == INDEX
    assert address_of(page) == {}


def test_the_list_opens_a_page_and_the_address_says_so() -> None:
    page = open_page(topic="runs")
    page.radio[0].set_value("speed").run()
    assert shown(page) == "speed"
    assert address_of(page) == {"topic": "speed"}


def test_a_second_choice_counts_before_the_browser_has_heard_of_the_first() -> None:
    page = open_page()
    page.radio[0].set_value("speed").run()
    page.query_params.clear()  # as it was when the first choice was made
    page.radio[0].set_value("runs").run()
    assert shown(page) == "runs"
    assert address_of(page) == {"topic": "runs"}


def test_an_address_that_changed_by_itself_has_the_last_word() -> None:
    page = open_page(topic="runs")
    page.radio[0].set_value("speed").run()
    page.query_params["topic"] = "runs"  # Back was pressed
    assert shown(page.run()) == "runs"
    assert page.radio[0].value == "runs"
