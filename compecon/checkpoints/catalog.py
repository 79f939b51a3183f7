"""The list of checkpoints on this machine. Reads headers only; loads neither torch nor transformers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compecon.checkpoints.intake import survey
from compecon.checkpoints.locate import Location, Origin, bundled_names, bundled_root, cached_snapshot, hub_cache
from compecon.checkpoints.preflight import Preflight, checkpoint_name
from compecon.errors import CompeconError

VARIABLE = "COMPECON_CHECKPOINTS"
_SIGNS = frozenset({"config.json", "adapter_config.json", "pytorch_model.bin", "model.safetensors.index.json"})


@dataclass(frozen=True)
class CheckpointEntry:
    """One line of the list.

    Attributes:
        name: What ``load_checkpoint`` takes for a bundled or cached one; the folder's name for a local one.
        path: Its folder; ``load_checkpoint`` takes it in every case.
        origin: Where it comes from.
        title: A line for people; the name where the checkpoint states none.
        task: What it was trained for, such as ``"sentiment"``; may be empty.
        architecture: Model class; empty if the folder is broken.
        preflight: What is known of it, without a digest; ``None`` if the folder is broken.
        problem: Why it cannot be loaded, one sentence; empty if it can.
    """

    name: str
    path: Path
    origin: Origin
    title: str
    task: str
    architecture: str
    preflight: Preflight | None
    problem: str


def list_checkpoints(local_dirs: Sequence[str | Path] = ()) -> tuple[CheckpointEntry, ...]:
    """Every checkpoint that can be opened without the network, and every folder that nearly is one.

    Args:
        local_dirs: Folders to look at, themselves and one level below; those of the environment variable
            ``COMPECON_CHECKPOINTS`` (separated like ``PATH``) come after them.

    Returns:
        Bundled, then local, then those of the Hub cache, each group by name; a folder is listed once.
    """
    named = [Path(entry) for entry in os.environ.get(VARIABLE, "").split(os.pathsep) if entry]
    locations = [
        *(Location(bundled_root() / name, "bundled", bundled_root()) for name in bundled_names()),
        *(location for folder in (*map(Path, local_dirs), *named) for location in _local(folder)),
        *_cached(),
    ]
    once: dict[Path, Location] = {}
    for location in locations:
        once.setdefault(location.path.resolve(), location)
    return tuple(_entry(location) for location in once.values())


def _local(folder: Path) -> Iterator[Location]:
    """The folder itself if it looks like a checkpoint, and those in it that do."""
    folder = folder.expanduser()
    if not folder.is_dir() or _looks_like_checkpoint(folder):
        yield Location(folder, "local")
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and _looks_like_checkpoint(entry):
            yield Location(entry, "local")


def _looks_like_checkpoint(folder: Path) -> bool:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return True  # to be listed with the reason why it cannot be read
    return any(name in _SIGNS or name.endswith(".safetensors") for name in names)


def _cached() -> Iterator[Location]:
    cache = hub_cache()
    if not cache.is_dir():
        return
    for repository in sorted(cache.glob("models--*")):
        snapshot = cached_snapshot(repository.name.removeprefix("models--").replace("--", "/", 1))
        if snapshot is not None:
            yield Location(snapshot, "hub-cache")


def _entry(location: Location) -> CheckpointEntry:
    name = checkpoint_name(location.path)
    try:
        found = survey(location.path, trusted_root=location.trusted_root)
    except CompeconError as error:
        return CheckpointEntry(name, location.path, location.origin, name, "", "", None, str(error))
    return CheckpointEntry(
        name=name,
        path=location.path,
        origin=location.origin,
        title=found.record.title or name,
        task=found.record.task,
        architecture=found.preflight.architecture,
        preflight=found.preflight,
        problem="",
    )
