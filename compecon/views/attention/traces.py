"""Recorded streams of bundled texts: what the page shows before torch is imported, and where there is no model."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from compecon.files.safe_reader import MEGABYTE, read_bytes, read_json
from compecon.paths import assets

if TYPE_CHECKING:
    from compecon.views.attention.frames import Message

_INDEX = "index.json"
_AT = "@"  # between the name of a text and the size of the model
DEFAULT_POLICY = "top-k"


@final
@dataclass(frozen=True)
class TraceKey:
    """What a recording shows: it takes the place of a live sweep only if all of this is the same."""

    checkpoint: str
    text: str
    pair: str = ""
    policy: str = DEFAULT_POLICY
    size: float = 1.0  # of an elastic checkpoint, a share of its MACs

    @property
    def name(self) -> str:
        """File name without its suffix: the checkpoint, a digest of the texts, and the size if it is not the whole."""
        digest = hashlib.sha256("\0".join((self.text, self.pair, self.policy)).encode()).hexdigest()[:12]
        return f"{self.checkpoint}-{digest}{'' if self.size == 1 else f'{_AT}{self.size:g}'}"


def trace_folder() -> Path:
    """Where the bundled recordings are."""
    return assets() / "traces"


def read_index(folder: Path | None = None) -> Mapping[str, str]:
    """Names of the recordings and the digest of the checkpoint each was made with; empty if there is none."""
    file = (folder or trace_folder()) / _INDEX
    return dict(read_json(file, MEGABYTE)) if file.is_file() else {}


def recorded_sizes(name: str, recorded: Iterable[str]) -> dict[float, str]:
    """Names of the recordings at smaller sizes of the model, among those that there are, by size."""
    of = f"{name}{_AT}"
    return {float(each.removeprefix(of)): each for each in sorted(recorded) if each.startswith(of)}


def read_trace(name: str, folder: Path | None = None) -> bytes | None:
    """A recorded stream by its name, or None if the index does not list it: names come from the page."""
    packed = read_packed_trace(name, folder)
    return None if packed is None else gzip.decompress(packed)


def read_packed_trace(name: str, folder: Path | None = None) -> bytes | None:
    """The same as gzip, as it lies on the disk."""
    folder = folder or trace_folder()
    return read_bytes(folder / f"{name}.bin.gz", 64 * MEGABYTE) if name in read_index(folder) else None


def write_trace(key: TraceKey, messages: Iterable[Message], digest: str, folder: Path | None = None) -> Path:
    """Record a complete stream of the checkpoint with this digest, and enter it in the index; returns the file."""
    from compecon.views.attention.frames import encode  # noqa: PLC0415 - NumPy, which reading does not need

    folder = folder or trace_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{key.name}.bin.gz"
    file.write_bytes(gzip.compress(b"".join(map(encode, messages)), 9, mtime=0))  # mtime=0: same input, same bytes
    _write_index({**read_index(folder), key.name: digest}, folder)
    return file


def forget_traces(keep: Collection[str], folder: Path | None = None) -> None:
    """Remove all recordings but those with these names, and their entries."""
    folder = folder or trace_folder()
    index = read_index(folder)
    for name in index.keys() - set(keep):
        (folder / f"{name}.bin.gz").unlink(missing_ok=True)
    _write_index({name: digest for name, digest in index.items() if name in keep}, folder)


def _write_index(index: Mapping[str, str], folder: Path) -> None:
    (folder / _INDEX).write_text(json.dumps(dict(sorted(index.items())), indent=1) + "\n", encoding="utf-8")
