"""Plain WebSocket frames (RFC 6455 5.2): taken apart and put together, compiled and in Python, the same.

What the frames hold is counted here byte by byte, without asgid's own code.
"""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgid.daemon.wire import compiled, websocket_frames
from asgid.daemon.wire.websocket_engine import unmasker
from asgid.daemon.wire.websocket_frames import put_in_python, take_message_in_python, take_packed_in_python

LIMIT = 1 << 63
MASK = b"\x01\x80\xff\x5a"
PYTHON_ALONE = pytest.mark.skipif(
    compiled.take_message is None, reason="asgid was installed without a C compiler, or with ASGID_PURE=1"
)


def take_in_python(data: bytes, at: int, limit: int = LIMIT) -> object:
    return take_message_in_python(unmasker(), data, at, limit)


def packed_in_python(data: bytes, at: int, limit: int = LIMIT) -> object:
    return take_packed_in_python(unmasker(), data, at, limit)


def take_compiled(data: bytes, at: int, limit: int = LIMIT) -> object:
    assert compiled.take_message is not None
    return compiled.take_message(data, at, limit)


def packed_compiled(data: bytes, at: int, limit: int = LIMIT) -> object:
    assert compiled.take_packed is not None
    return compiled.take_packed(data, at, limit)


def put_compiled(message: object) -> object:
    assert compiled.put_message is not None
    return compiled.put_message(message)


TAKERS = [take_in_python, pytest.param(take_compiled, marks=PYTHON_ALONE)]
PACKED_TAKERS = [packed_in_python, pytest.param(packed_compiled, marks=PYTHON_ALONE)]
PUTTERS = [put_in_python, pytest.param(put_compiled, marks=PYTHON_ALONE)]


def head(first: int, length: int, form: int = 0, masked: int = 0x80) -> bytes:
    """A frame's head in its minimal form, or in that of 16 or 64 bits."""
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    if form == 7:
        return bytes((first, masked | length))
    return struct.pack("!BBH" if form == 16 else "!BBQ", first, masked | (126 if form == 16 else 127), length)


def frame(first: int, payload: bytes, form: int = 0) -> bytes:
    return (
        head(first, len(payload), form) + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))
    )


LENGTHS = (
    *range(20),
    124,
    125,
    126,
    127,
    128,
    199,
    200,
    201,
    255,
    256,
    4095,
    4096,
    4097,
    65535,
    65536,
    70_001,
)


@pytest.mark.parametrize("take", TAKERS)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_message_of_any_length_is_taken_from_between_others(take, length):
    payload = bytes(i * 7 % 128 for i in range(length))
    before, after = frame(0x82, b"before"), frame(0x81, b"after")
    data = before + frame(0x82, payload) + after
    end = len(data) - len(after)
    assert take(data, len(before)) == (payload, end)
    data = before + frame(0x81, payload) + after
    assert take(data, len(before)) == (payload.decode(), end)
    assert take(data, end) == ("after", len(data))


@pytest.mark.parametrize("take", PACKED_TAKERS)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_compressed_payload_is_taken_as_it_is(take, length):
    payload = bytes(i * 7 % 256 for i in range(length))
    for first in (0xC1, 0xC2):
        data = b"??" + frame(first, payload) + b"?"
        assert take(data, 2) == (payload, len(data) - 1)


@pytest.mark.parametrize("take", TAKERS)
def test_text_is_utf_8_and_nothing_else(take):
    for text in ("grün", "日本", "\U0001f600" * 2000, "a" * 5000 + "é", "\x00"):
        data = frame(0x81, text.encode())
        assert take(data, 0) == (text, len(data))
    for wrong in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a" * 5000 + b"\x80"):
        assert take(frame(0x81, wrong), 0) is None
        assert take(frame(0x82, wrong), 0) == (wrong, len(frame(0x82, wrong)))


