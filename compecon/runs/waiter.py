"""The process of a run that waits for its turn: `python -I -S waiter.py ROOT FOLDER PLAN WORKER...`.

It holds the run's lock, as a worker does, and becomes the worker when the turn has come: same process, same locks.
Until then it is a bare interpreter, because a sweep may have hundreds of runs that wait. Only standard modules that a
bare interpreter loads in no time are imported; whatever goes wrong is left to the worker, which can wait by itself.

ROOT is the folder that compecon is imported from, FOLDER the run's, PLAN a JSON object: the descriptor of the run's
lock ("lock"), the order of its tickets ("order"), and name, folder and number of slots of each queue ("queues").
"""

from __future__ import annotations

import json
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Plan(TypedDict):
        """See above."""

        lock: int
        order: int
        queues: list[tuple[str, str, int]]


SLOTS = "COMPECON_SLOTS"  # environment variable: number and open descriptor of each slot that the worker holds already
_signals: list[int] = []


def main(root: str, folder: str, plan: Plan, worker: list[str]) -> None:
    """Wait, then become the worker; returns if the run is no longer wanted."""
    try:
        sys.path.insert(0, root)
        slots = _slots(folder, plan)
    except Exception as error:  # noqa: BLE001 - the worker reports it better
        print(f"{type(error).__name__}: {error}. The worker waits by itself.", file=sys.stderr)  # noqa: T201
        slots = []
    else:
        if slots is None:
            return
        os.environ[SLOTS] = json.dumps(slots)
    os.execv(worker[0], worker)  # noqa: S606 - this interpreter, our module, a folder of ours


def _slots(folder: str, plan: Plan) -> list[tuple[int, int]] | None:
    """A slot of each queue; None if the run was left, which its folder then says."""
    from compecon.runs.locks import is_in_place
    from compecon.runs.turn import wait_for_turns

    def unwanted() -> bool:
        return bool(_signals) or os.path.exists(os.path.join(folder, "cancel")) or not in_place()

    def in_place() -> bool:
        return is_in_place(plan["lock"], os.path.join(folder, "worker.lock"))

    ticket, runs = (os.path.basename(folder), plan["order"]), os.path.dirname(folder)
    slots = wait_for_turns(plan["queues"], runs, ticket, unwanted, lambda text: _say(folder, "QUEUED", text))
    if slots is None and in_place():  # otherwise the folder is gone
        wanted = not os.path.exists(os.path.join(folder, "cancel"))
        why = ": the system ended its worker" if wanted else ", as requested"
        _say(folder, "LOST" if wanted else "CANCELLED", f"Stopped while it waited{why}.")
    for _, descriptor in slots or ():
        os.set_inheritable(descriptor, True)
    return slots


def _say(folder: str, state: str, reason: str) -> None:
    """Change the run's status, and leave everything else in it."""
    path, part = (os.path.join(folder, name) for name in ("status.json", ".status.json.part"))
    with open(path, encoding="utf-8") as stream:
        status = json.load(stream)
    status.update(state=state, reason=reason, pid=os.getpid(), host=os.uname().nodename)
    with open(part, "w", encoding="utf-8") as stream:
        json.dump(status, stream, indent=1)
        stream.write("\n")
    os.replace(part, path)


def _listen() -> None:
    """The first signal asks to stop, the second one stops at once."""

    def on_signal(number: int, _frame: object) -> None:
        if _signals:
            os._exit(130)  # the lock is freed, and what is on disk is whole
        _signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)


if __name__ == "__main__":
    _listen()
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4:])
