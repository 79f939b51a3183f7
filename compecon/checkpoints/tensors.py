"""Reading the tensors of checked safetensors files in one pass, which also takes their digest and refuses NaN."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import BinaryIO

import torch
from torch import Tensor

from compecon.checkpoints.gate.folder_files import open_regular
from compecon.checkpoints.gate.intake import Survey
from compecon.checkpoints.gate.record import check_recorded, combined
from compecon.checkpoints.gate.safetensors_header import StoredTensor, read_header
from compecon.checkpoints.gate.weight_files import WeightFile
from compecon.errors import CheckpointError, UnwantedError

_DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def read_tensors(survey: Survey, wanted: Callable[[], bool] = lambda: True) -> tuple[dict[str, Tensor], str]:
    """Read every tensor of a surveyed checkpoint, as long as it is `wanted`, which is asked before each.

    The header is read again from the same open file as the tensors, so that a file exchanged since the survey is
    refused, and the digest is that of the very bytes that were loaded.

    Returns:
        Tensors by name, as stored; and the short digest of the whole checkpoint.

    Raises:
        CheckpointError: If a file changed, does not match its recorded digest, or holds NaN or an infinity.
        UnwantedError: If it is not wanted any more.
    """
    tensors: dict[str, Tensor] = {}
    digests = dict(survey.small_files)
    for file in survey.weights:
        stored, digests[file.name] = _read_file(file, wanted)
        check_recorded(file.name, digests[file.name], file.sha256)
        tensors |= {name: stored[inside] for name, inside in file.wanted.items()}
    return tensors, combined(digests)


def _read_file(file: WeightFile, wanted: Callable[[], bool]) -> tuple[dict[str, Tensor], str]:
    """All tensors of a file, which lie one after the other up to its end; and the sha256 of the file."""
    tensors = {}
    with open_regular(file.path) as stream:
        if read_header(stream, file.name) != file.tensors:
            raise CheckpointError(
                f"{file.name} changed while it was being loaded. Try again when nothing writes to it."
            )
        header_length = stream.tell()
        stream.seek(0)
        state = hashlib.sha256(stream.read(header_length))
        for stored in file.tensors:
            require_wanted(wanted)
            tensors[stored.name], content = _read(stream, stored, file.name)
            state.update(content)
    return tensors, state.hexdigest()


def require_wanted(wanted: Callable[[], bool]) -> None:
    """Raise UnwantedError if a load is not wanted any more."""
    if not wanted():
        raise UnwantedError("Nobody waits for this checkpoint any more.")


def _read(stream: BinaryIO, stored: StoredTensor, file: str) -> tuple[Tensor, memoryview]:
    """The tensor at the current position of the stream, and a view of its bytes."""
    size = stored.end - stored.start
    memory = torch.empty(size, dtype=torch.uint8)
    content: memoryview = memory.numpy().data
    if stream.readinto(content) != size:  # type: ignore[attr-defined]  # BinaryIO lacks what every binary file has
        raise CheckpointError(f"{file} became shorter while it was being loaded. Download it again.")
    values = memory.view(_DTYPES[stored.dtype]).view(stored.shape) if size else torch.empty(stored.shape)
    if values.is_floating_point() and not _all_finite(values):
        raise CheckpointError(
            f"The weights {stored.name!r} in {file} hold NaN or an infinity. Training diverged or the file is damaged; "
            "use an earlier checkpoint."
        )
    return values, content


def _all_finite(values: Tensor) -> bool:
    if values.numel() == 0:
        return True
    lowest, highest = torch.aminmax(values)  # both are NaN if any value is; unlike isfinite() this builds no mask
    return math.isfinite(lowest.item()) and math.isfinite(highest.item())
