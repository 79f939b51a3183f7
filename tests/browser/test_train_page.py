"""The Train page in a browser, with a real worker: a rehearsal is started, watched, stopped, resumed and copied."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect
SLOW = '{"steps":2000,"step_ms":30,"save_every":10,"size_kb":1}'  # a minute: longer than a test needs
QUICK = '{"steps":20,"step_ms":5,"save_every":10,"size_kb":1}'
NewDashboard = Callable[..., Dashboard]


class Train:
    """The Train page as a person uses it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.page = dashboard, dashboard.page

    def open(self, **params: str) -> Train:
        self.page.goto(f"{self.dashboard.server}/train?{urlencode(params)}")
        self.page.get_by_role("heading").first.wait_for()
        return self

    def start(self, nonce: str, settings: str, title: str) -> Train:
        """Fill in a form by its address, and press the button."""
        self.open(new=nonce, kind="rehearsal", set=settings, title=title)
        self.press("Start")
        self.heading(title)
        return self

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def heading(self, title: str) -> None:
        expect(self.page.get_by_role("heading", name=title, exact=True)).to_be_visible()

    def said(self, words: str) -> Any:
        """Where something stands that is no row of the list, which may say the same of another run."""
        outside = self.page.locator(":not(td, td *)")
        return self.page.get_by_text(re.compile(words)).and_(outside).filter(visible=True).first

    def says(self, words: str) -> None:
        expect(self.said(words)).to_be_visible()

    @property
    def run(self) -> str:
        """The run in the address; waits until there is one."""
        self.page.wait_for_url(re.compile("run="))
        return self.dashboard.address["run"]

    @property
    def step(self) -> int:
        """How far the run is, as its progress bar says."""
        text = self.said(r"rehearsal [\d,]+ of").inner_text()
        return int(re.search(r"rehearsal ([\d,]+) of", text)[1].replace(",", ""))  # type: ignore[index]


@pytest.fixture
def train(dashboard: Dashboard) -> Train:
    return Train(dashboard)


def test_a_run_is_started_watched_stopped_and_resumed(train: Train, new_dashboard: NewDashboard) -> None:
    train.start("aaaaaaaaaaa1", SLOW, "Watched")
    run_id = train.run
    train.says(r"○ running")
    before = train.step
    shown = train.said(r"rehearsal [\d,]+ of")
    expect(shown).not_to_contain_text(f"rehearsal {before:,} ")
    other = Train(new_dashboard()).open(run=run_id)  # another tab shows the same run, further on
    other.heading("Watched")
    assert other.step >= before
    train.page.reload()
    train.heading("Watched")
    assert train.step >= before
    train.press("Stop")
    train.says("■ cancelled")
    other.says("■ cancelled")
    train.press("Resume")
    train.says(r"○ running")
    train.press("Stop")
    train.says("■ cancelled")


def test_what_is_started_twice_is_one_run(train: Train, new_dashboard: NewDashboard) -> None:
    tabs = [train, Train(new_dashboard())]
    for tab in tabs:
        tab.open(new="aaaaaaaaaaa2", kind="rehearsal", set=QUICK, title="Once")
    tabs[0].page.get_by_role("button", name="Start", exact=True).dblclick()
    tabs[1].press("Start")
    for tab in tabs:
        tab.heading("Once")
    assert tabs[0].run == tabs[1].run
    train.says("● succeeded")
    train.says(r"\b20 steps\b")


def test_a_row_that_is_pressed_is_the_run_that_is_shown(train: Train) -> None:
    train.start("aaaaaaaaaaa3", QUICK, "First of two")
    first = train.run
    train.start("aaaaaaaaaaa4", QUICK, "Second of two")
    train.says("● succeeded")
    rows = train.page.get_by_role("table", name="Runs").locator("tbody tr")
    rows.nth(1).click()
    train.heading("First of two")
    train.page.wait_for_url(re.compile(first))
    expect(rows.nth(1).get_by_role("button")).to_have_attribute("aria-current", "true")


def test_the_list_is_used_with_the_keyboard(train: Train) -> None:
    train.start("aaaaaaaaaaa8", QUICK, "Aardvark")
    train.says("● succeeded")
    train.start("aaaaaaaaaaa9", QUICK, "Zebra")
    train.says("● succeeded")
    table = train.page.get_by_role("table", name="Runs")
    titles = table.locator("tbody td.run")
    heading = table.get_by_role("columnheader", name="Run", exact=True)
    heading.get_by_role("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(titles.first).to_have_text("Aardvark")
    heading.get_by_role("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(titles.first).to_have_text("Zebra")
    assert train.dashboard.address["sort"] == "-run"
    table.get_by_role("button", name="Zebra").focus()
    train.page.keyboard.press("End")
    expect(titles.last.get_by_role("button")).to_be_focused()
    last = titles.last.inner_text()
    train.page.keyboard.press("Enter")
    train.heading(last)
    expect(titles.last.get_by_role("button")).to_be_focused()


def test_the_list_is_saved_as_a_table(train: Train) -> None:
    train.start("aaaaaaaaaab0", QUICK, "=1+1")
    train.says("● succeeded")
    with train.page.expect_download() as download:
        train.press("CSV")
    assert "'=1+1" in _text(download.value)


def test_a_copy_begins_with_the_settings_and_a_deleted_run_comes_back(train: Train) -> None:
    train.start("aaaaaaaaaaa5", QUICK, "Kept")
    train.says("● succeeded")
    train.press("Duplicate")
    train.heading("New run")
    expect(train.page.get_by_label("Title", exact=True)).to_have_value("Kept")
    expect(train.page.get_by_label("Steps", exact=True)).to_have_value("20")
    train.press("Back to the list")
    train.heading("Kept")
    train.press("Delete")
    train.says("is in the trash")
    train.press("Undo")
    train.heading("Kept")


def test_the_page_asks_nobody_else_and_makes_no_errors(train: Train) -> None:
    train.start("aaaaaaaaaaa6", QUICK, "<img src=x onerror=alert(1)> ![](http://evil.example/x.png)")
    train.says("● succeeded")
    for part in ("Examples", "Settings", "Log", "Overview"):
        train.page.get_by_role("radio", name=part).or_(train.page.get_by_role("button", name=part)).first.click()
    train.says("task loss|By optimizer step")
    dashboard = train.dashboard
    assert dashboard.dialogs == []
    assert {host.rpartition(":")[0] for host in dashboard.hosts} == {"localhost"}
    # Streamlit first looks for its server below the page's own address.
    assert [error for error in dashboard.errors if "404" not in error] == []


def test_metrics_are_saved_as_a_table(train: Train) -> None:
    train.start("aaaaaaaaaaa7", QUICK, "Saved")
    train.says("● succeeded")
    with train.page.expect_download() as download:
        train.press("Metrics as CSV")
    lines = _text(download.value).splitlines()
    assert lines[0].startswith("stage,step,total")
    assert len(lines) == 21


def _text(download: Any) -> str:
    with open(download.path(), encoding="utf-8") as stream:  # noqa: PTH123 - a path as text
        return stream.read()
