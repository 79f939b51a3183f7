"""The Frontier page in a browser: the bar moves marks without the server, marks lead on, files are what they say."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.browser.conftest import Dashboard, sync_api

expect = sync_api.expect
CHOSEN = "bundled/sentiment-45-taylor"


class Frontier:
    """The page as a person uses it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard, self.page = dashboard, dashboard.page

    def open(self, **params: str) -> Frontier:
        self.page.goto(f"{self.dashboard.server}/frontier?{urlencode({'task': 'sst2', **params})}")
        self.page.locator("#root .cf[data-drawn]").wait_for()
        self.page.locator("#compecon-first-picture").wait_for(state="detached")
        self.page.locator("[data-testid=stDataFrame] canvas").first.wait_for()  # the script has run to its end
        return self

    def find(self, selector: str) -> Any:
        return self.page.locator(f"#root .cf {selector}")

    @property
    def bar(self) -> Any:
        return self.find("#cf-keys")

    def picture(self) -> int:
        """A number that changes when any pixel of the canvas over the plot does."""
        script = """c => {
          const pixels = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
          return pixels.reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) | 0, 7);
        }"""
        return int(self.find("canvas.marks").evaluate(script))

    def place(self, key: str) -> tuple[float, float]:
        """Where a point's mark is on the screen, by Plotly's own axes."""
        x, y = self.find(".plot").evaluate(
            """(gd, key) => {
              const { xaxis, yaxis } = gd._fullLayout, box = gd.getBoundingClientRect();
              for (const { customdata, x, y } of gd.data) {
                const at = customdata?.findIndex(([each]) => each === key) ?? -1;
                const [left, top] = [box.left + xaxis._offset, box.top + yaxis._offset];
                if (at >= 0) return [left + xaxis.d2p(x[at]), top + yaxis.d2p(y[at])];
              }
            }""",
            key,
        )
        return x, y

    def click(self, key: str) -> None:
        self.find(".plot").scroll_into_view_if_needed()
        x, y = self.place(key)
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y)
        expect(self.find(".card")).to_be_visible()

    def families(self) -> dict[str, Any]:
        """Whether each family is drawn."""
        shown: dict[str, Any] = self.find(".plot").evaluate(
            "gd => Object.fromEntries(gd._fullData.filter((t) => t.showlegend).map((t) => [t.name, t.visible]))"
        )
        return shown

    def export(self, form: str) -> bytes:
        with self.page.expect_download() as download:
            self.find("select.export").select_option(form)
        assert download.value.suggested_filename == f"frontier-sst2.{form}"
        return Path(download.value.path()).read_bytes()

    def download(self, button: str) -> bytes:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button, exact=True).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture
def frontier(dashboard: Dashboard) -> Frontier:
    return Frontier(dashboard)


@pytest.mark.parametrize(("ceiling", "word"), [("1", "nearest"), ("100", "recommended")])
def test_the_ring_says_whether_what_it_is_around_fits(frontier: Frontier, ceiling: str, word: str) -> None:
    frontier.page.add_init_script(
        """window.written = [];
        const draw = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
          window.written.push(text);
          draw.call(this, text, ...place);
        };"""
    )
    frontier.open(ceiling=ceiling)
    written = frontier.page.evaluate("window.written")
    assert {first for first in ("nearest", "recommended") if any(text.startswith(first) for text in written)} == {word}


def test_dragging_the_bar_moves_marks_and_tells_the_server_nothing(frontier: Frontier) -> None:
    frontier.open(x="reads", y="quality")
    bar, mouse = frontier.bar, frontier.page.mouse
    stops = int(bar.get_attribute("max"))
    frontier.find(".plot").evaluate(
        "gd => { window.drawn = 0; gd.on('plotly_afterplot', () => { window.drawn += 1; }); }"
    )
    box = bar.bounding_box()
    left, width, y = box["x"] + 8, box["width"] - 16, box["y"] + box["height"] / 2
    mouse.move(left + width, y)
    mouse.down()
    sent, asked, seen = frontier.dashboard.frames_sent, len(frontier.dashboard.paths), []
    for stop in range(stops - 1, -1, -1):
        mouse.move(left + width * stop / stops, y)
        seen.append((frontier.find(".budget").inner_text(), frontier.picture()))
    assert len(dict(seen)) == len(set(dict(seen).values())) == stops  # another budget, another picture
    assert seen[-1][0] == "1"
    assert (frontier.dashboard.frames_sent, len(frontier.dashboard.paths)) == (sent, asked)
    assert frontier.page.evaluate("window.drawn") == 0
    mouse.up()
    frontier.dashboard.await_address(keys="1")
    assert not [error for error in frontier.dashboard.errors if "404" not in error]


def test_a_mark_leads_to_attention(frontier: Frontier) -> None:
    frontier.open().click(CHOSEN)
    expect(frontier.find(".card")).to_contain_text("sentiment-45-taylor")
    expect(frontier.find(".card .lines p").nth(2)).to_be_visible()
    frontier.dashboard.await_address(chosen=CHOSEN)
    frontier.find(".card .open").click()
    frontier.dashboard.cc.and_(frontier.page.locator("[data-k]")).wait_for()
    frontier.dashboard.await_address(checkpoint="sentiment-45-taylor")


