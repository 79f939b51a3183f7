"""What `import compecon` and its packages show: the names of their stubs, each of them there, described and light."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import compecon

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "transformers", "streamlit", "scipy", "numpy", "pandas", "pydantic"}
PACKAGES = sorted(".".join(stub.parent.relative_to(ROOT).parts) for stub in (ROOT / "compecon").rglob("__init__.pyi"))
OF_THE_LIBRARY = {
    f"compecon.{name}"
    for name in (
        "allocation", "attention", "checkpoints", "compression", "evaluation", "incentives", "latency", "stats",
        "tasks", "training",
    )
}  # fmt: skip


def stub_of(package: str) -> dict[str, str]:
    """The module of each name, read independently of how the package reads it."""
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def face() -> dict[str, object]:
    """Functions and classes that `import compecon` shows."""
    found = {name: getattr(compecon, name) for name in compecon.__all__}
    return {name: value for name, value in found.items() if not inspect.ismodule(value) and callable(value)}


# ---- names


def test_every_package_of_the_library_has_a_face():
    assert {"compecon", *OF_THE_LIBRARY} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_shows_its_public_names_and_no_others(package):
    module = importlib.import_module(package)
    assert dir(module) == module.__all__ == sorted(set(module.__all__))
    assert set(module.__all__) - {"__version__"} == stub_of(package).keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_is_what_its_module_defines(package):
    module = importlib.import_module(package)
    for name, home in stub_of(package).items():
        expected = (
            importlib.import_module(f"{package}.{name}")
            if home == package
            else getattr(importlib.import_module(home), name)
        )
        assert getattr(module, name) is expected, name


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_has_the_name_of_what_its_package_shows(package):
    """Importing the module would put it in the name's place, for everybody."""
    module = importlib.import_module(package)
    modules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    shown = {name for name, home in stub_of(package).items() if home != package}
    assert modules & shown == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(package):
    module = importlib.import_module(package)
    for name in ("no_such_name", "__wrapped__"):
        with pytest.raises(AttributeError, match=name):
            getattr(module, name)


def test_the_face_is_small():
    assert len(face()) <= 40


def test_there_is_one_version():
    assert compecon.__version__ == version("compecon")
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dynamic"]


def test_importing_every_package_loads_nothing_heavy():
    program = f"""
import importlib, json, sys
for name in {PACKAGES}:
    dir(importlib.import_module(name))
print(json.dumps(sorted({HEAVY} & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
