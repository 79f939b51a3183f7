"""`python -OO` drops docstrings and asserts: nothing that compecon does depends on either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIGHT = """
from compecon.runs.jobs.job_registry import RECIPES
from compecon.views.runs.form_sections import KINDS, sections
for kind in KINDS.values():
    for section in sections(kind):
        assert False, "asserts are dropped"
        if not all(setting.description and setting.label for setting in section.settings):
            raise SystemExit(f"{kind.name} has a setting without words")
for arguments in ([], *([name] for name in COMMANDS), ["sweep", "train"]):
    try:
        app([*arguments, "--help"], standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise
"""


def run(program):
    done = subprocess.run([sys.executable, "-OO", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_form_and_every_help_are_made_without_docstrings():
    said = run(f"from compecon.cli import COMMANDS, app\n{LIGHT}")
    assert "--target-macs" in said
    assert "Passes over the rows" in said
