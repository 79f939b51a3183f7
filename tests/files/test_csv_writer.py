"""CSV: no cell of anybody's text is a formula, whichever writer wrote it, and numbers come back as they were."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.files.csv_writer import csv_text, guarded
from compecon.runs.history import History
from compecon.runs.metrics_export import write_csv
from compecon.views.allocation.query_table import table_csv as allocation_csv
from compecon.views.compare.checkpoint_table import CompareTable, TableRow, table_csv
from compecon.views.runs.curves import metrics_csv

ROOT = Path(__file__).resolve().parents[2]
EVIL = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\0=1",
    "＝1",
    '=HYPERLINK("x","y")',
    "-",
    "+a",
]
starts = st.sampled_from(["", *"=+-@\t\r\n \0＝＋－＠,;\"'"])
texts = st.builds("".join, st.lists(starts | st.text(max_size=4), max_size=5))


def cells_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def is_formula(cell: str) -> bool:
    """What a spreadsheet runs: judged by the first character that it does not skip; plain numbers are data."""
    bare = cell.lstrip(" \0\u00a0\u3000")
    if bare[:1] in ("\t", "\r", "\n"):
        return True
    try:
        float(cell)
    except ValueError:
        return bare[:1] in tuple("=+-@＝＋－＠")
    return False


@pytest.mark.parametrize("cell", EVIL)
def test_a_formula_is_text(cell):
    assert guarded(cell) == f"'{cell}".replace("\r", "\n")


@pytest.mark.parametrize(
    "cell", [-1.5, 0, None, True, "-1.5", "+3", "-1e-5", ".5", "-inf", "nan", "a=b", "x-y", "", "'", "#=1"]
)
def test_numbers_and_harmless_text_stay(cell):
    assert guarded(cell) is cell or guarded(cell) == cell


@given(st.lists(st.lists(texts | st.floats(allow_nan=False) | st.none(), min_size=2, max_size=2)), texts)
def test_what_is_read_back_is_what_was_written_or_guarded(rows, name):
    found = cells_of(csv_text([name, "b"], rows))
    assert not any(is_formula(cell) for row in found for cell in row)
    assert found[0] == [guarded(name), "b"]
    for row, back in zip(rows, found[1:], strict=True):
        for cell, read in zip(row, back, strict=True):
            assert (float(read) == cell) if isinstance(cell, float) else read == (guarded(cell) or "")


@given(st.dictionaries(texts, texts, max_size=3))
def test_lines_of_comment_hold_no_formula_behind_a_separator(notes):
    *lines, _ = csv_text(["a"], [], notes).splitlines()
    for line in lines:
        for separator in ",;\t|":
            assert line.startswith("#")
            assert not any(is_formula(cell) for cell in line.split(separator))


def test_every_writer_guards(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    lines = [{"stage": "=1", "step": 1, "total": 2, "@x": -1.5, "told": "+2"}, {"event": "=1", "stage": "-a", "at": 1}]
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    history = History(metrics)
    history.read_on()
    table = CompareTable(("=A", "=A"), (TableRow("@name", ("-x", "-1.5")),), ())
    written = [
        metrics_csv(history),
        *(path.read_text() for path in write_csv(history, tmp_path / "out")),
        table_csv(table, table.rows),
        allocation_csv([{"=rule": "=1", "value": -2.5}], {"from": "x,=1"}),
    ]
    assert [cell for text in written for row in cells_of(text) for cell in row if is_formula(cell)] == []
    assert sum("-1.5" in text for text in written) == 3


# ---- nothing else writes CSV


def writes_csv(path: Path) -> bool:
    found = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    return any(re.fullmatch(r"csv\.(writer|DictWriter)|.*\.to_csv", one) for one in found)


def test_there_is_one_writer():
    files = [path for folder in ("compecon", "app", "pages") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in files if writes_csv(path)] == ["csv_writer.py"]
    scripts = [path for path in (ROOT / "assets").rglob("*.js") if "text/csv" in path.read_text()]
    assert [path.relative_to(ROOT).as_posix() for path in scripts] == ["assets/shared/export.js"]


@pytest.fixture(scope="module")
def in_javascript() -> Callable[[Any, Any], str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node; the browser's tests run the same in Chromium")

    def call(rows: Any, notes: Any) -> str:
        module = (ROOT / "assets" / "shared" / "csv.js").read_text()
        program = f"{module}\nprocess.stdout.write(toCsv({json.dumps(rows)}, {json.dumps(notes)}));"
        done = subprocess.run([node, "--input-type=module", "-e", program], capture_output=True, check=True, timeout=60)
        return done.stdout.decode()

    return call


def test_the_canvas_writes_what_the_library_writes(in_javascript):
    rows = [{"a": cell, "=b": -1.5} for cell in [*EVIL, "-1.5", "x,y", 'say "x"', "a=b", "plain"]]
    notes = {"text": "a, =1; +2\n@3", "k": "3"}
    assert cells_of(in_javascript(rows, notes)) == cells_of(csv_text(["a", "=b"], rows, notes))
