"""One digest for everything that is loaded from a checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

from compecon.errors import CheckpointError

SHORT = 12
_BLOCK = 1 << 20


def sha256_of(stream: BinaryIO) -> str:
    """Digest of what is left of an open file, in hexadecimal."""
    state = hashlib.sha256()
    while block := stream.read(_BLOCK):
        state.update(block)
    return state.hexdigest()


def combined(parts: Mapping[str, str]) -> str:
    """Short digest of named digests, the same whatever order they come in.

    Args:
        parts: Name of a file (or shared tensor) to the sha256 of its content, in hexadecimal.

    Returns:
        ``SHORT`` hexadecimal digits.
    """
    lines = "".join(f"{name} {parts[name]}\n" for name in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()[:SHORT]


def check_recorded(name: str, digest: str, recorded: str | None) -> None:
    """Compare a file's digest with the one noted in ``compecon.json``, if it notes one.

    Raises:
        CheckpointError: If they differ.
    """
    if recorded is not None and digest != recorded:
        raise CheckpointError(
            f"{name} was changed since it was saved: its sha256 starts with {digest[:SHORT]}, "
            f"compecon.json notes {recorded[:SHORT]}. Get the checkpoint again."
        )
