"""Started in a folder that somebody else has filled, beside a checkpoint: none of it runs, whatever is done there.

Each trap writes its name into a file when it is imported. ``python -m`` puts the current folder on the module path
before any line of ours runs, so that everything is started as the installed command is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from tests.security.conftest import CLI, ROOT, messages, running

pytestmark = pytest.mark.slow
_TRAPS = (
    "json", "psutil", "sitecustomize", "usercustomize", "tokenizers", "transformers", "torch", "numpy", "typing",
    "compecon", "app", "accelerate", "datasets", "streamlit", "resource", "signal", "pickle", "regex", "safetensors",
)  # fmt: skip
_TRAINS = """
import sys, time
from compecon.runs.home import Home
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.run_record import RunSpec
from compecon.runs.store import RunStore
store = RunStore(Home.default())
run = LocalExecutor(store).submit(RunSpec("rehearsal"))
while not store.get(run).state.is_finished:
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that is not bundled."""
    ours = load_checkpoint("sentiment")
    folder = save_checkpoint(ours.model, ours.tokenizer, tmp_path_factory.mktemp("foreign") / "checkpoint")
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "origin": "somebody else"}))
    return folder


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    """The checkpoint among traps, one level deep and beside it."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    for place in (folder, tmp_path):
        for name in _TRAPS:
            (place / name).mkdir()
            (place / name / "__init__.py").write_text(_trap(tmp_path / "run.txt", name))
            (place / f"{name}.py").write_text(_trap(tmp_path / "run.txt", name))
        (place / ".streamlit").mkdir()
        (place / ".streamlit" / "secrets.toml").write_text(f'PYTHONPATH = "{place}"\nCOMPECON_TRAP = "1"\n')
        (place / ".streamlit" / "config.toml").write_text("[server]\nport = 1\nenableXsrfProtection = false\n")
    return folder


def _trap(mark: Path, name: str) -> str:
    return f"open({str(mark)!r}, 'a').write({name + ' '!r})\n"


def run(folder: Path, *command: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder as the installed command would run there; nothing there may have run afterwards."""
    program, *arguments = command
    settled = f"import os; os.environ['PYTHONPATH'] = {path!r}\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", settled + program, *arguments],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert not mark(folder).exists(), f"was run: {mark(folder).read_text()}"
    return done


def mark(folder: Path) -> Path:
    return folder.parent / "run.txt"


def _environment(folder: Path) -> dict[str, str]:
    own = {"COMPECON_HOME": str(folder.parent / "home"), "COMPECON_CHECKPOINTS": "", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **own}


def test_the_traps_work(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", "import psutil"], cwd=folder, check=True)
    assert mark(folder).read_text().split() == ["psutil"]


@pytest.mark.parametrize("path", ["", ".", os.pathsep])
def test_a_checkpoint_is_loaded(folder: Path, path: str) -> None:
    done = run(folder, "import compecon.checkpoints.load as l; print(l.load_checkpoint('.').kind)", path=path)
    assert done.stdout.strip() == "classification", done.stderr


def test_a_checkpoint_is_compacted(folder: Path) -> None:
    done = run(folder, CLI, "compact", ".", "--remove-heads", "0.1", "--out", str(folder.parent / "out"))
    assert done.returncode == 0, done.stderr


def test_a_worker_works(folder: Path) -> None:
    done = run(folder, _TRAINS, path=os.pathsep)
    assert done.returncode == 0, done.stderr


def test_a_benchmark_starts_processes(folder: Path) -> None:
    done = run(folder, "from compecon import children; print(children.output('-c', 'import json, psutil; print(1)'))")
    assert done.stdout.strip() == "1", done.stderr


def test_the_dashboard_is_served(folder: Path) -> None:
    with running(folder.parent, CLI, "--checkpoints", ".", start=folder) as server:
        assert folder.name.encode() in b"".join(messages(server, f"checkpoint={quote(str(folder))}"))
    assert not mark(folder).exists(), mark(folder).read_text()


def test_streamlit_takes_nothing_from_the_current_folder(folder: Path) -> None:
    looks = """
import asyncio, os, app.server.serve as s
def run(access, listener, build, url):
    app, running = build()
    from streamlit.runtime.secrets import secrets_singleton
    from streamlit import config as c
    found = secrets_singleton.load_if_toml_exists()
    print(found, os.environ.get('COMPECON_TRAP'), c.get_option('server.enableXsrfProtection'))
    asyncio.run(started(running))
async def started(running):
    async with running:
        print(os.getcwd())
s.run = run
s.serve(port=0, open_browser=False, say=lambda line: None)
"""
    done = run(folder, f"import sys; sys.path.append({str(ROOT)!r})\n{looks}")
    assert done.stdout.splitlines() == ["False None True", str(folder)], done.stderr
