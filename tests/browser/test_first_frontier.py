"""The Frontier page's first picture: its own plot and answer, before Streamlit is there and takes their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import Dashboard, sync_api
from tests.browser.test_first_second import FIRST, without_streamlit

expect = sync_api.expect
SECOND = "#root .cf[data-drawn]"
PARTS = (".answer .first", ".answer .more", ".bar", ".tools", ".stage", ".plot .legend", ".plot .nsewdrag")
MARKS = "gd => [...gd.querySelectorAll('.scatterlayer path.point')].map((mark) => [mark.outerHTML, mark.style.fill])"
RANGES = "gd => [gd._fullLayout.xaxis.range, gd._fullLayout.yaxis.range].flat()"


def open_first(dashboard: Dashboard, **params: str) -> None:
    """Open the page and wait for its first picture."""
    dashboard.page.goto(f"{dashboard.server}/frontier?{urlencode({'task': 'sst2', **params})}", wait_until="commit")
    dashboard.page.locator(f"{FIRST} .cf[data-drawn]").wait_for()


def await_succession(dashboard: Dashboard) -> None:
    dashboard.page.locator(FIRST).wait_for(state="detached")
    dashboard.page.locator(SECOND).wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1920, "dark"), (390, "light")])
def test_streamlits_picture_stands_where_the_first_stood(
    new_dashboard: Callable[..., Dashboard], width: int, scheme: str
) -> None:
    dashboard = new_dashboard(viewport={"width": width, "height": 900}, color_scheme=scheme)
    with without_streamlit(dashboard):
        open_first(dashboard, keys="4", chosen="bundled/sentiment-45-taylor")
        first = dashboard.page.locator(f"{FIRST} .cf")
        boxes = {part: first.locator(part).first.bounding_box() for part in PARTS}
        marks, overlay = first.locator(".plot").evaluate(MARKS), first.locator("canvas.marks").evaluate("c => c.width")
        words = first.locator(".answer").inner_text()
    await_succession(dashboard)
    second = dashboard.page.locator("#root .cf")
    for part, box in boxes.items():
        assert second.locator(part).first.bounding_box() == pytest.approx(box, abs=0.6), part
    assert len(marks) > 40
    assert second.locator(".plot").evaluate(MARKS) == marks
    assert second.locator("canvas.marks").evaluate("c => c.width") == overlay
    assert second.locator(".answer").inner_text() == words
    # Streamlit first looks for its server below the page's own address.
    assert [error for error in dashboard.errors if "404" not in error] == []


def test_what_was_chosen_meanwhile_stays(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard)
        first = dashboard.page.locator(f"{FIRST} .cf")
        first.locator("#cf-keys").fill("0")
        keys = first.get_attribute("data-keys")
        first.locator("input.dominated").uncheck()
        area = first.locator(".plot .nsewdrag").first.bounding_box()
        mouse = dashboard.page.mouse
        mouse.move(area["x"] + 0.2 * area["width"], area["y"] + 0.2 * area["height"])
        mouse.down()
        mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.6 * area["height"], steps=4)
        mouse.up()
        zoomed = first.locator(".plot").evaluate(RANGES)
    await_succession(dashboard)
    second = dashboard.page.locator("#root .cf")
    assert second.get_attribute("data-keys") == keys
    expect(second.locator("input.dominated")).not_to_be_checked()
    assert second.locator(".plot").evaluate(RANGES) == pytest.approx(zoomed)
    dashboard.await_address(keys=keys, dominated="False")


def test_data_that_comes_late_changes_no_colour_and_data_that_does_not_leaves_the_page_to_streamlit(
    dashboard: Dashboard,
) -> None:
    held: list[Any] = []
    dashboard.page.route("**/compecon/first/**", lambda route: held.append(route))
    dashboard.page.goto(f"{dashboard.server}/frontier", wait_until="commit")
    dashboard.page.locator(FIRST).wait_for(state="attached")
    grounds = "(host) => [host, document.documentElement].map((one) => getComputedStyle(one).backgroundColor)"
    first, page = dashboard.page.locator(FIRST).evaluate(grounds)
    assert first == page
    dashboard.page.locator(SECOND).wait_for()  # Streamlit has been faster
    dashboard.page.locator(FIRST).wait_for(state="detached")
    held[0].abort()
    expect(dashboard.page.locator("#root .cf .answer .first")).to_be_visible()
    dashboard.page.unroute("**/compecon/first/**")
    dashboard.page.route("**/compecon/first/**", lambda route: route.abort())
    dashboard.page.reload()
    dashboard.page.locator(SECOND).wait_for()
    assert dashboard.page.locator(FIRST).count() == 0
