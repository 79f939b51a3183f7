"""Runs through all that can happen to them, in any order."""

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from compecon.errors import RunError
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.folder import LOCK
from compecon.runs.home import Home
from compecon.runs.locks import Lock, is_held
from compecon.runs.reporter import Reporter
from compecon.runs.run_record import RunSpec, RunState
from compecon.runs.store import RunStore

ENDS = [RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.LOST]


class Worker:
    """What a worker does to its folder, in this process."""

    def __init__(self, store, run_id, lock):
        self.run_id, self.lock, self.reporter = run_id, lock, Reporter(store.folder(run_id), lock)

    def die(self):
        self.lock.release()


class Lives(RuleBasedStateMachine):
    """Workers live, end and die; people submit, stop, resume, delete and restore."""

    runs = Bundle("runs")

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp())
        self.store = RunStore(Home(self.root))
        self.executor = LocalExecutor(self.store)
        self.workers, self.final, self.attempts, self.n_keys = {}, {}, {}, 0

    def teardown(self):
        for worker in self.workers.values():
            worker.die()
        shutil.rmtree(self.root, ignore_errors=True)

    def spawned(self, run_id, lock):
        self.workers[run_id] = Worker(self.store, run_id, lock)

    @rule(target=runs)
    def submit(self):
        self.n_keys += 1
        run_id, lock = self.store.create(RunSpec("rehearsal"), f"form {self.n_keys}")
        assert lock is not None
        assert self.store.create(RunSpec("rehearsal"), f"form {self.n_keys}") == (run_id, None)
        self.spawned(run_id, lock)
        return run_id

    @rule(run_id=runs)
    def wait(self, run_id):
        if run_id in self.workers:
            self.workers[run_id].reporter.set(RunState.QUEUED, "Waiting.")

    @rule(run_id=runs)
    def work(self, run_id):
        if run_id in self.workers:
            self.workers[run_id].reporter.set(RunState.RUNNING, stage="dense", step=1, total=3)

    @rule(run_id=runs, state=st.sampled_from(ENDS))
    def end(self, run_id, state):
        if run_id in self.workers:
            worker = self.workers.pop(run_id)
            worker.reporter.end(state, "Its words.")
            worker.die()
            self.final[run_id] = (state, "Its words.")

    @rule(run_id=runs)
    def die(self, run_id):
        if run_id in self.workers:
            self.workers.pop(run_id).die()
            record = self.store.get(run_id)
            assert record.state in (RunState.LOST, RunState.CANCELLED)
            self.final[run_id] = (record.state, record.reason)

    @rule(run_id=runs)
    def stop(self, run_id):
        self.executor.store.ask_to_stop(run_id) if run_id in self.workers else self.executor.stop(run_id)

    @rule(run_id=runs)
    def resume(self, run_id):
        before = self.store.get(run_id)
        self.executor._spawn = self.spawned  # in place of a process
        if before.state is RunState.SUCCEEDED:
            with pytest.raises(RunError, match="has succeeded"):
                self.executor.start(run_id)
            return
        self.executor.start(run_id)
        after = self.store.get(run_id)
        if before.state.is_finished:
            assert (after.state, after.status.attempt) == (
                RunState.QUEUED,
                before.status.attempt + bool(before.status.pid),
            )
            del self.final[run_id]
        else:
            assert after == before

    @rule(run_id=consumes(runs), target=runs)
    def delete_and_restore(self, run_id):
        before = self.store.get(run_id)
        if run_id in self.workers:
            with pytest.raises(RunError, match="Stop it"):
                self.store.delete(run_id)
            return run_id
        self.store.delete(run_id)
        assert run_id not in [record.run_id for record in self.store.list()]
        self.store.restore(run_id)
        assert self.store.get(run_id) == before
        return run_id

    @precondition(lambda self: self.workers)
    @rule()
    def reboot(self):
        for run_id in list(self.workers):
            self.die(run_id)

    @invariant()
    def what_has_ended_stays_as_it_was(self):
        for run_id, (state, reason) in getattr(self, "final", {}).items():
            record = self.store.get(run_id)
            assert (record.state, record.reason) == (state, reason)

    @invariant()
    def whoever_seems_to_work_has_a_worker(self):
        for record in self.store.list() if hasattr(self, "store") else ():
            assert record.state.is_finished != (record.run_id in self.workers)
            assert is_held(record.folder / LOCK) == (record.run_id in self.workers)

    @invariant()
    def attempts_only_grow(self):
        for record in self.store.list() if hasattr(self, "store") else ():
            assert record.status.attempt >= self.attempts.get(record.run_id, 1)
            self.attempts[record.run_id] = record.status.attempt

    @invariant()
    def no_run_has_two_workers(self):
        for run_id in getattr(self, "workers", {}):
            assert Lock.taken(self.store.folder(run_id) / LOCK, patience_s=0.0) is None


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=12, stateful_step_count=16)
