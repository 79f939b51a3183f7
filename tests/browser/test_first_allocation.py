"""The Allocation page's first picture: its own canvas, before Streamlit is there and takes its place."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import Dashboard, sync_api
from tests.browser.test_first_second import FIRST, without_streamlit

expect = sync_api.expect
SECOND = "#root .ca[data-budget]"
STYLES = "c => { const s = getComputedStyle(c); return [s.color, s.fontSize, s.getPropertyValue('--accent')]; }"
PIXELS = "c => c.toDataURL()"


def open_first(dashboard: Dashboard, **params: str) -> None:
    """Open the page and wait for its first picture."""
    dashboard.page.goto(f"{dashboard.server}/allocation?{urlencode(params)}", wait_until="commit")
    dashboard.page.locator(f"{FIRST} .ca[data-budget]").wait_for()


def await_succession(dashboard: Dashboard) -> None:
    dashboard.page.locator(FIRST).wait_for(state="detached")
    dashboard.page.locator(SECOND).wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1920, "dark"), (390, "light")])
def test_streamlits_picture_stands_where_the_first_stood(
    new_dashboard: Callable[..., Dashboard], width: int, scheme: str
) -> None:
    dashboard = new_dashboard(viewport={"width": width, "height": 900}, color_scheme=scheme)
    names = ("queue", "market", "curve")
    with without_streamlit(dashboard):
        open_first(dashboard, query="12")
        first = dashboard.page.locator(f"{FIRST} .ca")
        box, style = first.bounding_box(), first.evaluate(STYLES)
        pictures = [first.locator(f"canvas.{name}").evaluate(PIXELS) for name in names]
    await_succession(dashboard)
    second = dashboard.page.locator(SECOND)
    assert second.bounding_box() == pytest.approx(box, abs=0.5)
    assert second.evaluate(STYLES) == style
    assert [second.locator(f"canvas.{name}").evaluate(PIXELS) for name in names] == pictures
    # Streamlit first looks for its server below the page's own address.
    assert [error for error in dashboard.errors if "404" not in error] == []


def test_what_was_chosen_meanwhile_stays(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard, query="3")
        bar = dashboard.page.locator(f"{FIRST} #ca-budget")
        bar.fill("30")
        bar.focus()
    await_succession(dashboard)
    bar = dashboard.page.locator("#root #ca-budget")
    assert bar.input_value() == "30"
    dashboard.await_address(query="3", budget=dashboard.page.locator(SECOND).get_attribute("data-budget"))
    assert bar.evaluate("bar => bar.getRootNode().activeElement === bar")


def test_arrivals_play_on_and_what_was_unfolded_stays_so(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard)
        dashboard.page.locator(f"{FIRST} .ca summary").click()
        dashboard.page.locator(f"{FIRST} .ca .play").click()
    await_succession(dashboard)
    expect(dashboard.page.locator("#root .ca .progress")).to_have_text("400 of 400 arrived")
    expect(dashboard.page.locator("#root .ca details")).to_have_attribute("open", "")


def test_a_file_that_is_still_to_come_has_no_first_picture(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        dashboard.page.goto(f"{dashboard.server}/allocation?stream=file", wait_until="commit")
    dashboard.page.locator("input[type=file]").first.wait_for(state="attached")
    assert dashboard.page.locator(FIRST).count() == 0


def test_data_that_does_not_come_leaves_the_page_to_streamlit(dashboard: Dashboard) -> None:
    dashboard.page.route("**/compecon/first/**", lambda route: route.abort())
    dashboard.page.goto(f"{dashboard.server}/allocation")
    dashboard.page.locator(SECOND).wait_for()
    assert dashboard.page.locator(FIRST).count() == 0
