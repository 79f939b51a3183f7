"""The Compare page's first picture: its own canvas on two recordings, before Streamlit is there and takes its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from compecon.views.attention.example_texts import FIRST_PAIR, FIRST_SIZE
from tests.browser.conftest import Dashboard
from tests.browser.test_first_second import FIRST, without_streamlit

SECOND = "#root .cc[data-both=true]"
PIXELS = "root => [...root.querySelectorAll('canvas')].map(c => c.toDataURL())"


def open_first(dashboard: Dashboard, **params: str) -> Any:
    """Open the page; its first picture, once both sides are drawn."""
    dashboard.page.goto(f"{dashboard.server}/compare?{urlencode(params)}", wait_until="commit")
    first = dashboard.page.locator(f"{FIRST} .cc[data-both=true]")
    first.wait_for()
    return first


def await_sizes(canvas: Any) -> None:
    """Until every size is there, which the marks below the bar show."""
    canvas.locator(".compute[data-missing='0']").wait_for()


def await_succession(dashboard: Dashboard) -> Any:
    """Streamlit's canvas, once it stands alone."""
    dashboard.page.locator(FIRST).wait_for(state="detached")
    second = dashboard.page.locator(SECOND)
    second.wait_for()
    return second


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1920, "dark"), (390, "light")])
def test_streamlits_picture_stands_where_the_first_stood(
    new_dashboard: Callable[..., Dashboard], width: int, scheme: str
) -> None:
    dashboard = new_dashboard(viewport={"width": width, "height": 900}, color_scheme=scheme)
    with without_streamlit(dashboard):
        first = open_first(dashboard, k="5")
        await_sizes(first)
        box, pictures = first.bounding_box(), first.evaluate(PIXELS)
    second = await_succession(dashboard)
    await_sizes(second)
    assert second.bounding_box() == pytest.approx(box, abs=0.5)
    assert second.evaluate(PIXELS) == pictures
    # Streamlit first looks for its server below the page's own address.
    assert [error for error in dashboard.errors if "404" not in error] == []


def test_what_was_chosen_meanwhile_stays(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        first = open_first(dashboard, layer="1")
        first.locator("input[type=range]").first.press("ArrowRight")
        chosen = first.get_attribute("data-k")
    second = await_succession(dashboard)
    assert second.get_attribute("data-k") == chosen
    dashboard.await_address(k=str(chosen), layer="1")


def test_the_size_is_dragged_before_a_model_is_there(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        first = open_first(dashboard)
        answer, bar = first.locator(".answer").nth(1), first.locator(".compute input")
        expect(first.locator(".size")).to_contain_text(f"{FIRST_SIZE:.0%}")
        before = answer.inner_text()
        bar.fill("0")  # the smallest
        expect(first.locator(".size")).to_contain_text("5%")
        expect(answer).not_to_have_text(before)
        asked = [path for path in dashboard.paths if path.endswith("/sweep")]
    assert asked == []
    await_succession(dashboard)
    dashboard.await_address(size_b="0.05")


def test_sides_that_were_swapped_meanwhile_stay_so(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard).get_by_role("button", name="Swap").click()
    await_succession(dashboard)
    dashboard.await_address(a=FIRST_PAIR[1], b=FIRST_PAIR[0])


def test_what_is_not_recorded_has_no_first_picture(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        dashboard.page.goto(f"{dashboard.server}/compare?text=mine", wait_until="commit")
    dashboard.page.locator(SECOND).wait_for()
    assert dashboard.page.locator(FIRST).count() == 0
