"""What others install: the limits on versions, a wheel that brings its dashboard along, and an sdist that holds all."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

import compecon

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DASHBOARD = {"app": "app", "pages": "pages", "assets": "assets", ".streamlit": ".streamlit"}
NOT_IMPORTED = {"accelerate", "captum"}  # transformers.Trainer imports the first; attributions of keys need the second
PART_OF = {"pydantic-core": "pydantic"}  # which needs one exact version of it, and documents its use
OPTIONAL = {"playwright", "optuna", "pyarrow", "tensorboardx"}  # few commands use them, and say so where they cannot
NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(requirement: str) -> str:
    """Name of a requirement as indexes spell it."""
    found = NAME.match(requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared(*extras: str) -> set[str]:
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return {canonical(requirement) for group in groups for requirement in group} - {"compecon"}


def limits() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def homes() -> dict[str, list[str]]:
    """Distributions by the module that they bring."""
    return dict(metadata.packages_distributions())


def _named_module(node: ast.AST) -> str | None:
    """The module of a call like `import_module("pyarrow.parquet")`."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] != "import_module" or not node.args:
        return None
    name = node.args[0]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


@cache
def imported(*folders: str) -> set[str]:
    """Distributions that the files of some folders import, at any depth."""
    nodes = [
        node
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    names |= set(filter(None, map(_named_module, nodes)))
    others = {"app", "compecon", "pages", "tests", "_typeshed"}  # the last one exists for type checkers alone
    tops = {name.split(".")[0] for name in names} - sys.stdlib_module_names - others
    found = {canonical(home) for top in tops for home in homes().get(top, [top])}
    return {PART_OF.get(name, name) for name in found}


# ---- versions


def test_every_dependency_has_a_tested_version():
    exact = {canonical(line) for line in limits() if re.match(r"[a-z0-9._-]+==[0-9]", line)}
    assert len(exact) == len(limits()), "one exact version a line"
    assert declared(*PROJECT["optional-dependencies"]) <= exact


def test_limits_name_no_address():
    assert not [line for line in limits() if "://" in line or line.startswith("-") or " @ " in line]


def test_what_is_imported_is_declared():
    assert imported("compecon", "app", "pages") <= declared("bundle") | OPTIONAL
    assert declared(*PROJECT["optional-dependencies"]) >= OPTIONAL
    assert imported("tests") <= declared("test", "bundle")


def test_what_is_declared_is_imported():
    assert declared() - imported("compecon", "app", "pages") == NOT_IMPORTED


# ---- the wheel


def built(kind: str, folder: Path) -> Path:
    pytest.importorskip("hatchling", reason='needs hatchling: pip install -e ".[test]"')
    build = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [file] = folder.iterdir()
    return file


def known_to_git(*folders: str) -> set[str]:
    tracked = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, check=False)
    if tracked.returncode:
        pytest.skip("needs a git checkout to know what should be inside")
    return {name for name in tracked.stdout.decode().split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("dist"))


@pytest.mark.slow
def test_the_wheel_holds_every_file_that_git_knows(wheel):
    files = known_to_git("compecon", *DASHBOARD)
    wanted = {name if name.startswith("compecon/") else f"compecon/_dashboard/{name}" for name in files}
    with zipfile.ZipFile(wheel) as archive:
        assert wanted <= set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"compecon", f"compecon-{compecon.__version__}.dist-info"}
    dashboard = {name.split("/")[2] for name in names if name.startswith("compecon/_dashboard/")}
    assert dashboard == set(DASHBOARD)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


@pytest.mark.slow
def test_the_wheel_brings_the_command_and_the_licence(wheel):
    info = zipfile.Path(wheel) / f"compecon-{compecon.__version__}.dist-info"
    assert "compecon = compecon.cli:main" in (info / "entry_points.txt").read_text(encoding="utf-8")
    assert "Apache License" in (info / "licenses" / "assets" / "LICENSE").read_text(encoding="utf-8")


# ---- the sdist


@pytest.mark.slow
def test_the_sdist_is_the_repository(tmp_path):
    with tarfile.open(built("sdist", tmp_path)) as archive:
        files = [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]
    assert set(files) == known_to_git() | {"PKG-INFO"}
    assert len(files) == len(set(files))
