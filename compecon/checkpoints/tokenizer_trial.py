"""Trying a tokenizer of unknown origin in a child process, which may hang, explode or crash without harm.

A tokenizer is a small program: a regular expression can take exponential time, a chain of normalizers can turn ten
characters into ten billion. What the child does is in :mod:`compecon.checkpoints.tokenizer_child`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from compecon import children
from compecon.errors import CheckpointError

_SECONDS = 60  # of wall time, of which importing transformers takes a few on a busy machine


def try_tokenizer(folder: Path) -> None:
    """Load the tokenizer of a folder in a child process and encode a few texts.

    Args:
        folder: Holds nothing but the tokenizer's files and ``config.json``.

    Raises:
        CheckpointError: If the child takes too long, too much memory, or fails.
    """
    child = ("-m", "compecon.checkpoints.tokenizer_child", str(folder))
    try:
        children.output(*child, variables=_environment(), timeout_s=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(_too_much(f"{_SECONDS} seconds were not enough")) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        why = lines[-1][:200] if lines and error.returncode == 1 else f"the trial ended with code {error.returncode}"
        raise CheckpointError(_too_much(why)) from error


def _too_much(why: str) -> str:
    return f"The tokenizer failed its trial: {why}. It hangs, explodes or is damaged; use another checkpoint."


def _environment() -> dict[str, str]:
    """Without secrets, and offline."""
    return children.environment(
        {
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "OMP_NUM_THREADS": "1",
            "TRANSFORMERS_VERBOSITY": "error",
        },
        bare=True,
    )
