"""For frames, valid and damaged, and for the kept corpus: what invariants.py says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.invariants import websocket
from support.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

CORPUS = sorted((Path(__file__).parent / "corpus" / "websocket").glob("[0-9a-f]*"))

_PAYLOADS = [
    b"", b"hello", "caf\u00e9".encode(), b"\xc3", b"\xa9", b"\xed\xa0\x80", b"\xff", b"\x03\xe8",
    b"\x03\xe8bye",
    b"\x03\xed", b"\x03", b"\x03\xe8\xff", b"a" * 125, b"a" * 126, b"a" * 1024, b"a" * 1025,
    b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\x00",
]  # fmt: skip
frames = st.builds(
    frame,
    st.sampled_from([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG, TEXT, BINARY, 3, 11]),
    st.sampled_from(_PAYLOADS),
    fin=st.sampled_from([True, True, False]),
    rsv=st.sampled_from([0, 0, 0, 0, 4, 1]),
    mask=st.sampled_from([b"\x0f\xf0\xa5\x5a", b"\0\0\0\0", b"\x0f\xf0\xa5\x5a", None]),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A few frames, with a few bytes changed, taken out or put in."""
    data = bytearray(b"".join(draw(st.lists(frames, min_size=1, max_size=6))))
    for _ in range(draw(st.integers(0, 2))):
        where = draw(st.integers(0, len(data)))
        data[where : where + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b"\x7e", b"\x81", b"\xff"])
        )
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 255), streams())
def test_what_holds_for_any_bytes_holds_for_what_is_nearly_a_frame(first, data):
    websocket(bytes((first,)) + data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=100))
def test_it_holds_for_any_bytes(first, data):
    websocket(bytes((first,)) + data)


@pytest.mark.parametrize("path", CORPUS, ids=[path.name for path in CORPUS])
def test_it_holds_for_the_kept_corpus(path):
    websocket(path.read_bytes())
