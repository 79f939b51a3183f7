"""A yardstick: what BertViz sends and how long it draws, for the attention of a model of the same shape."""

from __future__ import annotations

import functools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from compecon.attention.hooks import recorded_attention
from compecon.benchmarks.bertviz_kit import install, make_pages, script_bytes
from compecon.benchmarks.browser import browser_error, chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Settings, Table
from compecon.benchmarks.made_models import bert_config, text_of, write_random_checkpoint
from compecon.benchmarks.server import dashboard
from compecon.checkpoints.load import Checkpoint, load_checkpoint

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_LAYERS = 12
_VIEWS = ("model_view", "head_view")
_LIMIT_S = 180
_MEGA = 1e6
# An SVG line for each pair of tokens in each head; at 144 heads × 256² tokens that is 9.4 million elements, for which a
# browser runs out of memory. Texts that need more lines than this are not tried.
_MOST_LINES = 3_000_000


def measure(settings: Settings) -> list[Table]:
    """The same text of 64, 128 and 256 tokens in both."""
    version = install()
    lengths = (64,) if settings.quick else (64, 128, 256)
    with tempfile.TemporaryDirectory(prefix="compecon-bench-") as scratch:
        folder = write_random_checkpoint(Path(scratch) / "yardstick", bert_config(layers=_LAYERS))
        checkpoint = load_checkpoint(folder, "cpu")
        with chromium() as browser:
            figures: list[Figure] = []
            for n in lengths:
                text = text_of(checkpoint, n)
                figures += _bertviz(browser, checkpoint, text, settings.pick(3, 1))
                figures += _compecon(browser, folder, text, settings.pick(3, 1))
    return [Table(f"bertviz: the same attention in BertViz {version}", tuple(figures), _notes())]


def _notes() -> tuple[str, ...]:
    return (
        f"BERT of random weights, {_LAYERS} layers × 12 heads. Time from opening the page, empty caches, data ready on "
        "the server, until the frame that shows the picture is made; rastering and a real network are not included.",
        "BertViz loads require.js, d3 and jquery from a CDN; here they come from the same local server as its page "
        f"(npm's files, jquery 2.2.4 for 2.0.0), {script_bytes() / 1000:.0f} kB. It sends numbers of full attention "
        "as text inside its page; model_view draws all heads, head_view one layer's.",
        "compecon sends float16 matrices as bytes: of the full budget first, which is the first picture, then of every "
        "budget of its bar (of one layer where all would be too much), with statistics of every head.",
    )


def _bertviz(browser: Browser, checkpoint: Checkpoint, text: str, rounds: int) -> Iterator[Figure]:
    attention = _weights(checkpoint, text)
    n = attention.shape[-1]
    with tempfile.TemporaryDirectory(prefix="compecon-bench-") as scratch:
        out = Path(scratch)
        make_pages(attention, _VIEWS, out)
        with _files(out) as address:
            for view in _VIEWS:
                page_bytes = (out / f"{view}-{n}.html").stat().st_size / _MEGA
                yield Figure(f"n = {n}: BertViz {view}, data", "MB", (page_bytes,))
                lines = n * n * attention.shape[1] * (attention.shape[0] if view == "model_view" else 1)
                label = f"n = {n}: BertViz {view}, until drawn"
                if lines > _MOST_LINES:
                    yield Figure(label, "s", (), instead=f"not tried: {lines / 1e6:.1f} million SVG lines")
                    continue
                yield _drawn(browser, f"{address}/{view}-{n}.html", label, rounds)


def _weights(checkpoint: Checkpoint, text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Attention at full budget, shape (layer, head, query, key)."""
    with torch.inference_mode(), recorded_attention(checkpoint.model) as layers:
        checkpoint.model(**checkpoint.encode(text).batch)
    return torch.cat([layer.weights for layer in layers]).numpy()


def _drawn(browser: Browser, url: str, label: str, rounds: int) -> Figure:
    times = []
    for _ in range(rounds):
        try:
            with fresh_page(browser) as page:
                page.set_default_timeout(1000 * _LIMIT_S)
                page.goto(url, wait_until="commit")
                # not at every frame: with a million lines each frame takes seconds
                shown = page.wait_for_function("() => compeconBench.shown", polling=500)
                times.append(shown.json_value() / 1000)
        except browser_error() as error:
            return Figure(label, "s", (), instead=f"gave up: {str(error).splitlines()[0]} (limit {_LIMIT_S} s)")
    return Figure(label, "s", tuple(times))


def _compecon(browser: Browser, folder: Path, text: str, rounds: int) -> Iterator[Figure]:
    times, seen, checkpoint_id = [], [], str(folder.resolve())
    with dashboard(folder) as server:
        url = server.url(checkpoint=checkpoint_id, text=text)
        with fresh_page(browser) as page:
            wait_for_sweep(page, url)  # from here on the server has the result, as BertViz's page has
        for _ in range(rounds):
            with fresh_page(browser) as page:
                page.goto(url, wait_until="commit")
                times.append(page.wait_for_function("() => compeconBench.shown").json_value() / 1000)
                page.wait_for_function("() => compeconBench.messages.at(-1)?.kind === 'done'")
                seen = page.evaluate("() => compeconBench.messages")
    n, sizes = max(m["k"] or 0 for m in seen), [m["bytes"] / _MEGA for m in seen]
    yield Figure(f"n = {n}: compecon, data until the first picture", "MB", (sizes[0] + sizes[1],))
    yield Figure(f"n = {n}: compecon, data of all budgets", "MB", (sum(sizes),))
    yield Figure(f"n = {n}: compecon, until drawn", "s", tuple(times))


@contextmanager
def _files(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: this output belongs to the tables."""
