"""A look at everything that runs leave behind: what is wrong, what is in the way, and what can be set right."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from compecon.errors import RunError
from compecon.runs.checkup_run import check_run
from compecon.runs.files import read_json
from compecon.runs.findings import Finding, aside, size_of
from compecon.runs.home import Home
from compecon.runs.locks import Lock, is_held
from compecon.runs.queue import Queue
from compecon.runs.record import checked_id
from compecon.runs.store import LOCK, RunStore
from compecon.runs.sweep_table import sweep_record, sweeps

_LITTLE_BYTES = 2_000_000_000


def check_home(store: RunStore) -> Iterator[Finding]:
    """Everything that is found in a home, its runs included. Nothing is changed.

    Args:
        store: The runs.
    """
    home = store.home
    if not home.root.exists():
        yield Finding("home", "note", f"There is nothing in {home.root} yet; the first run makes it.")
        return
    yield from _writing(home)
    yield from _room(home)
    yield from _numbers(home)
    yield from _settings(home)
    yield from _tickets(home)
    yield from _names(home)
    yield from _sweeps(store)
    yield from _trash(home)
    for record in reversed(store.list()):
        yield from check_run(record)


def _writing(home: Home) -> Iterator[Finding]:
    try:
        home.made()
        with tempfile.TemporaryDirectory(dir=home.root, prefix=".checkup-") as folder:
            lock = Lock.taken(Path(folder) / "a.lock")
            if lock is None or not is_held(Path(folder) / "a.lock"):
                yield Finding(
                    "home",
                    "problem",
                    f"The file system of {home.root} has no locks, so a run that lives cannot be told from a dead one. "
                    "Set COMPECON_HOME to a local disk.",
                )
            if lock is not None:
                lock.release()
    except (OSError, RunError) as error:
        yield Finding("home", "problem", f"{home.root} cannot be written to: {error}")


def _room(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free
    if free < _LITTLE_BYTES:
        sentence = f"{free / 1e9:.2f} GB are free in {home.root}; a training may need more. Free some room."
        yield Finding("home", "problem", sentence)


def _numbers(home: Home) -> Iterator[Finding]:
    """Runs are listed and take turns by a number; one that is given twice would put them out of order."""
    path = home.root / "number.json"
    highest = max((record.spec.order for record in RunStore(home).list()), default=0)
    try:
        last = read_json(path).get("last")
    except FileNotFoundError:
        last = 0 if highest else None
        if last is None:
            return
    except RunError:
        last = None
    if not isinstance(last, int) or last < highest:
        sentence = f"{path.name} is damaged or behind: it says {last}, and there is a run with the number {highest}."
        yield Finding("home", "problem", sentence, partial(_count_anew, home, path))


def _count_anew(home: Home, path: Path) -> str:
    if path.exists():
        aside(path, "number.damaged.json")
    return f"counting goes on after {home.next_number()}"


def _settings(home: Home) -> Iterator[Finding]:
    path = home.root / "settings.json"
    try:
        read_json(path)
    except FileNotFoundError:
        return
    except RunError as error:
        yield Finding("home", "problem", f"{error} Slots are at their defaults.", partial(_put_aside, path))


def _put_aside(path: Path) -> str:
    return f"it is now {aside(path, f'{path.stem}.damaged{path.suffix}').name}"


def _tickets(home: Home) -> Iterator[Finding]:
    for folder in sorted(path for path in home.queues.glob("*") if path.is_dir()):
        tickets = list(folder.glob("*.ticket"))
        dead = [path for path in tickets if not is_held(home.runs / path.stem.partition("-")[2] / LOCK)]
        if dead:
            sentence = (
                f"{len(dead)} of {len(tickets)} tickets in the queue {folder.name} belong to workers that are gone."
            )
            yield Finding("home", "problem", sentence, partial(_tidy, home, folder.name))


def _tidy(home: Home, queue: str) -> str:
    return f"they were thrown away; {len(Queue(home, queue, 1).waiting())} wait"


def _names(home: Home) -> Iterator[Finding]:
    for path in sorted(home.runs.glob("*")):
        if path.name.startswith(".") and path.name.endswith(".part"):
            if not is_held(path / LOCK):
                sentence = f"{path.name} is a run that was never submitted: whoever wrote it was interrupted."
                yield Finding("home", "problem", sentence, partial(_bin, home, path))
            continue
        try:
            checked_id(path.name)
        except RunError:
            yield Finding("home", "note", f"{path} is no run, and nothing looks at it.")


def _bin(home: Home, path: Path) -> str:
    target = home.made().trash / f"{path.name.strip('.')}-{home.next_number()}"
    path.rename(target)
    return f"it is now {target}"


def _sweeps(store: RunStore) -> Iterator[Finding]:
    for sweep_id in sweeps(store.home):
        path = store.home.sweeps / f"{sweep_id}.json"
        try:
            record = sweep_record(store, sweep_id)
        except RunError as error:
            yield Finding("home", "problem", f"{error} Its runs go on without a limit.", partial(_put_aside, path))
            continue
        gone = [row for row in record.rows if row.state is None and not any(store.home.trash.glob(f"{row.run_id}-*"))]
        if gone:
            sentence = (
                f"{len(gone)} of its {len(record.rows)} runs were not submitted: `compecon resume --sweep {sweep_id}`."
            )
            yield Finding(sweep_id, "note", sentence)


def _trash(home: Home) -> Iterator[Finding]:
    if deleted := [path for path in home.trash.glob("*") if path.is_dir()]:
        size = sum(map(size_of, deleted)) / 1e6
        sentence = (
            f"{len(deleted)} deleted runs take {size:,.1f} MB in {home.trash}. Remove that folder to get the room."
        )
        yield Finding("home", "note", sentence)
