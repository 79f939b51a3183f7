"""Messages between a process and its child: JSON, and safetensors for arrays, never pickle.

::

    message  u32 bytes of JSON | u64 bytes of arrays | JSON: an object | arrays: a safetensors file, or nothing
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from compecon.files.safe_reader import parse_object

_SIZES = struct.Struct("<IQ")


class MessageError(ValueError):
    """The other side ended, or sent something that is not a message or too long."""


@final
@dataclass(frozen=True)
class Message:
    """JSON values and arrays, each by name."""

    body: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def send(stream: IO[bytes], message: Message) -> None:
    """Write a message; a number that is not finite is a ValueError."""
    body = json.dumps(dict(message.body), allow_nan=False).encode("ascii")
    arrays = save({name: np.ascontiguousarray(array) for name, array in message.arrays.items()})
    stream.write(_SIZES.pack(len(body), len(arrays)))
    stream.write(body)
    stream.write(arrays)
    stream.flush()


def receive(stream: IO[bytes], most_bytes: int) -> Message:
    """Read a message of at most so many bytes."""
    n_body, n_arrays = _SIZES.unpack(_exactly(stream, _SIZES.size))
    if n_body + n_arrays > most_bytes:
        raise MessageError(f"its answer has {n_body + n_arrays:,} bytes, more than the {most_bytes:,} accepted")
    body, arrays = _exactly(stream, n_body), _exactly(stream, n_arrays)
    try:
        return Message(parse_object(body, "It"), load(arrays))
    except (ValueError, TypeError, SafetensorError) as error:
        raise MessageError("its answer is damaged") from error


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise MessageError("it ended")
    return content
