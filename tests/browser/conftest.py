"""One server and one headless Chromium for all tests here; every test gets a page of its own.

Set CHROMIUM to the executable if it is not on the PATH. The library is asked in this process, so that what the page
shows is compared with what anybody would compute without it.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import torch
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.paths import assets
from compecon.stats import inequality as metrics
from compecon.stats.lorenz import top_share
from compecon.stats.received_attention import received

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install compecon[test]")

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT_MS = 60_000  # a slow machine that imports torch meanwhile; nothing waits this long when all is well
START_S = 60
KEPT = [[2, 5], [], [0, 1, 3, 4], [2]]  # heads of six that the checkpoint "compacted" has left in each layer
sync_api.expect.set_options(timeout=WAIT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))  # the first of them starts a server, which imports torch


# ---- processes


@pytest.fixture(scope="session")
def chromium() -> str:
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not named:
        pytest.skip("needs Chromium: put it on the PATH, or set CHROMIUM to its executable")
    return named


@pytest.fixture(scope="session")
def own_checkpoints(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random checkpoint of every kind, as a user would bring along."""
    del chromium  # asked for so that nothing is made or started where it is missing
    from tests.support.elastic import elastic_folder  # noqa: PLC0415 - the same
    from tests.views.conftest import build, compacted, tokenizer  # noqa: PLC0415 - only now: imports the models

    folder = tmp_path_factory.mktemp("own")
    models = {
        kind: build(kind)
        for kind in ("regression", "causal-lm", "masked-lm", "encoder", "two stacks", "many classes", "several scores")
    }
    all_heads = [list(range(6)) for _ in KEPT]
    for kind, model in {**models, "compacted": compacted(KEPT), "uncut": compacted(all_heads)}.items():
        model.save_pretrained(folder / kind)
        tokenizer(specials=kind != "causal-lm").save_pretrained(folder / kind)
    elastic_folder(folder / "uncut", folder / "elastic")
    elastic_folder("sentiment", folder / "elastic-long")  # reads texts whose matrices are sent a layer at a time
    return folder


