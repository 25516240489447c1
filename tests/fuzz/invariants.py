"""What holds for any bytes; each check raises AssertionError where it does not."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from conformance.relay import read_request
from fuzz import websocket_reading
from fuzz.http_reading import HASTY, MODES, READS, Reading, Request, read, read_by_h11

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABSOLUTE = re.compile(rb"https?://[^/?]*", re.IGNORECASE)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in pieces, cut at ``places`` (of any size)."""
    cuts = sorted({place % (len(data) + 1) for place in places})
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


def cuts_of(data: bytes, seed: int) -> Iterator[list[bytes]]:
    """The ways in which the same bytes may arrive: in one piece, byte by byte, in two, in a few."""
    yield [data] if data else []
    yield [bytes((byte,)) for byte in data]
    chance = random.Random(seed)
    yield cut(data, [chance.randrange(len(data) + 1)])
    yield cut(data, [chance.randrange(len(data) + 1) for _ in range(chance.randrange(2, 9))])


def http(data: bytes) -> None:
    """Bytes for an HTTP/1.1 connection, behind one that says what the application does and the cuts."""
    if not data:
        return
    mode, seed, data = data[0] % MODES, data[0] // MODES, data[1:]
    readings = [read(pieces, mode) for pieces in cuts_of(data, seed)]
    for other in readings[1:]:
        same(readings[0], other, hasty=mode == HASTY)
    if data:  # what is compiled changes nothing
        assert read([data], mode, compiled=False) == readings[0]
    if mode == READS:
        not_laxer_than_h11(data, readings[0])
        not_laxer_than_the_plainest(data, readings[0])


def same(one: Reading, other: Reading, *, hasty: bool) -> None:
    """Two readings of the same bytes are the same.

    An application that does not wait for the body may be read on for, or not, when what it leaves has come
    with the head or has not: then one connection is closed before the other, and reads less.
    """
    if hasty:
        shared = min(len(one.requests), len(other.requests))
        for mine, its in zip(one.requests[:shared], other.requests[:shared], strict=True):
            assert (mine.method, mine.target, mine.headers) == (its.method, its.target, its.headers)
            assert mine.body.startswith(its.body) or its.body.startswith(mine.body)
        return
    # Where a request breaks two rules it hangs on the cuts which is seen first: 400 or 431.
    assert [min(status, 400) for status in one.statuses] == [min(status, 400) for status in other.statuses]
    assert one.closed == other.closed
    assert one.whole == other.whole
    for mine, its in zip(one.requests, other.requests, strict=False):
        # The last one of them may be refused in its body: before it is begun, or with more or less passed on.
        assert (mine.method, mine.target, mine.headers) == (its.method, its.target, its.headers)
        assert mine.body.startswith(its.body) or its.body.startswith(mine.body)
    if not one.closed:
        assert [request.body for request in one.requests] == [request.body for request in other.requests]


def not_laxer_than_h11(data: bytes, reading: Reading) -> None:
    """What both read is the same, and what h11 refuses is refused, but for what RFC 9112 asks to be taken."""
    theirs, refused = read_by_h11(data)
    for mine, its in zip(reading.whole, theirs, strict=False):
        assert mine.method == its.method
        assert mine.target == as_read(its.method, its.target)
        assert mine.body == its.body
        assert [name for name, _ in mine.headers if name != b"host"] == [
            name for name, _ in its.headers if name != b"host"
        ]
    if refused and len(reading.whole) > len(theirs):
        assert excused(data, reading.whole[len(theirs)]), (theirs, reading.whole)


def not_laxer_than_the_plainest(data: bytes, reading: Reading) -> None:
    """Each request that was taken stands in the bytes in the plainest form, behind the one before it."""
    for request in reading.whole:
        while data.startswith(b"\r\n"):
            data = data[2:]
        found = read_request(data)  # raises for what is in another form
        assert found is not None
        plain, size = found
        assert (plain.method, plain.body) == (request.method, request.body)
        assert as_read(plain.method, plain.target.encode("latin-1")) == request.target
        data = data[size:]


def as_read(method: str, target: bytes) -> bytes:
    """The origin form of a target that h11 leaves as it stands (RFC 9112 3.2.2)."""
    match = _ABSOLUTE.match(target)
    if match is None:
        return target
    rest = target[match.end() :]
    if not rest and method == "OPTIONS":
        return b"*"
    return rest if rest.startswith(b"/") else b"/" + rest


def excused(data: bytes, request: Request) -> bool:
    """Whether RFC 9112 asks to take what h11 refuses."""
    return request.websocket or any(
        re.search(pattern, data)
        for pattern in (
            rb"[0-9A-Fa-f][ \t]+;",  # bad white space before an extension (7.1.1)
            rb"0{10}",  # leading zeros of a length or a size
            rb"(?is)\n0[^\n]*\r\n.*(?:content-length|transfer-encoding|host)",  # trailers are dropped (7.1.2)
            rb"HTTP/1\.[2-9]",  # a higher minor version (RFC 9110 2.5)
            rb"(?s)(?:^|\n.*)\r\n[A-Z-]+ ",  # empty lines before a request line (2.2)
        )
    )


def websocket(data: bytes) -> None:
    """Bytes for a WebSocket, behind one that says how the application acts and how they are cut."""
    if not data:
        return
    mode, seed, data = data[0] % websocket_reading.MODES, data[0] // websocket_reading.MODES, data[1:]
    deflate = bool(seed & 1)
    readings = [websocket_reading.read(pieces, mode, deflate=deflate) for pieces in cuts_of(data, seed)]
    assert all(reading == readings[0] for reading in readings[1:]), readings
