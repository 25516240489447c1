"""The chunked coding (RFC 9112 7.1), against a model written apart from it and against h11."""

from __future__ import annotations

import re

import h11
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from asgid.daemon.wire.http1_chunked import ChunkedDecoder
from asgid.daemon.wire.http1_head import BadRequest

LIMIT = 32 * 1024


def decode(*pieces: bytes, limit: int = LIMIT) -> tuple[bytes, bytes, bool]:
    """The body, what came after it, and whether it is complete."""
    decoder = ChunkedDecoder(limit)
    body = b""
    for position, piece in enumerate(pieces):
        body += decoder.feed(piece)
        while decoder.more:
            body += decoder.feed(b"")
        if decoder.done:
            return body, decoder.rest + b"".join(pieces[position + 1 :]), True
    return body, b"", decoder.done


def each_byte(data: bytes) -> list[bytes]:
    return [bytes((byte,)) for byte in data]


def outcome(*pieces: bytes) -> tuple[bytes, bytes, bool] | int:
    try:
        return decode(*pieces)
    except BadRequest as refusal:
        return refusal.status


VALID: list[tuple[bytes, bytes]] = [
    (b"0\r\n\r\n", b""),
    (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (b"0003\r\nabc\r\n000\r\n\r\n", b"abc"),
    (b"0" * 40 + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    (b"3;a\r\nabc\r\n0;b=c\r\n\r\n", b"abc"),
    (b'3;a="b\\"c;d"\r\nabc\r\n0\r\n\r\n', b"abc"),
    (b"3 ;a\r\nabc\r\n0\t;a = b\r\n\r\n", b"abc"),
    (b'3;a="\xff\t"\r\nabc\r\n0\r\n\r\n', b"abc"),
    (b'3;a;b=c;d="e";f\r\nabc\r\n0\r\n\r\n', b"abc"),
    (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
    (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    (b"0\r\nA: b\r\n\r\n", b""),
    (b"0\r\nA: b\r\nC:d\r\nE:\r\n\r\n", b""),
    (b"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n", b""),
]


@pytest.mark.parametrize(("coded", "body"), VALID)
@pytest.mark.parametrize("after", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"0\r\n\r\n", b"\0"])
def test_9112_7_1_valid(coded, body, after):
    """Whole, byte by byte, cut in two anywhere, and with what comes after it left alone."""
    data = coded + after
    assert decode(data) == (body, after, True)
    assert decode(*each_byte(data)) == (body, after, True)
    for cut in range(len(data)):
        assert decode(data[:cut], data[cut:]) == (body, after, True)


@pytest.mark.parametrize(("coded", "body"), VALID)
def test_9112_8_no_part_of_a_body_is_the_whole(coded, body):
    for end in range(len(coded)):
        got, after, done = decode(coded[:end])
        assert not done
        assert after == b""
        assert body.startswith(got)


INVALID: dict[str, bytes] = {
    "7.1 no size": b"\r\nabc\r\n0\r\n\r\n",
    "7.1 only an extension": b";a\r\nabc\r\n0\r\n\r\n",
    "7.1 plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "7.1 minus": b"-3\r\nabc\r\n0\r\n\r\n",
    "7.1 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "7.1 x": b"x3\r\nabc\r\n0\r\n\r\n",
    "7.1 underscore": b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "7.1 space before": b" 3\r\nabc\r\n0\r\n\r\n",
    "7.1 tab before": b"\t3\r\nabc\r\n0\r\n\r\n",
    "7.1 space after": b"3 \r\nabc\r\n0\r\n\r\n",
    "7.1 no hexadecimal": b"g\r\nabc\r\n0\r\n\r\n",
    "7.1 other digits": "\u0663\r\nabc\r\n0\r\n\r\n".encode(),
    "7.1 full-width": b"\xef\xbc\x93\r\nabc\r\n0\r\n\r\n",
    "7.1 17 digits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "7.1 a comma": b"3,3\r\nabc\r\n0\r\n\r\n",
    "7.1 two sizes": b"3 3\r\nabc\r\n0\r\n\r\n",
    "7.1 NUL": b"3\0\r\nabc\r\n0\r\n\r\n",
    "2.2 size ends with LF": b"3\nabc\r\n0\r\n\r\n",
    "2.2 size ends with CR": b"3\rabc\r\n0\r\n\r\n",
    "2.2 size ends with CR CR LF": b"3\r\r\nabc\r\n0\r\n\r\n",
    "2.2 data ends with LF": b"3\r\nabc\n0\r\n\r\n",
    "2.2 data ends with CR": b"3\r\nabc\r0\r\n\r\n",
    "7.1 data is longer": b"3\r\nabcd\r\n0\r\n\r\n",
    "7.1 data is shorter": b"3\r\nab\r\n0\r\n\r\n",
    "7.1 no end of the data": b"3\r\nabc0\r\n\r\n",
    "7.1.1 LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "7.1.1 CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "7.1.1 NUL in an extension": b"3;a\0\r\nabc\r\n0\r\n\r\n",
    "7.1.1 no name": b"3;\r\nabc\r\n0\r\n\r\n",
    "7.1.1 no second name": b"3;a;\r\nabc\r\n0\r\n\r\n",
    "7.1.1 a name that is no token": b"3;a[=b\r\nabc\r\n0\r\n\r\n",
    "7.1.1 a byte above 127 in a name": b"3;\xff\r\nabc\r\n0\r\n\r\n",
    "7.1.1 no value": b"3;a=\r\nabc\r\n0\r\n\r\n",
    "7.1.1 a value that is no token": b"3;a=b c\r\nabc\r\n0\r\n\r\n",
    "7.1.1 quotes that do not end": b'3;a="b\r\nabc\r\n0\r\n\r\n',
    "7.1.1 a backslash before the last quote": b'3;a="b\\"\r\nabc\r\n0\r\n\r\n',
    "7.1.1 white space at the end": b"3;a \r\nabc\r\n0\r\n\r\n",
    "7.1.1 DEL in an extension": b"3;a\x7f\r\nabc\r\n0\r\n\r\n",
    "7.1.2 a trailer without a colon": b"0\r\nab\r\n\r\n",
    "7.1.2 a trailer without a name": b"0\r\n: b\r\n\r\n",
    "7.1.2 space in a trailer's name": b"0\r\na b: c\r\n\r\n",
    "7.1.2 space before the colon": b"0\r\na : c\r\n\r\n",
    "7.1.2 a folded trailer": b"0\r\na: b\r\n c\r\n\r\n",
    "7.1.2 NUL in a trailer": b"0\r\na: b\0\r\n\r\n",
    "7.1.2 LF in a trailer": b"0\r\na: b\nc: d\r\n\r\n",
    "2.2 CR in a trailer": b"0\r\na: b\rc\r\n\r\n",
    "2.2 the last line ends with LF": b"0\r\n\n\r\n",
    "2.2 the last line ends with CR": b"0\r\n\rX\r\n",
}


@pytest.mark.parametrize("coded", INVALID.values(), ids=[f"9112-{name}" for name in INVALID])
def test_invalid_whole_byte_by_byte_and_cut_anywhere(coded):
    assert outcome(coded + b"\r\n\r\n") == 400
    assert outcome(*each_byte(coded + b"\r\n\r\n")) == 400
    for cut in range(len(coded)):
        assert outcome(coded[:cut], coded[cut:] + b"\r\n\r\n") == 400


def test_9112_7_1_a_size_is_refused_as_soon_as_it_cannot_become_one():
    """Else a client could send any number of bytes without an end of the line."""
    for part in (b"g", b"1g", b"-", b"1" * 17, b"3\n", b"3 3", b"3;\0"):
        assert outcome(part) == 400


def test_9112_7_1_1_extensions_count_against_the_limit_on_all_of_them():
    chunk = b"1;" + b"a" * 1000 + b"\r\nx\r\n"
    with pytest.raises(BadRequest) as refusal:
        decode(chunk * 40)
    assert refusal.value.status == 431
    assert decode(chunk * 40 + b"0\r\n\r\n", limit=0)[2]


@pytest.mark.parametrize("start", [b"1;", b"0\r\nA: "])
def test_a_line_without_end_is_refused_at_the_limit_and_not_kept(start):
    assert outcome(start, *[b"a"] * 40_000) == 431
    assert not decode(start, *[b"a"] * 30_000)[2]


def test_9112_7_1_2_trailers_count_against_the_limit():
    with pytest.raises(BadRequest) as refusal:
        decode(b"0\r\n" + b"A: b\r\n" * 10_000 + b"\r\n")
    assert refusal.value.status == 431


def test_leading_zeros_count_against_the_limit():
    with pytest.raises(BadRequest):
        decode(*([b"0" * 1000] * 40))


def test_many_small_chunks_are_no_overhead():
    assert decode(b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n") == (b"a" * 50_000, b"", True)


# The model: a body is a list of chunks, read by one regular expression from the whole of it.

_CHUNK = re.compile(
    rb"([0-9A-Fa-f]+)((?:[ \t]*;[ \t]*[!#-'*+\-.0-9A-Z^-z|~]+"
    rb'(?:[ \t]*=[ \t]*(?:[!#-\'*+\-.0-9A-Z^-z|~]+|"(?:[^"\\\r\n\0]|\\[^\r\n\0])*"))?)*)\r\n'
)
_TRAILER = re.compile(rb"([!#-'*+\-.0-9A-Z^-z|~]+:[\t\x20-\x7e\x80-\xff]*)?\r\n")


def model(data: bytes) -> tuple[bytes, bytes] | None:
    """The body and what follows it; None where it is not valid or not whole."""
    body = b""
    position = 0
    while match := _CHUNK.match(data, position):
        size = int(match[1], 16)
        if len(match[1].lstrip(b"0")) > 16:
            return None
        position = match.end()
        if size == 0:
            while line := _TRAILER.match(data, position):
                position = line.end()
                if line[1] is None:
                    return body, data[position:]
            return None
        body += data[position : position + size]
        position += size
        if data[position : position + 2] != b"\r\n":
            return None
        position += 2
    return None


chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
extensions = st.sampled_from([b"", b";a", b";a=b", b' ;a="b"', b"\t;\ta\t=\tb"])
trailers = st.sampled_from([b"", b"A: b\r\n", b"A:\r\nB: c\r\n"])


@st.composite
def coded(draw: st.DrawFn) -> bytes:
    data = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), draw(extensions), chunk) for chunk in draw(chunks))
    return data + b"0" + draw(extensions) + b"\r\n" + draw(trailers) + b"\r\n"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A coded body with a few bytes changed, taken out or put in."""
    data = bytearray(draw(coded()))
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, len(data)))
        what = draw(st.sampled_from([b"", b"\r", b"\n", b"\0", b";", b"0", b"f", b" ", b"\r\n", b":", b"x"]))
        data[where : where + draw(st.integers(0, 2))] = what
    return bytes(data)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % (len(data) + 1) for place in cuts})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(damaged(), st.lists(st.integers(0, 400), max_size=8))
@example(b"0\r\n\r\n", [])
@example(b"3\r\nabc\r\n0 \r\n\r\n", [7])
def test_the_decoder_agrees_with_the_model_wherever_the_bytes_are_cut(data, cuts):
    expected = model(data)
    for pieces in ([data], cut(data, cuts), each_byte(data)):
        got = outcome(*pieces)
        if expected is None:
            assert isinstance(got, int) or not got[2]
        else:
            assert got == (*expected, True)


@given(damaged(), st.lists(st.integers(0, 400), max_size=8))
def test_a_refusal_does_not_hang_on_the_cuts(data, cuts):
    """What is refused whole is refused in pieces, at the latest with the last of them."""
    whole = outcome(data)
    pieces = outcome(*cut(data, cuts))
    assert isinstance(whole, int) == isinstance(pieces, int)


@given(coded(), st.binary(max_size=10))
def test_h11_reads_the_same_body(data, after):
    assume(not re.search(rb"[ \t];", data))  # which h11 refuses, and a recipient must read (RFC 9110 5.6.3)
    other = h11.Connection(h11.SERVER)
    other.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + data + after)
    assert isinstance(other.next_event(), h11.Request)
    body = b""
    while isinstance(event := other.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert decode(data + after) == (body, after, True)


@given(damaged())
def test_what_h11_refuses_is_never_taken(data):
    assume(not re.search(rb"[ \t];", data))  # which h11 refuses, and a recipient must read (RFC 9110 5.6.3)
    other = h11.Connection(h11.SERVER)
    other.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
    other.next_event()
    try:
        while isinstance(event := other.next_event(), h11.Data):
            pass
    except h11.RemoteProtocolError:
        got = outcome(data)
        assert isinstance(got, int) or not got[2]
    else:
        assert event is h11.NEED_DATA or isinstance(event, h11.EndOfMessage)


@pytest.mark.parametrize(
    "chunk", [b"1\r\nx\r\n", b"0" * 17 + b"1\r\nx\r\n", b"0" * 20 + b"1\r\nx\r\n", b"1;a\r\nx\r\n"]
)
def test_one_call_looks_at_a_bounded_number_of_chunks_and_loses_none(chunk):
    decoder = ChunkedDecoder(0)
    pieces = [decoder.feed(chunk * 20_000 + b"0\r\n\r\nGET")]
    while decoder.more:
        assert not decoder.done
        pieces.append(decoder.feed(b""))
    assert max(map(len, pieces)) <= 4096
    assert sum(map(len, pieces)) == 20_000
    assert (decoder.done, decoder.rest) == (True, b"GET")


def test_what_waits_for_more_to_come_is_not_more_to_look_at():
    decoder = ChunkedDecoder(0)
    decoder.feed(b"1\r\nx\r\n" * 2048)  # exactly one turn's
    assert not decoder.more
    assert decoder.feed(b"1\r\ny\r") == b"y"
    assert not decoder.more
