"""Mounts of a test's own: a tiny disk, a folder that can only be read. Nobody else sees them."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_START = """
import os, subprocess, sys
from pathlib import Path
root = Path(sys.argv[1])

def mounted(*args):
    return subprocess.run(["mount", *args], stderr=subprocess.DEVNULL).returncode == 0

def mount(*args):
    assert mounted(*args), args
"""


def run_apart(root: Path, code: str) -> None:
    """Run code in a process whose mounts nobody else sees; skips the test where that is not allowed.

    Args:
        root: Becomes the code's `root`; made if it is not there.
        code: Has `mount(*arguments)` too; fails the test by raising.
    """
    if shutil.which("unshare") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting needs root and the command unshare")
    root.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", str(root)], capture_output=True).returncode:
        pytest.skip("this system does not let even root mount something for itself")
    command = ["unshare", "-m", sys.executable, "-c", _START + textwrap.dedent(code), str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
