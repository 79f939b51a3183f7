"""The first second: a picture that can be dragged before Streamlit is there, which takes its place without a jump."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.server.access import Access
from app.server.front import FAILED
from app.server.serve import run
from compecon.errors import CompeconError
from compecon.views.attention.example_texts import FIRST_PAIR
from tests.browser.conftest import ROOT, Dashboard, _await, sync_api

FIRST = "#compecon-first-picture"
SECOND = "#root .cc[data-k]"
SERVE = """
import json, pathlib, runpy, signal, sys
launched = runpy.run_path("app/launch.py")
import app.server.early_routes
app.server.early_routes.WARM_UP_S = 3600  # importing torch brings more along
signal.signal(signal.SIGUSR1, lambda *_: pathlib.Path(sys.argv[2]).write_text(json.dumps(sorted(sys.modules))))
launched["serve"](port=int(sys.argv[1]), open_browser=False, say=print)
"""


@contextmanager
def without_streamlit(dashboard: Dashboard) -> Iterator[None]:
    """Keep Streamlit's own script from the page until the end of the block."""
    waiting: list[Any] | None = []
    dashboard.page.route(
        "**/static/js/index.*.js", lambda route: route.continue_() if waiting is None else waiting.append(route)
    )
    yield
    held, waiting = waiting or [], None
    for route in held:
        route.continue_()


def open_first(dashboard: Dashboard, **params: str) -> None:
    """Open the page and wait for its first picture."""
    dashboard.page.goto(f"{dashboard.server}/?{urlencode(params)}", wait_until="commit")
    dashboard.await_badge("recorded")


def box_of(dashboard: Dashboard, place: str) -> dict[str, float]:
    return dict(dashboard.page.locator(f"{place} .cc").bounding_box())


def await_succession(dashboard: Dashboard) -> None:
    dashboard.page.locator(FIRST).wait_for(state="detached")
    dashboard.page.locator(SECOND).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (390, 844)])
def test_streamlits_picture_stands_where_the_first_stood(
    new_dashboard: Callable[..., Dashboard], width: int, height: int, scheme: str
) -> None:
    dashboard = new_dashboard(viewport={"width": width, "height": height}, color_scheme=scheme)
    styles = "c => { const s = getComputedStyle(c); return [s.color, s.fontSize, s.getPropertyValue('--accent')]; }"
    with without_streamlit(dashboard):
        open_first(dashboard)
        before, style = box_of(dashboard, FIRST), dashboard.cc.evaluate(styles)
        pictures = {name: dashboard.picture(name) for name in ("heatmap", "lorenz", "atlas", "scarcity")}
    await_succession(dashboard)
    assert box_of(dashboard, "#root") == pytest.approx(before, abs=0.5)
    assert dashboard.cc.evaluate(styles) == style
    assert {name: dashboard.picture(name) for name in pictures} == pictures
    assert dashboard.errors == []


def test_nothing_is_shown_of_a_picture_before_it_has_drawn(dashboard: Dashboard) -> None:
    held: list[Any] = []
    dashboard.page.route("**/compecon/trace/*", lambda route: held.append(route))
    with without_streamlit(dashboard):
        dashboard.page.goto(dashboard.server, wait_until="commit")
        first = dashboard.page.locator(f"{FIRST} .cc")
        first.wait_for(state="attached")
        sync_api.expect(first).to_be_hidden()
        dashboard.page.unroute("**/compecon/trace/*")
        for route in held:
            route.continue_()
        sync_api.expect(first).to_be_visible()
        assert dashboard.colours("heatmap") > 8


def test_what_was_chosen_meanwhile_stays(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard, head="5")
        dashboard.move_to(9)
        dashboard.press_switch("view", "received")
        dashboard.bar.focus()
    await_succession(dashboard)
    dashboard.await_address(k="9", view="received", head="5")
    assert dashboard.k == 9
    assert dashboard.bar.evaluate("bar => bar.getRootNode().activeElement === bar")
    dashboard.page.keyboard.press("ArrowRight")
    assert dashboard.k == 10


