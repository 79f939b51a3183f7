"""Runs: time until a worker is alive, its memory while it waits, and the time that lists and long histories take."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from compecon import children
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.runs_made import add_history, executor_in, make_runs, wait_for
from compecon.benchmarks.runs_page import page_tables
from compecon.benchmarks.timing import seconds_of
from compecon.errors import CompeconError
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.folder import METRICS
from compecon.runs.history import History
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.queue import Queue
from compecon.runs.run_record import RunSpec
from compecon.runs.store import RunStore
from compecon.views.runs.curves import Courses

_ALIVE_GOAL_S, _LIST_GOAL_S, _POLL_GOAL_MS = 0.3, 0.5, 20.0
_N_RUNS, _N_LINES = 1000, 100_000
_LIST = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from compecon.runs.home import Home
from compecon.runs.store import RunStore
records = RunStore(Home(Path(sys.argv[1]))).list()
print(time.perf_counter() - began, len(records), "torch" in sys.modules)
"""


def measure(settings: Settings) -> list[Table]:
    """The machinery by itself, then the pages that show it."""
    with tempfile.TemporaryDirectory(prefix="compecon-bench-") as scratch:
        many = Path(scratch) / "many"
        tables = [_workers(settings, Path(scratch) / "workers"), _reading(settings, many)]
        try:
            return [*tables, *page_tables(settings, many, Path(scratch) / "page")]
        except CompeconError as error:
            return [*tables, Table("runs: the pages", (Figure("pages", "", (), instead=str(error)),))]


def _workers(settings: Settings, root: Path) -> Table:
    with executor_in(root) as executor:
        alive = tuple(_until_alive(executor) for _ in range(settings.pick(15, 4)))
        waiting = tuple(mb for _ in range(settings.pick(3, 1)) if (mb := _waiting_mb(executor)))
    return Table(
        "runs: workers",
        (
            Figure("submit to worker alive", "s", alive, Goal("median", _ALIVE_GOAL_S)),
            Figure("memory of a worker that waits", "MB", waiting, instead="" if waiting else "only Linux reports it"),
        ),
        (
            "Alive: status.json holds its process id; the lock is held from the first moment on.",
            "Memory is the proportional set size: a page shared by n processes counts as 1/n.",
        ),
    )


def _until_alive(executor: LocalExecutor) -> float:
    def started() -> str:
        run_id = executor.submit(RunSpec("rehearsal", {"steps": 1}))
        wait_for(lambda: executor.store.get(run_id).status.pid)
        return run_id

    seconds = seconds_of(started)
    wait_for(lambda: all(record.state.is_finished for record in executor.store.list()))
    return seconds


def _waiting_mb(executor: LocalExecutor) -> float:
    queue = Queue.of_device(executor.store.home, "cpu")
    queue.folder.mkdir(parents=True, exist_ok=True)
    slot = Lock.taken(queue.folder / "slot-0.lock", patience_s=30.0)  # the last worker is still unloading its libraries
    if slot is None:
        raise CompeconError(f"{queue.folder} still has a worker.")
    run_id = executor.submit(RunSpec("rehearsal", {"steps": 1}))
    try:
        wait_for(lambda: executor.store.get(run_id).reason.startswith("Waiting for"))
        with suppress(AttributeError):  # only Linux reports it
            return float(psutil.Process(executor.store.get(run_id).status.pid).memory_full_info().pss) / 1e6
        return 0.0
    finally:
        executor.kill(run_id)
        slot.release()


def _reading(settings: Settings, root: Path) -> Table:
    store = RunStore(Home(root).made())
    newest = make_runs(store, _N_RUNS)
    path = store.folder(newest) / METRICS
    add_history(path, range(1, _N_LINES + 1))
    n = settings.pick(15, 4)
    fresh = [_fresh_list(root) for _ in range(n)]
    if any(n_runs != _N_RUNS or torch for _, n_runs, torch in fresh):
        raise CompeconError("the list was incomplete, or torch was loaded for it.")
    courses = Courses(History(path))
    first = seconds_of(lambda: (courses.history.read_on(), courses.curves()))
    return Table(
        f"runs: reading {_N_RUNS:,} runs, and one of {_N_LINES:,} steps",
        (
            Figure("listing", "s", tuple(seconds_of(store.list) for _ in range(n)), Goal("median", _LIST_GOAL_S)),
            Figure("  in a new process, imports included", "s", tuple(seconds for seconds, _, _ in fresh)),
            Figure("a look at a run after another step", "ms", _polls(courses, path, n), Goal("median", _POLL_GOAL_MS)),
            Figure("  the first look, once", "ms", (1000 * first,)),
        ),
        ("A look reads what is new and thins the curves out to what a screen can show. No process loads torch.",),
    )


def _polls(courses: Courses, path: Path, n: int) -> tuple[float, ...]:
    found = []
    for number in range(n):
        add_history(path, range(_N_LINES + number + 1, _N_LINES + number + 2))
        found.append(1000 * seconds_of(lambda: (courses.history.read_on(), courses.curves())))
    return tuple(found)


def _fresh_list(root: Path) -> tuple[float, int, bool]:
    seconds, n_runs, torch = children.output("-c", _LIST, str(root)).split()
    return float(seconds), int(n_runs), torch == "True"
