"""Models in a process of their own: what a load and a long text cost everybody else, and what a death costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psutil

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bert_config, bundled_checkpoint, text_of, write_random_checkpoint
from compecon.benchmarks.server import Dashboard, dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Page

_LONG, _SHORT, _COMPARED = 500, 16, 450  # tokens
_LARGE = bert_config(layers=16, heads=16, hidden=256, d_ff=1024)
_READY_GOAL_S, _BEHIND_GOAL_S, _RATIO_GOAL = 4.0, 1.0, 1.2
_RERUN = "() => compeconBench.addressed.length"
_SHOWN = "() => compeconBench.texts.length && compeconBench.messages.some((m) => m.kind === 'frame')"


def measure(settings: Settings) -> list[Table]:
    """One tab reads short texts while another one reads long ones, or while the models' process starts."""
    checkpoint = bundled_checkpoint()
    numbers = count()

    def text(n: int) -> str:
        return text_of(checkpoint, n, seed=next(numbers))

    rounds = settings.pick(9, 2)
    with chromium() as browser, dashboard() as server, fresh_page(browser) as busy, fresh_page(browser) as page:
        for each in (busy, page):
            wait_for_sweep(each, server.url(text=text(_SHORT)))
        change(page, text(_SHORT))
        found: dict[str, list[dict[str, float]]] = {"idle": [], "long": [], "start": []}
        for _ in range(rounds):
            found["idle"].append(change(page, text(_SHORT)))
            _press(busy, text(_LONG))
            found["long"].append(change(page, text(_SHORT)))
            busy.wait_for_function("() => compeconBench.messages.at(-1)?.kind === 'done'")
        starts = [_start(server, lambda: found["start"].append(change(page, text(_SHORT)))) for _ in range(rounds)]
        sizes = sizes_of(server)

    def column(condition: str, name: str) -> tuple[float, ...]:
        return tuple(change[name] for change in found[condition])

    def ratios(condition: str) -> tuple[float, ...]:
        idle = median(column("idle", "rerun"))
        return tuple(value / idle for value in column(condition, "rerun"))

    usual = median(column("idle", "shown"))
    behind = tuple((value - usual) / 1000 for value in column("long", "shown"))
    figures = (
        Figure("models' process: start to ready", "s", tuple(starts), Goal("median", _READY_GOAL_S)),
        Figure("rerun of a page, nothing else going on", "ms", column("idle", "rerun")),
        Figure("  while another tab reads a long text", "×", ratios("long"), Goal("median", _RATIO_GOAL)),
        Figure("  while the models' process starts", "×", ratios("start"), Goal("median", _RATIO_GOAL)),
        Figure("short text to its first picture, nothing else going on", "ms", column("idle", "shown")),
        Figure("  later than that behind a long text", "s", behind, Goal("max", _BEHIND_GOAL_S)),
        *(Figure(f"memory of the {name}", "MB", (size,)) for name, size in sizes.items()),
    )
    notes = (
        f"A text of {_SHORT} tokens applied with Ctrl+Enter in one tab; in another one a text of {_LONG} tokens.",
        "Rerun: until the address names the text, the last that a rerun does. Start: the process is killed, and starts "
        "again by itself.",
    )
    return [
        Table("models: what others' models cost a page", figures, notes),
        _behind_compare(settings.pick(5, 1), text),
    ]


def _behind_compare(rounds: int, text: Callable[[int], str]) -> Table:
    """Short texts in one tab while another one compares two models of many heads over a long text."""
    with TemporaryDirectory(prefix="compecon-bench-") as folder:
        large = [write_random_checkpoint(Path(folder) / name, _LARGE) for name in "ab"]
        with chromium() as browser, dashboard(Path(folder)) as server, fresh_page(browser) as page:
            wait_for_sweep(page, server.url(text=text(_SHORT)))
            idle = [change(page, text(_SHORT))["shown"] for _ in range(rounds + 1)][1:]
            found, n_told = list[float](), 0
            for _ in range(rounds):
                pair = {**dict(zip("ab", map(str, large), strict=True)), "text": text(_COMPARED)}
                with fresh_page(browser) as busy:  # closing it drops its texts
                    busy.goto(f"{server.url()}compare?{urlencode(pair)}", wait_until="commit")
                    busy.wait_for_function("() => compeconBench.messages.filter((m) => m.kind === 'open').length >= 2")
                    found.append((change(page, text(_SHORT))["shown"] - median(idle)) / 1000)
                    n_told += page.evaluate("() => compeconBench.messages.some((m) => m.kind === 'waiting')")
            sizes = sizes_of(server)
    figures = (
        Figure("short text to its first picture, nothing else going on", "ms", tuple(idle)),
        Figure("  later than that behind the Compare", "s", tuple(found), Goal("max", _BEHIND_GOAL_S)),
        Figure("  of these, told that others come first", "", (n_told,)),
        *(Figure(f"memory of the {name}", "MB", (size,)) for name, size in sizes.items()),
    )
    notes = (
        f"Two models of {_LARGE['num_hidden_layers']} layers × {_LARGE['num_attention_heads']} heads over a text of "
        f"{_COMPARED} tokens, and a bundled one over {_SHORT} tokens in another tab, once both comparisons have begun.",
    )
    return Table("models: a short text behind a Compare", figures, notes)


def _press(page: Page, text: str) -> None:
    page.evaluate("() => { compeconBench.texts.length = 0; compeconBench.messages.length = 0; }")
    page.evaluate("() => { compeconBench.addressed.length = 0; }")
    field = page.get_by_label("Text", exact=True)
    field.fill(text)
    field.press("Control+Enter")


def change(page: Page, text: str) -> dict[str, float]:
    """Milliseconds from the key press until the script had run, and until the page drew the first picture."""
    _press(page, text)
    page.wait_for_function(_RERUN)
    page.wait_for_function(_SHOWN)
    found: dict[str, Any] = page.evaluate("() => ({ ...compeconBench.texts[0], rerun: compeconBench.addressed[0] })")
    return {name: found[name] - found["start"] for name in ("rerun", "shown")}


def _start(server: Dashboard, meanwhile: Callable[[], object]) -> float:
    """Seconds from the death of the models' process until the next one is ready."""
    [child] = psutil.Process(server.process.pid).children()
    child.kill()
    began = time.perf_counter()
    child.wait()
    meanwhile()
    return server.wait_for(Dashboard.is_ready) - began


def sizes_of(server: Dashboard) -> dict[str, float]:
    """Megabytes in memory of the server and of its process of models."""
    process = psutil.Process(server.process.pid)
    return {
        "server": process.memory_info().rss / 1e6,
        "models' process": max(child.memory_info().rss for child in process.children()) / 1e6,
    }