def test_a_size_that_was_dragged_to_meanwhile_stays(dashboard: Dashboard) -> None:
    size = dashboard.page.locator(".cc .compute .size")
    with without_streamlit(dashboard):
        open_first(dashboard, checkpoint=FIRST_PAIR[1], size="0.3")
        dashboard.find(".compute[data-missing='0'] input").fill("0")
        sync_api.expect(size).to_have_text("5% of the MACs")
    await_succession(dashboard)
    dashboard.await_address(checkpoint=FIRST_PAIR[1], size="0.05")
    sync_api.expect(size).to_have_text("5% of the MACs")


def test_an_address_keeps_its_view_where_nothing_was_chosen(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard, k="3", layer="1", tiles="pictures")
        assert dashboard.k == 3
    await_succession(dashboard)
    assert dashboard.k == 3
    assert dashboard.address == {"k": "3", "layer": "1", "tiles": "pictures"}


def test_nothing_is_taken_from_under_the_pointer(dashboard: Dashboard) -> None:
    mouse = dashboard.page.mouse
    with without_streamlit(dashboard):
        open_first(dashboard)
        bar = dashboard.bar.bounding_box()
        y = bar["y"] + bar["height"] / 2
        mouse.move(bar["x"] + 0.2 * bar["width"], y)
        mouse.down()
    dashboard.page.locator(SECOND).wait_for()
    mouse.move(bar["x"] + 0.8 * bar["width"], y)
    chosen = dashboard.page.locator(f"{FIRST} .cc").get_attribute("data-k")
    assert dashboard.page.locator(FIRST).count() == 1
    mouse.up()
    await_succession(dashboard)
    assert str(dashboard.k) == chosen != "4"
    dashboard.await_address(k=chosen)


def test_another_page_is_not_covered(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        open_first(dashboard)
        dashboard.page.evaluate("history.pushState(null, '', '/help')")
        dashboard.page.locator(FIRST).wait_for(state="detached")


def test_a_script_that_does_not_come_leaves_the_page_to_streamlit(dashboard: Dashboard) -> None:
    dashboard.page.route("**/compecon/front/succession.js", lambda route: route.abort())
    dashboard.page.goto(dashboard.server)
    assert dashboard.page.locator(FIRST).count() == 0


def test_what_is_not_recorded_waits_for_streamlit(dashboard: Dashboard) -> None:
    with without_streamlit(dashboard):
        dashboard.page.goto(f"{dashboard.server}/?text=mine", wait_until="commit")
    dashboard.page.locator(SECOND).wait_for()
    assert "compecon-first" not in dashboard.page.content()


# ---- servers of their own


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal that asks a process")
def test_the_attention_page_needs_no_data_frames_images_or_plots(browser: Any, tmp_path: Path) -> None:
    port, found = free_port(), tmp_path / "modules.json"
    environment = {**os.environ, "COMPECON_HOME": str(tmp_path / "home"), "HF_HUB_CACHE": str(tmp_path / "none")}
    command = [sys.executable, "-c", SERVE, str(port), str(found)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await(f"http://localhost:{port}/compecon/health", process, tmp_path / "log")
        dashboard = Dashboard(browser.new_context().new_page(), f"http://localhost:{port}")
        dashboard.open().page.get_by_label("Text", exact=True).wait_for()
        os.kill(process.pid, signal.SIGUSR1)
        dashboard.page.wait_for_timeout(500)
        loaded = set(json.loads(found.read_text()))
        assert loaded >= {"streamlit", "app.server.front"}
        assert loaded & {"pandas", "pyarrow", "PIL", "plotly", "torch", "transformers"} == set()
    finally:
        process.kill()
        process.wait()


def test_a_dashboard_that_cannot_start_says_so_on_the_page(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.front.FAREWELL_S", 20)

    def build() -> Any:
        raise RuntimeError("a broken installation")

    ended: list[CompeconError] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                run(Access(), listener, build)
            except CompeconError as error:
                ended.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        dashboard = Dashboard(browser.new_context().new_page(), f"http://localhost:{listener.getsockname()[1]}")
        open_first(dashboard)
        sync_api.expect(dashboard.find(".alert")).to_contain_text(FAILED)
        assert dashboard.colours("heatmap") > 8  # the picture stays
        thread.join(60)
    assert ended
