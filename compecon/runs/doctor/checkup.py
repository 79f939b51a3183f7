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
from compecon.runs.doctor.findings import Finding, aside, counted, size_of
from compecon.runs.folder import LOCK
from compecon.runs.home import NUMBER, SETTINGS, VARIABLE, Home
from compecon.runs.locks import Lock, is_held
from compecon.runs.queue import Queue
from compecon.runs.run_record import SCHEMA, is_id
from compecon.runs.store import RunStore, run_names
from compecon.runs.sweeps.sweep_table import sweep_record, sweeps

_LITTLE_BYTES = 2_000_000_000
_problem, _note = partial(Finding, "home", "problem"), partial(Finding, "home", "note")


def check_home(store: RunStore) -> Iterator[Finding]:
    """Everything found in a home and its runs. Nothing is changed."""
    home = store.home
    if not os.path.lexists(home.root):
        yield _making(home)
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
        yield Finding(about, "problem", f"It cannot be checked: {error}")


def _run(store: RunStore, name: str) -> Iterator[Finding]:
    yield from check_run(store.get(name))


def _making(home: Home) -> Finding:
    """A home that does not exist yet, and whether the first run could create it."""
    above = next(path for path in home.root.parents if path.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return _note(f"{home.root} does not exist yet; the first run creates it.")
    return _problem(
        f"{home.root} cannot be created, because {above} is not writable. Set {VARIABLE} to a writable folder."
    )


def _writing(home: Home) -> Iterator[Finding]:
    try:
        _write_a_file(home)
        home.made()
        with tempfile.TemporaryDirectory(dir=home.root, prefix=".checkup-") as folder:
            lock = Lock.taken(Path(folder) / "a.lock")
            if lock is None or not is_held(Path(folder) / "a.lock"):
                yield _problem(
                    f"The file system of {home.root} has no locks, so live and dead runs cannot be told apart. "
                    f"Set {VARIABLE} to a local disk."
                )
            if lock is not None:
                lock.release()
    except (OSError, RunError) as error:
        yield _problem(f"{home.root} cannot be written: {error}")


def _write_a_file(home: Home) -> None:
    """Write a file in each folder, as every run does: only that reveals a disk that is full or read-only."""
    for folder in (home.root, home.runs, home.trash, home.queues, home.sweeps):
        if folder.exists():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".checkup-") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())


def _room(store: RunStore) -> Iterator[Finding]:
    free = shutil.disk_usage(store.home.root).free
    if free < _LITTLE_BYTES:
        yield _problem(f"{free / 1e9:.2f} GB are free in {store.home.root}; a training may need more. Free some space.")


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
        if not highest:
            return
        last = 0
    except (OSError, RunError):
        last = None
    if not isinstance(last, int) or last < highest:
        said = "cannot be read" if last is None else f"says {last}"
        sentence = f"{path.name} is damaged or out of date: it {said}, but a run has number {highest}."
        yield _problem(sentence, partial(_count_anew, home, path))


def _count_anew(home: Home, path: Path) -> str:
    if os.path.lexists(path):
        aside(path, "number.damaged.json")
    return f"counting continues after {home.next_number()}"


def _settings(store: RunStore) -> Iterator[Finding]:
    path = store.home.root / SETTINGS
    try:
        held = read_json(path, SCHEMA)
    except FileNotFoundError:
        return
    except NewerError:
        raise
    except (OSError, RunError) as error:
        yield _problem(f"{error} Defaults are used.", partial(_put_aside, path))
        return
    used = {"slots": dict(store.home.slots), "priority": store.home.priority}
    for name in used.keys() & held.keys():
        if held[name] != used[name]:
            sentence = f"{path.name} is damaged: {name} is {str(held[name])[:60]!r}; {used[name]!r} is used."
            yield _problem(sentence, partial(_put_aside, path))
            return


def _put_aside(path: Path) -> str:
    return f"it is now {aside(path, f'{path.stem}.damaged{path.suffix}').name}"


def _tickets(store: RunStore) -> Iterator[Finding]:
    home = store.home
    for folder in sorted(path for path in home.queues.glob("*") if path.is_dir()):
        tickets = turn.tickets(str(folder))
        gone = [name for name in tickets if not is_held(home.runs / turn.owner(name) / LOCK)]
        dead = [name for name in gone if not turn.is_newer(str(folder / name))]
        queue = f"in the queue {folder.name}"
        if newer := len(gone) - len(dead):
            yield _note(f"Left alone, from a newer compecon: {counted(newer, 'ticket')} {queue}.")
        if dead:
            sentence = (
                f"Left behind by workers that are gone: {len(dead)} of {counted(len(tickets), 'ticket')} {queue}."
            )
            yield _problem(sentence, partial(_tidy, home, folder.name))


def _tidy(home: Home, queue: str) -> str:
    return f"they were removed; {len(Queue(home, queue, 1).waiting())} waiting"


def _names(store: RunStore) -> Iterator[Finding]:
    home = store.home
    for path in sorted(home.runs.glob("*")):
        if path.name.startswith(".") and path.name.endswith(".part"):
            if not is_held(path / LOCK):
                sentence = f"{path.name} is a run whose submission was interrupted."
                yield _problem(sentence, partial(_bin, home, path))
        elif not is_id(path.name):
            yield _note(f"{path} is not a run and is ignored.")


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
            yield _problem(f"{error} Its runs continue without a limit.", partial(_put_aside, path))
            continue
        gone = [row for row in record.rows if row.state is None and not any(store.home.trash.glob(f"{row.run_id}-*"))]
        if gone:
            sentence = f"{len(gone)} of its {counted(len(record.rows), 'run')} were not submitted: "
            yield Finding(sweep_id, "note", f"{sentence}`compecon resume --sweep {sweep_id}`.")


def _trash(store: RunStore) -> Iterator[Finding]:
    trash = store.home.trash
    if deleted := [path for path in trash.glob("*") if path.is_dir()]:
        size = f"{sum(map(size_of, deleted)) / 1e6:,.1f} MB"
        yield _note(f"{counted(len(deleted), 'deleted run')} in {trash}: {size}. Remove that folder to free the space.")
