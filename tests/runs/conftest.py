"""A home for each test, and no worker that outlives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.store import RunStore
from tests.support.runs import executor_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").made()


@pytest.fixture
def store(home: Home) -> RunStore:
    return RunStore(home)


@pytest.fixture
def executor(home: Home) -> Iterator[LocalExecutor]:
    with executor_of(home.root) as found:
        yield found
