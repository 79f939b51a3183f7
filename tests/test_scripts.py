"""The pages' scripts: short, inside what is type-checked, and nothing said twice."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(
    path
    for folder in ("assets", "compecon", "app", "pages")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".js", ".mjs", ".ts")
)
LINES, COLUMNS, ALIKE = 250, 120, 6


def lines_of(path: Path) -> list[str]:
    """A script's lines."""
    return path.read_text("utf-8").splitlines()


def named(path: Path) -> str:
    """A script's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def test_a_script_is_short():
    assert SCRIPTS
    assert {named(path): len(lines_of(path)) for path in SCRIPTS if len(lines_of(path)) > LINES} == {}
    wide = [f"{named(path)}:{i}" for path in SCRIPTS for i, line in enumerate(lines_of(path), 1) if len(line) > COLUMNS]
    assert wide == []


def test_every_script_is_checked():
    settings = json.loads((ROOT / ".ci" / "tsconfig.json").read_text())
    checked = {path for pattern in settings["include"] for path in (ROOT / ".ci" / "..").glob(pattern[3:])}
    assert [named(path) for path in SCRIPTS if path not in {one.resolve() for one in checked}] == []
    assert settings["compilerOptions"]["strict"]
    silenced = re.compile("@ts-(?:ignore|nocheck|expect-error)|biome-ignore")
    assert [named(path) for path in SCRIPTS if silenced.search(path.read_text("utf-8"))] == []


def test_no_code_stands_twice():
    """Runs of equal lines; imports, comments and brackets aside."""
    places = defaultdict(set)
    for path in SCRIPTS:
        text = re.sub(r"/\*.*?\*/|//[^\n]*|^import .*?;$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        code = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
        for at in range(len(code) - ALIKE + 1):
            places["\n".join(code[at : at + ALIKE])].add((named(path), at))
    assert {text: sorted(where) for text, where in places.items() if len(where) > 1} == {}
