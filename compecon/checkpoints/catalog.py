"""The list of checkpoints on this machine. Reads headers only; loads neither torch nor transformers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.preflight import Preflight, checkpoint_name
from compecon.checkpoints.locate import Location, Origin, bundled_names, bundled_root, cached_snapshot, hub_cache
from compecon.files.safe_reader import sentence_of, shown

VARIABLE = "COMPECON_CHECKPOINTS"
_SIGNS = frozenset({"config.json", "adapter_config.json", "pytorch_model.bin", "model.safetensors.index.json"})


@dataclass(frozen=True)
class CheckpointEntry:
    """One checkpoint in the list of `list_checkpoints`.

    Attributes:
        name: What ``load_checkpoint`` takes for a bundled or cached one; the folder's name for a local one.
        path: Its folder; ``load_checkpoint`` takes it in every case.
        origin: Where it comes from: ``"bundled"``, ``"local"`` or ``"hub-cache"``.
        title: A line for people; the name where the checkpoint states none.
        task: What it was trained for, such as ``"sentiment"``; may be empty.
        architecture: Model class; empty if the folder is broken.
        preflight: What is known of it, without a digest; ``None`` if the folder is broken.
        problem: Why it cannot be loaded, one sentence; empty if it can.
        limits: What it cannot do, in the words of its author; may be empty.
        trained_on_pairs: Whether its record says that it learnt from pairs of texts.

    Example:
        >>> entry = next(each for each in list_checkpoints() if each.name == "sentiment")
        >>> entry.origin, entry.task, entry.problem
        ('bundled', 'sentiment', '')
    """

    name: str
    path: Path
    origin: Origin
    title: str
    task: str
    architecture: str
    preflight: Preflight | None
    problem: str
    limits: str = ""
    trained_on_pairs: bool = False


def list_checkpoints(local_dirs: Sequence[str | Path] = ()) -> tuple[CheckpointEntry, ...]:
    """Every checkpoint that can be opened without the network, and every folder that nearly is one.

    Args:
        local_dirs: Folders to look at, themselves and one level below; those of the environment variable
            ``COMPECON_CHECKPOINTS`` (separated like ``PATH``) come after them.

    Returns:
        Bundled, then local, then those of the Hub cache, each group by name; a folder is listed once.

    Example:
        >>> {"sentiment", "similarity", "entailment", "causal"} <= {entry.name for entry in list_checkpoints()}
        True
    """
    named = [entry for entry in os.environ.get(VARIABLE, "").split(os.pathsep) if entry]
    local = [Path(os.path.expanduser(folder)) for folder in (*local_dirs, *named)]  # noqa: PTH111 - takes any user
    locations = [
        *(Location(bundled_root() / name, "bundled", bundled_root()) for name in bundled_names()),
        *(location for folder in local for location in _local(folder)),
        *_cached(),
    ]
    once: dict[str, Location] = {}
    for location in locations:
        once.setdefault(_really(location.path), location)
    return tuple(_entry(location) for location in once.values())


def _local(folder: Path) -> Iterator[Location]:
    """The folder itself if it looks like a checkpoint, and those in it that do."""
    if not os.path.isdir(folder) or _looks_like_checkpoint(folder):  # noqa: PTH112 - pathlib raises on a NUL byte
        yield Location(folder, "local")
        return
    try:
        inside = sorted(folder.iterdir())
    except OSError:  # gone since
        return
    for entry in inside:
        if os.path.isdir(entry) and _looks_like_checkpoint(entry):  # noqa: PTH112
            yield Location(entry, "local")


def _really(path: Path) -> str:
    try:
        return os.path.realpath(path)  # unlike `resolve`, takes a loop of links
    except ValueError:  # a NUL byte
        return str(path)


def _looks_like_checkpoint(folder: Path) -> bool:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return True  # to be listed with the reason why it cannot be read
    return any(name in _SIGNS or name.endswith(".safetensors") for name in names)


def _cached() -> Iterator[Location]:
    for repository in sorted(hub_cache().glob("models--*")):
        snapshot = cached_snapshot(repository.name.removeprefix("models--").replace("--", "/", 1))
        if snapshot is not None:
            yield Location(snapshot, "hub-cache")


def _entry(location: Location) -> CheckpointEntry:
    name = shown(checkpoint_name(location.path))
    try:
        found = survey(location.path, trusted_root=location.trusted_root)
    except Exception as error:  # noqa: BLE001 - whatever one folder raises, the others are listed
        return CheckpointEntry(name, location.path, location.origin, name, "", "", None, sentence_of(error))
    return CheckpointEntry(
        name=name,
        path=location.path,
        origin=location.origin,
        title=found.record.title or name,
        task=found.record.task,
        architecture=found.preflight.architecture,
        preflight=found.preflight,
        problem="",
        limits=found.record.limits,
        trained_on_pairs=found.record.training.get("pairs") is True,
    )
