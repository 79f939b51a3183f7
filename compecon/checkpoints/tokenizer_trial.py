"""Trying a tokenizer of unknown origin in a child process, which may hang, explode or crash without harm.

A tokenizer is a small program: a regular expression can take exponential time, a chain of normalizers can turn ten
characters into ten billion. What the child does is in :mod:`compecon.checkpoints.tokenizer_child`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from compecon.errors import CheckpointError

_SECONDS = 60  # of wall time, of which importing transformers takes a few on a busy machine


def try_tokenizer(folder: Path) -> None:
    """Load the tokenizer of a folder in a child process and encode a few texts.

    Args:
        folder: Holds nothing but the tokenizer's files and ``config.json``.

    Raises:
        CheckpointError: If the child takes too long, too much memory, or fails.
    """
    command = [sys.executable, "-m", "compecon.checkpoints.tokenizer_child", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, arguments as a list
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(_too_much(f"{_SECONDS} seconds were not enough")) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1][:200] if lines and done.returncode == 1 else f"the trial ended with code {done.returncode}"
        raise CheckpointError(_too_much(why))


def _too_much(why: str) -> str:
    return f"The tokenizer failed its trial: {why}. It hangs, explodes or is damaged; use another checkpoint."


def _environment() -> dict[str, str]:
    """Ours, without secrets, offline, and with this package importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_") and "TOKEN" not in name}
    package_root = str(Path(__file__).resolve().parents[2])
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONPATH": os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH")))),
    }
