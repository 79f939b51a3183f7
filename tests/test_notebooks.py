"""The notebooks: light, offline, and every one of them runs from its first cell to its last."""

import ast
import importlib
import json
from pathlib import Path

import pytest

from compecon.paths import assets

FOLDER = assets() / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path: Path) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")


def missing(path: Path) -> list[str]:
    """Names that a notebook imports from compecon and that are not there."""
    nodes = [node for node in ast.walk(ast.parse(code(path))) if isinstance(node, ast.ImportFrom)]
    names = [(str(node.module), alias.name) for node in nodes for alias in node.names]
    ours = [(module, name) for module, name in names if module.startswith("compecon")]
    assert ours, path.name
    return [f"{module}.{name}" for module, name in ours if not hasattr(importlib.import_module(module), name)]


def test_there_are_four():
    assert [path.name[0] for path in NOTEBOOKS] == ["1", "2", "3", "4"]


def test_what_they_import_is_there():
    assert {path.name: names for path in NOTEBOOKS if (names := missing(path))} == {}


def test_they_are_stored_without_outputs():
    ran = [cell for path in NOTEBOOKS for cell in cells(path) if cell.get("outputs") or cell.get("execution_count")]
    assert ran == []


def test_they_explain_themselves():
    assert all(sum(cell["cell_type"] == "markdown" for cell in cells(path)) >= 3 for path in NOTEBOOKS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")  # zmq, on Windows
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install compecon[test]")
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install compecon[test]")
    pytest.importorskip("ipykernel", reason="needs ipykernel: pip install compecon[test]")
    monkeypatch.setenv("COMPECON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=800, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