@pytest.mark.parametrize(("take", "usual"), [
    (take_in_python, (0x81, 0x82)), (packed_in_python, (0xC1, 0xC2)),
    pytest.param(take_compiled, (0x81, 0x82), marks=PYTHON_ALONE),
    pytest.param(packed_compiled, (0xC1, 0xC2), marks=PYTHON_ALONE),
])  # fmt: skip
def test_of_all_first_bytes_two_are_plain(take, usual):
    for first in range(256):
        assert (take(frame(first, b"hello"), 0) is not None) == (first in usual), hex(first)


@pytest.mark.parametrize("take", [*TAKERS, *PACKED_TAKERS])
def test_what_is_not_whole_masked_minimal_and_within_the_limit_is_left(take):
    first = 0xC2 if "packed" in take.__name__ else 0x82
    for length in (0, 1, 125, 126, 65535, 65536):
        whole = frame(first, bytes(length))
        for cut in {*range(min(len(whole), 20)), len(whole) - 1}:
            assert take(whole[:cut] if cut else b"\x00", 0) is None, (length, cut)
        assert take(whole, 0, length) is not None
        assert length == 0 or take(whole, 0, length - 1) is None
        assert take(head(first, length, masked=0) + bytes(4 + length), 0) is None
    for length, form in ((0, 16), (125, 16), (0, 64), (125, 64), (126, 64), (65535, 64)):
        assert take(frame(first, bytes(length), form), 0) is None
    for length in (1 << 63, (1 << 64) - 1, (1 << 32) - 1, (1 << 32)):  # RFC 6455 5.2; beyond what there is
        assert take(head(first, length, 64) + MASK + bytes(100), 0) is None


@pytest.mark.parametrize("put", PUTTERS)
@pytest.mark.parametrize("length", [n for n in LENGTHS if n < 65536])
def test_a_message_is_put_into_one_frame(put, length):
    payload = bytes(i * 7 % 128 for i in range(length))
    assert put(payload) == head(0x82, length, masked=0) + payload
    assert put(payload.decode()) == head(0x81, length, masked=0) + payload
    text = "é" * (length // 2)
    assert put(text) == head(0x81, length // 2 * 2, masked=0) + text.encode()


@pytest.mark.parametrize("put", PUTTERS)
def test_what_is_long_or_no_message_is_not_put(put):
    for message in (bytes(65536), "a" * 65536, "é" * 32768, bytearray(b"a"), memoryview(b"a"), None, 5):
        assert put(message) is None
    with pytest.raises(UnicodeEncodeError):
        put("\ud800")


def test_the_wire_uses_what_is_compiled_where_it_is():
    assert websocket_frames.put_message is (compiled.put_message or put_in_python)
    if compiled.take_message is not None:
        assert websocket_frames.takers(unmasker()) == (compiled.take_message, compiled.take_packed)


@PYTHON_ALONE
@settings(max_examples=500, deadline=None)
@example(b"\x81\xfe\x00\x7e" + MASK + bytes(126), 0, LIMIT)
@example(b"\x81\xff" + bytes(12), 0, 0)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda first, payload, form, rest: frame(first, payload, form) + rest,
            st.sampled_from([0x81, 0x82, 0xC1, 0xC2, 0x01, 0x89, 0xA1, 0x91]),
            st.binary(max_size=300),
            st.sampled_from([0, 16, 64]),
            st.binary(max_size=20),
        ),
    ).filter(bool),
    st.integers(0, 30),
    st.sampled_from([LIMIT, 0, 1, 125, 126, 200]),
)
def test_both_read_any_bytes_alike(data, at, limit):
    at = min(at, len(data) - 1)
    kept = bytes(bytearray(data))
    assert take_compiled(data, at, limit) == take_in_python(data, at, limit)
    assert packed_compiled(data, at, limit) == packed_in_python(data, at, limit)
    assert data == kept


@PYTHON_ALONE
@pytest.mark.parametrize("take", [compiled.take_message, compiled.take_packed])
def test_wrong_arguments_are_told(take):
    for arguments in ((b"a", 0), (b"a", 0, 1, 2), ("a", 0, 1), (b"a", -1, 1), (b"a", 0, "1"), (b"a", 0, -1)):
        with pytest.raises((TypeError, OverflowError)):
            take(*arguments)
    assert take(frame(0x82, b"hello"), 1000, LIMIT) is None
