"""From what a person typed to a folder on this machine: a bundled name, a folder, or a Hub id in the Hub cache."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import constants

from compecon.checkpoints.gate.folder_files import is_plain_name
from compecon.checkpoints.successors import successor_of
from compecon.errors import CheckpointError, FileError, did_you_mean
from compecon.files.safe_reader import read_text
from compecon.paths import assets

Origin = Literal["bundled", "local", "hub-cache"]
_REPO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Location:
    """Where a checkpoint is and how far it is trusted."""

    path: Path  # its folder
    origin: Origin  # where it comes from
    trusted_root: Path | None = None  # the folder of the bundled checkpoints, for those; else ``None``


def bundled_root() -> Path:
    """Folder of the checkpoints that come with compecon."""
    return assets() / "checkpoints"


def locate(source: str | Path) -> Location:
    """Find a checkpoint by bundled name, folder, or Hub id in the Hub cache, in this order; nothing is downloaded."""
    root = bundled_root()
    if is_plain_name(source) and (root / source / "config.json").is_file():
        return Location(root / source, "bundled", root)
    folder = _folder(source)
    if folder is not None:
        trusted = folder.parent == root.resolve()
        return Location(folder, "bundled" if trusted else "local", root if trusted else None)
    if isinstance(source, str) and is_repo_id(source):
        snapshot = cached_snapshot(source)
        if snapshot is not None:
            return Location(snapshot, "hub-cache")
    names = bundled_names()
    if successor := successor_of(str(source)):
        at = "" if successor.size == 1 else f".at({successor.size:g})"
        raise CheckpointError(f"{successor.told(str(source))} Use load_checkpoint({successor.name!r}){at}.")
    bundled, meant = ", ".join(names) or "there are none", did_you_mean(str(source), names)
    raise CheckpointError(
        f"There is no checkpoint {str(source)[:200]!r}.{meant} It is neither a folder, nor a bundled name "
        f"({bundled}), nor a Hub id in the local cache. Give a folder with config.json, or download it first."
    )


def _folder(source: str | Path) -> Path | None:
    if source == "":  # which pathlib takes for the current folder
        return None
    try:
        folder = Path(source).expanduser().resolve()
        return folder if folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL byte, an unknown user: no folder
        return None


def bundled_names() -> tuple[str, ...]:
    """Names of the bundled checkpoints, sorted."""
    root = bundled_root()
    if not root.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in root.iterdir() if (entry / "config.json").is_file()))


def is_repo_id(text: str) -> bool:
    """Whether this has the form of a Hub id, ``owner/name`` or an old one-word ``name``."""
    return _REPO_ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def hub_cache() -> Path:
    """Folder of the Hub cache, as huggingface_hub would choose it."""
    return Path(os.environ.get("HF_HUB_CACHE") or constants.HF_HUB_CACHE).expanduser()


def cached_snapshot(repo_id: str) -> Path | None:
    """Folder of a repository's cached main revision, else of its newest; ``None`` if it is not in the cache."""
    repository = hub_cache() / f"models--{repo_id.replace('/', '--')}"
    try:
        commit = read_text(repository / "refs" / "main", 100).strip()
    except (OSError, FileError):
        commit = ""
    if _COMMIT.fullmatch(commit) and (repository / "snapshots" / commit).is_dir():
        return repository / "snapshots" / commit
    try:
        snapshots = [entry for entry in (repository / "snapshots").iterdir() if entry.is_dir()]
        return max(snapshots, key=lambda entry: entry.stat().st_mtime, default=None)
    except OSError:
        return None
