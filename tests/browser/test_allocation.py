"""The Allocation page in a browser: the bar moves the whole market without the server."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from app.canvas_data.shared_markets import market_of, points_of
from app.state.allocation_choice import AllocationChoice
from compecon.allocation.rules import RULES
from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect


class Allocation:
    """The page as a person uses it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.page = dashboard, dashboard.page

    def open(self, **params: str) -> Allocation:
        self.page.goto(f"{self.dashboard.server}/allocation?{urlencode(params)}")
        self.page.locator("#root .ca[data-budget]").wait_for()
        self.page.locator("#compecon-first-picture").wait_for(state="detached")
        return self

    def find(self, selector: str) -> Any:
        return self.page.locator(f".ca {selector}")

    def fact(self, name: str) -> str:
        return str(self.find(f"[data-fact={name}] b").inner_text())

    def picture(self, name: str) -> int:
        return int(
            self.find(f"canvas.{name}").evaluate(
                """c => {
                  const pixels = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
                  return pixels.reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) | 0, 7);
                }"""
            )
        )

    def snapshot(self) -> tuple[Any, ...]:
        facts = tuple(self.fact(name) for name in ("price", "abandoned", "value"))
        return (self.find(".budget").inner_text(), *facts, *map(self.picture, ("queue", "market", "curve")))


@pytest.fixture
def allocation(dashboard: Dashboard) -> Allocation:
    return Allocation(dashboard)


def test_the_first_picture_is_the_librarys_allocation(allocation: Allocation) -> None:
    allocation.open()
    point = points_of(market_of("sentiment-sizes", "chance", 0.0), AllocationChoice().rule)[20]
    assert float(allocation.fact("price")) == pytest.approx(point.price, rel=1e-3)
    assert allocation.fact("abandoned") == f"{point.abandoned} of 400"
    assert float(allocation.fact("value")) == point.value
    assert float(allocation.fact("gap")) == pytest.approx(point.gap, rel=5e-3)
    assert not [error for error in allocation.dashboard.errors if "404" not in error]


def test_dragging_moves_price_spends_and_pictures_and_tells_the_server_nothing(allocation: Allocation) -> None:
    allocation.open()
    expect(allocation.page.get_by_role("button", name="JSON", exact=True)).to_be_visible()
    bar, mouse = allocation.find("input[type=range]"), allocation.page.mouse
    bar.focus()
    bar.press("ArrowLeft")
    allocation.dashboard.await_address(budget="19")
    expect(allocation.find(".play")).to_be_visible()  # the answer to that has come
    box = bar.bounding_box()
    x, y = box["x"] + box["width"] * 19 / 80, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    sent, asked = allocation.dashboard.frames_sent, len(allocation.dashboard.paths)
    seen = []
    for _ in range(6):
        x += box["width"] / 16
        mouse.move(x, y)
        seen.append(allocation.snapshot())
    assert (allocation.dashboard.frames_sent, len(allocation.dashboard.paths)) == (sent, asked)
    mouse.up()
    assert all(len(set(column)) == len(seen) for column in zip(*seen, strict=True))
    allocation.dashboard.await_address(budget=str(bar.input_value()))


def test_arrow_keys_move_the_bar_and_the_chosen_query(allocation: Allocation) -> None:
    allocation.open(budget="30")
    bar, queue = allocation.find("input[type=range]"), allocation.find("canvas.queue")
    bar.focus()
    bar.press("ArrowRight")
    assert allocation.page.locator(".ca").get_attribute("data-budget") == "31"
    queue.focus()
    queue.press("ArrowRight")
    queue.press("ArrowRight")
    assert queue.get_attribute("aria-valuenow") == "3"
    words = str(allocation.find(".why").inner_text())
    assert queue.get_attribute("aria-valuetext") == words
    assert "funded" in words or "abandoned" in words
    allocation.dashboard.await_address(budget="31", query="2")


def test_hovering_over_a_bar_shows_its_query(allocation: Allocation) -> None:
    allocation.open(order="price")
    queue = allocation.find("canvas.queue")
    box = queue.bounding_box()
    queue.hover(position={"x": box["width"] - 2, "y": 100})
    expect(allocation.find(".why")).to_contain_text("abandoned")
    last = allocation.find(".who").inner_text()
    queue.hover(position={"x": 2, "y": 100})
    expect(allocation.find(".why")).to_contain_text("funded")
    assert allocation.find(".who").inner_text() != last


def test_a_link_restores_the_page_and_arrivals_play(allocation: Allocation) -> None:
    allocation.open(stream="sentiment-keys", rule="uniform", budget="64")
    assert allocation.fact("price") == "none"
    allocation.find(".play").click()
    expect(allocation.find(".progress")).to_have_text("400 of 400 arrived")
    allocation.find(".play").click()
    expect(allocation.find(".online")).to_be_hidden()


@pytest.mark.parametrize("picture", ["queue", "market", "curve"])
def test_a_picture_leaves_in_every_format_with_where_it_comes_from(allocation: Allocation, picture: str) -> None:
    allocation.open(stream="sentiment-keys", rule="shadow-price-repaired", budget="30")
    files = {}
    for form in ("svg", "png", "csv", "json"):
        with allocation.page.expect_download() as download:
            allocation.page.get_by_label(f"Export {picture}").select_option(form)
        files[form] = Path(download.value.path()).read_bytes()
    assert files["png"].startswith(b"\x89PNG")
    assert ElementTree.fromstring(files["svg"]).tag.endswith("svg")  # noqa: S314 - our own file
    told = json.loads(files["json"])
    assert told["provenance"]["source"].startswith("Measured by us")
    assert told["provenance"]["rule"] == RULES["shadow-price-repaired"].label
    lines = files["csv"].decode().splitlines()
    assert any(line.startswith("# source: Measured by us") for line in lines)
    table = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(table) == len(told["rows"]) > 0
    if picture == "queue":
        point = points_of(market_of("sentiment-keys", "chance", 0.0), "shadow-price-repaired")[30]
        assert [float(row["spend"]) for row in table] == pytest.approx(list(point.spends), rel=1e-4)


def test_a_rule_at_fewer_stops_has_a_shorter_bar_and_keeps_its_budget(allocation: Allocation) -> None:
    allocation.open(stream="UShaped", rule="knapsack-exact", budget="31")
    bar = allocation.find("#ca-budget")
    assert bar.get_attribute("max") == "20"
    assert bar.input_value() == "10"
    expect(allocation.find(".exact")).to_contain_text(re.compile(r"\b21 of .*\b61\b"))
    bar.focus()
    bar.press("ArrowRight")
    allocation.dashboard.await_address(budget="33")


def test_the_page_explains_its_three_words(allocation: Allocation) -> None:
    allocation.open()
    allocation.find("summary").click()
    for words in ("Shadow price.", "Rational abandonment.", "Gap to the optimum."):
        expect(allocation.find("details").get_by_text(words)).to_be_visible()
