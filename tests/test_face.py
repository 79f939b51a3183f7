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
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

import compecon

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "transformers", "streamlit", "scipy", "numpy", "pandas", "pydantic"}
PACKAGES = sorted(".".join(stub.parent.relative_to(ROOT).parts) for stub in (ROOT / "compecon").rglob("__init__.pyi"))
OF_THE_LIBRARY = {
    f"compecon.{name}"
    for name in (
        "allocation", "attention", "checkpoints", "compression", "evaluation", "incentives", "latency", "serving",
        "stats", "tasks", "training",
    )
}  # fmt: skip


def stub_of(package: str) -> dict[str, str]:
    """The module of each name, read independently of how the package reads it."""
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def in_packages(wrong: Callable[[str, ModuleType], object]) -> dict[str, object]:
    """What is wrong with which package."""
    return {name: found for name in PACKAGES if (found := wrong(name, importlib.import_module(name)))}


def face() -> dict[str, object]:
    """Functions and classes that `import compecon` shows."""
    found = {name: getattr(compecon, name) for name in compecon.__all__}
    return {name: value for name, value in found.items() if not inspect.ismodule(value) and callable(value)}


def documented(value: object) -> str:
    """Docstrings of a function; of a class with that of its constructor."""
    own = inspect.getdoc(value) or ""
    return own + (inspect.getdoc(value.__init__) or "") if inspect.isclass(value) else own


# ---- names


def test_every_package_of_the_library_has_a_face():
    assert {"compecon", *OF_THE_LIBRARY} <= set(PACKAGES)


def test_a_package_shows_its_public_names_and_no_others():
    def wrong(package: str, module: ModuleType) -> list[str]:
        shown = set(module.__all__) - {"__version__"}
        sorted_once = dir(module) == module.__all__ == sorted(set(module.__all__))
        return sorted(shown ^ stub_of(package).keys()) + ([] if sorted_once else ["__all__"])

    assert in_packages(wrong) == {}


def test_a_name_is_what_its_module_defines():
    def wrong(package: str, module: ModuleType) -> list[str]:
        return [name for name, home in stub_of(package).items() if getattr(module, name) is not defined(name, home)]

    def defined(name: str, home: str) -> object:
        is_package = f"{home}.{name}" in PACKAGES
        return importlib.import_module(f"{home}.{name}") if is_package else getattr(importlib.import_module(home), name)

    assert in_packages(wrong) == {}


def test_no_module_has_the_name_of_what_its_package_shows():
    """Importing the module would put it in the name's place, for everybody."""

    def wrong(package: str, module: ModuleType) -> set[str]:
        modules = {found.name for found in pkgutil.iter_modules(module.__path__)}
        return modules & {name for name, home in stub_of(package).items() if home != package}

    assert in_packages(wrong) == {}


def test_an_unknown_name_is_an_attribute_error():
    def wrong(_package: str, module: ModuleType) -> list[str]:
        return [name for name in ("no_such_name", "__wrapped__") if hasattr(module, name)]

    assert in_packages(wrong) == {}
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = compecon.no_such_name


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


# ---- documentation


def test_every_name_has_an_example():
    """Examples are run with all other doctests."""
    assert [name for name, value in face().items() if ">>>" not in documented(value)] == []


def _undescribed(value: object) -> list[str]:
    """Parameters that the docstrings do not name, and "Returns" where there is none."""
    text = documented(value)
    try:
        signature = inspect.signature(value)
    except ValueError:
        return []
    named = [name for name in signature.parameters if name not in ("self", "args", "kwargs")]
    missing = [name for name in named if f"{name}:" not in text and f"{name} (" not in text]
    is_function = inspect.isfunction(value)
    says = "Returns:" in text or "Yields:" in text or signature.return_annotation in ("None", None)
    return missing + (["Returns"] if is_function and not says else [])


def test_every_parameter_is_described():
    is_error = {name for name, value in face().items() if inspect.isclass(value) and issubclass(value, Exception)}
    found = {
        name: missing for name, value in face().items() if name not in is_error and (missing := _undescribed(value))
    }
    assert found == {}
