"""The bytes that carry one text's attention to the page: a stream of messages, live or recorded.

A message is a header of plain JSON and named arrays. Layout, little-endian::

    u32 length of what follows | u32 length of the header | header (UTF-8 JSON) | zeros up to a multiple of 4 | arrays

The header's ``arrays`` lists ``{"name", "dtype", "shape"}``; each array starts at a multiple of 4. What the kinds of
messages hold: compecon/README.md, "The stream".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from compecon.files.safe_reader import parse_json

Array: TypeAlias = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.uint8]
FORMAT = 1
_DTYPES = {"float16": np.float16, "float32": np.float32, "uint8": np.uint8}
_ALIGN = 4


@final
@dataclass(frozen=True, eq=False)
class Message:
    """One message of a stream."""

    kind: str  # ``open``, ``frame``, ``arm``, ``done``, ``latency``, ``error`` or ``waiting``
    fields: Mapping[str, Any] = field(default_factory=dict)  # JSON-able values
    arrays: Mapping[str, Array] = field(default_factory=dict)  # named numeric arrays of dtype float16, float32 or uint8


def encode(message: Message) -> bytes:
    """Turn a message into bytes.

    Raises:
        ValueError: If an array's dtype is not float16, float32 or uint8, or a field is NaN or not JSON.
    """
    specs, parts = [], []
    for name, array in message.arrays.items():
        if array.dtype.name not in _DTYPES:
            raise ValueError(f"array {name!r} must be one of {sorted(_DTYPES)}, got {array.dtype.name}.")
        specs.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
        parts.append(_padded(np.ascontiguousarray(array).tobytes()))
    header = json.dumps(
        {"kind": message.kind, **message.fields, "arrays": specs}, allow_nan=False, separators=(",", ":")
    ).encode()
    # the body starts 8 + len(header) bytes in: pad so that every array is aligned from the start of the message
    body = struct.pack("<I", len(header)) + _padded(header) + b"".join(parts)
    return struct.pack("<I", len(body)) + body


def decode(data: bytes) -> Iterator[Message]:
    """Read the messages of a complete stream.

    Raises:
        ValueError: If the bytes are cut short or are not such a stream.
    """
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise ValueError(f"the stream ends inside a message at byte {at} of {len(data)}.")
        length, header_length = struct.unpack_from("<II", data, at)
        end = at + 4 + length
        if end > len(data) or header_length > length:
            raise ValueError(f"the stream ends inside a message at byte {at} of {len(data)}.")
        try:
            message = _message(data[at + 8 : end], header_length)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"the message at byte {at} is not of this format: {error!r}.") from error
        yield message
        at = end


def _message(body: bytes, header_length: int) -> Message:
    header = parse_json(body[:header_length], "The header of a message")
    at = _aligned(header_length)
    arrays: dict[str, Array] = {}
    for spec in header.pop("arrays"):
        if any(size < 0 for size in spec["shape"]):  # numpy would read -1 as "whatever is left"
            raise ValueError(f"array {spec['name']!r} has shape {spec['shape']}.")
        dtype = np.dtype(_DTYPES[spec["dtype"]])
        count = int(np.prod(spec["shape"], dtype=np.int64))
        arrays[spec["name"]] = np.frombuffer(body, dtype, count, at).reshape(spec["shape"])
        at = _aligned(at + count * dtype.itemsize)
    return Message(header.pop("kind"), header, arrays)


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // _ALIGN) * _ALIGN


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (_aligned(len(data)) - len(data))
