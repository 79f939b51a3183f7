"""Waiting for a turn, for processes that load next to nothing; `compecon.runs.queue` wraps it."""

from __future__ import annotations

import os
import stat
import time

from compecon.runs.locks import FLAGS, is_held, taken

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would be a fifth of what a process that waits has in memory
    from collections.abc import Callable, Iterator

_DIGITS = 12
_SUFFIX = ".ticket"
_SCHEMA = 1
_SHORTEST_S, _LONGEST_S = 0.05, 0.5


def join(folder: str, run_id: str, order: int) -> None:
    """Take a ticket that holds the version of its format; the lower the order, the earlier the turn."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{order:0{_DIGITS}}-{run_id}{_SUFFIX}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | FLAGS, 0o644)
    try:
        os.write(descriptor, b"%d\n" % _SCHEMA)
    finally:
        os.close(descriptor)


def leave(folder: str, run_id: str) -> None:
    """Return tickets."""
    for name in tickets(folder):
        if owner(name) == run_id:
            _remove(os.path.join(folder, name))


def tickets(folder: str) -> list[str]:
    """Names of all tickets, in the order of turns."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIX))
    except FileNotFoundError:
        return []


def owner(ticket: str) -> str:
    """The run that a ticket belongs to."""
    return ticket[_DIGITS + 1 : -len(_SUFFIX)]


def is_newer(path: str) -> bool:
    """Whether a newer compecon wrote a ticket."""
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except OSError:
        return False
    try:
        said = os.read(descriptor, 20).strip() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
    return said.isdigit() and int(said) > _SCHEMA


def waiting(folder: str, runs: str) -> Iterator[str]:
    """Runs that wait, in the order of turns. Tickets of dead ones are removed, unless a newer compecon wrote them."""
    for name in tickets(folder):
        if is_held(os.path.join(runs, owner(name), "worker.lock")):
            yield owner(name)
        elif not is_newer(os.path.join(folder, name)):
            _remove(os.path.join(folder, name))


def wait_for_turns(
    queues: list[tuple[str, str, int]],
    runs: str,
    ticket: tuple[str, int],
    unwanted: Callable[[], bool],
    tell: Callable[[str], None],
) -> list[tuple[int, int]] | None:
    """Wait for a slot of each queue, one after the other.

    Args:
        queues: Name, folder of the tickets and slots, and number of slots.
        runs: Folder of the runs.
        ticket: The run and its order. Its lock must be held, or it counts as dead.
        unwanted: Polled for whether to give up.
        tell: Called with a sentence on what it waits for, when that changes.

    Returns:
        Number of each slot and open descriptor of its held lock; None if it was given up.
    """
    slots = []
    for name, folder, n_slots in queues:

        def told(before: int, name: str = name) -> None:
            tell(f"Waiting for {name}: {f'{before} before it' if before else 'next in line'}.")

        slot = wait_for_turn(folder, runs, n_slots, ticket, unwanted, told)
        if slot is None:
            return None
        slots.append(slot)
    return slots


def wait_for_turn(
    folder: str,
    runs: str,
    n_slots: int,
    ticket: tuple[str, int],
    unwanted: Callable[[], bool],
    tell: Callable[[int], None],
) -> tuple[int, int] | None:
    """Wait for a slot of one queue; `tell` gets the number of runs ahead."""
    run_id, order = ticket
    pause, told = _SHORTEST_S, -1
    while not unwanted():
        before = next((n for n, other in enumerate(waiting(folder, runs)) if other == run_id), None)
        if before is None:
            join(folder, run_id, order)  # no ticket yet, or it was removed
        elif before == 0 and (slot := _free(folder, n_slots)) is not None:
            leave(folder, run_id)
            return slot
        elif before != told:
            pause, told = _SHORTEST_S, before
            tell(before)
        time.sleep(pause)
        pause = min(_LONGEST_S * (1 + max(0, told) / 10), 1.3 * pause)  # a run far behind need not check often
    leave(folder, run_id)
    return None


def _free(folder: str, n_slots: int) -> tuple[int, int] | None:
    for number in range(n_slots):
        if (descriptor := taken(os.path.join(folder, f"slot-{number}.lock"), 0.0)) is not None:
            return number, descriptor
    return None


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
