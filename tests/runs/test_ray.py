"""Runs as jobs of a server that speaks as Ray's does: what it is sent, and what follows from its silence."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from compecon.errors import RunError
from compecon.files.durable import write_json
from compecon.runs.executors import ray, ray_table
from compecon.runs.executors.choice import executor_for, executor_of, open_store
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.executors.ray import Cluster, RayExecutor
from compecon.runs.executors.ray_jobs import checked_address
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord, RunState
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec
from tests.runs.job_server import JobServer, serving
from tests.support.runs import ended, kill_workers, running, until

SPEC = new_spec("rehearsal", {"steps": 20, "step_ms": 10, "save_every": 4})
SLOW = replace(SPEC, params={**SPEC.params, "steps": 2000})
AUTH = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@pytest.fixture(autouse=True)
def _without_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in AUTH:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # a token may lie there
    monkeypatch.setattr(ray_table, "_FRESH_S", 0.0)
    monkeypatch.setattr(ray_table, "_SILENT_S", 0.0)


@pytest.fixture
def server(tmp_path: Path, home: Home) -> Iterator[JobServer]:
    with serving(tmp_path) as found:
        yield found
    kill_workers(home.root)


@pytest.fixture
def executor(server: JobServer, home: Home) -> RayExecutor:
    found = RayExecutor(RunStore(home), Cluster(server.address, lease_s=0.3))
    found.store.liveness["ray"] = found.lives
    return found


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on storage that keeps the locks of another machine to itself."""
    monkeypatch.setattr(ray, "is_held", lambda _path: False)


def post(server: JobServer) -> int:
    return sum((verb, path) == ("POST", "/api/jobs/") for verb, path, _ in server.asked)


# ---- what a job is


