"""The compiled reading of heads: whatever the bytes, the same comes of them as in Python alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.daemon.seam import Peer
from asgid.daemon.wire import compiled as native
from asgid.daemon.wire.http1_head import BadRequest, HeadParser

pytestmark = pytest.mark.skipif(
    native.scan is None, reason="asgid was installed without a C compiler, or with ASGID_PURE=1"
)

PEER = Peer(("192.0.2.7", 5000), ("192.0.2.1", 80), "http")
PLAIN = (
    b"POST /a/b?c=d HTTP/1.1\r\nHost: site:8080\r\nX-Odd:v \t w\t \r\nCookie: \xe4=b\r\nConnection: close\r\n"
    b"Content-Length: 12\r\nA:\r\n\r\n"
)


def verdict(data: bytes, *, compiled: bool, count: int = 128) -> tuple[Any, ...]:
    """All that comes of a head: the refusal, or everything that the connection and the application see."""
    parser = HeadParser(count, native.scan if compiled else None)
    try:
        head = parser.parse(data, PEER)
    except BadRequest as refusal:
        return refusal.status, refusal.why
    framing = parser.framing
    read = (head.method, head.target, head.version, head.headers, head.websocket, head.client)
    if framing is None:
        return read
    facts = (framing.content_length, framing.chunked, framing.keep_alive, framing.expect_continue)
    return *read, *facts


def the_same(data: bytes, count: int = 128) -> bool:
    """Whether it was taken, by both alike."""
    mine = verdict(data, compiled=True, count=count)
    assert mine == verdict(data, compiled=False, count=count), data
    return len(mine) > 2


def scan(data: bytes, count: int = 128) -> Any:
    assert native.scan is not None
    return native.scan(data, count)


def head(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join((start, b"Host: site", *lines, b"", b""))


def test_a_plain_head_is_read_here():
    headers = [
        (b"host", b"site:8080"), (b"x-odd", b"v \t w"), (b"cookie", b"\xe4=b"), (b"connection", b"close"),
        (b"content-length", b"12"), (b"a", b""),
    ]  # fmt: skip
    assert scan(PLAIN) == ("POST", b"/a/b?c=d", headers, b"site:8080", 12, True)
    assert scan(head()) == ("GET", b"/", [(b"host", b"site")], b"site", -1, False)
    assert the_same(PLAIN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_usual_methods_are_read_here(method):
    data = head(start=method.encode() + b" /a HTTP/1.1")
    assert scan(data)[0] == method
    assert the_same(data)


@pytest.mark.parametrize(
    "lines",
    [
        [b"Host: site"], [b"Transfer-Encoding: chunked"], [b"Expect: 100-continue"], [b"Upgrade: websocket"],
        [b"Proxy-Connection: close"], [b"Connection: Upgrade"], [b"Connection: Close"],
        [b"Content-Length: +1"], [b"Content-Length:"], [b"Content-Length: 1", b"Content-Length: 1"],
        [b"Content-Length: 1234567890123456789"], [b"Content-Length: 1 2"], [b"A" * 65 + b": b"],
        [b"A: b", b" folded"], [b"A : b"], [b": b"], [b"A"], [b"A: b\x7f"], [b"A: \0"],
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_python(lines):
    assert scan(head(*lines)) is None
    the_same(head(*lines))


@pytest.mark.parametrize(
    "start",
    [b"GET / HTTP/1.0", b"GET http://site/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"TRACE / HTTP/1.1",
     b"GET /#a HTTP/1.1", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /\xe4 HTTP/1.1", b"GET", b""],
)  # fmt: skip
def test_unusual_request_lines_are_left_to_python(start):
    assert scan(head(start=start)) is None
    if start:
        the_same(head(start=start))


def test_a_head_without_host_is_left_to_python():
    assert scan(b"GET / HTTP/1.1\r\nA: b\r\n\r\n") is None


def test_any_byte_in_any_place():
    taken = 0
    for place in range(len(PLAIN) - 4):
        for byte in range(256):
            data = PLAIN[:place] + bytes((byte,)) + PLAIN[place + 1 :]
            if data.find(b"\r\n\r\n") == len(data) - 4 and not data.startswith(b"\r\n"):
                taken += the_same(data)
    assert taken > 5000


def test_any_byte_in_any_place_of_a_long_value():
    value = b"abcdefgh\xff\x80 ~ijklmnopqrstuv"
    for place in range(len(value)):
        for byte in range(256):
            one = bytes((byte,))
            changed = value[:place] + one + value[place + 1 :]
            taken = scan(head(b"A: " + changed))
            if byte == 9 or (byte >= 32 and byte != 127):
                assert taken[2][1][1] == changed.strip()
            else:
                assert taken is None


def test_nothing_but_the_whole_is_a_head():
    for size in range(len(PLAIN)):
        assert scan(PLAIN[:size]) is None
        assert scan(PLAIN[size + 1 :]) is None
    for behind in (b"\r", b"\r\n", b"\0", b"A", PLAIN):
        assert scan(PLAIN + behind) is None


@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 500])
@pytest.mark.parametrize("limit", [0, 1, 2, 127, 128, 129, 500])
def test_the_limit_on_headers(count, limit):
    data = head(*[b"A: %d" % number for number in range(count - 1)])
    assert the_same(data, limit) == (not limit or count <= limit)
    assert (scan(data, limit) is not None) == (count <= min(limit, 128))


@pytest.mark.parametrize("size", [1, 63, 64, 65, 300, 70_000])
def test_long_names_values_and_targets(size):
    assert the_same(head(b"A" * size + b": v"))
    assert the_same(head(b"A: " + b"v" * size, start=b"GET /" + b"t" * size + b" HTTP/1.1"))
    assert the_same(head(b"A:" + b" " * size + b"v" + b"\t" * size))


def test_names_that_are_known_and_those_that_nearly_are():
    known = scan(head(b"ACCEPT-encoding: a"))[2][1][0]
    assert known == b"accept-encoding"
    assert known is scan(head(b"accept-Encoding: b"))[2][1][0]
    for name in (b"accept", b"user-agent", b"connection", b"content-length", b"te", b"x-forwarded-for"):
        for other in (name[:-1], name + b"s", name[::-1], name[:-1] + b"_", name.replace(b"-", b"_")):
            assert the_same(head(other.title() + b": 1"))


def test_wrong_arguments_are_refused():
    for arguments in [(), (PLAIN,), (PLAIN, 1, 1), ("text", 1), (bytearray(PLAIN), 1), (PLAIN, "1")]:
        with pytest.raises(TypeError):
            native.scan(*arguments)
    with pytest.raises(OverflowError):
        scan(PLAIN, -1)


def test_nothing_is_kept_of_a_head():
    import gc
    import tracemalloc

    tracemalloc.start()
    try:
        for _ in range(3):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(2000):
                scan(PLAIN)
                scan(PLAIN[:-1])
                native.render([(b"a", b"b")])
            gc.collect()
            kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 2000  # bytes: less than one for each head


_names = st.sampled_from(
    [b"Host", b"Connection", b"Content-Length", b"Transfer-Encoding", b"Upgrade", b"Expect", b"Cookie", b"X",
     b"", b"Proxy-Connection", b"host", b"TE", b"X-\xff", b"A b"]
)  # fmt: skip
_values = st.sampled_from(
    [b"site", b"close", b"keep-alive", b"Keep-Alive", b"5", b"05", b"chunked", b"websocket", b"upgrade", b"",
     b" ", b"\t", b"100-continue", b"a\x0bb", b"\xa0", b"\x85x\x85", b"1" * 18, b"1" * 19]
) | st.binary(max_size=6)  # fmt: skip
_lines = st.tuples(_names, st.sampled_from([b": ", b":", b" : ", b":\t", b""]), _values).map(b"".join)
_starts = st.sampled_from(
    [b"GET / HTTP/1.1", b"POST /a?b HTTP/1.1", b"HEAD //x HTTP/1.1", b"GET / HTTP/1.0",
     b"GET http://a/ HTTP/1.1"]
) | st.binary(max_size=20).map(lambda target: b"GET /" + target + b" HTTP/1.1")  # fmt: skip
_heads = st.tuples(_starts, st.lists(st.just(b"Host: site") | _lines, max_size=6)).map(
    lambda pair: b"\r\n".join((pair[0], *pair[1], b"", b""))
)


@settings(max_examples=2000, deadline=None)
@given(_heads | st.binary(max_size=40).map(lambda data: data + b"\r\n\r\n"))
def test_whatever_is_nearly_a_head(data):
    data = data[: data.find(b"\r\n\r\n") + 4]
    if not data.startswith(b"\r\n"):
        the_same(data)
