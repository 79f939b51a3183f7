"""`python -OO` drops docstrings and asserts: nothing that compecon does depends on either.

transformers reads docstrings itself and cannot be imported so; whatever needs it works under `-O`, which keeps them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
EVERY = """
import importlib, pkgutil, traceback, compecon
failed = {}
for each in pkgutil.walk_packages(compecon.__path__, "compecon."):
    try:
        importlib.import_module(each.name)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1].filename
        missing = isinstance(error, ModuleNotFoundError) and not error.name.startswith("compecon")
        if not missing and not (ALLOWED and ALLOWED in where):
            failed[each.name] = f"{error!r} in {where}"
raise SystemExit(repr(failed) if failed else 0)
"""


def run(program, flag="-OO"):
    done = subprocess.run([sys.executable, flag, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_form_and_every_help_are_made_without_docstrings():
    said = run(f"from compecon.cli import COMMANDS, app\n{LIGHT}")
    assert "--target-macs" in said
    assert "Passes over" in said


@pytest.mark.slow
@pytest.mark.timeout(600)  # the first time, Python compiles all that is imported anew
@pytest.mark.parametrize(("flag", "allowed"), [("-O", ""), ("-OO", "transformers")])
def test_every_module_can_be_imported(flag, allowed):
    run(f"ALLOWED = {allowed!r}\n{EVERY}", flag)