def test_a_job_is_our_module_and_a_checked_folder(executor, server):
    server.has_room = False
    run_id = executor.submit(replace(SPEC, threads=3), "k")
    [(name, job)] = server.jobs.items()
    assert name == f"cc-{run_id}-a1"
    *command, folder = shlex.split(job["entrypoint"])
    assert command[1:] == ["-P", "-m", "compecon.runs.worker"]
    assert Path(folder) == executor.store.folder(run_id)
    assert (job["entrypoint_num_cpus"], job["entrypoint_num_gpus"]) == (3, 0)
    assert job["runtime_env"]["env_vars"]["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(("queue", "gpu", "expected"), [("gpu", None, 1), ("cpu", True, 1), ("gpu", False, 0)])
def test_a_gpu_is_asked_for_where_one_is_wanted(server, home, queue, gpu, expected):
    server.has_room = False
    executor = RayExecutor(RunStore(home), Cluster(server.address, gpu=gpu))
    executor.submit(replace(SPEC, queue=queue))
    [job] = server.jobs.values()
    assert job["entrypoint_num_gpus"] == expected


def test_the_shell_gets_nothing_to_chew_on(server, tmp_path):
    home = Home(tmp_path / "it's a $(touch pwned) `touch pwned`; touch pwned & home").made()
    executor = RayExecutor(RunStore(home), Cluster(server.address))
    executor.store.liveness["ray"] = executor.lives
    try:
        assert ended(executor.store, executor.submit(SPEC)).state is RunState.SUCCEEDED
    finally:
        kill_workers(home.root)
    assert list(Path.cwd().glob("pwned")) == list(tmp_path.rglob("pwned")) == []


def test_a_job_that_was_handed_in_twice_is_one(executor, server):
    server.has_room = False
    run_id = executor.submit(SPEC)
    executor._place(run_id)
    assert (post(server), len(server.jobs)) == (2, 1)
    assert executor.store.get(run_id).state is RunState.QUEUED


# ---- places


def test_a_run_that_waits_for_a_place_can_be_stopped(executor, server):
    server.has_room = False
    run_id = executor.submit(SPEC)
    assert executor.store.get(run_id).state is RunState.QUEUED
    executor.stop(run_id)
    assert executor.store.get(run_id).state is RunState.CANCELLED
    assert server.stopped == {f"cc-{run_id}-a1"}
    server.place(f"cc-{run_id}-a1")  # it may have been on its way
    server.processes[f"cc-{run_id}-a1"].wait()
    record = executor.store.get(run_id)
    assert (record.state, record.status.step) == (RunState.CANCELLED, 0)
    server.has_room = True
    executor.start(run_id)
    assert ended(executor.store, run_id).state is RunState.SUCCEEDED


def test_a_worker_that_cannot_begin_is_lost(server, home):
    executor = RayExecutor(RunStore(home), Cluster(server.address, python="/no/such/python"))
    executor.store.liveness["ray"] = executor.lives
    run_id = executor.submit(SPEC)
    record = ended(executor.store, run_id)
    assert record.state is RunState.LOST
    assert record.reason.startswith("It was never started.")


def test_what_a_worker_prints_is_in_its_folder(executor):
    run_id = executor.submit(replace(SPEC, params={**SPEC.params, "fail_at": 2}))
    record = ended(executor.store, run_id)
    assert "fails at step" in (record.folder / "worker.log").read_text()


# ---- nobody knows


def test_a_worker_that_holds_its_lock_lives_whatever_the_server_says(executor, server):
    record = running(executor.store, executor.submit(SLOW))
    server.forget()
    assert executor.lives(record) is True
    server.stop(f"cc-{record.run_id}-a1")
    server.jobs[f"cc-{record.run_id}-a1"] = {}
    ended(executor.store, record.run_id)


def test_a_job_that_the_server_forgot_is_no_dead_run(executor, server, monkeypatch):
    run_id = executor.submit(SLOW)
    before = running(executor.store, run_id)
    without_locks(monkeypatch)
    server.forget()
    assert executor.lives(before) is None
    assert executor.store.get(run_id).state is RunState.RUNNING
    with pytest.raises(RunError, match="--anyway"):
        executor.start(run_id)
    with pytest.raises(RunError, match="making progress"):
        executor.start_anyway(run_id)
    assert post(server) == 1
    assert executor.store.get(run_id).status.pid == before.status.pid


def test_an_end_that_is_not_yet_seen_here_is_no_loss(executor, server, monkeypatch):
    run_id = executor.submit(SPEC)
    ended(executor.store, run_id)
    monkeypatch.setattr(server, "status", lambda _name: "SUCCEEDED")
    until(lambda: not ray.is_held(executor.store.folder(run_id) / "worker.lock"))
    written = executor.store.get(run_id).status
    stale = {**asdict(written), "state": RunState.RUNNING, "results": {}}
    write_json(executor.store.folder(run_id) / "status.json", stale)  # as storage may still show it
    assert executor.store.get(run_id).state is RunState.RUNNING
    with pytest.raises(RunError, match="--anyway"):
        executor.start(run_id)


def test_a_server_that_does_not_answer_says_nothing_of_a_run(executor, server, monkeypatch):
    run_id = executor.submit(SLOW)
    running(executor.store, run_id)
    without_locks(monkeypatch)
    server.shutdown()
    server.server_close()
    record = executor.store.get(run_id)
    assert (record.state, executor.lives(record)) == (RunState.RUNNING, None)
    for ask in (executor.start, executor.start_anyway, executor.kill):
        with pytest.raises(RunError, match="cannot be reached"):
            ask(run_id)


def test_a_run_that_nobody_knows_of_is_started_once_it_has_stood_still(executor, server):
    run_id = executor.submit(SLOW)
    process = psutil.Process(running(executor.store, run_id).status.pid)
    server.forget()
    process.kill()
    until(lambda: executor.lives(executor.store.get(run_id)) is None)
    with pytest.raises(RunError, match="--anyway"):
        executor.start(run_id)
    executor.start_anyway(run_id)
    assert post(server) == 2
    record = running(executor.store, run_id)
    assert (record.status.attempt, list(server.jobs)) == (2, [f"cc-{run_id}-a2"])
    executor.kill(run_id)
    assert ended(executor.store, run_id).state is RunState.CANCELLED


def test_stillness_is_measured_from_when_it_was_first_seen(executor, monkeypatch):
    run_id, lock = executor.store.create(replace(SPEC, executor="ray"))
    lock.release()
    now = [100.0]
    monkeypatch.setattr(ray_table.time, "monotonic", lambda: now[0])
    record, table = executor.store.get(run_id), executor._table()
    assert table.still_for(record) == 0.0
    now[0] = 130.0
    assert table.still_for(record) == 30.0
    moved = replace(record, status=replace(record.status, step=1))
    assert table.still_for(moved) == 0.0
    now[0] = 131.0
    assert table.still_for(moved) == 1.0


def test_a_silent_server_is_not_asked_again_at_once(home, monkeypatch):
    monkeypatch.setattr(ray_table, "_SILENT_S", 1e9)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes connections and never answers
        executor = RayExecutor(RunStore(home), Cluster(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        table = executor._table()
        monkeypatch.setattr(table, "server", replace(table.server, timeout_s=0.05))
        assert [table.status("a"), table.status("b")] == [None, None]
        assert "cannot be reached" in table.why
        listener.accept()[0].close()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


# ---- handing in


def test_nothing_is_made_if_the_server_cannot_be_reached(home):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    executor = RayExecutor(RunStore(home), Cluster(f"http://127.0.0.1:{port}"))
    with pytest.raises(RunError, match="cannot be reached"):
        executor.submit(SPEC)
    assert executor.store.list() == ()


def test_a_run_that_is_refused_says_so_and_can_be_tried_again(executor, server, monkeypatch):
    monkeypatch.setattr(server, "submit", lambda _job: False)
    with pytest.raises(RunError, match="already exists"):
        executor.submit(SPEC, "k")
    [record] = executor.store.list()
    assert (record.state, record.status.attempt) == (RunState.FAILED, 1)
    assert "refused (500)" in record.reason
    monkeypatch.undo()
    executor.start(record.run_id)
    assert ended(executor.store, record.run_id).state is RunState.SUCCEEDED


def test_what_is_no_job_server_is_no_cluster(home):
    class Page(JobServer):
        pass

    with serving(home.root) as server:
        server.jobs = None  # type: ignore[assignment]  # its handler fails and hangs up
        executor = RayExecutor(RunStore(home), Cluster(server.address))
        assert executor._table().status("x") is None


# ---- addresses and tokens


@pytest.mark.parametrize("address", ["http://127.0.0.1:8265", "http://localhost:8265/", "https://[::1]:8265"])
def test_this_machine_needs_no_token(address):
    assert checked_address(address) == address.rstrip("/")


@pytest.mark.parametrize("host", ["10.0.0.5", "head.example", "127.0.0.1.example", "[::]", "localhost.example"])
def test_another_machine_needs_a_token(host, monkeypatch):
    address = f"http://{host}:8265"
    with pytest.raises(RunError, match="another machine"):
        checked_address(address)
    assert checked_address(address, without_token=True) == address
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    with pytest.raises(RunError, match="RAY_AUTH_MODE=token"):
        checked_address(address)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert checked_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "auto",
        "ray://127.0.0.1:10001",
        "os://x",
        "file:///etc/passwd",
        "127.0.0.1:8265",
        "http://",
        "http://127.0.0.1:x",
        "http://127.0.0.1:8265/path",
        "http://127.0.0.1:8265?x=1",
        "http://127.0.0.1@evil.example:8265",
        "http://user:word@127.0.0.1:8265",
        "http://[::1",
        "",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(RunError, match="the address of a Ray cluster"):
        checked_address(address, without_token=True)


@pytest.mark.parametrize("source", ["variable", "path", "home"])
def test_a_token_is_sent_only_in_token_mode(source, executor, server, monkeypatch, tmp_path):
    given = tmp_path / ".ray" / "auth_token"
    if source == "variable":
        monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    else:
        given.parent.mkdir()
        given.write_text("secret\n")
    if source == "path":
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(given.rename(tmp_path / "token")))
    executor._server().version()
    assert "authorization" not in server.asked[-1][2]
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    executor._server().version()
    assert server.asked[-1][2]["authorization"] == "Bearer secret"


# ---- which executor


def test_a_run_is_left_to_the_executor_that_it_was_submitted_to(executor, server, home):
    run_id = executor.submit(SPEC)
    record = ended(executor.store, run_id)
    options = Cluster(server.address)
    store = open_store(home, options)
    assert isinstance(executor_of(record, store, options), RayExecutor)
    with pytest.raises(RunError, match="local"):
        executor.start(_local(home).run_id)


def test_a_store_without_an_address_takes_nobody_for_dead(executor, server, home, monkeypatch):
    server.has_room = False
    run_id = executor.submit(SPEC)
    monkeypatch.delenv("COMPECON_RAY_ADDRESS", raising=False)
    store = open_store(home)
    assert store.get(run_id).state is RunState.QUEUED
    with pytest.raises(RunError, match="COMPECON_RAY_ADDRESS"):
        executor_of(store.get(run_id), store)
    monkeypatch.setenv("COMPECON_RAY_ADDRESS", server.address)
    server.jobs.clear()
    assert open_store(home).get(run_id).state is RunState.QUEUED


def test_the_environment_says_what_no_option_does(monkeypatch):
    named = {"ADDRESS": "http://[::1]:1", "PYTHON": "/usr/bin/python3", "GPU": "1", "WITHOUT_TOKEN": "0"}
    for name, value in named.items():
        monkeypatch.setenv(f"COMPECON_RAY_{name}", value)
    expected = Cluster("http://[::1]:1", "/usr/bin/python3", gpu=True, without_token=False)
    assert Cluster.from_environment() == expected
    assert Cluster.from_environment("http://localhost:2").address == "http://localhost:2"
    monkeypatch.setenv("COMPECON_RAY_GPU", "yes")
    with pytest.raises(RunError, match="COMPECON_RAY_GPU must be 0 or 1"):
        Cluster.from_environment()


def test_an_executor_that_is_none_is_refused(store):
    with pytest.raises(RunError, match="local, ray"):
        executor_for("slurm", store)


def _local(home: Home) -> RunRecord:
    local = LocalExecutor(RunStore(home))
    return ended(local.store, local.submit(SPEC))
