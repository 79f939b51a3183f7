"""The bytes of the canvas: what is written is read back, wherever a stream is cut, and arrays are aligned."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from compecon.views.attention.frames import Message, decode, encode

_NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name not in {"kind", "arrays"})
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_ARRAYS = hnp.arrays(
    st.sampled_from([np.float16, np.float32, np.uint8]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["open", "frame", "arm", "done", "error"]),
    st.dictionaries(_NAMES, _JSON, max_size=4),
    st.dictionaries(_NAMES, _ARRAYS, max_size=3),
)


def same(one: Message, other: Message) -> bool:
    """Equal to the bit: NaN equals NaN, and -0 is not 0."""
    arrays = [(a.dtype, a.shape, a.tobytes()) for a in one.arrays.values()]
    return (one.kind, one.fields, list(one.arrays), arrays) == (
        other.kind,
        other.fields,
        list(other.arrays),
        [(a.dtype, a.shape, a.tobytes()) for a in other.arrays.values()],
    )


@given(st.lists(MESSAGES, max_size=4))
def test_a_stream_is_read_back_as_it_was_written(messages: list[Message]) -> None:
    read = list(decode(b"".join(map(encode, messages))))
    assert len(read) == len(messages)
    assert all(same(one, other) for one, other in zip(read, messages, strict=True))


@given(MESSAGES)
def test_every_array_starts_at_a_multiple_of_four(message: Message) -> None:
    data = encode(message)
    length, header_length = struct.unpack_from("<II", data)
    header = json.loads(data[8 : 8 + header_length])
    at = 4 + -(-header_length // 4) * 4  # from the start of the body, which the page copies to an aligned buffer
    for spec in header["arrays"]:
        array = message.arrays[spec["name"]]
        assert at % 4 == 0
        assert data[4 + at : 4 + at + array.nbytes] == array.tobytes()
        at = -(-(at + array.nbytes) // 4) * 4
    assert (len(data), at) == (4 + length, length)


@given(MESSAGES, st.data())
def test_a_stream_that_was_cut_short_is_refused(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ValueError, match="ends inside a message"):
        list(decode(encode(Message("open")) + whole[:cut]))


def test_the_messages_before_a_cut_are_still_read() -> None:
    stream = decode(encode(Message("open", {"n": 1})) + encode(Message("done"))[:-1])
    assert next(stream).fields == {"n": 1}
    with pytest.raises(ValueError, match="ends inside a message"):
        next(stream)


@pytest.mark.parametrize(
    "header",
    [b"{}", b"[]", b"nonsense", b'{"kind": "open"}', b'{"arrays": []}', b'{"kind": "open", "arrays": 3}',
     b'{"kind": "x", "arrays": [{"name": "a", "dtype": "int64", "shape": [1]}]}',
     b'{"kind": "x", "arrays": [{"name": "a", "dtype": "float32", "shape": [9]}]}',
     b'{"kind": "x", "arrays": [{"name": "a", "dtype": "float32", "shape": [-1]}]}'],
)  # fmt: skip
def test_bytes_that_are_no_stream_are_refused(header: bytes) -> None:
    body = struct.pack("<I", len(header)) + header + b"\0" * (-len(header) % 4)
    with pytest.raises(ValueError, match=r"."):
        list(decode(struct.pack("<I", len(body)) + body))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_field_that_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(Message("frame", {"change": value}))


def test_an_array_of_another_dtype_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"array 'weights' must be one of .* got float64"):
        encode(Message("frame", arrays={"weights": np.zeros(2)}))  # type: ignore[dict-item]


def test_an_array_that_is_not_contiguous_travels_in_its_own_order() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    [message] = decode(encode(Message("frame", arrays={"a": array})))
    np.testing.assert_array_equal(message.arrays["a"], array)
