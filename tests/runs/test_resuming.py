"""Which lost runs are started again without anybody looking on."""

import pytest

from compecon.files.complete import checkpoint_folder, mark_complete
from compecon.runs.resuming import is_going_nowhere, worth_resuming
from compecon.runs.run_record import RunState
from tests.support.made_runs import attempt, made, steps


def checkpoint(record, part, step):
    folder = checkpoint_folder(record.folder / "checkpoints" / part, step)
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w")
    mark_complete(folder, step)


@pytest.mark.parametrize(
    ("lines", "saved", "nowhere"),
    [
        ([], [], False),
        ([attempt(1)], [], False),  # once may be chance
        ([attempt(1), *steps("a", 1, 2, 3)], [], False),
        ([attempt(1), attempt(2)], [], True),  # neither came to a step
        ([attempt(1), attempt(2), *steps("a", 1, 2, 3)], [], True),  # all was done again, and nothing saved
        ([attempt(1), attempt(2), *steps("a", 1, 2, 3)], [2], False),
        ([attempt(1), *steps("a", 1, 2), attempt(2), *steps("a", 3)], [2], False),  # what stands before it was saved
        ([attempt(1), *steps("a", 1, 2), attempt(2), attempt(3), *steps("a", 3)], [2], True),
        ([attempt(1), *steps("a", 1, 2), attempt(2), attempt(3), *steps("a", 3, 4)], [2, 4], False),
    ],
)
def test_two_attempts_that_left_nothing_are_enough(store, lines, saved, nowhere):
    record = made(store, RunState.RUNNING, lines=lines)
    for step in saved:
        checkpoint(record, "part", step)
    assert is_going_nowhere(record.folder) is nowhere


def test_damaged_lines_are_passed_over(store):
    record = made(store, RunState.RUNNING, lines=[attempt(1), attempt(2)])
    with (record.folder / "metrics.jsonl").open("ab") as stream:
        stream.write(b'\xff{"step"\n[1]\n' + b"[" * 100_000 + b"\n")
    assert is_going_nowhere(record.folder)


def test_only_lost_runs_are_offered_and_the_oldest_first(store):
    first, second = (made(store, RunState.RUNNING) for _ in range(2))
    idle = made(store, RunState.RUNNING, lines=[attempt(1), attempt(2)])
    for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED):
        made(store, state)
    going, left_out = worth_resuming(store)
    assert [record.run_id for record in going] == [first.run_id, second.run_id]
    assert [record.run_id for record in left_out] == [idle.run_id]
