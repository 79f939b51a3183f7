"""The data set part of the Compare page in a browser: rows that are pressed, files, and runs that are asked for."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

from app.compare.shared_measurements import compared, sets_of
from compecon.evaluation.row_store import StatisticsStore
from compecon.views.compare.dataset_text import LEVEL_COLUMNS, level_rows
from compecon.views.compare.telling_rows import listed_rows
from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect
ROW = 35  # pixels of a table's row


def open_part(dashboard: Dashboard, **params: str) -> None:
    dashboard.page.set_viewport_size({"width": 1280, "height": 2200})
    dashboard.page.goto(f"{dashboard.server}/compare?{urlencode({'part': 'dataset', **params})}")


def test_a_row_that_is_pressed_is_compared_as_a_text(dashboard: Dashboard) -> None:
    open_part(dashboard, a="sentiment", b="sentiment-elastic")
    page = dashboard.page
    page.get_by_role("combobox", name="Rows", exact=True).click()
    page.get_by_role("option", name="reviews (synthetic) · test · 200 rows").click()
    expect(page.get_by_text("a row to compare the two")).to_be_visible()
    both = next(each.both for each in sets_of("sentiment", "sentiment-elastic") if "synthetic" in each.title)
    assert both is not None
    row = listed_rows(*both, "most-a", StatisticsStore().texts(both[0].key.rows_digest))[1]
    table = page.get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 16, "y": ROW + ROW + ROW // 2})
    expect(page.get_by_label("Text", exact=True)).to_have_value(row.text)
    expect(page.locator(".compare")).to_be_visible()


def test_the_numbers_of_the_figures_can_be_taken_home(dashboard: Dashboard, tmp_path: Path) -> None:
    open_part(dashboard, a="similarity", b="similarity-elastic")
    with dashboard.page.expect_download() as waiting:
        dashboard.page.get_by_role("button", name="CSV", exact=True).click()
    waiting.value.save_as(tmp_path / "levels.csv")
    [both] = [each.both for each in sets_of("similarity", "similarity-elastic")]
    assert both is not None
    heads, *lines = list(csv.reader((tmp_path / "levels.csv").read_text(encoding="utf-8").splitlines()))
    assert tuple(heads) == LEVEL_COLUMNS
    assert [float(line[3]) for line in lines] == [row[3] for row in level_rows(compared(*both))]


def test_what_is_missing_is_asked_for_and_can_be_stopped(dashboard: Dashboard) -> None:
    open_part(dashboard, a="sentiment-45-taylor", b="sentiment-elastic")
    page = dashboard.page
    expect(page.get_by_text("These two have not been measured on the same rows yet.")).to_be_visible()
    page.get_by_label("Rows", exact=True).fill("5")
    page.get_by_label("Rows", exact=True).press("Enter")
    page.get_by_role("button", name="Measure in the background").click()
    expect(page.get_by_text("Being measured")).to_be_visible()
    stops = page.get_by_role("button", name="Stop", exact=True)
    expect(stops).to_have_count(2)
    stops.last.click()  # the one that waits for its turn
    expect(stops).to_have_count(1)
    stops.last.click()
    with suppress(sync_api.TimeoutError):  # it may have ended; one that is busy loading libraries is ended at once
        stops.last.click(timeout=3000)
    expect(stops).to_have_count(0)
    expect(page.get_by_text("Being measured")).to_be_hidden()
