"""Reading files of a folder that may be hostile: plain names, regular files, links that stay inside, size caps."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from compecon.errors import CheckpointError

MEGABYTE = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")


@dataclass(frozen=True)
class Root:
    """A folder of which files may be read, and where its symbolic links may lead.

    Attributes:
        folder: The folder, with every link in its own path resolved.
        targets: Folders in which a file may really lie: the folder itself, and those of the Hub cache it belongs to.
    """

    folder: Path
    targets: tuple[Path, ...]

    def names(self) -> tuple[str, ...]:
        """Names of everything in the folder, sorted."""
        try:
            return tuple(sorted(entry.name for entry in self.folder.iterdir()))
        except OSError as error:
            raise CheckpointError(f"{self.folder} cannot be read: {error.strerror}. Check its permissions.") from error

    def has(self, name: str) -> bool:
        """Whether the folder has an entry of that name, be it readable or not."""
        return os.path.lexists(self.folder / name)

    def locate(self, name: str) -> Path:
        """Where a file really is.

        Raises:
            CheckpointError: If the name is not a plain file name, or leads out of the folder, or is not a regular file.
        """
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
            size = os.fstat(stream.fileno()).st_size
            if size > limit:
                raise CheckpointError(
                    f"{name} has {size:,} bytes, more than the {limit:,} accepted. "
                    "Use a folder written by save_pretrained."
                )
            return stream.read(limit)


def open_root(path: str | Path, trusted_root: Path | None = None) -> Root:
    """Look at a folder as the root of a checkpoint.

    Args:
        path: The folder.
        trusted_root: A folder of our own (the bundled checkpoints) in which files may be shared between checkpoints.

    Raises:
        CheckpointError: If there is no such folder.
    """
    try:
        folder = Path(path).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # absent, a NUL byte, a loop of links
        raise CheckpointError(
            f"There is no folder {str(path)[:200]!r}. Give the folder that holds config.json."
        ) from error
    if not folder.is_dir():
        raise CheckpointError(f"{path} is a file, not a folder. Give the folder that holds config.json.")
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
    """Whether this is the name of a file in a folder, with no path, drive or control character in it."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def contained(path: Path, targets: tuple[Path, ...]) -> Path:
    """Resolve a path and make sure that it is a regular file inside one of the targets.

    Raises:
        CheckpointError: If it is not.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(f"{path.name} is missing from {path.parent}, or is a broken link.") from error
    if not any(real.is_relative_to(target) for target in targets):
        raise CheckpointError(f"{path.name} leads out of its folder, to {real}. Copy the file itself into the folder.")
    if not stat.S_ISREG(real.stat().st_mode):
        raise CheckpointError(f"{path.name} is not a regular file (a pipe, a device or a folder). Replace it.")
    return real


@contextmanager
def open_regular(real: Path) -> Iterator[BinaryIO]:
    """Open a resolved path, refusing what was put in its place since (a link, or a pipe that would block)."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(real, flags)
    except OSError as error:
        raise CheckpointError(f"{real.name} cannot be opened: {error.strerror}. Check its permissions.") from error
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CheckpointError(f"{real.name} is not a regular file (a pipe, a device or a folder). Replace it.")
        yield stream


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: If it is not JSON, not an object, or nested so deeply that reading it would exhaust the stack.
    """
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise CheckpointError(
            f"{name} is nested too deeply to be read. Use a folder written by save_pretrained."
        ) from error
    except ValueError as error:  # also covers bytes that are not UTF-8
        raise CheckpointError(f"{name} is not valid JSON ({error}). Download or save the checkpoint again.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{name} holds a {type(value).__name__} where a JSON object was expected.")
    return value
