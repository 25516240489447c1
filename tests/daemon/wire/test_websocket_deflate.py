"""permessage-deflate: what is agreed on, and messages through deflate and inflate, whoever made them."""

from __future__ import annotations

import contextlib
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.daemon.wire.websocket_deflate import (
    Deflate,
    InflateError,
    MalformedError,
    TooLongError,
    negotiate,
)

MEBIBYTE = 1 << 20
KEEP = b"permessage-deflate"
SMALL = b"permessage-deflate; server_max_window_bits=9"
BROWSER = b"permessage-deflate; client_max_window_bits"
FORGET = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def agreed(offer: bytes = KEEP) -> Deflate:
    deflate = negotiate([offer])
    assert deflate is not None
    return deflate


def deflated(data: bytes, flush: int = zlib.Z_SYNC_FLUSH, level: int = 6, bits: int = 15) -> bytes:
    """As zlib makes it, whose window is not kept."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return packer.compress(data) + packer.flush(flush)


# Negotiation (RFC 7692 7.1, RFC 6455 9.1).


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (b"permessage-deflate", b"permessage-deflate"),
        (b"permessage-deflate; client_max_window_bits", b"permessage-deflate; client_max_window_bits=12"),
        (b"permessage-deflate; client_max_window_bits=15", b"permessage-deflate; client_max_window_bits=12"),
        (b"permessage-deflate; client_max_window_bits=10", b"permessage-deflate; client_max_window_bits=10"),
        (b'permessage-deflate; client_max_window_bits="8"', b"permessage-deflate; client_max_window_bits=8"),
        (
            b'permessage-deflate; client_max_window_bits="\\1\\0"',
            b"permessage-deflate; client_max_window_bits=10",
        ),
        (b"permessage-deflate; server_max_window_bits=15", b"permessage-deflate; server_max_window_bits=12"),
        (b"permessage-deflate; server_max_window_bits=9", b"permessage-deflate; server_max_window_bits=9"),
        (
            b"permessage-deflate;server_no_context_takeover",
            b"permessage-deflate; server_no_context_takeover",
        ),
        (
            b"permessage-deflate ;\tclient_no_context_takeover",
            b"permessage-deflate; client_no_context_takeover",
        ),
        (
            b"x-other; a=b, permessage-deflate; unknown, , permessage-deflate; server_max_window_bits=10",
            b"permessage-deflate; server_max_window_bits=10",
        ),
        (b"permessage-deflate; client_max_window_bits, permessage-deflate; server_max_window_bits=9", None),
    ],
)
def test_the_first_offer_that_can_be_is_accepted(offer, answer):
    expected = answer or b"permessage-deflate; client_max_window_bits=12"
    assert agreed(offer).answer == expected
    assert negotiate(offer.split(b","))  # in several headers, too


@pytest.mark.parametrize(
    "offer",
    [
        b"", b",", b"permessage-bzip2", b"Permessage-Deflate", b"permessage-deflate2",
        b"permessage-deflate; server_no_context_takeover=1",
        b"permessage-deflate; client_no_context_takeover=true",
        b"permessage-deflate; server_max_window_bits", b"permessage-deflate; server_max_window_bits=7",
        b"permessage-deflate; server_max_window_bits=16", b"permessage-deflate; client_max_window_bits=08",
        b"permessage-deflate; client_max_window_bits=+9", b"permessage-deflate; client_max_window_bits=x",
        b"permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        b"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        b"permessage-deflate; window=9", b"permessage-deflate; server_max_window_bits=8",
    ],
)  # fmt: skip
def test_an_offer_that_is_not_valid_is_declined(offer):
    assert negotiate([offer]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"a b", b"a;", b";a", b"a;;b", b"a;b=", b"a=b", b'a;b="', b'a;b="c', b'a;b="c d"', b"a;b=c d", b"a/b",
        b"permessage-deflate, \xe9", b"a\x00", b'"a"', b'a; b="\\"',
        b'a;b="\\\\"', b'a;b="\\ "',
    ],
)  # fmt: skip
def test_a_header_that_is_not_as_the_grammar_has_it_is_malformed(value):
    with pytest.raises(MalformedError):
        negotiate([value])
    with pytest.raises(MalformedError):
        negotiate([b"permessage-deflate", value])


@given(st.text(st.sampled_from('permsag-dfl;,= "\\123\t_xtcio'), max_size=60))
def test_any_header_is_accepted_declined_or_malformed(text):
    try:
        deflate = negotiate([text.encode()])
    except MalformedError:
        return
    assert deflate is None or deflate.answer.startswith(b"permessage-deflate")


def test_a_long_header_takes_no_long_time():
    spaces = b" \t" * 8000
    for value in (spaces + b"x y", b"a" + spaces + b"=", b"a;b" + spaces + b"x", b"," * 16000 + b"/"):
        with pytest.raises(MalformedError):
            negotiate([value])
    assert negotiate([b"a;b=c" + b";b=c" * 4000 + b",a" * 4000]) is None


# Messages there and back.


@st.composite
def messages(draw) -> list[bytes]:
    some = st.binary(max_size=300)
    repeated = st.builds(lambda data, times: data * times, st.binary(max_size=40), st.integers(0, 3000))
    return draw(st.lists(some | repeated, max_size=6))


@settings(deadline=None)
@given(
    messages(),
    st.sampled_from([KEEP, FORGET, SMALL, BROWSER]),
)
def test_what_was_deflated_is_inflated_to_the_same(sequence, offer):
    ours, bits = agreed(offer), 9 if offer == SMALL else 12
    client = zlib.decompressobj(-bits)  # with no larger window than was agreed on
    for message in sequence:
        if message:
            packed = ours.deflate(message)
            if offer == FORGET:
                client = zlib.decompressobj(-bits)
            assert client.decompress(packed + b"\x00\x00\xff\xff") == message
            assert agreed(offer).inflate(deflated(message)[:-4], len(message)) == message


@settings(deadline=None)
@given(messages(), st.integers(0, 9), st.integers(9, 15))
def test_the_window_is_kept_from_message_to_message(sequence, level, bits):
    client = zlib.compressobj(level, zlib.DEFLATED, -bits)
    ours = agreed()
    for message in sequence:
        packed = client.compress(message) + client.flush(zlib.Z_SYNC_FLUSH)
        assert ours.inflate(packed[:-4], len(message)) == message


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=2000), st.integers(1, 200))
def test_a_message_is_taken_up_to_the_limit_and_no_further(data, times):
    message = data * times
    packed = deflated(message)[:-4]
    assert agreed().inflate(packed, len(message)) == message
    with pytest.raises(TooLongError):
        agreed().inflate(packed, len(message) - 1)


def test_a_window_of_the_agreed_length_is_enough_for_a_client_that_uses_all_of_it():
    ours = agreed(BROWSER)
    data = bytes(zlib.crc32(b"%d" % number) & 0xFF for number in range(4096))
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    for _ in range(20):
        packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert ours.inflate(packed[:-4], 4096) == data


def test_a_window_that_rested_needs_no_other_at_the_client():
    ours, client = agreed(), zlib.decompressobj(-15)
    for number in range(6):
        message = b"the same again, the same again" * 20
        packed = ours.deflate(message)
        assert client.decompress(packed + b"\x00\x00\xff\xff") == message
        if number % 2:
            ours.rest()


# RFC 7692 7.2.3, and what is allowed beside it.


@pytest.mark.parametrize(
    "packed",
    [
        "f248cdc9c90700",  # one block
        "f2480500 0000ffff cac9c90700",  # two, with a flush between them
        "000500faff48656c6c6f00",  # not compressed
        "f348cdc9c90700 00",  # a final block
        "f348cdc9c90700",  # with nothing behind it
        "f24805 00 0000ffff cbc9c90700 00",
    ],
)
def test_the_examples_of_the_rfc(packed):
    ours = agreed()
    for _ in range(3):
        assert ours.inflate(bytes.fromhex(packed), 5) == b"Hello"
    assert ours.inflate(deflated(b"and on it goes")[:-4], 100) == b"and on it goes"


def test_the_window_of_the_rfc():
    ours = agreed()
    assert ours.inflate(bytes.fromhex("f248cdc9c90700"), 5) == b"Hello"
    assert ours.inflate(bytes.fromhex("f200110000"), 5) == b"Hello"
    with pytest.raises(InflateError):
        agreed(FORGET).inflate(bytes.fromhex("f200110000"), 5)


def test_an_empty_message_leaves_the_window_as_it_is():
    ours = agreed()
    ours.inflate(bytes.fromhex("f248cdc9c90700"), 5)
    assert ours.inflate(b"\x00", 0) == b""
    assert ours.inflate(b"", 0) == b""
    assert ours.inflate(bytes.fromhex("f200110000"), 5) == b"Hello"


@pytest.mark.parametrize("size", [1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000])
def test_final_blocks_wherever_pieces_are_cut(size):
    data = bytes(zlib.crc32(b"%d" % number) & 0xFF for number in range(size))  # hardly compressible
    packed = deflated(data, zlib.Z_FINISH, level=0)
    for many in (1, 3):
        assert agreed().inflate(packed * many, size * many) == data * many
        assert agreed().inflate(packed * many + b"\x00", size * many) == data * many


def test_final_blocks_without_end_are_refused():
    with pytest.raises(InflateError):
        agreed().inflate(b"\x03\x00" * 500_000, MEBIBYTE)


# Attacks.


@settings(deadline=None, max_examples=300)
@given(st.lists(st.binary(max_size=100), max_size=4), st.integers(0, 2000))
def test_garbage_is_inflated_or_refused(sequence, limit):
    ours = agreed()
    for data in sequence:
        try:
            assert len(ours.inflate(data, limit)) <= limit
        except (InflateError, TooLongError):
            return


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=400), st.data())
def test_a_flipped_bit_never_raises_anything_else(data, draw):
    packed = bytearray(deflated(data * 3)[:-4])
    at = draw.draw(st.integers(0, len(packed) * 8 - 1))
    packed[at >> 3] ^= 1 << (at & 7)
    with contextlib.suppress(InflateError, TooLongError):
        assert len(agreed().inflate(bytes(packed), 4000)) <= 4000


@pytest.mark.parametrize("data", ["zeros", "flushes"])
def test_a_bomb_costs_no_more_memory_than_the_limit(data):
    if data == "zeros":  # 1 GiB
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        piece = bytes(16 * MEBIBYTE)
        bomb = b"".join(packer.compress(piece) for _ in range(64)) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4]
        assert len(bomb) < 1.1 * MEBIBYTE
    else:
        bomb = deflated(bytes(2 * MEBIBYTE)) * 500
    ours = agreed()
    tracemalloc.start()
    try:
        with pytest.raises(TooLongError):
            ours.inflate(bomb, MEBIBYTE)
        assert tracemalloc.get_traced_memory()[1] < MEBIBYTE + 256 * 1024
    finally:
        tracemalloc.stop()
