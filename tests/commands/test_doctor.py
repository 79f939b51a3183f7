"""What the doctor finds, what it sets right, and what it leaves alone."""

import json
import os
import re

import pytest

from compecon.files.complete import checkpoint_folder, mark_complete
from compecon.runs.doctor import machine
from compecon.runs.doctor.checkup import check_home
from compecon.runs.home import Home
from compecon.runs.locks import Lock
from compecon.runs.queue import Queue
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from tests.support.made_runs import attempt, made, steps
from tests.support.runs import kill_workers

GOOD = [attempt(1), *steps("dense", 1, 2, 3)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    root = tmp_path / "home"
    monkeypatch.setenv("COMPECON_HOME", str(root))
    yield RunStore(Home.default())
    kill_workers(root)


def problems(store):
    return [finding for finding in check_home(store) if finding.level == "problem"]


def repaired(store):
    return [finding.set_right() for finding in problems(store)]


def files(folder):
    """Every file below a folder with its content."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def checkpoint(record, step, *, whole=True):
    folder = checkpoint_folder(record.folder / "checkpoints" / "dense", step)
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * 100)
    if whole:
        mark_complete(folder, step)
    return folder


# ---- what is well


def test_a_home_that_is_not_there_is_well(store, compecon):
    code, out, _ = compecon("doctor")
    assert code == 0
    assert out.splitlines()[-1] == f"No problems in {store.home.root}."
    assert not store.home.root.exists()


def test_runs_in_every_state_are_well(store):
    for state in RunState:
        if state not in (RunState.STOPPING, RunState.NEWER):
            record = made(store, state, lines=GOOD)
            checkpoint(record, 5)
            (record.folder / "result" / record.run_id).mkdir(parents=True)
    assert problems(store) == []


def test_looking_changes_nothing(store, compecon):
    record = made(store, RunState.RUNNING, lines=GOOD)
    (record.folder / "status.json").write_text("{")
    checkpoint(record, 5, whole=False)
    before = files(store.home.root)
    assert compecon("doctor")[0] == 1
    assert compecon("doctor", "--json")[0] == 1
    assert files(store.home.root) == before


# ---- runs


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"state": "asleep"}', b'{"state": "RUNNING", "step": "x"}', None]
)
def test_an_unreadable_status_is_set_aside_and_the_run_can_go_on(store, content):
    record = made(store, RunState.RUNNING, lines=[attempt(1), attempt(2), *steps("dense", 1)])
    path = record.folder / "status.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert store.get(record.run_id).state is RunState.FAILED
    [finding] = repaired(store)
    assert finding.repaired
    again = store.get(record.run_id)
    assert (again.state, again.status.attempt) == (RunState.LOST, 2)
    assert again.status.spec_sha256 == again.spec.digest
    kept = record.folder / "status.damaged.json"
    assert (kept.read_bytes() if content is not None else kept.exists()) == (content if content is not None else False)
    assert problems(store) == []


@pytest.mark.parametrize(
    "bad",
    [
        b'{"stage": "dense", "st',
        b"\xff\xfe\n",
        b"[1]\n",
        b'{"stage": "dense"}\n',
        b'{"step": 1}\n',
        b"[" * 9999 + b"\n",
    ],
)
def test_bad_lines_are_moved_and_the_good_ones_stay(store, bad):
    record = made(store, RunState.RUNNING, lines=GOOD)
    path = record.folder / "metrics.jsonl"
    good = path.read_bytes()
    path.write_bytes(
        good[: good.index(b"\n") + 1] + (bad if bad.endswith(b"\n") else b"") + good[good.index(b"\n") + 1 :]
    )
    if not bad.endswith(b"\n"):
        path.write_bytes(path.read_bytes() + bad)
    [finding] = repaired(store)
    assert "metrics.damaged.jsonl" in finding.repaired
    assert path.read_bytes() == good
    assert (record.folder / "metrics.damaged.jsonl").read_bytes() == bad.rstrip(b"\n") + b"\n"
    assert problems(store) == []


def flip(folder):
    (folder / "weights").write_bytes(b"v" + b"w" * 99)


def cut(folder):
    (folder / "weights").write_bytes(b"w" * 99)


def lose(folder):
    (folder / "weights").unlink()


def unmark(folder):
    (folder / "COMPLETE.json").unlink()


@pytest.mark.parametrize("harm", [flip, cut, lose, unmark])
def test_a_broken_checkpoint_is_set_aside_and_the_others_stay(store, harm):
    record = made(store, RunState.RUNNING, lines=GOOD)
    good, bad = checkpoint(record, 5), checkpoint(record, 10)
    harm(bad)
    left = files(bad)
    [finding] = repaired(store)
    assert finding.repaired == "it is now broken-checkpoint-10"
    assert good.is_dir()
    assert not bad.exists()
    assert files(bad.with_name("broken-checkpoint-10")) == left
    assert problems(store) == []


def test_nothing_takes_the_place_of_what_was_set_aside_before(store):
    record = made(store, RunState.RUNNING)
    for content in ("first", "second"):
        (record.folder / "status.json").write_text(content)
        assert len(repaired(store)) == 1
    kept = sorted(record.folder.glob("status.damaged*.json")) + sorted(record.folder.glob("status-*.json"))
    assert {path.read_text() for path in kept} == {"first", "second"}


def test_a_run_at_work_is_left_alone(store, compecon):
    record = made(store, RunState.RUNNING, lines=GOOD)
    checkpoint(record, 5, whole=False)
    (record.folder / "status.json").write_text("{")
    lock = Lock.taken(record.folder / "worker.lock")
    before = files(record.folder)
    assert compecon("doctor", "--repair")[0] == 0
    assert files(record.folder) == before
    lock.release()


def test_a_run_that_begins_to_work_before_the_repair_is_left_alone(store):
    record = made(store, RunState.RUNNING, lines=GOOD)
    broken = checkpoint(record, 5, whole=False)
    [finding] = problems(store)
    lock = Lock.taken(record.folder / "worker.lock")
    assert finding.set_right().is_open
    assert broken.is_dir()
    lock.release()


@pytest.mark.parametrize(
    ("change", "words"), [({"schema": "99"}, "spec.json cannot be read"), ({"threads": 2}, "was changed after")]
)
def test_what_a_person_has_to_do_is_said_and_stays(store, change, words):
    record = made(store, RunState.FAILED)
    path = record.folder / "spec.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    [finding] = repaired(store)
    assert words in finding.sentence
    assert finding.is_open


def test_a_success_without_its_checkpoint_is_said(store):
    record = made(store)
    [finding] = problems(store)
    assert finding.about == record.run_id
    assert "its checkpoint is gone" in finding.sentence


def test_lost_runs_are_offered(store, compecon):
    record = made(store, RunState.RUNNING, lines=GOOD)
    code, out, _ = compecon("doctor")
    assert code == 0
    assert f"compecon resume {record.run_id}" in out


# ---- the home


def test_tickets_of_the_dead_are_thrown_away_and_those_of_the_living_stay(store):
    dead, alive = made(store, RunState.RUNNING), made(store, RunState.RUNNING)
    queue = Queue(store.home, "cpu", 1)
    for record in (dead, alive):
        queue.join(record.run_id, record.spec.order)
    lock = Lock.taken(alive.folder / "worker.lock")
    [finding] = repaired(store)
    assert "1 of 2 tickets" in finding.sentence
    assert queue.waiting() == [alive.run_id]
    lock.release()


@pytest.mark.parametrize("content", ["{", '{"last": 0}', '{"last": "many"}', None])
def test_counting_goes_on_after_the_highest_number(store, content):
    for _ in range(3):
        made(store, RunState.CANCELLED)
    path = store.home.root / "number.json"
    path.unlink() if content is None else path.write_text(content)
    assert len(repaired(store)) == 1
    assert made(store, RunState.CANCELLED).spec.order > max(record.spec.order for record in store.list()[1:])
    assert problems(store) == []


def test_what_was_half_submitted_goes_to_the_trash_unless_someone_is_at_it(store):
    made(store, RunState.CANCELLED)
    half, at_work = (store.home.runs / f".{name}.part" for name in ("half", "at-work"))
    for folder in (half, at_work):
        folder.mkdir()
        (folder / "spec.json").write_text("{")
        (folder / "worker.lock").touch()
    lock = Lock.taken(at_work / "worker.lock")
    [finding] = repaired(store)
    assert str(store.home.trash) in finding.repaired
    assert not half.exists()
    assert at_work.is_dir()
    lock.release()


@pytest.mark.parametrize(
    "held", [{"slots": {"cpu": "x"}}, {"slots": [2]}, {"slots": {"tpu": 0}}, {"priority": "turbo"}]
)
def test_settings_that_are_not_used_are_said_and_set_aside(store, held):
    path = store.home.made().root / "settings.json"
    path.write_text(json.dumps(held))
    [finding] = problems(store)
    assert "settings.json is damaged" in finding.sentence
    repaired(store)
    assert problems(store) == []


def test_settings_that_are_used_are_no_problem(store):
    store.home.set_slots("cpu", 2)
    store.home.set_priority("normal")
    assert problems(store) == []


def test_settings_and_sweeps_that_cannot_be_read_are_set_aside(store):
    made(store, RunState.CANCELLED)
    (store.home.root / "settings.json").write_text("{")
    (store.home.sweeps / "sweep-0123456789ab.json").write_text("{")
    assert [bool(finding.repaired) for finding in repaired(store)] == [True, True]
    assert (store.home.root / "settings.damaged.json").read_text() == "{"
    assert (store.home.sweeps / "sweep-0123456789ab.damaged.json").read_text() == "{"
    assert problems(store) == []


def test_strangers_and_trash_are_only_told(store):
    record = made(store, RunState.CANCELLED)
    store.delete(record.run_id)
    (store.home.runs / "my notes").mkdir()
    told = [finding.sentence for finding in check_home(store)]
    assert any("my notes" in sentence for sentence in told)
    assert any("1 deleted run " in sentence for sentence in told)
    assert problems(store) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may do everything can write anywhere")
def test_a_home_that_cannot_be_written_is_said(store):
    made(store, RunState.CANCELLED)
    store.home.root.chmod(0o500)
    assert any("cannot be written" in finding.sentence for finding in problems(store))
    store.home.root.chmod(0o700)


def test_a_file_system_without_locks_is_said(store, monkeypatch):
    made(store, RunState.CANCELLED)
    monkeypatch.setattr("compecon.runs.doctor.checkup.is_held", lambda _path: False)
    assert any("has no locks" in finding.sentence for finding in problems(store))


# ---- the machine


def test_libraries_that_do_not_fit_are_named(monkeypatch):
    monkeypatch.setattr(machine, "requires", lambda _name: ["numpy<1", "no-such-thing>=1", "typer", "x; extra == 'y'"])
    told = [finding.sentence for finding in machine.check_machine() if finding.level == "problem"]
    assert len(told) == 2
    assert re.match(r"numpy [\d.]+ .*<1", told[0])
    assert told[1].startswith("no-such-thing ")


def test_versions_that_were_not_tested_are_told(monkeypatch, tmp_path):
    (tmp_path / "constraints.txt").write_text("# made by uv\nnumpy==0.1 ; python_full_version < '4'\ntyper==1\n")
    monkeypatch.setattr(machine, "dashboard_root", lambda: tmp_path)
    told = [finding.sentence for finding in machine.check_machine()]
    assert any(re.search(r"numpy [\d.]+ \(0\.1\)\.$", sentence) for sentence in told)


# ---- the command


def test_the_command_counts_what_is_open_and_repairs_it(store, compecon):
    record = made(store, RunState.RUNNING, lines=GOOD)
    (record.folder / "status.json").write_text("{")
    code, out, _ = compecon("doctor")
    assert code == 1
    assert re.match(rf"1 problem in {store.home.root}\. `compecon doctor --repair` .*\b1\b", out.splitlines()[-1])
    told = json.loads(compecon("doctor", "--json")[1])
    assert [each["can_be_repaired"] for each in told if each["level"] == "problem"] == [True]
    code, out, _ = compecon("doctor", "--repair")
    assert code == 0
    assert "repaired: status.json is now status.damaged.json" in out
    assert out.splitlines()[-1] == f"No problems in {store.home.root}."


@pytest.mark.slow
def test_a_rehearsal_tries_the_machine(store, compecon):
    code, out, _ = compecon("doctor", "--rehearse")
    assert code == 0, out
    assert re.search(r"stopped at step [123]\d", out)
    assert store.list() == ()
    assert len(list(store.home.trash.iterdir())) == 1
