"""What a newer compecon wrote is left alone, and what is finished stays so, whatever happens to a file."""

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from compecon.errors import NewerError, RunError
from compecon.evaluation.result_store import keep
from compecon.files.complete import MARKER, checkpoint_folder, last_complete_checkpoint, mark_complete
from compecon.runs.doctor.checkup import check_home
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.folder import LOCK, OUTCOME, SPEC, STATUS
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.queue import Queue
from compecon.runs.reporter import Reporter
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from compecon.runs.sweeps.points import grid
from compecon.runs.sweeps.sweep import Sweep, new_sweep, resume_sweep
from compecon.runs.sweeps.sweep_table import sweeps
from tests.support.made_runs import attempt, made, steps

NEWER = [
    *((name, parts) for name in (SPEC, STATUS, OUTCOME) for parts in ({"schema": 2}, {"schema": 99, "state": 3})),
    (STATUS, {"state": "PAUSED"}),
]
RESULTS = {"sentence": "It worked.", "metric": {"name": "accuracy", "value": 0.9}}


@contextmanager
def new_store():
    root = Path(tempfile.mkdtemp())
    try:
        yield RunStore(Home(root).made())
    finally:
        shutil.rmtree(root)


def finished(store):
    """A run that a worker has finished, with a checkpoint."""
    record = made(store, RunState.RUNNING, lines=[attempt(1), *steps("rehearsal", 1, 2, 3)])
    (record.folder / "result" / record.run_id).mkdir(parents=True)
    (record.folder / "result" / record.run_id / "weights.bin").write_bytes(b"w")
    lock = Lock.taken(record.folder / LOCK)
    Reporter(record.folder, lock).end(RunState.SUCCEEDED, "It worked.", RESULTS)
    lock.release()
    return store.get(record.run_id)


def changed(path, **parts):
    path.write_text(json.dumps({**parts, **{k: v for k, v in json.loads(path.read_text()).items() if k not in parts}}))


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def repair(store):
    return [finding.set_right() for finding in check_home(store)]


# ---- what a newer one wrote


@pytest.mark.parametrize(("name", "parts"), NEWER, ids=str)
def test_a_newer_run_is_listed_and_otherwise_left_alone(store, name, parts):
    run_id = finished(store).run_id
    if name == OUTCOME:  # which is looked at where the status does not tell
        (store.folder(run_id) / STATUS).write_text("")
    changed(store.folder(run_id) / name, **parts)
    before = contents(store.home.root)
    [record] = store.list()
    assert (record.run_id, record.state) == (run_id, RunState.NEWER)
    assert "newer compecon" in record.reason
    executor = LocalExecutor(store)
    for refused in (store.delete, store.ask_to_stop, executor.start, executor.stop):
        with pytest.raises(RunError, match="newer compecon"):
            refused(run_id)
    assert any("newer compecon" in finding.sentence for finding in repair(store))
    after = contents(store.home.root)
    assert {path: after.get(path) for path in before} == before


@pytest.mark.parametrize("cut", [0, 1, 5, 20, 60])
def test_a_newer_file_that_breaks_off_is_a_newer_file_still(store, cut):
    run_id = finished(store).run_id
    path = store.folder(run_id) / STATUS
    changed(path, schema=31)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(b'{"schema": 31') + cut])
    before = path.read_bytes()
    repair(store)
    assert path.read_bytes() == before
    assert store.get(run_id).state is RunState.NEWER


def test_entries_that_only_a_newer_one_knows_outlive_another_attempt(store):
    record = made(store, RunState.LOST)
    changed(record.folder / STATUS, mood="fine")
    executor = LocalExecutor(store)
    executor._spawn = lambda _run_id, lock: lock.release()  # in place of a process
    executor.start(record.run_id)
    assert store.get(record.run_id).status.more == {"mood": "fine"}
    lock = Lock.taken(record.folder / LOCK)
    Reporter(record.folder, lock).set(RunState.RUNNING)
    assert json.loads((record.folder / STATUS).read_text())["mood"] == "fine"
    lock.release()


def test_settings_of_a_newer_one_are_neither_read_nor_written(home):
    home.set_slots("cpu", 3)
    path = home.root / "settings.json"
    changed(path, theme="dark")
    home.set_slots("gpu", 2)
    home.set_priority("normal")
    assert json.loads(path.read_text()) == {
        "schema": 1, "theme": "dark", "slots": {"cpu": 3, "gpu": 2}, "priority": "normal",
    }  # fmt: skip
    changed(path, schema=2)
    before = path.read_bytes()
    assert home.slots == {}
    for change in (lambda: home.set_slots("cpu", 1), lambda: home.set_priority("background")):
        with pytest.raises(NewerError):
            change()
    repair(RunStore(home))
    assert path.read_bytes() == before


def test_numbers_of_a_newer_one_are_left_alone(home):
    home.next_number()
    path = home.root / "number.json"
    changed(path, step=10)
    home.next_number()
    assert json.loads(path.read_text()) == {"schema": 1, "step": 10, "last": 2}
    changed(path, schema=2)
    before = path.read_bytes()
    with pytest.raises(NewerError):
        home.next_number()
    repair(RunStore(home))
    assert path.read_bytes() == before


def test_a_newer_sweep_is_left_alone_and_hides_no_other(store):
    executor = LocalExecutor(store)
    points = grid("rehearsal", {}, {"seed": [0, 1]})
    asked = Sweep("", "", points.recipe, points.params, points.points)
    old, new = (new_sweep(store.home, asked, key).sweep_id for key in ("a", "b"))
    path = store.home.sweeps / f"{new}.json"
    changed(path, schema=2, points="elsewhere")
    before = path.read_bytes()
    with pytest.raises(NewerError):
        resume_sweep(executor, store.home, new)
    assert set(sweeps(store.home)) == {old, new}
    told = {finding.about: finding for finding in repair(store)}
    assert "newer compecon" in told[new].sentence
    assert "2 of its 2 runs were not submitted" in told[old].sentence
    assert path.read_bytes() == before


