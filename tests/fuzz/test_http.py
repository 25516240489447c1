# ruff: noqa: E501 - lists of pieces are easier to read in long lines
"""For requests made of pieces, valid and damaged, and for the kept corpus: what invariants.py says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conformance.cases import CASES
from conformance.model import MARKER
from fuzz.http_reading import LIMITS, MODES, read
from fuzz.invariants import cut, http, same

CORPUS = sorted((Path(__file__).parent / "corpus" / "http").glob("[0-9a-f]*"))

_LINES = [
    b"A: b", b"A:", b"Host: other", b"Host : site", b"Content-Length: 5", b"Content-Length: 0", b"content-length:\t7 ",
    b"Content-Length: +5", b"Content-Length: 5, 5", b"Content-Length: 9223372036854775808", b"Content-Length: 5000",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: \x0bchunked",
    b"transfer-encoding:CHUNKED", b"Connection: close", b"Connection: keep-alive", b"Proxy-Connection: close",
    b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"Expect: cake",
    b" folded", b"no colon", b"A: \0", b"A: \xff", b"A" * 300 + b": b", b"A: " + b"b" * 900, b"Trailer: X",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13",
]  # fmt: skip
_STARTS = [
    b"GET / HTTP/1.1", b"POST /a?b HTTP/1.1", b"HEAD / HTTP/1.1", b"POST / HTTP/1.0", b"GET http://a:1/b HTTP/1.1",
    b"OPTIONS * HTTP/1.1", b"POST / HTTP/1.2", b"GET / HTTP/2.0", b"BREW / HTTP/1.1", b"GET  / HTTP/1.1",
    b"GET /" + b"a" * 300 + b" HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"",
]  # fmt: skip
_BODIES = [
    b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", b"0\r\n\r\n", b"-1\r\n\r\n",
    b"00005\r\nhello\r\n0\r\n\r\n", b"5 ;a\r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"1388\r\n" + b"a" * 5000,
    b"1;" + b"a" * 1200 + b"\r\nb\r\n", b"\r\n", b"\r", b"x" * 5000,
]  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, or what is nearly one."""
    lines = draw(st.lists(st.sampled_from(_LINES), max_size=4))
    if draw(st.integers(0, 5)):
        lines.insert(draw(st.integers(0, len(lines))), b"Host: site")
    head = b"\r\n".join((draw(st.sampled_from(_STARTS)), *lines, b"", b""))
    return head + draw(st.sampled_from(_BODIES))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A few requests behind each other, with a few bytes changed, taken out or put in."""
    data = bytearray(b"".join(draw(st.lists(requests(), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, len(data)))
        what = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\0", b" ", b"\t", b":", b"0", b"\r\n", b";", b"\x80"])
        )
        data[where : where + draw(st.integers(0, 2))] = what
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 255), streams())
@example(0, b"GET / HTTP/1.1\r\nHost: site\r\nProxy-Connection: close\r\n\r\n")
@example(0, b"\r\n" * 600 + b"GET / HTTP/1.1\r\nHost: site\r\n\r\n")
def test_what_holds_for_any_bytes_holds_for_what_is_nearly_a_request(first, data):
    http(bytes((first,)) + data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=200))
def test_it_holds_for_any_bytes(first, data):
    http(bytes((first,)) + data)


@pytest.mark.parametrize("mode", range(MODES))
def test_it_holds_for_every_case_of_the_conformance_table(mode):
    for number, case in enumerate(CASES):
        if len(case.data) < 1500:
            http(bytes((mode + MODES * (number % 80),)) + case.data + case.waits + MARKER)


@pytest.mark.parametrize("path", CORPUS, ids=[path.name for path in CORPUS])
def test_it_holds_for_the_kept_corpus(path):
    http(path.read_bytes())


@settings(max_examples=50, deadline=None)
@given(streams(), st.lists(st.integers(0, 4000), max_size=6))
def test_a_client_that_leaves_is_read_the_same_wherever_its_bytes_are_cut(data, places):
    same(read([data], finish=True), read(cut(data, places), finish=True), hasty=False)


@pytest.mark.parametrize(
    "start",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nA: ",
        b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
        b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("filling", [b"a", b"0", b"\r\n"])
def test_what_never_ends_is_refused_at_the_limit(start, filling):
    """It is not kept either: the reading looks at what the connection holds after every piece."""
    pieces = [start, *[filling * 100] * 200] if start else [filling * 100] * 200
    reading = read(pieces)
    assert reading.closed
    assert reading.statuses[-1] in (400, 413, 414, 431)
    assert all(len(request.body) <= LIMITS.body_bytes for request in reading.requests)