@pytest.fixture(scope="session")
def server(own_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dashboard that was started for these tests, and is stopped after them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    environment = {
        **os.environ,
        "COMPECON_THREADS": "1",
        "COMPECON_CHECKPOINTS": str(own_checkpoints),
        "COMPECON_HOME": str(folder / "home"),
        "HF_HUB_CACHE": str(folder / "no-cache"),
    }
    command = [sys.executable, "-c", "from compecon.cli import main; main()", "--no-browser", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await(f"http://localhost:{port}/compecon/health", process, folder / "server.log")
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_S * 10):
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            break
    raise AssertionError(f"The dashboard did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield one
        one.close()


# ---- the page


class Dashboard:
    """The page as a person uses it, and everything it did meanwhile."""

    def __init__(self, page: Any, server: str) -> None:
        self.page, self.server = page, server
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self.hosts: set[str] = set()
        self.paths: list[str] = []
        self.frames_sent = 0
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", self._requested)
        page.on("websocket", lambda ws: ws.on("framesent", self._sent))

    def _requested(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)
            self.paths.append(parts.path)

    def _sent(self, _payload: object) -> None:
        self.frames_sent += 1

    def open(self, **params: str) -> Dashboard:
        """Open the page and wait for Streamlit's canvas."""
        self.page.goto(f"{self.server}/?{urlencode(params)}" if params else f"{self.server}/")
        return self.settle()

    def settle(self) -> Dashboard:
        """Wait until Streamlit's canvas has drawn, and has taken the place of the first one."""
        self.page.locator("#root .cc[data-k]").wait_for()
        self.page.locator("#compecon-first-picture").wait_for(state="detached")
        return self

    @property
    def cc(self) -> Any:
        return self.page.locator(".cc")

    def find(self, selector: str) -> Any:
        return self.page.locator(f".cc {selector}")

    @property
    def bar(self) -> Any:
        return self.find("#cc-k")

    @property
    def k(self) -> int:
        return int(self.find(".k").inner_text().split()[0])

    @property
    def n(self) -> int:
        return int(re.search(r"of (\d+)", self.find(".k").inner_text())[1])  # type: ignore[index]

    @property
    def address(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def move_to(self, k: int) -> None:
        """Put the bar of a short text (a stop for each budget) on k."""
        self.bar.fill(str(k - 1))
        assert self.k == k

    def rest_between(self, grid: Collection[int]) -> int:
        """Put the bar of a long text on a budget that nobody computed yet: at once it is a preview, and says so."""
        script = """(bar, stop) => {  // reads the badge in the same instant, before the server can answer
          bar.value = stop;
          bar.dispatchEvent(new Event('input', { bubbles: true }));
          return bar.getRootNode().querySelector('.badge').dataset.kind;
        }"""
        for stop in range(int(self.bar.get_attribute("max")) // 2, 0, -1):
            kind = self.bar.evaluate(script, stop)
            if self.k not in grid:
                assert kind == "preview"
                return self.k
        raise AssertionError("Every budget of the bar is on the grid.")

    def statistic(self, name: str, column: str = "now") -> str:
        cell = ".now" if column == "now" else "td:not(.now)"
        return str(self.find(f"tr[data-statistic={name}] {cell}").inner_text())

    def numbers(self, column: str = "now") -> dict[str, float]:
        """Every number of the economy panel as a float: shares as parts of 1, entropy in the unit shown."""
        names = ("gini", "entropy", "effective_number", "top_share_10", "gini_inside")
        return {name: _number(self.statistic(name, column)) for name in names}

    def answers(self) -> dict[str, float]:
        boxes = self.find(".answer .name").all()
        pairs = [box.locator("span").all_inner_texts() for box in boxes]
        return {name: float(value) for name, value in pairs}

    def tokens(self) -> list[str]:
        return [str(text) for text in self.find(".chip").all_text_contents()]

    def colours(self, canvas: str) -> int:
        """How many different colours a picture has: 1 is blank."""
        script = (
            "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
        )
        return int(self.find(f"canvas.{canvas}").evaluate(script))

    def picture(self, canvas: str) -> int:
        """A number that changes when any pixel does."""
        script = """c => {
          const pixels = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
          return pixels.reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) | 0, 7);
        }"""
        return int(self.find(f"canvas.{canvas}").evaluate(script))

    def chip_colours(self) -> list[str]:
        return list(self.find(".list").evaluate("l => [...l.children].map((chip) => chip.style.backgroundColor)"))

    def await_badge(self, *kinds: str) -> None:
        sync_api.expect(self.find(".badge")).to_have_attribute("data-kind", re.compile("|".join(kinds)))

    def await_address(self, **params: str) -> None:
        """The page has told the server, and the server has written the address bar."""

        def there(url: str) -> bool:
            held = parse_qs(urlsplit(url).query)
            return all(held.get(name) == [value] for name, value in params.items())

        self.page.wait_for_url(there)

    def type_text(self, text: str, label: str = "Text") -> None:
        area = self.page.get_by_label(label, exact=True)
        area.fill(text)
        area.press("Control+Enter")

    def press_switch(self, name: str, value: str) -> None:
        button = self.find(f".switch[data-name={name}] button[data-value={value}]")
        button.click()
        sync_api.expect(button).to_have_attribute("aria-pressed", "true")

    def tile(self, layer: int, head: int, grid: tuple[int, int] = (3, 12)) -> tuple[float, float]:
        """The middle of a tile of the atlas, where the drawing code says it is, for so many layers and heads."""
        x, y = self.find("canvas.atlas").evaluate(
            """async (c, [layer, head, layers, heads]) => {
              const { atlasBox } = await import(new URL('/compecon/shared/atlas.js', location.origin).href);
              const { left, top, tile } = atlasBox(c.clientWidth, c.clientHeight, layers, heads);
              return [left + (head + 0.5) * tile, top + (layer + 0.5) * tile];
            }""",
            [layer, head, *grid],
        )
        return x, y

    def select_head(self, layer: int, head: int, grid: tuple[int, int] = (3, 12)) -> None:
        """Click a tile of the atlas."""
        x, y = self.tile(layer, head, grid)
        self.find("canvas.atlas").click(position={"x": x, "y": y})
        sync_api.expect(self.find(".headname")).to_contain_text(f"Layer {layer} · head {head}")

    def export(self, figure: str, form: str) -> bytes:
        with self.page.expect_download() as download:
            self.find(f".tools[data-figure={figure}] select").select_option(form)
        assert download.value.suggested_filename.endswith(f".{form}")
        return Path(download.value.path()).read_bytes()


def _number(shown: str) -> float:
    value = float(re.match(r"[\d.]+", shown)[0])  # type: ignore[index]
    return value / 100 if shown.endswith("%") else value


@pytest.fixture
def new_dashboard(browser: Any, server: str) -> Iterator[Callable[..., Dashboard]]:
    """A page in a window of its own: ``new_dashboard(color_scheme="dark")``."""
    contexts = []

    def make(**options: Any) -> Dashboard:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        return Dashboard(context.new_page(), server)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def dashboard(new_dashboard: Callable[..., Dashboard]) -> Dashboard:
    return new_dashboard()


# ---- the library


class Library:
    """What the page's numbers should be, from the library alone."""

    def __init__(self) -> None:
        self.forward = functools.cache(self._forward)

    @functools.cached_property
    def checkpoint(self) -> Checkpoint:
        return load_checkpoint("sentiment", "cpu")

    def encode(self, text: str, pair: str = "") -> Encoded:
        return self.checkpoint.encode(text, pair or None)

    def _forward(self, text: str, k: int) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        """Weights and visibility, both (head, query, key), of every layer; then the logits."""
        limit, batch = budgeted_attention(self.checkpoint.model, KeyBudget(keys=k)), self.encode(text).batch
        with torch.inference_mode(), limit, recorded_attention(self.checkpoint.model) as layers:
            logits = self.checkpoint.model(**batch).logits[0]
        return [(r.weights[0], r.visible.expand_as(r.weights)[0]) for r in layers], logits

    def weights(self, text: str, k: int, layer: int = 0, head: int = 0) -> Tensor:
        return self.forward(text, k)[0][layer][0][head]

    def answers(self, text: str, k: int) -> dict[str, float]:
        p = self.forward(text, k)[1].softmax(-1).tolist()
        return dict(zip(self.checkpoint.labels, p, strict=True))

    def numbers(
        self, text: str, k: int, layer: int = 0, head: int = 0, *, view: str = "row", tokens: str = "all"
    ) -> dict[str, float]:
        weights = self.weights(text, k, layer, head)
        if tokens == "content":
            kept = ~torch.tensor(self.encode(text).special)
            weights = weights[kept][:, kept]
            weights = weights[weights.sum(-1) > 0]
            weights = weights / weights.sum(-1, keepdim=True)
        shares = received(weights) if view == "received" else weights
        each = {
            "gini": metrics.gini(shares),
            "entropy": metrics.entropy(shares),
            "effective_number": metrics.effective_number(shares),
            "top_share_10": top_share(shares, 0.1),
            "gini_inside": metrics.gini(shares, shares > 0),
        }
        return {name: value.mean().item() for name, value in each.items()}


@pytest.fixture(scope="session")
def library() -> Library:
    return Library()


TOLERANCE = {"gini": 1e-3, "entropy": 1e-3, "effective_number": 6e-3, "top_share_10": 6e-3, "gini_inside": 1e-3}


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Mapping[str, float], Mapping[str, float]], None]:
    """Numbers as they are shown (three digits, whole percent) against numbers as they are."""

    def check(shown: Mapping[str, float], computed: Mapping[str, float]) -> None:
        assert shown.keys() == computed.keys()
        for name, value in computed.items():
            assert shown[name] == pytest.approx(value, abs=TOLERANCE.get(name, 1e-3)), name

    return check


@pytest.fixture(scope="session")
def bundled() -> list[str]:
    return sorted(path.parent.name for path in (assets() / "checkpoints").glob("*/config.json"))
