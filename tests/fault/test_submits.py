"""A double click, two tabs, a page loaded again: one run, with one worker."""

import subprocess
import threading

import pytest

from compecon.runs.run_record import RunState
from tests.support.rehearsals import assert_undisturbed, history, rehearsal
from tests.support.runs import ended, python

pytestmark = pytest.mark.fault
SUBMIT = """
import sys, threading
from pathlib import Path
from compecon.runs.home import Home
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.store import RunStore
from tests.support.rehearsals import rehearsal
executor, spec = LocalExecutor(RunStore(Home(Path(sys.argv[1])))), rehearsal(steps=5)
print("ready", flush=True)
input()
found, n = [], int(sys.argv[2])
threads = [threading.Thread(target=lambda: found.append(executor.submit(spec, "one form"))) for _ in range(n)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*found)
"""


def attempts(store, run_id):
    return [event["attempt"] for event in history(store, run_id).events if event["event"] == "attempt"]


@pytest.mark.parametrize(("n_processes", "n_threads"), [(3, 10), pytest.param(30, 1, marks=pytest.mark.slow)])
def test_30_simultaneous_submits_of_one_form_make_one_run(home, store, bystander, n_processes, n_threads):
    command = [*python(SUBMIT), str(home.root), str(n_threads)]
    pages = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(n_processes)
    ]
    for page in pages:
        assert page.stdout.readline() == "ready\n"
    for page in pages:
        page.stdin.write("\n")
        page.stdin.flush()
    said = [run_id for page in pages for run_id in page.communicate()[0].split()]
    assert len(said) == 30
    assert len(set(said)) == 1
    assert {record.run_id for record in store.list()} == {said[0], bystander}
    assert_undisturbed(ended(store, said[0]))
    assert attempts(store, said[0]) == [1]
    assert [path.name for path in home.runs.iterdir() if path.name.startswith(".")] == []


def test_resuming_from_many_tabs_at_once_starts_one_worker(executor, store):
    run_id = executor.submit(rehearsal(fail_at=3))
    assert ended(store, run_id).state is RunState.FAILED
    threads = [threading.Thread(target=executor.start, args=(run_id,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended(store, run_id).status.attempt == 2
    assert attempts(store, run_id) == [1, 2]
