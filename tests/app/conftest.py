"""The dashboard without a browser: its page run by Streamlit's own tester, its addresses by Starlette's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.models import model_process
from app.models.model_process import ModelProcess
from app.models.model_processes import ModelProcesses, models
from app.server import resources
from app.server.access import Access
from app.server.early_routes import early_routes
from app.server.front import Front
from app.server.guard import Guard
from app.server.routes import routes

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def _installed_components_are_looked_for_once() -> Iterator[None]:
    """Each tester of a page reads the metadata of everything that is installed, for Streamlit components."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _only_bundled_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither the folders nor the Hub cache nor the runs of whoever runs the tests."""
    monkeypatch.setenv("COMPECON_CHECKPOINTS", "")
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-cache"))
    resources._checkpoints.cache_clear()
    yield
    resources._checkpoints.cache_clear()


@pytest.fixture
def add_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Let the menu list a folder of one's own; gives back its name there."""

    def add(folder: Path) -> str:
        monkeypatch.setenv("COMPECON_CHECKPOINTS", str(folder))
        resources._checkpoints.cache_clear()
        return str(folder)

    return add


@pytest.fixture
def open_page() -> Open:
    """Open the page with an address: ``open_page(policy="random")``."""

    def run(**params: str) -> AppTest:
        page = AppTest.from_file(ROOT / "app" / "streamlit_app.py", default_timeout=60)
        for name, value in params.items():
            page.query_params[name] = value
        return page.run()

    return run


@pytest.fixture
def canvas_data() -> Callable[[AppTest], dict[str, Any]]:
    """What the page hands to the live canvas."""

    def data(page: AppTest) -> dict[str, Any]:
        assert not page.exception
        [canvas] = page.get("bidi_component")
        read: dict[str, Any]
        [read] = json.loads(canvas.proto.json)
        return read

    return data


@pytest.fixture(autouse=True)
def _no_models_by_accident(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of models costs seconds: tests that need one take `shared_models`."""

    def refuse() -> None:
        raise OSError("this test has no models")

    monkeypatch.setattr(model_process, "start_child", refuse)
    models.cache_clear()
    yield
    models.cache_clear()


@pytest.fixture(scope="session")
def shared_models() -> Iterator[ModelProcesses]:
    """Processes of models, as the server has them."""
    start = model_process.start_child  # the true one: a session's fixtures come before a test's
    processes = ModelProcesses(lambda: ModelProcess(start))
    yield processes
    processes.close()


@pytest.fixture
def client(shared_models: ModelProcesses, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Our routes behind our guard, as the server puts them together."""
    monkeypatch.setattr("app.server.routes.models", lambda: shared_models)
    early = early_routes()
    front = Front(early, lambda: (Starlette(routes=routes()), nullcontext()))
    with TestClient(Guard(front, Access()), base_url="http://localhost") as one:
        yield one
