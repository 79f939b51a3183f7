"""Faults: after each of them no run is stuck, no other run is touched, and the reason says what happened."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.run_record import RunSpec
from compecon.runs.store import RunStore
from tests.support.runs import executor_of


def content(folder: Path) -> dict[str, str]:
    """Digest of every file of a folder."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").made()


@pytest.fixture
def executor(home: Home) -> Iterator[LocalExecutor]:
    with executor_of(home.root) as found:
        yield found


@pytest.fixture
def store(executor: LocalExecutor) -> RunStore:
    return executor.store


@pytest.fixture(autouse=True)
def bystander(request: pytest.FixtureRequest) -> Iterator[str]:
    """A run that nothing may happen to; when the test is over, none of the others may be stuck."""
    if "store" not in request.fixturenames and "executor" not in request.fixturenames:
        yield ""
        return
    store: RunStore = request.getfixturevalue("store")
    run_id, lock = store.create(RunSpec("rehearsal", title="bystander"))
    assert lock is not None
    lock.release()
    (store.folder(run_id) / "checkpoints").mkdir()
    (store.folder(run_id) / "checkpoints" / "weights.bin").write_bytes(b"of the bystander")
    before = content(store.folder(run_id))
    yield run_id
    assert content(store.folder(run_id)) == before
    assert [record for record in store.list() if not record.state.is_finished] == []
