"""Too many open files, too little memory, numbers that are none, a clock that goes back, parts that do not load."""

import os
import subprocess
import sys

import pytest

from compecon.runs.ending import NO_MEMORY
from compecon.runs.run_record import RunState
from tests.support.namespace import ROOT
from tests.support.rehearsals import assert_undisturbed, at_step, history, rehearsal
from tests.support.runs import ended, python, started_with, toy

pytestmark = [pytest.mark.fault, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")]


def test_EMFILE_in_the_worker_is_told_though_nothing_more_can_be_opened(executor, store, tmp_path, monkeypatch):
    body = """
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        reporter.begin("opening", 1)
        held = []
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    """
    monkeypatch.setenv("PYTHONPATH", toy(tmp_path / "toy", body))
    record = ended(store, executor.submit(rehearsal()))
    assert record.state is RunState.FAILED
    assert record.reason.startswith("Too many open files.")


def test_EMFILE_in_the_dashboard_leaves_no_run_that_waits_for_ever(store):
    code = """
        import os, resource, sys
        from pathlib import Path
        from compecon.errors import RunError
        from compecon.runs.home import Home
        from compecon.runs.executors.local import LocalExecutor
        from compecon.runs.store import RunStore
        from tests.support.rehearsals import rehearsal
        executor = LocalExecutor(RunStore(Home(Path(sys.argv[1]))))
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        held = []
        def close(n):
            while held and n:
                os.close(held.pop())
                n -= 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
        try:
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        started = refused = 0
        for n in range(30):
            close(n and 1)
            try:
                executor.submit(rehearsal(steps=2, seed=n), f"form {n}")
                started += 1
                if started == 2:
                    break
            except RunError as error:
                assert "Too many open files" in str(error), error
                refused += 1
        print(started, refused, *(record.state for record in executor.store.list()))
        for record in executor.store.list():
            assert record.reason.startswith("It was never started.") or record.state != "LOST", record
    """
    done = subprocess.run(
        [*python(code), str(store.home.root)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    started, refused, *_ = done.stdout.split()
    assert int(started) > 0
    assert int(refused) > 0
    for record in store.list():
        ended(store, record.run_id)
    assert [path.name for path in store.home.runs.iterdir() if path.name.startswith(".")] == []


def test_out_of_memory_is_told_with_what_to_do(executor, store, tmp_path, monkeypatch):
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))"
    monkeypatch.setenv("PYTHONPATH", started_with(tmp_path / "limited", limit))
    run_id = executor.submit(rehearsal(grow_mb=60))
    record = ended(store, run_id)
    assert (record.state, record.reason) == (RunState.FAILED, NO_MEMORY)
    assert record.state.can_resume


def test_a_NaN_loss_stops_the_run_and_is_told_every_time(executor, store):
    run_id = executor.submit(rehearsal(nan_at=7, save_every=2))
    for _ in range(2):
        record = ended(store, run_id)
        assert record.state is RunState.FAILED
        assert record.reason.startswith("The loss is not finite at step 7")
        assert "smaller learning rate" in record.reason
        assert [step["step"] for step in history(store, run_id).steps["rehearsal"]] == list(range(1, 7))
        executor.start(run_id)
    ended(store, run_id)


def test_a_clock_that_is_set_back_changes_nothing(executor, store, tmp_path, monkeypatch):
    clock = """
        import time
        _now, _calls = time.time, []
        def back():
            _calls.append(1)
            return _now() - 3600 * len(_calls)
        time.time = back
    """
    monkeypatch.setenv("PYTHONPATH", started_with(tmp_path / "clock", clock))
    run_id = executor.submit(rehearsal(save_every=3))
    os.kill(at_step(store, run_id, 10).status.pid, 9)
    ended(store, run_id)
    executor.start(run_id)
    record = ended(store, run_id)
    assert_undisturbed(record)
    told = [event["at"] for event in history(store, run_id).events if event["event"] == "attempt"]
    assert told[1] < told[0] or told[0] < record.spec.created_at, "the clock did go back"
    assert record.status.seconds > 0
    assert all(step["seconds"] >= 0 for step in history(store, run_id).steps["rehearsal"])


def test_an_import_error_in_the_recipe_is_told(executor, store, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "numpy.py").write_text("raise ImportError('this numpy is broken')")
    broken = os.pathsep.join([str(tmp_path / "broken"), os.environ["PYTHONPATH"]])
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", broken)
        run_id = executor.submit(rehearsal())
        record = ended(store, run_id)
    if record.state is RunState.SUCCEEDED:
        pytest.skip("a rehearsal has no need of numpy")
    assert record.state is RunState.FAILED
    assert record.reason.startswith("A module could not be imported: this numpy is broken.")
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


@pytest.mark.parametrize("module", ["compecon", "hashlib"])
def test_a_worker_that_cannot_even_begin_is_lost_and_its_log_tells_why(executor, store, tmp_path, monkeypatch, module):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"{module}.py").write_text("raise RuntimeError('this module is broken')")
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "broken"), os.environ["PYTHONPATH"]]))
        run_id = executor.submit(rehearsal(steps=3))
        record = ended(store, run_id)
    assert record.state is RunState.LOST
    assert "log" in record.reason
    assert "this module is broken" in (record.folder / "worker.log").read_text()
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


def test_a_module_in_the_home_is_not_loaded(executor, store):
    (store.home.root / "uuid.py").write_text("raise RuntimeError('from the home')")
    (store.home.root / "compecon.py").write_text("raise RuntimeError('from the home')")
    assert_undisturbed(ended(store, executor.submit(rehearsal(steps=3))))
