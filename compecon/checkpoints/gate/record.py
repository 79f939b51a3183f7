"""``compecon.json``, what a checkpoint made by compecon says about itself: title, task, measures, checksums."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compecon.checkpoints.gate.folder_files import Root, is_plain_name, parse_json
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE

RECORD = "compecon.json"
SHORT = 12  # hexadecimal digits of a digest
_SHARED_FILE = re.compile(r"\.\./[A-Za-z0-9_][A-Za-z0-9_-]*/[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SharedTensor:
    """A tensor stored once for several bundled checkpoints."""

    file: str  # relative path in the same bundle: ``../shared/<name>.safetensors``, or another checkpoint's file
    tensor: str  # name in that file
    sha256: str  # of that file's content


@dataclass(frozen=True)
class Record:
    """Content of ``compecon.json``; an empty one for a folder without it."""

    title: str = ""  # for a list, one line
    task: str = ""  # such as ``"sentiment"``
    metrics: tuple[Mapping[str, Any], ...] = ()  # measured figures with their intervals, as written
    limits: str = ""  # what it cannot do: a sentence or two
    # how the model came about, such as target, price and seed, as written
    training: Mapping[str, Any] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)  # file name to the digest of its content
    # tensor name to where it is stored; only the bundled checkpoints may use it
    shared: Mapping[str, SharedTensor] = field(default_factory=dict)


def read_record(root: Root, *, trusted: bool) -> Record:
    """Read ``compecon.json`` of a folder, if it has one.

    Raises:
        CheckpointError: If it is malformed, or shares tensors although the folder is not a `trusted` one of ours.
    """
    if not root.has(RECORD):
        return Record()
    content = parse_json(root.read(RECORD, MEGABYTE), RECORD)
    if content.get("schema") != 1:
        raise CheckpointError(f"{RECORD} has schema {content.get('schema')!r}; this version reads schema 1.")
    shared = _object(content, "shared")
    if shared and not trusted:
        raise CheckpointError(
            f"{RECORD} takes tensors from other files, which only bundled checkpoints may do. Save a stand-alone copy."
        )
    metrics = listed if isinstance(listed := content.get("metrics"), list) else []
    return Record(
        title=str(content.get("title", ""))[:200],
        task=str(content.get("task", ""))[:100],
        metrics=tuple(entry for entry in metrics if isinstance(entry, dict)),
        limits=str(content.get("limits", ""))[:600],
        training=training if isinstance(training := content.get("training"), dict) else {},
        sha256=_checksums(_object(content, "sha256")),
        shared={name: _shared(name, entry) for name, entry in shared.items()},
    )


def _object(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise CheckpointError(f"{RECORD} has {key!r} as a {type(value).__name__} where an object was expected.")
    return value


def _checksums(entries: Mapping[str, Any]) -> dict[str, str]:
    for name, digest in entries.items():
        if not is_plain_name(name) or not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
            raise CheckpointError(f"{RECORD} has a malformed sha256 entry for {name!r}.")
    return dict(entries)


def _shared(name: str, entry: Any) -> SharedTensor:
    try:
        shared = SharedTensor(str(entry["file"]), str(entry["tensor"]), str(entry["sha256"]))
    except (TypeError, KeyError) as error:
        raise CheckpointError(f"{RECORD} describes the shared tensor {name!r} wrongly.") from error
    if _SHARED_FILE.fullmatch(shared.file) is None or _SHA256.fullmatch(shared.sha256) is None:
        raise CheckpointError(f"{RECORD} describes the shared tensor {name!r} wrongly.")
    return shared


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
