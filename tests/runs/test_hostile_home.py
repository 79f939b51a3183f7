"""Whatever stands in the place of a file: the doctor and the lists end, and one bad thing is one bad thing."""

import json
import os
import subprocess

import pytest

from compecon.files.complete import MARKER, checkpoint_folder, mark_complete
from compecon.runs.doctor.checkup import check_home
from compecon.runs.folder import BALLAST, CANCEL, LOG, METRICS, OUTCOME, SPEC, STATUS
from compecon.runs.resuming import worth_resuming
from compecon.runs.run_record import RunState
from compecon.runs.sweeps.points import grid
from compecon.runs.sweeps.sweep import Sweep, new_sweep
from compecon.runs.sweeps.sweep_table import sweeps
from tests.support.made_runs import attempt, made, steps
from tests.support.runs import python

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
OF_A_RUN = (SPEC, STATUS, OUTCOME, METRICS, LOG, BALLAST, CANCEL, "examples.json", "result", "checkpoints")
LOOK = """
import sys
from pathlib import Path
from compecon.runs.doctor.checkup import check_home
from compecon.runs.home import Home
from compecon.runs.resuming import worth_resuming
from compecon.runs.store import RunStore
from compecon.runs.sweeps.sweep_table import sweeps
store = RunStore(Home(Path(sys.argv[1])))
for _ in range(2):
    findings = [finding.set_right() for finding in check_home(store)]
worth_resuming(store), sweeps(store.home), store.home.slots
for record in store.list():
    print(record.run_id, record.state)
for finding in findings:
    print("-", finding.about, finding.level, finding.sentence)
"""


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


def nowhere(path):
    path.symlink_to("nowhere")


def itself(path):
    path.symlink_to(path.name)


def nonsense(path):
    path.write_bytes(b"\xff\xfe[" + b"[" * 100_000)


THINGS = [pipe, endless, folder, nowhere, itself, nonsense]


def replaced(path, thing):
    if path.is_dir() and not path.is_symlink():
        path.rename(path.with_name(f"{path.name}.was"))
    else:
        path.unlink(missing_ok=True)
    thing(path)


def a_run(store):
    """A run that was lost, with a checkpoint that is whole."""
    record = made(store, RunState.RUNNING, lines=[attempt(1), *steps("rehearsal", 1, 2)])
    checkpoint = checkpoint_folder(record.folder / "checkpoints", 2)
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights").write_bytes(b"w")
    mark_complete(checkpoint, 2)
    return record, checkpoint


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__name__)
def test_the_doctor_comes_to_an_end_and_the_other_runs_are_well(store, thing):
    well = {a_run(store)[0].run_id for _ in range(2)}
    for name in OF_A_RUN:
        replaced(a_run(store)[0].folder / name, thing)
    for name in (MARKER, "weights"):
        replaced(a_run(store)[1] / name, thing)
    points = grid("rehearsal", {}, {"seed": [0]})
    asked = Sweep("", "", points.recipe, points.params, points.points)
    good, bad = (new_sweep(store.home, asked, key).sweep_id for key in "ab")
    replaced(store.home.sweeps / f"{bad}.json", thing)
    for name in ("settings.json", "number.json", "number.lock"):
        replaced(store.home.root / name, thing)
    (store.home.queues / "cpu").mkdir(parents=True)
    replaced(store.home.queues / "cpu" / "000000000001-train-00000000.ticket", thing)
    done = subprocess.run(
        [*python(LOOK), str(store.home.root)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert {f"{run_id} LOST" for run_id in well} <= set(told)
    assert len([line for line in told if not line.startswith("-")]) == 2 + len(OF_A_RUN) + 2
    assert any(line.startswith(f"- {good} note") for line in told)


WRONG = [None, 3, "x", [], {"a": 1}, [1], [[1]], [{"seed": []}], True, -1, 10**400]


@pytest.mark.parametrize("name", ["points", "params", "parallel", "order", "proposals", "title", "run_ids", "schema"])
def test_a_sweep_of_wrong_types_is_one_sentence_and_hides_no_other(store, name):
    points = grid("rehearsal", {}, {"seed": [0]})
    asked = Sweep("", "", points.recipe, points.params, points.points)
    good = new_sweep(store.home, asked, "good").sweep_id
    for n, wrong in enumerate(WRONG):
        path = store.home.sweeps / f"{new_sweep(store.home, asked, str(n)).sweep_id}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), name: wrong}))
    assert len(sweeps(store.home)) == 1 + len(WRONG)
    findings = list(check_home(store))
    assert any(finding.about == good for finding in findings)
    for sweep_id in sweeps(store.home):
        assert sum(sweep_id in f"{finding.about} {finding.sentence}" for finding in findings) == 1


def test_a_run_whose_files_are_pipes_can_be_looked_at_from_everywhere(store):
    record, _ = a_run(store)
    for name in (METRICS, STATUS):
        replaced(record.folder / name, pipe)
    assert store.get(record.run_id).state is RunState.FAILED
    assert worth_resuming(store) == ((), ())
