"""An address that names what is not there: the canvas says so, moves to the nearest, and the address follows."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect
FAR = {"k": "900", "layer": "99", "head": "98"}


@pytest.mark.parametrize("page", ["", "compare"])
def test_a_budget_layer_and_head_beyond_the_last_are_said_and_corrected(dashboard: Dashboard, page: str) -> None:
    asked = "&".join(f"{name}={value}" for name, value in FAR.items())
    dashboard.page.goto(f"{dashboard.server}/{page}?{asked}")
    dashboard.page.locator("#root .cc[data-k]").wait_for()
    dashboard.page.locator("#compecon-first-picture").wait_for(state="detached")
    alert = dashboard.page.locator("#root .cc .alert")
    for number in FAR.values():
        expect(alert).to_contain_text(f" {number} (there are ")

    def corrected(url: str) -> bool:
        held = parse_qs(urlsplit(url).query)
        return all(held.get(name) != [value] for name, value in FAR.items())

    dashboard.page.wait_for_url(corrected)
    expect(alert).to_be_visible()  # the run of the script that this has begun leaves it


def test_a_view_that_is_there_is_not_warned_of(dashboard: Dashboard) -> None:
    dashboard.open(k="3", layer="1", head="2")
    expect(dashboard.find(".alert")).to_be_hidden()
    dashboard.type_text("Short.")  # it has fewer tokens than the budget: no fault of an address
    dashboard.await_badge("exact")
    expect(dashboard.find(".alert")).to_be_hidden()


def test_an_unknown_checkpoint_never_shows_a_canvas_without_a_picture(dashboard: Dashboard) -> None:
    dashboard.page.add_init_script(
        """window.bare = 0;
        const look = () => {
          const roots = [...document.querySelectorAll('#root *')].map((each) => each.shadowRoot ?? each);
          const canvas = roots.map((root) => root.querySelector('.cc')).find(Boolean);
          window.seen ||= Boolean(canvas);
          const panels = canvas?.dataset.k ? null : canvas?.querySelector('.panels');
          if (panels?.checkVisibility({ visibilityProperty: true })) window.bare += 1;
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);"""
    )
    dashboard.open(checkpoint="nonsense")
    expect(dashboard.page.get_by_text("nonsense")).to_be_visible()
    assert dashboard.page.evaluate("[window.seen, window.bare]") == [True, 0]
