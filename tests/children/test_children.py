"""Children find our modules and the user's, and nothing that lies where anybody could have put it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from compecon import children

_SHOWN = "import json, os, sys; print(json.dumps([sys.path, dict(os.environ), os.getcwd()]))"


@pytest.fixture
def trapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with modules that every program imports."""
    for name in ("json", "psutil", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} of the current folder was run')")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ["", ".", os.pathsep, f"{os.pathsep}/nowhere", f"/nowhere{os.pathsep}.", "..", "a"])
def test_a_child_runs_nothing_from_the_current_folder(
    trapped: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", path)
    entries, _, folder = __import__("json").loads(children.output("-c", _SHOWN))
    assert all(Path(entry).is_absolute() for entry in entries)
    assert str(trapped) not in entries
    assert Path(folder) != trapped


def test_a_child_that_starts_in_a_hostile_folder_runs_nothing_of_it_either(trapped: Path) -> None:
    process = children.start("-c", "import json, psutil, compecon", folder=trapped)
    assert process.wait(60) == 0


def test_the_users_own_folders_stay_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_the_user.py").write_text("print('found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for variables in (children.environment(), children.environment(bare=True)):
        assert children.output("-c", "import of_the_user", variables=variables).strip() == "found"


def test_our_package_is_found_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    program = "import compecon.errors as e; print(e.__file__)"
    assert Path(children.output("-c", program).strip()).parent == Path(children.__file__).parents[1]


def test_an_installed_package_is_not_put_before_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(children.site, "getsitepackages", lambda: [str(Path(children.__file__).parents[2])])
    assert "PYTHONPATH" not in children.environment()


def test_a_bare_environment_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "GITHUB_PAT", "AWS_SECRET_ACCESS_KEY", "COMPECON_TOKEN", "https_proxy", "LD_PRELOAD"):
        monkeypatch.setenv(name, "s3cret")
    assert "s3cret" not in children.environment(bare=True).values()
    assert children.environment({"SAID": "1"}, bare=True)["SAID"] == "1"
    assert children.environment()["HF_TOKEN"] == "s3cret"


def test_the_command_line_is_isolated_for_any_interpreter() -> None:
    assert children.command("-m", "compecon.a")[:2] == [sys.executable, "-P"]
    assert children.command("-m", "compecon.a", python="/other")[:2] == ["/other", "-P"]
