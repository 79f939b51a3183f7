"""The Help page in a browser: links between its pages, headings, Back, and a narrow screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compecon.views.help.guide import guide
from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect


class Help:
    """The page as a person uses it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.page = dashboard, dashboard.page
        self.main = self.page.locator('[data-testid="stMain"]')

    def open(self, address: str = "") -> Help:
        self.page.goto(f"{self.dashboard.server}/help{address}")
        self.page.locator("span[data-topic]").wait_for(state="attached")
        return self

    def follow(self, name: str, **options: Any) -> None:
        self.main.get_by_role("link", name=name, exact=True).click(**options)

    def expect_topic(self, name: str) -> None:
        expect(self.main.locator("h1")).to_have_text(guide()[name].title)
        self.dashboard.await_address(topic=name)


@pytest.fixture
def guide_page(dashboard: Dashboard) -> Help:
    return Help(dashboard)


def test_links_open_in_the_same_tab_and_back_goes_back(guide_page: Help) -> None:
    guide_page.open()
    guide_page.follow("Training under a price")
    guide_page.expect_topic("training")
    guide_page.follow("Results")
    guide_page.expect_topic("results")
    guide_page.page.go_back()
    guide_page.expect_topic("training")
    assert len(guide_page.page.context.pages) == 1
    assert guide_page.dashboard.hosts == {guide_page.dashboard.server.removeprefix("http://")}


def test_a_link_to_a_heading_shows_the_heading(guide_page: Help) -> None:
    guide_page.open("?topic=results")
    guide_page.follow("another page")
    guide_page.expect_topic("allocation")
    expect(guide_page.main.locator("#what-one-market-gains")).to_be_in_viewport()


def test_a_link_to_a_page_shows_its_top(guide_page: Help) -> None:
    guide_page.open("?topic=results")
    guide_page.main.get_by_text("another page").scroll_into_view_if_needed()
    expect(guide_page.main.locator("h1")).not_to_be_in_viewport()
    guide_page.page.get_by_test_id("stRadioGroup").get_by_text("Runs and clusters").click()
    guide_page.expect_topic("runs")
    expect(guide_page.main.locator("h1")).to_be_in_viewport()


def test_a_link_with_a_key_held_down_opens_another_tab(guide_page: Help) -> None:
    guide_page.open()
    with guide_page.page.context.expect_page() as opened:
        guide_page.follow("Commands", modifiers=["Control"])
    expect(opened.value.locator('[data-testid="stMain"] h1')).to_have_text(guide()["commands"].title)
    expect(guide_page.main.locator("h1")).to_have_text(guide()["README"].title)


def test_a_narrow_screen_scrolls_tables_and_not_the_page(new_dashboard: Callable[..., Dashboard]) -> None:
    page = Help(new_dashboard(viewport={"width": 390, "height": 844})).open("?topic=speed")
    wide, seen, body = page.main.locator("table").first.evaluate(
        "table => [table.scrollWidth, table.clientWidth, document.documentElement.scrollWidth]"
    )
    assert seen <= body <= 390 < 2 * wide
    assert page.main.locator("table").first.evaluate("table => getComputedStyle(table).overflowX") == "auto"
