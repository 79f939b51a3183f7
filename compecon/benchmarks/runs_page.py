"""Runs on the page: a long list that is opened, and a budget that is dragged while a model trains."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from compecon.benchmarks.browser import TIMEOUT_S, chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table, quantile
from compecon.benchmarks.made_models import BUNDLED, bundled_checkpoint, text_of
from compecon.benchmarks.moves import SETTLE_MS, drag
from compecon.benchmarks.runs_made import executor_in, make_runs, wait_for
from compecon.benchmarks.server import Dashboard, dashboard
from compecon.errors import CompeconError
from compecon.files.durable import Json
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_OPEN_GOAL_S, _RATIO_GOAL = 1.0, 2.0
_N_TOKENS = 64
_LEARNS_WITHIN_S = 600
_LEARNT = 5  # steps after which a training is under way


def page_tables(settings: Settings, many: Path, home: Path) -> list[Table]:
    """Both tables; `many` is a home with a thousand runs, `home` one for the training.

    Raises:
        CompeconError: If there is no browser.
    """
    with chromium() as browser:
        opening = _opening(settings, browser, many, home.with_name("one"))
        return [opening, _dragging(settings, browser, home)]


def _opening(settings: Settings, browser: Browser, many: Path, one: Path) -> Table:
    make_runs(RunStore(Home(one).made()), 1)
    servers = (dashboard(home=many), dashboard(home=one))
    with servers[0] as server, servers[1] as other, fresh_page(browser) as page, fresh_page(browser) as beside:
        first, _ = _opened(page, server), _opened(beside, other)
        pairs = [(_opened(page, server), _opened(beside, other)) for _ in range(settings.pick(10, 3))]
    again, with_one = zip(*pairs, strict=True)
    figures = (
        Figure("until the list is drawn, from the second time on", "s", again, Goal("median", _OPEN_GOAL_S)),
        Figure("  a list of one run, in turns", "s", with_one),
        Figure("  the first time, the server just started", "s", (first,)),
    )
    return Table("runs: the Train page with 1,000 runs", figures, ("From the request until the table is drawn.",))


def _opened(page: Page, server: Dashboard) -> float:
    page.goto("about:blank")
    began = time.perf_counter()
    page.goto(f"{server.url()}train", wait_until="commit")
    page.locator(".cr tbody tr").first.wait_for(timeout=1000 * TIMEOUT_S)
    return time.perf_counter() - began


def _dragging(settings: Settings, browser: Browser, home: Path) -> Table:
    text = text_of(bundled_checkpoint(), _N_TOKENS, seed=_N_TOKENS)
    with executor_in(home) as executor, dashboard(home=home) as server, fresh_page(browser) as page:
        wait_for_sweep(page, server.url(text=text))
        drag(page, "#cc-k", settle_ms=SETTLE_MS)  # code is compiled, matrices are decoded
        with _training(executor) as pid:
            rounds = [_round(page, pid) for _ in range(settings.pick(8, 2))]
    idle, busy = (tuple(value for one in column for value in one) for column in zip(*rounds, strict=True))
    ratio = quantile(busy, "p95") / quantile(idle, "p95")
    return Table(
        f"runs: a budget dragged over {_N_TOKENS} tokens while a model trains on the CPU",
        (
            Figure("pointer to painted, the training halted", "ms", idle),
            Figure("pointer to painted, while it trains", "ms", busy),
            Figure("its p95, divided by that of the halted training", "×", (ratio,), Goal("max", _RATIO_GOAL)),
        ),
        ("In turns: the worker is halted (SIGSTOP) for one drag and continued (SIGCONT) for the next.",),
    )


def _round(page: Page, pid: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    found = []
    for number in (signal.SIGSTOP, signal.SIGCONT):
        os.kill(pid, number)
        page.evaluate("() => { compeconBench.moves.length = 0; }")
        drag(page, "#cc-k", settle_ms=SETTLE_MS)
        found.append(tuple(move["total"] for move in page.evaluate("() => compeconBench.moves")))
    return found[0], found[1]


@contextmanager
def _training(executor: LocalExecutor) -> Iterator[int]:
    """A real training in the background: its process id."""
    if os.name == "nt":
        raise CompeconError("Windows cannot halt a process.")
    params: dict[str, Json] = {"task": "reviews", "base": BUNDLED, "target": 0.3, "device": "cpu", "steps": 100_000}
    run_id = executor.submit(new_spec("train", params))

    def learns() -> bool:
        record = executor.store.get(run_id)
        if record.state.is_finished:
            raise CompeconError(f"the training ended: {record.reason}")
        return record.state is RunState.RUNNING and record.status.step >= _LEARNT

    wait_for(learns, _LEARNS_WITHIN_S)
    yield executor.store.get(run_id).status.pid
