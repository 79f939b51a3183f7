"""What an installation brings, from a checkout or a wheel: a command, one importable name, a working dashboard."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from compecon.runs.home import Home
from compecon.runs.run_record import RunState
from compecon.runs.store import RunStore
from tests.support.runs import ended, kill_workers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[1]
OURS = ("app", "pages", "assets", "tests")  # what lies beside the package
LIBRARIES = ("site-packages", "dist-packages")
FOUND = f"""
import json, compecon
from importlib.util import find_spec
print(json.dumps({{name: getattr(find_spec(name), "origin", None) or "" for name in {("compecon", *OURS)}}}))
"""
IN_A_CHILD = f"from compecon import children; print(children.output('-c', {FOUND!r}))"
SUBMITTED = """
import sys
from pathlib import Path
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.home import Home
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec
executor = LocalExecutor(RunStore(Home(Path(sys.argv[1])).made()))
print(executor.submit(new_spec("rehearsal", {"steps": 3, "step_ms": 1, "save_every": 1})))
"""


@dataclass(frozen=True)
class Installation:
    """A virtual environment with compecon in it, and a folder that is nobody's.

    Attributes:
        bin: Where its programs are.
        package: Where compecon is.
        elsewhere: The folder.
    """

    bin: Path
    package: Path
    elsewhere: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONPATH"))}
        return {**own, "COMPECON_HOME": str(self.elsewhere / "home"), "COMPECON_CHECKPOINTS": ""}

    def output(self, program: str, *arguments: str) -> str:
        """What one of the programs prints."""
        done = subprocess.run(
            [self.bin / program, *arguments], cwd=self.elsewhere, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The dashboard's address."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = self.elsewhere / "log.txt"
        command = [self.bin / "compecon", "--no-browser", "--port", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=self.elsewhere, env=self.environment, stdout=out, stderr=out)
        try:
            while not _answers(f"http://127.0.0.1:{port}/compecon/health", process):
                assert process.poll() is None, log.read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    try:
        return httpx2.get(address, timeout=10).is_success
    except httpx2.TransportError:
        with suppress(subprocess.TimeoutExpired):  # a pause that ends with the process
            process.wait(0.1)
        return False


def _wheel(folder: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [file] = folder.iterdir()
    return file


@pytest.fixture(scope="module", params=["editable", "wheel"])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A fresh environment that has this one's libraries, but for compecon."""
    pytest.importorskip("hatchling", reason='needs hatchling: pip install -e ".[test]"')
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    bin_folder = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    [site] = {path.resolve() for path in (folder / "venv").rglob("site-packages")}
    theirs = [entry for entry in sys.path if Path(entry).name in LIBRARIES]
    (site / "libraries.pth").write_text("\n".join(theirs), encoding="utf-8")
    given = ["--editable", str(ROOT)] if request.param == "editable" else [str(_wheel(folder / "dist"))]
    install = [sys.executable, "-m", "pip", "--python", str(bin_folder / "python"), "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--no-index", "--no-build-isolation", *given], cwd=folder, check=True)
    (folder / "elsewhere").mkdir()
    package = (ROOT if request.param == "editable" else site) / "compecon"
    return Installation(bin_folder, package, folder / "elsewhere")


@pytest.mark.parametrize("program", [FOUND, IN_A_CHILD], ids=["here", "in a child"])
def test_one_name_can_be_imported(installation, program):
    script = installation.elsewhere / "found.py"
    script.write_text(program, encoding="utf-8")
    found = json.loads(installation.output("python", str(script)))
    assert Path(found.pop("compecon")).parent == installation.package
    parts = (installation.package.parent, installation.package)
    assert not [origin for origin in found.values() if origin and Path(origin).parents[1] in parts]


def test_the_command_starts(installation):
    assert "--no-browser" in installation.output("compecon", "--help")


def test_workers_start(installation):
    home = installation.elsewhere / "home"
    try:
        run_id = installation.output("python", "-P", "-c", SUBMITTED, str(home)).strip()
        assert ended(RunStore(Home(home)), run_id).state is RunState.SUCCEEDED
    finally:
        kill_workers(home)


def test_the_dashboard_answers(installation):
    with installation.serving() as address:
        for path in ("/", "/compecon/canvas/main.js", "/_stcore/health"):
            answer = httpx2.get(address + path, timeout=30)
            assert (answer.status_code, bool(answer.content)) == (200, True), path
