"""Reading files of a folder that may be hostile: plain names, regular files, links that stay inside, size caps."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from compecon.errors import CheckpointError
from compecon.files.safe_reader import is_valid_text, open_file, parse_object, read_stream, shown

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")


@dataclass(frozen=True)
class Root:
    """A folder of which files may be read, and where its symbolic links may lead."""

    folder: Path  # the folder, with every link in its own path resolved
    # folders in which a file may really lie: the folder itself, and those of the Hub cache it belongs to
    targets: tuple[Path, ...]

    def names(self) -> tuple[str, ...]:
        """Names of everything in the folder, sorted."""
        try:
            return tuple(sorted(entry.name for entry in self.folder.iterdir()))
        except OSError as error:
            why = error.strerror
            raise CheckpointError(f"{shown(self.folder)} cannot be read: {why}. Check its permissions.") from error

    def has(self, name: str) -> bool:
        """Whether the folder has an entry of that name, readable or not."""
        return os.path.lexists(self.folder / name)

    def locate(self, name: str) -> Path:
        """Where a file of this plain name really is: a regular file that no link leads out of the folder."""
        if not is_plain_name(name):
            raise CheckpointError(f"{name!r} is not a plain file name; a checkpoint may only name files of its folder.")
        return contained(self.folder / name, self.targets)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading, once, so that what was checked is what is read."""
        with open_regular(self.locate(name)) as stream:
            yield stream

    def read(self, name: str, limit: int) -> bytes:
        """Content of a file of at most ``limit`` bytes."""
        with self.open(name) as stream:
            return read_stream(stream, limit, name, error=CheckpointError)


def open_root(path: str | Path, trusted_root: Path | None = None) -> Root:
    """The root of a checkpoint; CheckpointError if there is no such folder.

    Files may be shared between checkpoints in `trusted_root`, a folder of our own: that of the bundled checkpoints.
    """
    try:
        folder = Path(path).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # absent, a NUL byte, a loop of links
        raise CheckpointError(
            f"There is no folder {str(path)[:200]!r}. Give the folder that holds config.json."
        ) from error
    if not folder.is_dir():
        raise CheckpointError(f"{shown(folder)} is a file, not a folder. Give the folder that holds config.json.")
    if not is_valid_text(str(folder)):  # tokenizers, protobuf and the address bar all take UTF-8 only
        raise CheckpointError(f"The name of {shown(folder)} is not UTF-8. Rename the folder.")
    shared = (trusted_root.resolve(),) if trusted_root else ()
    return Root(folder, (folder, *shared, *_hub_cache_stores(folder)))


def _hub_cache_stores(folder: Path) -> tuple[Path, ...]:
    """Where the Hub cache keeps the content of ``models--<id>/snapshots/<commit>``, whose files are links to it.

    The stores are not resolved on purpose: were one of them a link itself, nothing would count as lying inside it.
    """
    repository = folder.parent.parent
    if folder.parent.name != "snapshots" or not repository.name.startswith("models--"):
        return ()
    return (repository / "blobs", repository.parent / "blobs")


def is_plain_name(name: object) -> bool:
    """Whether this is the name of a file in a folder, without path, drive or control characters."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def contained(path: Path, targets: tuple[Path, ...]) -> Path:
    """Resolve a path and refuse what is not a regular file inside one of the targets."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        where = shown(path.parent)
        raise CheckpointError(f"{path.name} is missing from {where}, or is a broken link.") from error
    if not any(real.is_relative_to(target) for target in targets):
        raise CheckpointError(
            f"{path.name} leads out of its folder, to {shown(real)}. Copy the file itself into the folder."
        )
    if not stat.S_ISREG(real.stat().st_mode):
        raise CheckpointError(f"{path.name} is not a regular file (a pipe, a device or a folder). Replace it.")
    return real


@contextmanager
def open_regular(real: Path) -> Iterator[BinaryIO]:
    """Open a resolved path, refusing what has taken its place since (a link, or a pipe that would block)."""
    try:
        with open_file(real, error=CheckpointError, follow=False) as stream:
            yield stream
    except OSError as error:
        raise CheckpointError(f"{shown(real.name)} cannot be read: {error.strerror}. Check its permissions.") from error


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """A JSON object that `compecon.files.safe_reader.parse_json` accepts; CheckpointError for anything else."""
    return parse_object(content, name, error=CheckpointError)