def test_a_mark_leads_to_its_comparison_with_the_dense_parent(frontier: Frontier) -> None:
    frontier.open().click(CHOSEN)
    frontier.find(".card .compare").click()
    frontier.page.wait_for_url(re.compile("/compare"))
    frontier.dashboard.await_address(a="sentiment-45-taylor", b="sentiment")


BOX = ((0.02, 0.02), (0.5, 0.98))
LASSO = ((0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98), (0.02, 0.05))


@pytest.mark.parametrize(("tool", "way"), [("Box Select", BOX), ("Lasso Select", LASSO)], ids=["box", "lasso"])
def test_marks_inside_of_what_is_drawn_are_listed_in_the_table(
    frontier: Frontier, tool: str, way: Sequence[tuple[float, float]]
) -> None:
    frontier.open()
    frontier.find(f"[data-title='{tool}']").click()
    area = frontier.find(".plot .nsewdrag").first.bounding_box()
    mouse = frontier.page.mouse
    for step, (x, y) in enumerate(way):
        mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"], steps=5)
        if step == 0:
            mouse.down()
    mouse.up()
    told = frontier.page.get_by_text(re.compile(r"The \d+ points"))
    expect(told).to_be_visible()
    frontier.page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")  # the button is new too
    inside = frontier.find(".plot").evaluate(
        "gd => gd.data.reduce((n, t) => n + (t.customdata ? (t.selectedpoints ?? []).length : 0), 0)"
    )
    assert inside > 0
    assert f"The {inside} points" in told.inner_text()
    rows = list(csv.DictReader(io.StringIO(frontier.download("CSV").decode())))
    assert len(rows) == inside


def test_a_family_is_hidden_by_its_name_in_the_legend_and_stays_so(frontier: Frontier) -> None:
    frontier.open()
    assert frontier.families()["fisher"] is True
    frontier.find(".plot .legendtoggle").nth(list(_legend(frontier)).index("fisher")).click()
    frontier.dashboard.await_address(hidden="fisher")
    assert frontier.families()["fisher"] == "legendonly"
    frontier.page.reload()
    frontier.page.locator("#root .cf[data-drawn]").wait_for()
    assert frontier.families()["fisher"] == "legendonly"


def _legend(frontier: Frontier) -> list[str]:
    return list(frontier.find(".plot .legendtext").all_text_contents())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_are_what_is_seen(new_dashboard: Any, scheme: str) -> None:
    frontier = Frontier(new_dashboard(color_scheme=scheme)).open(x="reads", keys="2")
    paper = frontier.find(".plot").evaluate("gd => gd._fullLayout.paper_bgcolor")
    image = Image.open(io.BytesIO(frontier.export("png"))).convert("RGB")
    assert image.format is None or image.format == "PNG"
    assert image.getpixel((2, 2)) == tuple(int(paper[at : at + 2], 16) for at in (1, 3, 5))
    assert (sum(image.getpixel((2, 2))) > 380) == (scheme == "light")  # type: ignore[arg-type]
    assert len(image.resize((200, 100)).getcolors(20_000) or ()) > 20
    drawing = ElementTree.fromstring(frontier.export("svg"))  # noqa: S314 - our own picture
    assert drawing.tag.endswith("svg")
    assert "2 keys a query" in "".join(drawing.itertext())
    assert not [error for error in frontier.dashboard.errors if "404" not in error]


def test_pages_that_are_saved_stand_alone(frontier: Frontier) -> None:
    frontier.open()
    page, report = frontier.download("Plot as a page"), frontier.download("One-page report")
    for saved in (page, report):
        assert b"sentiment-45-taylor" in saved
        assert b"Plotly" in saved
        assert b'src="http' not in saved
    assert b"Which should I choose" in report


def test_the_bar_is_a_native_range_that_keys_move(frontier: Frontier) -> None:
    frontier.open(x="reads")
    frontier.bar.focus()
    before = frontier.bar.get_attribute("aria-valuetext")
    frontier.bar.press("ArrowLeft")
    assert frontier.bar.get_attribute("aria-valuetext") != before
    frontier.click(CHOSEN)
    frontier.page.keyboard.press("Escape")
    expect(frontier.find(".card")).to_be_hidden()


def test_plotly_is_loaded_once_and_knows_no_kind_of_trace_but_scatter(dashboard: Dashboard) -> None:
    asked: list[str] = []
    dashboard.page.on("request", lambda request: asked.append(request.url) if "plotly" in request.url.lower() else None)
    Frontier(dashboard).open()
    assert dashboard.page.evaluate("Object.keys(Plotly.PlotSchema.get().traces)") == ["scatter"]
    assert len([url for url in asked if "/compecon/plotly.js" in url]) == 1


def test_the_legend_stands_beside_the_plot_again_when_there_is_room_again(frontier: Frontier) -> None:
    legend = "gd => { const { orientation, x, y } = gd._fullLayout.legend; return [orientation, x, y]; }"
    at_first = frontier.open().find(".plot").evaluate(legend)
    below = f"() => ({legend})(document.querySelector('#root .cf .plot'))[0] === "
    for width, orientation in ((390, "h"), (1280, "v")):
        frontier.page.set_viewport_size({"width": width, "height": 900})
        frontier.page.wait_for_function(f"{below}'{orientation}'")
    assert frontier.find(".plot").evaluate(legend) == at_first
