"""Runs from the command line: submitted, listed, watched, stopped, resumed, changed, thrown away."""

import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from compecon.commands.values import read_range
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.jobs.rehearsal import undisturbed
from compecon.runs.locks import Lock
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from compecon.runs.sweeps.proposals import Axis
from compecon.runs.sweeps.sweep_table import sweep_record
from tests.support.made_runs import METRIC, attempt, made, steps
from tests.support.runs import ended, kill_workers, running, until

ESCAPE = "\x1b[31mred\x1b[0m"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A home of its own; no worker outlives the test."""
    root = tmp_path / "home"
    monkeypatch.setenv("COMPECON_HOME", str(root))
    monkeypatch.delenv("COMPECON_RAY_ADDRESS", raising=False)
    yield RunStore(Home.default())
    kill_workers(root)


@pytest.fixture
def started(monkeypatch):
    """Workers that would have been started, instead of starting them."""
    names = []

    def spawn(_self, run_id, *others):
        names.append(run_id)
        others[-1].release()  # the lock

    monkeypatch.setattr(LocalExecutor, "_spawn", spawn)
    return names


def held(store, run_id):
    lock = Lock.taken(store.folder(run_id) / "worker.lock")
    assert lock is not None
    return lock


# ---- in the background


@pytest.mark.parametrize(
    ("command", "recipe", "given"),
    [
        (("train", "--base", "sentiment", "--target-macs", "0.5"), "train", {"base": "sentiment", "target": 0.5}),
        (("prune", "sentiment", "--method", "taylor"), "prune", {"checkpoint": "sentiment", "method": "taylor"}),
        (("evaluate", "sentiment", "--keys", "4"), "evaluate", {"checkpoint": "sentiment", "keys": 4}),
    ],
)
def test_a_command_is_submitted_with_all_its_settings(compecon, store, started, command, recipe, given):
    code, out, err = compecon(*command, "--task", "reviews", "--background", "--title", "mine")
    assert code == 0, err
    [record] = store.list()
    assert out.split() == [record.run_id] == started
    assert f"compecon runs watch {record.run_id}" in err
    assert "It will take" in err
    assert (record.spec.recipe, record.title) == (recipe, "mine")
    assert record.spec.params == {**record.spec.params, **given, "task": "reviews"}


@pytest.mark.usefixtures("started")
def test_folders_are_named_from_the_root(compecon, store, task, parent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    code, _, err = compecon("train", "--task", "files:rule", "--base", "parent", "--data", "data", "--background")
    assert code == 0, err
    params = store.list()[0].spec.params
    assert (params["task"], params["base"], params["data"]) == (task, str(parent), str(data))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--background", "--out", "new"), ["--out", "background"]),
        (("--background", "--json"), ["--json", "background"]),
        (("--title", "mine"), ["--title", "--background"]),
        (("--executor", "ray"), ["--executor", "--background"]),
        ((), ["--out", "missing"]),
        (("--background", "--target-macs", "7"), ["--target", "(0, 1]"]),
        (("--background", "--report-to", "nothing"), ["--report-to", "tensorboard"]),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(compecon, store, task, more, words):
    code, _, err = compecon("train", "--task", task, "--base", "sentiment", *more)
    assert code == 2
    assert all(word in err for word in words), err
    assert store.list() == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--base", "nowhere"), "no checkpoint 'nowhere'"),
        (("--base", "sentiment", "--executor", "slurm"), "no executor"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(compecon, store, task, more, words):
    code, _, err = compecon("train", "--task", task, *more, "--background")
    assert code == 1
    assert words in err
    assert len(err.splitlines()) == 1
    assert store.list() == ()


# ---- looking


def test_runs_are_listed_newest_first_and_picked_by_state_and_sweep(compecon, store):
    done = made(store, title="first", reason="All went well.", sweep="sweep-1234")
    lost = made(store, RunState.RUNNING, title="second", stage="dense", step=5, total=10)
    code, out, _ = compecon("runs")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines[1:]] == [[lost.run_id, "lost"], [done.run_id, "succeeded"]]
    assert "dense 5 of 10" in lines[1]
    assert "All went well." in lines[2]
    assert compecon("runs", "--state", "lost")[1].split()[6] == lost.run_id
    assert done.run_id in compecon("runs", "--sweep", "sweep-1234")[1]
    assert lost.run_id not in compecon("runs", "--sweep", "sweep-1234")[1]
    told = json.loads(compecon("runs", "--json")[1])
    assert [(run["run_id"], run["state"]) for run in told] == [(lost.run_id, "LOST"), (done.run_id, "SUCCEEDED")]


def test_without_runs_there_is_nothing_on_stdout(compecon, store):
    code, out, err = compecon("runs")
    assert (code, out) == (0, "")
    assert str(store.home.runs) in err
    assert json.loads(compecon("runs", "--json")[1]) == []
    assert compecon("runs", "--state", "sleeping")[0] == 2


def test_what_others_wrote_does_not_reach_the_terminal_as_it_is(compecon, store):
    record = made(store, RunState.FAILED, title="plain", reason=f"{ESCAPE}\nand another line")
    path = record.folder / "spec.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "title": ESCAPE}))
    (record.folder / "worker.log").write_text(f"{ESCAPE}\nlast\n")
    for command in (("runs",), ("runs", "show", record.run_id), ("runs", "log", record.run_id)):
        _, out, err = compecon(*command)
        assert "\x1b" not in out + err
        assert "red" in out


def test_a_run_is_shown_with_its_results_and_its_command(compecon, store):
    results = {"metric": METRIC, "macs": 5_000_000, "parent_macs": 10_000_000, "n_tokens": 25}
    params = {"task": "sst2", "base": "sentiment", "target": 0.5}
    record = made(store, recipe="train", params=params, results=results, reason="Half of the MACs.")
    out = compecon("runs", "show", record.run_id)[1]
    assert "Half of the MACs." in out
    assert "0.810 accuracy on test" in out
    assert "compecon train --task sst2 --base sentiment --target-macs 0.5" in out
    told = json.loads(compecon("runs", "show", record.run_id, "--json")[1])
    assert told["spec"]["params"] == record.spec.params
    assert told["status"]["results"] == results


def test_the_beginning_of_a_name_will_do_if_there_is_one_such_run(compecon, store):
    first, second = (made(store) for _ in range(2))
    assert first.run_id in compecon("runs", "show", first.run_id[:14])[1]
    code, _, err = compecon("runs", "show", "rehearsal")
    assert code == 1
    assert "beginning of 2 runs" in err
    assert second.run_id in err
    for name in ("nothing-here", "", "..", "../runs", ESCAPE):
        code, _, err = compecon("runs", "show", name)
        assert code == 1
        assert "\x1b" not in err


def test_the_log_is_shown_from_its_end(compecon, store):
    record = made(store)
    assert compecon("runs", "log", record.run_id) == (0, "", "")
    (record.folder / "worker.log").write_text("".join(f"line {n}\n" for n in range(100)))
    assert compecon("runs", "log", record.run_id, "-n", "2")[1] == "line 98\nline 99\n"
    assert len(compecon("runs", "log", record.run_id)[1].splitlines()) == 40


def test_two_runs_are_told_apart(compecon, store):
    first, second = made(store, params={"seed": 1}), made(store, params={"seed": 2})
    out = compecon("runs", "diff", first.run_id, second.run_id)[1]
    assert out.splitlines()[1].split() == ["seed", "1", "2"]
    assert json.loads(compecon("runs", "diff", first.run_id, second.run_id, "--json")[1]) == [
        {"name": "seed", "before": "1", "after": "2"}
    ]
    assert "Same settings" in compecon("runs", "diff", first.run_id, first.run_id)[1]


# ---- changing


def test_a_run_is_thrown_away_and_taken_back(compecon, store):
    record, running_one = made(store), made(store, RunState.RUNNING)
    code, out, _ = compecon("runs", "delete", record.run_id)
    assert code == 0
    assert str(store.home.trash) in out
    assert not record.folder.exists()
    assert compecon("runs", "restore", record.run_id) == (0, f"{record.folder}\n", "")
    assert store.get(record.run_id) == record
    lock = held(store, running_one.run_id)
    assert compecon("runs", "delete", running_one.run_id)[0] == 1
    lock.release()


def test_a_copy_with_changes_remembers_where_it_comes_from(compecon, store, started):
    record = made(store, params={"seed": 3, "steps": 7})
    code, out, err = compecon(
        "runs", "duplicate", record.run_id, "--set", "seed=4", "--set", "fail-at=2", "--title", "t"
    )
    assert code == 0, err
    copy = store.get(out.strip())
    assert (copy.spec.parent_run, copy.title, started) == (record.run_id, "t", [copy.run_id])
    assert copy.spec.params == {**record.spec.params, "seed": 4, "fail_at": 2}


@pytest.mark.parametrize("wrong", ["seed", "sed=1", "seed=many", "steps=0", "=1"])
def test_a_change_that_cannot_be_is_one_sentence(compecon, store, wrong):
    record = made(store)
    code, _, err = compecon("runs", "duplicate", record.run_id, "--set", wrong)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert len(store.list()) == 1


def test_slots_are_set_and_shown(compecon, store):
    assert compecon("runs", "slots", "cpu=2")[1].splitlines()[0] == "cpu=2, 0 waiting"
    assert store.home.slots == {"cpu": 2}
    for wrong in ("cpu", "cpu=0", "tpu=1", "cpu=x", "cpu=", "cpu=\u00b2"):
        code, _, err = compecon("runs", "slots", wrong)
        assert code == 1
        assert wrong in err
        assert "literal" not in err


def test_what_cannot_be_written_is_not_said_to_be_wrongly_given(compecon, store):
    (store.home.made().root / "settings.json").write_text('{"schema": 99}')
    code, _, err = compecon("runs", "slots", "cpu=2")
    assert code == 1
    assert "newer compecon" in err
    assert "slots are" not in err


@pytest.mark.parametrize("damage", ["{", "{}", '{"recipe": 5}', "[1]"])
def test_a_run_whose_settings_cannot_be_read_cannot_be_duplicated_and_it_is_said_why(compecon, store, damage):
    record = made(store)
    (record.folder / "spec.json").write_text(damage)
    code, _, err = compecon("runs", "duplicate", record.run_id)
    assert code == 1
    assert "spec.json" in err


# ---- stopping and resuming


@pytest.mark.usefixtures("store")
def test_names_or_a_sweep_or_all_but_not_two_of_them(compecon):
    for command in ("stop", "resume"):
        for wrong in ((), ("--all", "--sweep", "sweep-12345678"), ("some-run", "--all")):
            assert compecon(command, *wrong)[0] == 2


def test_what_has_ended_is_not_stopped(compecon, store):
    record = made(store)
    code, _, err = compecon("stop", record.run_id)
    assert code == 0
    assert f"{record.run_id} is succeeded already" in err
    assert compecon("stop", "--all")[2] == "There is nothing to stop.\n"


def test_a_living_run_is_asked_once_and_then_ended(compecon, store, monkeypatch):
    record = made(store, RunState.RUNNING)
    killed = []
    monkeypatch.setattr(LocalExecutor, "kill", lambda _self, run_id: killed.append(run_id))
    lock = held(store, record.run_id)
    assert "asked to save and stop" in compecon("stop", record.run_id)[1]
    assert (record.folder / "cancel").exists()
    assert not killed
    assert "stopped at once" in compecon("stop", "--all")[1]
    assert killed == [record.run_id]
    lock.release()


def test_all_lost_runs_are_resumed_but_those_that_get_nowhere(compecon, store, started):
    lost = made(store, RunState.RUNNING, lines=[attempt(1), *steps("dense", 1, 2)])
    idle = made(store, RunState.RUNNING, lines=[attempt(1), attempt(2)], title="idle")
    made(store, RunState.FAILED)
    code, out, err = compecon("resume", "--all")
    assert (code, out, started) == (0, f"{lost.run_id}: started\n", [lost.run_id])
    assert f"{idle.run_id} (idle) was skipped" in err
    assert compecon("resume", idle.run_id)[1] == f"{idle.run_id}: started\n"
    assert started == [lost.run_id, idle.run_id]


@pytest.mark.usefixtures("started")
def test_one_run_that_cannot_be_resumed_does_not_keep_the_others_from_it(compecon, store):
    done, failed = made(store), made(store, RunState.FAILED)
    code, out, err = compecon("resume", done.run_id, failed.run_id)
    assert (code, out) == (1, f"{failed.run_id}: started\n")
    assert "Duplicate it" in err
    lost = store.get(failed.run_id)  # nobody works on it here
    assert lost.state is RunState.LOST


# ---- sweeps


@pytest.mark.usefixtures("store")
def test_a_search_says_first_what_its_runs_take(compecon, monkeypatch):
    pytest.importorskip("optuna", reason="Optuna is not installed: pip install -e '.[optuna]'")
    monkeypatch.setattr("compecon.commands.watching.follow_search", lambda *_: 0)
    monkeypatch.setattr("compecon.runs.sweeps.search.begin_search", lambda *_, **__: pytest.fail("begun"))
    over = ("--over", "steps=1:2000000")
    code, _, err = compecon("sweep", "rehearsal", "--propose", "3", *over)
    assert code == 1
    assert "steps" in err.splitlines()[-1]  # the upper end is no value of the setting
    begun = SimpleNamespace(sweep_id="sweep-12345678")
    monkeypatch.setattr("compecon.runs.sweeps.search.begin_search", lambda *_, **__: begun)
    code, out, err = compecon("sweep", "rehearsal", "--propose", "3", "--over", "steps=1:5")
    assert (code, out.strip()) == (0, begun.sweep_id)
    assert "3 runs" in err
    assert "It will take" in err


def test_a_grid_is_submitted_and_the_same_command_submits_it_once(compecon, store, started):
    command = ("sweep", "rehearsal", "--steps", "5", "--grid", "seed=0,1", "--grid", "step_ms=1,2", "--parallel", "2")
    code, out, err = compecon(*command)
    assert code == 0, err
    assert compecon(*command)[1] == out
    record = sweep_record(store, out.strip())
    points = [{"seed": seed, "step_ms": ms} for seed in (0, 1) for ms in (1.0, 2.0)]
    assert ([row.point for row in record.rows], record.sweep.parallel) == (points, 2)
    assert len(store.list()) == len(started) == 4
    assert all(run.spec.params["steps"] == 5 for run in store.list())
    assert compecon(*command, "--title", "another")[1] != out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("points.json", '[{"seed": 1}, {"fail-at": 2}]'),
        ("points.jsonl", '{"seed": 1}\n\n{"fail_at": 2}\n'),
        ("points.csv", "seed,fail_at\n1,\n,2\n"),
        ("points.csv", "\ufeffseed;fail_at\n1;\n;2\n"),
    ],
)
def test_points_come_from_a_file(compecon, store, started, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    code, out, err = compecon("sweep", "rehearsal", "--points", tmp_path / name)
    assert code == 0, err
    assert [row.point for row in sweep_record(store, out.strip()).rows] == [{"seed": 1}, {"fail_at": 2}]
    assert len(started) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("points.json", "[1]"),
        ("points.json", "{"),
        ("points.csv", "seed\n1,2\n"),
        ("points.csv", "seed,seed\n1,2\n"),
        ("points.jsonl", '{"seed": 1, "seed": 2}'),
        ("points.csv", "sed\n1\n"),
        ("points.csv", "seed\nx\n"),
        ("points.txt", "1"),
        ("points.jsonl", "[]"),
        ("points.json", "[]"),
    ],
)
def test_a_file_that_holds_no_points_is_one_sentence(compecon, store, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    code, _, err = compecon("sweep", "rehearsal", "--points", tmp_path / name)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert store.list() == ()


@pytest.mark.usefixtures("started")
def test_lists_are_separated_by_semicolons(compecon, store, task):
    command = ("sweep", "train", "--task", task, "--base", "sentiment", "--grid", "key_budgets=2,4;8")
    code, out, err = compecon(*command)
    assert code == 0, err
    assert [row.point for row in sweep_record(store, out.strip()).rows] == [
        {"key_budgets": [2, 4]},
        {"key_budgets": [8]},
    ]


@pytest.mark.usefixtures("started")
def test_what_has_to_be_given_may_be_an_axis(compecon, store):
    code, out, err = compecon(
        "sweep", "evaluate", "--task", "reviews", "--grid", "checkpoint=sentiment,sentiment-45-taylor"
    )
    assert code == 0, err
    assert [row.point["checkpoint"] for row in sweep_record(store, out.strip()).rows] == [
        "sentiment",
        "sentiment-45-taylor",
    ]
    code, _, err = compecon("sweep", "train", "--base", "sentiment", "--grid", "seed=0,1")
    assert code == 1
    assert "task: has to be given" in err


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "wrong",
    [(), ("--grid", "seed=1", "--points", "x.json"), ("--over", "seed=0:3"), ("--propose", "3")],
)
def test_a_sweep_needs_one_kind_of_points(compecon, wrong):
    assert compecon("sweep", "rehearsal", *wrong)[0] == 2


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("wrong", ["seed=1:2", "seed=", "nothing=1", "steps=0,1"])
def test_a_grid_that_cannot_be_is_one_sentence(compecon, wrong):
    code, _, err = compecon("sweep", "rehearsal", "--grid", wrong)
    assert code == 1
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("started")
def test_a_sweep_is_shown_with_what_came_of_its_points(compecon, store):
    out = compecon("sweep", "rehearsal", "--grid", "seed=0,1", "--title", "two")[1]
    sweep_id = out.strip()
    first = store.list()[-1]
    path = first.folder / "status.json"
    said = {"state": "SUCCEEDED", "results": {"metric": METRIC, "macs": 1234, "latency": {"ratio": 0.5}}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **said}))
    lines = compecon("sweep", "show", sweep_id)[1].splitlines()
    assert lines[0] == f"{sweep_id} two: 1 succeeded, 1 lost"
    assert lines[2].split() == [
        "0",
        "succeeded",
        "accuracy",
        "0.81",
        "[0.79,",
        "0.83]",
        "1,234",
        "0.50",
        "x",
        first.run_id,
    ]
    assert json.loads(compecon("sweep", "show", sweep_id, "--json")[1])["counts"] == {"SUCCEEDED": 1, "LOST": 1}
    assert compecon("sweep", "list")[1].splitlines()[1].split()[:2] == [sweep_id, "rehearsal"]
    assert json.loads(compecon("sweep", "list", "--json")[1])[0]["title"] == "two"


def test_a_range_is_read_as_it_is_typed():
    assert read_range("train", "target=0.3:0.8") == Axis("target", 0.3, 0.8)
    assert read_range("train", "target-macs=0.3:0.8") == Axis("target", 0.3, 0.8)
    assert read_range("train", "learning_rate=1e-5:1e-3:log") == Axis("learning_rate", 1e-5, 1e-3, log=True)
    assert read_range("train", "seed=0:9") == Axis("seed", 0.0, 9.0, whole=True)
    assert read_range("train", "cost=macs,latency") == Axis("cost", choices=("macs", "latency"))
    for wrong in ("target=0.3:0.8:linear", "target=a:b", "target", "none:1", "target=1:0.5"):
        with pytest.raises(ValueError, match=r"\w"):
            read_range("train", wrong)


# ---- with workers


def in_a_process(*arguments):
    """The command as a terminal runs it: what a shell starts in the background, and its children, ignore Ctrl+C."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from compecon.cli import main; sys.argv[0] = 'compecon'; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_run_is_stopped_resumed_and_watched_to_its_end(compecon, store):
    original = made(store, params={"steps": 60, "step_ms": 20.0, "size_kb": 1})
    run_id = compecon("runs", "duplicate", original.run_id)[1].strip()
    running(store, run_id, step=5)
    assert compecon("stop", run_id)[0] == 0
    code, out, err = compecon("runs", "watch", run_id)
    assert (code, out) == (130, "")
    assert f"compecon resume {run_id}" in err
    assert compecon("resume", run_id)[0] == 0
    code, out, err = compecon("runs", "watch", run_id)
    assert code == 0
    assert out.startswith(f"{run_id} succeeded.")
    assert "rehearsal" in err
    record = store.get(run_id)
    assert record.status.attempt == 2
    assert record.status.results["chain"] == undisturbed(record.spec.params)


