"""The digest of a checkpoint without loading it: the same one that `load_checkpoint` takes. Loads without torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from compecon.checkpoints.digest import combined, sha256_of
from compecon.checkpoints.files import open_regular
from compecon.checkpoints.intake import survey
from compecon.checkpoints.locate import locate


def digest_of(source: str | Path) -> str:
    """Short digest of everything that would be loaded; 45 MB take a tenth of a second, and no time the second time.

    Args:
        source: As for `load_checkpoint`.

    Raises:
        CheckpointError: If there is no such checkpoint, or it would be refused.
        UnsupportedModelError: If it is of a kind that is not supported.
    """
    place = locate(source)
    found = survey(place.path, trusted_root=place.trusted_root)
    weights = {file.name: _sha256(file.path, *_stamp(file.path)) for file in found.weights}
    return combined({**dict(found.small_files), **weights})


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1024)
def _sha256(path: Path, _changed: int, _size: int) -> str:
    with open_regular(path) as stream:
        return sha256_of(stream)
