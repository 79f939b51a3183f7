"""The header of a safetensors file, read and checked here so that no tensor is trusted before its place is.

Layout (https://huggingface.co/docs/safetensors): 8 bytes little-endian header length, a JSON header that gives each
tensor's dtype, shape and byte range, then the tensors one after the other without holes or overlaps.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, BinaryIO

from compecon.checkpoints.gate.folder_files import parse_json
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE

BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
FLOATING = frozenset({"F64", "F32", "F16", "BF16"})
# A tensor takes 100 to 200 bytes of a header. This is room for the most layers that a config may have (512), of 40
# tensors each; larger models than that come in shards, each with a header of its own.
HEADER_LIMIT = 4 * MEGABYTE
_MOST_DIMENSIONS = 8
_LARGEST_SIZE = 1 << 48  # of a dimension or an offset


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor lies in a file."""

    name: str  # name in the file
    dtype: str  # as safetensors writes it, such as ``"F16"``
    shape: tuple[int, ...]  # sizes; empty for a scalar
    start: int  # first byte in the file
    end: int  # one past the last byte in the file

    @property
    def count(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


def read_header(stream: BinaryIO, file: str) -> tuple[StoredTensor, ...]:
    """Read and check the header of an open safetensors file, which is left right after it.

    Returns:
        The tensors in the order in which they lie in the file.

    Raises:
        CheckpointError: If the file is truncated or says of a tensor what cannot be true.
    """
    size = os.fstat(stream.fileno()).st_size
    prefix = stream.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > size - 8:
        raise CheckpointError(
            f"{file} is truncated: it has {size:,} bytes but announces a header of {length:,}. Download it again."
        )
    if length > HEADER_LIMIT:
        raise CheckpointError(f"{file} has a header of {length:,} bytes, more than the {HEADER_LIMIT:,} accepted.")
    header = parse_json(stream.read(length), f"The header of {file}")
    _check_framework(header.pop("__metadata__", None), file)
    data = 8 + length
    tensors = sorted(
        (_tensor(name, entry, data, file) for name, entry in header.items()), key=attrgetter("start", "end")
    )
    _check_layout(tensors, data, size, file)
    return tuple(tensors)


def _check_framework(metadata: object, file: str) -> None:
    framework = metadata.get("format", "pt") if isinstance(metadata, dict) else "pt"
    if framework not in ("pt", "mlx"):
        raise CheckpointError(f"{file} was saved for {framework!r}; only files saved by PyTorch are read.")


def _tensor(name: str, entry: Any, data: int, file: str) -> StoredTensor:
    try:
        dtype, shape, (start, end) = str(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file} describes the tensor {name!r} wrongly. Download it again.") from error
    if dtype not in BYTES:
        raise CheckpointError(
            f"{file} holds {name!r} as {dtype!r}; only plain numbers are read, not quantised ones. "
            "Use the checkpoint in float32, float16 or bfloat16."
        )
    numbers = (*shape, start, end)
    if len(shape) > _MOST_DIMENSIONS or not all(type(n) is int and 0 <= n < _LARGEST_SIZE for n in numbers):
        raise CheckpointError(f"{file} gives the tensor {name!r} an impossible size. Download it again.")
    if math.prod(shape) * BYTES[dtype] != end - start:
        raise CheckpointError(
            f"{file} gives {name!r} the shape {shape} of {dtype} but {end - start:,} bytes. Download it again."
        )
    return StoredTensor(name, dtype, shape, data + start, data + end)


def _check_layout(tensors: list[StoredTensor], data: int, size: int, file: str) -> None:
    end = tensors[-1].end if tensors else data
    if end > size:
        raise CheckpointError(
            f"{file} is truncated: its tensors need {end:,} bytes and it has {size:,}. Download it again."
        )
    if end < size or (tensors and tensors[0].start != data) or any(a.end != b.start for a, b in pairwise(tensors)):
        raise CheckpointError(f"{file} has bytes that belong to no tensor, or to two. Download it again.")
