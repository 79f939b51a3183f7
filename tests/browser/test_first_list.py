"""The list of runs before Streamlit is there, and what was asked of it meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.conftest import Dashboard, sync_api
from tests.browser.test_first_second import FIRST, without_streamlit
from tests.browser.test_train_page import QUICK, Train

expect = sync_api.expect


@pytest.fixture(name="train")
def _train(dashboard: Dashboard) -> Train:
    """The page with two finished runs at the top."""
    train = Train(dashboard)
    for nonce, title in (("bbbbbbbbbbb1", "Before"), ("bbbbbbbbbbb2", "After")):
        train.start(nonce, QUICK, title)
        train.says("● succeeded")
    return train


@pytest.mark.usefixtures("train")
def test_a_row_that_is_pressed_before_streamlit_is_there_is_opened_by_it(
    new_dashboard: Callable[..., Dashboard],
) -> None:
    early = Train(new_dashboard(viewport={"width": 1280, "height": 900}))
    page = early.page
    with without_streamlit(early.dashboard):
        page.goto(f"{early.dashboard.server}/train", wait_until="commit")
        first = page.locator(f"{FIRST} .cr")
        expect(first.locator("tbody td.run").first).to_have_text("After")
        box = first.bounding_box()
        first.get_by_role("button", name="Before").first.click()
    page.locator(FIRST).wait_for(state="detached")
    assert page.locator("#root .cr").bounding_box() == pytest.approx(box, abs=0.5)
    early.heading("Before")
    page.wait_for_url(re.compile("run="))
    assert [error for error in early.dashboard.errors if "404" not in error] == []


def test_an_order_that_is_asked_for_before_streamlit_is_there_is_kept(train: Train) -> None:
    with without_streamlit(train.dashboard):
        train.page.goto(f"{train.dashboard.server}/train", wait_until="commit")
        train.page.locator(f"{FIRST} .cr").get_by_role("columnheader", name="Run").get_by_role("button").click()
    train.page.locator(FIRST).wait_for(state="detached")
    train.dashboard.await_address(sort="run")


@pytest.mark.usefixtures("train")
def test_a_narrow_screen_waits_for_streamlit(new_dashboard: Callable[..., Dashboard]) -> None:
    narrow = Train(new_dashboard(viewport={"width": 390, "height": 844}))
    narrow.page.goto(f"{narrow.dashboard.server}/train", wait_until="commit")
    narrow.page.locator("#root .cr tbody tr").first.wait_for()
    assert narrow.page.locator(FIRST).count() == 0
