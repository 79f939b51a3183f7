"""What passes between the server and a process of models: questions as lines of JSON, answers as bytes.

::

    question  one line: {"id": 7, "ask": "sweep" | "latency" | "load" | "unload" | "cancel", ...}
    answer    u64 id of the question | u32 bytes that follow, 0 at its end | a message of a stream, or JSON
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import IO, Any

_HEAD = struct.Struct("<QI")
# The id of what the process says unasked: {"devices": what the machine has, the best first} after a load, and
# {"alive": true} every `BEAT_S` seconds after the first one.
NEWS = 0
BEAT_S = 1.0
STUCK = 75  # the process ends with this code if a step takes longer than it can


def question(number: int, ask: str, **fields: Any) -> bytes:
    """A question's line."""
    return json.dumps({"id": number, "ask": ask, **fields}).encode("ascii") + b"\n"


def answer(number: int, data: bytes) -> bytes:
    """A part of an answer; no bytes end it."""
    return _HEAD.pack(number, len(data)) + data


def answers(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Parts as they come, until the other side ends."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        number, size = _HEAD.unpack(head)
        data = stream.read(size)
        if len(data) < size:
            return
        yield number, data
