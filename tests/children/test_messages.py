"""Messages are read as they were written, or not at all."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from compecon.children.messages import Message, MessageError, receive, send


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.none(), max_size=4), st.integers(0, 40))
def test_a_message_is_read_as_it_was_written_or_not_at_all(body: dict[str, object], cut: int) -> None:
    stream = io.BytesIO()
    send(stream, Message(body, {"a": np.arange(4)}))
    written = stream.getvalue()
    found = receive(io.BytesIO(written), len(written))
    assert found.body == body
    assert found.arrays["a"].tolist() == [0, 1, 2, 3]
    for damaged in (written[: len(written) - cut - 1], written[:12] + b"\xff" + written[13:]):
        with pytest.raises(MessageError):
            receive(io.BytesIO(damaged), len(written))
    with pytest.raises(MessageError):
        receive(io.BytesIO(written), 12)


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"{", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": 1, "a": 2}', b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}"],
)
def test_what_no_reader_of_ours_accepts_is_no_message(body: bytes) -> None:
    arrays = save({})
    written = struct.pack("<IQ", len(body), len(arrays)) + body + arrays
    with pytest.raises(MessageError):
        receive(io.BytesIO(written), len(written))
