"""Several processes that train one model, as `accelerate launch` starts them: all compute, the first one writes."""

from __future__ import annotations

import os


def is_first() -> bool:
    """Whether this process is the only one, or the first of several: the one that writes files and speaks."""
    rank = os.environ.get("RANK", "")
    return not rank.isdigit() or int(rank) == 0
