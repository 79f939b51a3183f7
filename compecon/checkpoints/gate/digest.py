"""One digest for everything that is loaded from a checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from compecon.errors import CheckpointError

SHORT = 12


def combined(parts: Mapping[str, str]) -> str:
    """Short digest of named sha256 digests, the same in whatever order they come."""
    lines = "".join(f"{name} {parts[name]}\n" for name in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()[:SHORT]


def check_recorded(name: str, digest: str, recorded: str | None) -> None:
    """Refuse a file whose digest differs from the one recorded in ``compecon.json``, if there is one."""
    if recorded is not None and digest != recorded:
        raise CheckpointError(
            f"{name} was changed since it was saved: its sha256 starts with {digest[:SHORT]}, "
            f"compecon.json records {recorded[:SHORT]}. Download the checkpoint again."
        )
