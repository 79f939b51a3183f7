"""Folders that count once they are whole: checkpoints of a training, marked last, and found again by their step.

A marker with the size and digest of every file is written when all else is on the disk. A folder without one, or with
other content than it says, is no checkpoint for a training: it is set aside under another name. Loads without torch.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compecon.errors import FileError, NewerError
from compecon.files.durable import flush_file, sync_folder, write_text
from compecon.files.safe_reader import open_file, parse_object, read_bytes, sha256_of, shown
from compecon.files.schema import check_beginning, check_schema

MARKER = "COMPLETE.json"
SCHEMA = 1
KEEP = 2  # complete checkpoints of a training: the newest, and the one to fall back on
_PREFIX = "checkpoint-"
_MOST_BYTES = 10_000_000


def checkpoint_folder(root: Path, step: int) -> Path:
    """Where the checkpoint of a step goes, as transformers names it."""
    return root / f"{_PREFIX}{step}"


def step_of(folder: Path) -> int:
    """The step of a checkpoint's folder."""
    return int(folder.name.removeprefix(_PREFIX))


def checkpoints_of(root: Path) -> list[Path]:
    """Folders of checkpoints by their step, whole or not."""
    named = [path for path in root.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdigit()]
    return sorted(named, key=step_of)


def write_stated(path: Path, stated: Mapping[str, Any]) -> None:
    """Write what sets the training in a folder apart from others."""
    write_text(path, json.dumps({"schema": SCHEMA, **stated}, indent=1))


def read_stated(path: Path) -> dict[str, Any] | None:
    """What `write_stated` wrote; None if it is damaged, so that it is unknown whose training it is.

    Raises:
        OSError: If it cannot be read.
        NewerError: If a newer compecon wrote it.
    """
    try:
        raw = read_bytes(path, _MOST_BYTES)
    except FileError:
        return None
    try:
        held = parse_object(raw, shown(path))
        check_schema(held, SCHEMA, shown(path))
    except FileError:
        check_beginning(raw, SCHEMA, shown(path))
        return None
    return {name: value for name, value in held.items() if name != "schema"}


def mark_complete(folder: Path, step: int) -> None:
    """Mark the checkpoint of a step, all files of which are written, as whole; then remove older ones but the last."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MARKER]
    for path in paths:
        flush_file(path)
    files = {path.relative_to(folder).as_posix(): described(path) for path in paths}
    write_text(folder / MARKER, json.dumps({"schema": SCHEMA, "step": step, "files": files}, indent=1))
    sync_folder(folder.parent)
    for old in checkpoints_of(folder.parent)[:-KEEP]:
        shutil.rmtree(old)


def is_complete(folder: Path) -> bool:
    """Whether a checkpoint has a marker and the very files that it names; NewerError if a newer compecon marked it."""
    path = folder / MARKER
    try:
        raw = read_bytes(path, _MOST_BYTES)
        check_beginning(raw, SCHEMA, shown(path))
        files = dict(parse_object(raw, shown(path))["files"])
        return bool(files) and all(matches(folder / name, said) for name, said in files.items())
    except NewerError:
        raise
    except (OSError, ValueError, KeyError, TypeError):
        return False


def last_complete_checkpoint(root: Path) -> Path | None:
    """The newest checkpoint of a training whose files are all there as written.

    Newer ones without a marker, or with other content than it says, are renamed to `broken-...`; of those with the same
    step, the last one stays.

    Raises:
        NewerError: If a newer compecon marked one.
    """
    for candidate in reversed(checkpoints_of(root)):
        if is_complete(candidate):
            return candidate
        set_aside(candidate)
    return None


def set_aside(path: Path) -> Path:
    """Rename a file or folder that is not whole to `broken-...`; returns its new path."""
    target = path.with_name(f"broken-{path.name}")
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    path.replace(target)
    return target


def described(path: Path) -> dict[str, Any]:
    """Size and digest of a file, as a marker holds them."""
    with open_file(path) as stream:
        return {"bytes": path.stat().st_size, "sha256": sha256_of(stream)}


def matches(path: Path, said: Mapping[str, Any]) -> bool:
    """Whether a file is the one that was described; its size is compared first."""
    return path.stat().st_size == said["bytes"] and described(path) == said