def test_a_newer_ticket_of_nobody_stays_and_holds_nobody_up(store):
    queue = Queue.of_device(store.home, "cpu")
    queue.join("train-00000000", 1)
    [path] = queue.folder.glob("*.ticket")
    path.write_text("2\n")
    assert queue.waiting() == []
    repair(store)
    assert path.read_text() == "2\n"


def test_a_newer_checkpoint_of_a_training_is_neither_used_nor_set_aside(store):
    record = made(store, RunState.LOST)
    folder = checkpoint_folder(record.folder / "checkpoints", 5)
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w")
    mark_complete(folder, 5)
    changed(folder / MARKER, schema=2)
    repair(store)
    assert folder.is_dir()
    with pytest.raises(NewerError):
        last_complete_checkpoint(folder.parent)


def test_metrics_of_a_newer_one_keep_all_their_lines(store):
    lines = [{**attempt(1), "schema": 2}, {"stage": 7}]
    record = made(store, RunState.LOST, lines=lines)
    path = record.folder / "metrics.jsonl"
    before = path.read_bytes()
    repair(store)
    assert path.read_bytes() == before


def test_a_newer_measurement_is_not_written_over(tmp_path):
    path = tmp_path / "folder" / "one.json"
    keep(path, {"schema": 1, "a": 1}, 1)
    keep(path, {"schema": 1, "a": 2}, 1)
    assert json.loads(path.read_text())["a"] == 2
    path.write_text('{"schema": 2, "b"')
    keep(path, {"schema": 1, "a": 3}, 1)
    assert path.read_text() == '{"schema": 2, "b"'


# ---- what is finished


def test_a_success_is_read_from_its_second_copy(store):
    record = finished(store)
    (record.folder / STATUS).write_text("{")
    again = store.get(record.run_id)
    assert (again.state, again.status.results) == (RunState.SUCCEEDED, RESULTS)
    repair(store)
    assert json.loads((record.folder / STATUS).read_text())["results"] == RESULTS
    assert (record.folder / "status.damaged.json").read_text() == "{"
    assert [finding for finding in check_home(store) if finding.level == "problem"] == []


def test_a_worker_that_was_through_and_could_not_say_so_has_succeeded(store):
    record = finished(store)
    changed(record.folder / STATUS, state="RUNNING")
    assert store.get(record.run_id).state is RunState.SUCCEEDED


def test_a_checkpoint_beside_a_status_that_is_none_is_a_result(store):
    record = finished(store)
    (record.folder / OUTCOME).unlink()
    (record.folder / STATUS).write_text("{")
    assert store.get(record.run_id).state is RunState.SUCCEEDED
    with pytest.raises(RunError, match="has succeeded"):
        LocalExecutor(store).start(record.run_id)
    repair(store)
    assert store.get(record.run_id).state is RunState.SUCCEEDED


def test_a_checkpoint_that_was_not_measured_yet_is_measured(store):
    record = finished(store)
    (record.folder / OUTCOME).unlink()
    changed(record.folder / STATUS, state="RUNNING")
    again = store.get(record.run_id)
    assert (again.state, again.state.can_resume) == (RunState.LOST, True)
    assert "measures it" in again.reason


def test_a_spec_that_cannot_be_read_takes_no_result_away(store):
    record = finished(store)
    (record.folder / SPEC).write_text("{")
    again = store.get(record.run_id)
    assert (again.state, again.status.results) == (RunState.SUCCEEDED, RESULTS)
    assert again.reason.startswith(str(record.folder / SPEC))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**16) | st.text(max_size=8) | st.just("SUCCEEDED"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MUTATIONS = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1)),
    st.tuples(st.just("byte"), st.tuples(st.floats(0, 1), st.integers(0, 255))),
    st.tuples(st.just("drop"), st.floats(0, 1)),
    st.tuples(
        st.just("put"), st.tuples(st.sampled_from(["state", "schema", "recipe", "results", "mood", "step"]), JSON)
    ),
    st.tuples(st.just("instead"), st.binary(max_size=40)),
)


def mutate(raw, kind, how):
    if kind == "cut":
        return raw[: int(how * len(raw))]
    if kind == "byte":
        place = int(how[0] * (len(raw) - 1))
        return raw[:place] + bytes([how[1]]) + raw[place + 1 :]
    if kind == "instead":
        return how
    value = json.loads(raw)
    if kind == "drop":
        del value[list(value)[int(how * (len(value) - 1))]]
    else:
        value[how[0]] = how[1]
    return json.dumps(value).encode()


@settings(max_examples=40)
@given(name=st.sampled_from([SPEC, STATUS]), newer=st.booleans(), mutation=MUTATIONS)
def test_no_mutation_of_a_file_loses_a_result_or_what_a_newer_one_wrote(name, newer, mutation):
    with new_store() as store:
        record = finished(store)
        path = record.folder / name
        if newer:
            changed(path, schema=7)
        path.write_bytes(mutate(path.read_bytes(), *mutation))
        said = store.get(record.run_id).state
        before = contents(record.folder)
        repair(store)
        repair(store)
        after = contents(record.folder)
        kept = set(after.values())
        assert all(content in kept for content in before.values()), "what was there is there still, under some name"
        assert store.get(record.run_id).state is said
        if b'{"schema": 7,' in before[Path(name)]:
            assert (said, after) == (RunState.NEWER, before)
        if said is RunState.SUCCEEDED and name == STATUS:
            assert store.get(record.run_id).checkpoint is None  # there is no config.json in this one