@pytest.mark.slow
def test_a_failure_is_watched_to_its_end(compecon, store):
    original = made(store, params={"steps": 9, "step_ms": 1.0, "fail_at": 3, "size_kb": 1})
    run_id = compecon("runs", "duplicate", original.run_id)[1].strip()
    code, _, err = compecon("runs", "watch", run_id)
    assert code == 1
    assert "fails at step 3" in err


@pytest.mark.slow
def test_who_stops_watching_leaves_the_run_alone(compecon, store):
    original = made(store, params={"steps": 5000, "step_ms": 20.0, "size_kb": 1})
    run_id = compecon("runs", "duplicate", original.run_id)[1].strip()
    watcher = in_a_process("runs", "watch", run_id)
    assert watcher.stderr is not None
    watcher.stderr.readline()  # it looks on
    watcher.send_signal(signal.SIGINT)
    try:
        _, err = watcher.communicate(timeout=60)
    finally:
        watcher.kill()
    assert watcher.returncode == 130
    assert "compecon runs watch" in err
    assert not store.get(run_id).state.is_finished
    compecon("stop", run_id)
    assert ended(store, run_id).state is RunState.CANCELLED


@pytest.mark.slow
def test_points_are_proposed_until_all_are_through(compecon, store):
    pytest.importorskip("optuna")
    code, out, err = compecon(
        *(
            "sweep",
            "rehearsal",
            "--steps",
            "2",
            "--step-ms",
            "1",
            "--propose",
            "3",
            "--over",
            "seed=0:9",
            "--parallel",
            "2",
        )
    )
    assert code == 0, err
    assert sweep_record(store, out.split()[0]).counts == {"SUCCEEDED": 3}
    until(lambda: not list(store.home.queues.rglob("*.ticket")))


@pytest.mark.parametrize("command", ["runs", "doctor", "sweep list", "sweep rehearsal --grid seed=1,2 --steps 1"])
def test_looking_and_submitting_load_no_torch(store, command):
    store.home.made()
    code = f"""
import sys
from types import SimpleNamespace
from compecon.cli import main
from compecon.runs.executors.local import LocalExecutor
LocalExecutor._spawn = lambda self, run_id, *others: others[-1].release()
sys.argv = ["compecon", *{command.split()!r}]
try:
    main()
finally:
    print("loaded:", *{{"torch", "transformers", "streamlit", "optuna"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"
