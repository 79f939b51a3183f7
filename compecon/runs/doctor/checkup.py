"""Checks of everything that runs leave behind: what is wrong, and what can be repaired."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from compecon.errors import NewerError, RunError
from compecon.files.durable import read_json
from compecon.runs import turn
from compecon.runs.doctor.checkup_run import check_run
from compecon.runs.doctor.findings import Finding, aside, size_of
from compecon.runs.folder import LOCK
from compecon.runs.home import NUMBER, SETTINGS, VARIABLE, Home
from compecon.runs.locks import Lock, is_held
from compecon.runs.queue import Queue
from compecon.runs.run_record import SCHEMA, checked_id
from compecon.runs.store import RunStore, run_names
from compecon.runs.sweeps.sweep_table import sweep_record, sweeps

_LITTLE_BYTES = 2_000_000_000


def check_home(store: RunStore) -> Iterator[Finding]:
    """Everything found in a home and its runs. Nothing is changed."""
    home = store.home
    if not os.path.lexists(home.root):
        yield from _making(home)
        return
    yield from _writing(home)
    for look in (_room, _numbers, _settings, _tickets, _names, _sweeps, _trash):
        yield from _looked("home", partial(look, store))
    for name in run_names(home):
        yield from _looked(name, partial(_run, store, name))


def _looked(about: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check finds. A check that fails is a finding too, and does not stop the others."""
    try:
        yield from look()
    except NewerError as error:
        yield Finding(about, "note", str(error))
    except (OSError, RunError) as error:
        yield Finding(about, "problem", f"It cannot be looked at: {error}")


def _run(store: RunStore, name: str) -> Iterator[Finding]:
    yield from check_run(store.get(name))


def _making(home: Home) -> Iterator[Finding]:
    """A home that does not exist yet, and whether the first run could create it."""
    above = next(path for path in home.root.parents if path.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        yield Finding("home", "note", f"There is nothing in {home.root} yet; the first run makes it.")
    else:
        sentence = f"{home.root} cannot be made, because nothing can be written in {above}."
        yield Finding("home", "problem", f"{sentence} Set {VARIABLE} to a folder that can be written.")


def _writing(home: Home) -> Iterator[Finding]:
    try:
        _write_a_file(home)
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


def _write_a_file(home: Home) -> None:
    """Write a file in each folder, as every run does: only that reveals a disk that is full or read-only."""
    for folder in (home.root, home.runs, home.trash, home.queues, home.sweeps):
        if folder.exists():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".checkup-") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())


def _room(store: RunStore) -> Iterator[Finding]:
    home = store.home
    free = shutil.disk_usage(home.root).free
    if free < _LITTLE_BYTES:
        sentence = f"{free / 1e9:.2f} GB are free in {home.root}; a training may need more. Free some room."
        yield Finding("home", "problem", sentence)


def _numbers(store: RunStore) -> Iterator[Finding]:
    """Runs are listed and take turns by number; a repeated number would put them out of order."""
    home = store.home
    path = home.root / NUMBER
    highest = max((record.spec.order for record in RunStore(home).list()), default=0)
    try:
        last = read_json(path, SCHEMA).get("last")
    except NewerError:
        raise
    except FileNotFoundError:
        last = 0 if highest else None
        if last is None:
            return
    except (OSError, RunError):
        last = None
    if not isinstance(last, int) or last < highest:
        sentence = f"{path.name} is damaged or behind: it says {last}, and there is a run with the number {highest}."
        yield Finding("home", "problem", sentence, partial(_count_anew, home, path))


def _count_anew(home: Home, path: Path) -> str:
    if os.path.lexists(path):
        aside(path, "number.damaged.json")
    return f"counting goes on after {home.next_number()}"


def _settings(store: RunStore) -> Iterator[Finding]:
    path = store.home.root / SETTINGS
    try:
        held = read_json(path, SCHEMA)
    except FileNotFoundError:
        return
    except NewerError:
        raise
    except (OSError, RunError) as error:
        yield Finding("home", "problem", f"{error} Slots are at their defaults.", partial(_put_aside, path))
        return
    used = {"slots": dict(store.home.slots), "priority": store.home.priority}
    for name in used.keys() & held.keys():
        if held[name] != used[name]:
            sentence = f"{path.name} is damaged: {name} is {str(held[name])[:60]!r}; {used[name]!r} is used."
            yield Finding("home", "problem", sentence, partial(_put_aside, path))
            return


def _put_aside(path: Path) -> str:
    return f"it is now {aside(path, f'{path.stem}.damaged{path.suffix}').name}"


def _tickets(store: RunStore) -> Iterator[Finding]:
    home = store.home
    for folder in sorted(path for path in home.queues.glob("*") if path.is_dir()):
        tickets = turn.tickets(str(folder))
        gone = [name for name in tickets if not is_held(home.runs / turn.owner(name) / LOCK)]
        dead = [name for name in gone if not turn.is_newer(str(folder / name))]
        if newer := len(gone) - len(dead):
            sentence = f"{newer} tickets in the queue {folder.name} are of a newer compecon, and are left alone."
            yield Finding("home", "note", sentence)
        if dead:
            sentence = (
                f"{len(dead)} of {len(tickets)} tickets in the queue {folder.name} belong to workers that are gone."
            )
            yield Finding("home", "problem", sentence, partial(_tidy, home, folder.name))


def _tidy(home: Home, queue: str) -> str:
    return f"they were thrown away; {len(Queue(home, queue, 1).waiting())} wait"


def _names(store: RunStore) -> Iterator[Finding]:
    home = store.home
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
        except NewerError as error:
            yield Finding(sweep_id, "note", str(error))
            continue
        except RunError as error:
            yield Finding("home", "problem", f"{error} Its runs go on without a limit.", partial(_put_aside, path))
            continue
        gone = [row for row in record.rows if row.state is None and not any(store.home.trash.glob(f"{row.run_id}-*"))]
        if gone:
            sentence = (
                f"{len(gone)} of its {len(record.rows)} runs were not submitted: `compecon resume --sweep {sweep_id}`."
            )
            yield Finding(sweep_id, "note", sentence)


def _trash(store: RunStore) -> Iterator[Finding]:
    home = store.home
    if deleted := [path for path in home.trash.glob("*") if path.is_dir()]:
        size = sum(map(size_of, deleted)) / 1e6
        sentence = (
            f"{len(deleted)} deleted runs take {size:,.1f} MB in {home.trash}. Remove that folder to get the room."
        )
        yield Finding("home", "note", sentence)
