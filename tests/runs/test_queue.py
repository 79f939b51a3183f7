"""Whose turn it is: oldest first, and never more at a time than there are slots."""

import threading

import pytest

from compecon.runs import turn
from compecon.runs.locks import Lock
from compecon.runs.queue import Queue
from tests.support.runs import until


def living(home, number):
    """A run whose worker lives."""
    run_id = f"run-{number:08}"
    (home.runs / run_id).mkdir()
    lock = Lock.taken(home.runs / run_id / "worker.lock")
    assert lock is not None
    return run_id, lock


def never():
    return False


class Slot:
    """A turn in a queue, with the lock that it holds."""

    def __init__(self, queue, number, descriptor):
        self.number, self.lock = number, Lock(queue.folder / f"slot-{number}.lock", descriptor)


def turn_of(queue, run_id, order, unwanted=never, tell=lambda _: None):
    folder, runs = str(queue.folder), str(queue.home.runs)
    slot = turn.wait_for_turn(folder, runs, queue.n_slots, (run_id, order), unwanted, tell)
    return None if slot is None else Slot(queue, *slot)


def test_those_who_wait_are_in_the_order_of_their_numbers(home):
    queue, runs = Queue(home, "cpu", 1), [living(home, n) for n in range(4)]
    for number in (2, 0, 3, 1):
        queue.join(runs[number][0], number)
    assert queue.waiting() == [run_id for run_id, _ in runs]


def test_the_first_one_gets_a_slot_and_gives_its_ticket_back(home):
    run_id, _lock = living(home, 0)
    queue = Queue(home, "cpu", 1)
    queue.join(run_id, 0)
    slot = turn_of(queue, run_id, 0)
    assert slot is not None
    assert slot.number == 0
    assert queue.waiting() == []


def test_a_run_without_a_ticket_takes_one(home):
    run_id, _lock = living(home, 0)
    assert turn_of(Queue(home, "cpu", 1), run_id, 0) is not None


def test_a_ticket_that_someone_threw_away_is_taken_again_in_its_place(home):
    queue = Queue(home, "cpu", 1)
    (first, _a), (second, _b), (third, _c) = (living(home, n) for n in range(3))
    held = turn_of(queue, first, 0)
    assert held is not None
    queue.join(third, 2)
    looked = []

    def unwanted():
        looked.append(queue.waiting())
        if len(looked) == 2:
            turn.leave(str(queue.folder), second)
        return len(looked) > 6

    assert turn_of(queue, second, 1, unwanted=unwanted) is None
    assert looked[-1] == [second, third]


def test_tickets_of_the_dead_hold_nobody_up(home):
    queue = Queue(home, "cpu", 1)
    (dead, lock), (run_id, _lock) = living(home, 0), living(home, 1)
    queue.join(dead, 0)
    queue.join("run-that-was-deleted", 0)
    (queue.folder / "nonsense.ticket").touch()
    queue.join(run_id, 1)
    assert queue.waiting() == [dead, run_id]
    lock.release()
    assert turn_of(queue, run_id, 1) is not None
    assert list(queue.folder.glob("*.ticket")) == []


def test_a_run_that_is_no_longer_wanted_leaves(home):
    queue, (first, _a), (second, _b) = Queue(home, "cpu", 1), living(home, 0), living(home, 1)
    assert turn_of(queue, first, 0) is not None
    told = []
    assert turn_of(queue, second, 1, unwanted=lambda: bool(told), tell=told.append) is None
    assert told == [0]
    assert queue.waiting() == []


def test_who_waits_is_told_how_many_are_before_it(home):
    queue = Queue(home, "cpu", 1)
    runs = [living(home, n) for n in range(4)]
    slot = turn_of(queue, runs[0][0], 0)
    assert slot is not None
    for number, (run_id, _) in enumerate(runs[1:], 1):
        queue.join(run_id, number)
    told = []

    def unwanted():
        if told and len(told) <= 2:
            runs[len(told)][1].release() if told[-1] else None
        return told[-1:] == [0]

    turn_of(queue, runs[3][0], 3, unwanted=unwanted, tell=told.append)
    assert told == [2, 1, 0]


@pytest.mark.parametrize("n_slots", [1, 2, 3])
def test_exactly_as_many_work_at_a_time_as_there_are_slots(home, n_slots):
    queue, guard = Queue(home, "cpu", n_slots), threading.Lock()
    runs = [living(home, n) for n in range(7)]
    for number, (run_id, _) in enumerate(runs):
        queue.join(run_id, number)
    working, most, began = [], [], []
    full = threading.Barrier(n_slots)

    def work(number):
        run_id, _ = runs[number]
        slot = turn_of(queue, run_id, number)
        assert slot is not None
        with guard:
            began.append(number)
            working.append(slot.number)
            most.append(sorted(working))
        if number < n_slots:
            full.wait(20)  # the first ones stay until all slots are taken
        with guard:
            working.remove(slot.number)
        slot.lock.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in reversed(range(7))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(range(n_slots)) in most
    assert all(len(set(numbers)) == len(numbers) <= n_slots for numbers in most)
    assert sorted(began[:n_slots]) == list(range(n_slots)), "the oldest come first"
    assert len(began) == 7


def test_with_one_slot_turns_are_taken_in_order(home):
    queue = Queue(home, "cpu", 1)
    runs = [living(home, n) for n in range(6)]
    blocker = turn_of(queue, runs[0][0], 0)
    assert blocker is not None
    began = []

    def work(number):
        slot = turn_of(queue, runs[number][0], number)
        assert slot is not None
        began.append(number)
        slot.lock.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in (4, 2, 5, 1, 3)]
    for thread in threads:
        thread.start()
    until(lambda: len(queue.waiting()) == 5)
    blocker.lock.release()
    for thread in threads:
        thread.join()
    assert began == [1, 2, 3, 4, 5]


def test_a_slot_is_free_again_when_its_holder_is_gone(home):
    queue, (first, _a), (second, _b) = Queue(home, "cpu", 1), living(home, 0), living(home, 1)
    slot = turn_of(queue, first, 0)
    assert slot is not None
    slot.lock.release()
    again = turn_of(queue, second, 1)
    assert again is not None
    assert again.number == slot.number


def test_queues_do_not_stand_in_each_others_way(home):
    (first, _a), (second, _b) = living(home, 0), living(home, 1)
    assert turn_of(Queue(home, "cpu", 1), first, 0) is not None
    assert turn_of(Queue(home, "sweep-x", 1), second, 1) is not None


def test_a_device_has_as_many_slots_as_were_set(home):
    assert Queue.of_device(home, "cpu").n_slots == 1
    home.set_slots("cpu", 3)
    assert Queue.of_device(home, "cpu").n_slots == 3


def test_slots_that_cannot_be_written_are_no_reason_to_wait_for_ever(home):
    run_id, _lock = living(home, 0)
    queue = Queue(home, "cpu", 1)
    queue.join(run_id, 0)
    (queue.folder / "slot-0.lock").mkdir()
    with pytest.raises(OSError, match=r"slot-0\.lock"):
        turn_of(queue, run_id, 0)
