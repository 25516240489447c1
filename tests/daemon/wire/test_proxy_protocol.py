"""The PROXY protocol's header: each case whole, in two pieces at every cut, byte by byte, and with more."""

from __future__ import annotations

import ipaddress
import socket
import struct
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgid.daemon.wire.proxy_protocol import HEADER_BYTES, Header, HeaderError, NoHeaderError, crc32c, read

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
LONG = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def v2(block: bytes = b"", family: int = 0x11, command: int = 0x21, length: int | None = None) -> bytes:
    size = len(block) if length is None else length
    return SIGNATURE + struct.pack("!BBH", command, family, size) + block


def tlv(kind: int, value: bytes = b"") -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


IP4 = bytes([203, 0, 113, 9, 192, 0, 2, 1]) + struct.pack("!HH", 4711, 443)
IP6 = (
    socket.inet_pton(socket.AF_INET6, "2001:db8::9")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + struct.pack("!HH", 4711, 443)
)
MAPPED = (
    socket.inet_pton(socket.AF_INET6, "::ffff:203.0.113.9")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + struct.pack("!HH", 4711, 443)
)
UNIX = b"/run/a.sock".ljust(108, b"\0") + b"/run/b.sock".ljust(108, b"\0")
ENDS4 = (("203.0.113.9", 4711), ("192.0.2.1", 443))
ENDS6 = (("2001:db8::9", 4711), ("2001:db8::1", 443))


def summed(tlvs: bytes = b"", wrong: int = 0) -> bytes:
    """A header of IPv4 with a checksum between other TLVs."""
    header = v2(IP4 + tlv(4, b"pad") + tlv(3, bytes(4)) + tlvs)
    at = 16 + 12 + 6 + 3
    value = crc32c(header) ^ wrong
    return header[:at] + value.to_bytes(4, "big") + header[at + 4 :]


GOOD = {
    "TCP4": (b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n", *ENDS4),
    "TCP4 at its longest": (
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        ("255.255.255.255", 65535), ("255.255.255.255", 65535),
    ),
    "TCP4 at its shortest": (b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", ("0.0.0.0", 0), ("0.0.0.0", 0)),
    "TCP6": (b"PROXY TCP6 2001:db8::9 2001:DB8:0::1 4711 443\r\n", *ENDS6),
    "TCP6 at its longest": (
        f"PROXY TCP6 {LONG} {LONG} 65535 65535\r\n".encode(), (LONG, 65535), (LONG, 65535),
    ),
    "TCP6 with an IPv4 address": (
        b"PROXY TCP6 ::ffff:203.0.113.9 2001:db8::1 4711 443\r\n", ENDS4[0], ENDS6[1],
    ),
    "v2 TCP4": (v2(IP4), *ENDS4),
    "v2 UDP4": (v2(IP4, 0x12), *ENDS4),
    "v2 TCP6": (v2(IP6, 0x21), *ENDS6),
    "v2 TCP6 with an IPv4 address": (v2(MAPPED, 0x21), ENDS4[0], ENDS6[1]),
    "v2 UNIX": (v2(UNIX, 0x31), None, None),
    "v2 with TLVs": (v2(IP4 + tlv(2, b"site.example") + tlv(0xE0, b"x" * 300) + tlv(4)), *ENDS4),
    "v2 with a checksum": (summed(tlv(1, b"http/1.1")), *ENDS4),
    "v2 at its longest": (v2(IP4 + tlv(4, bytes(HEADER_BYTES - 16 - 12 - 3))), *ENDS4),
}  # fmt: skip

UNNAMED = {
    "UNKNOWN": b"PROXY UNKNOWN\r\n",
    "UNKNOWN with addresses": f"PROXY UNKNOWN {LONG} {LONG} 65535 65535\r\n".encode(),
    "UNKNOWN with anything": b"PROXY UNKNOWN  \0\xff\n\r x\r\n",
    "LOCAL": v2(b"", 0x00, 0x20),
    "LOCAL with addresses": v2(IP4, 0x11, 0x20),
    "LOCAL with an unknown family": v2(b"junk", 0xF7, 0x20),
    "LOCAL with a wrong checksum": v2(IP4 + tlv(3, bytes(4)), 0x11, 0x20),
    "UNSPEC": v2(b"", 0x00),
    "UNSPEC with junk": v2(b"junk", 0x00),
    "an unspecified transport": v2(b"", 0x10),
    "an unspecified family": v2(b"", 0x01),
}

BAD = {
    "another family": b"PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",
    "UNKNOWN and no space": b"PROXY UNKNOWNS\r\n",
    "nothing": b"PROXY \r\n",
    "lower case": b"PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n",
    "two spaces": b"PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n",
    "a space at the end": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
    "a tab": b"PROXY TCP4\t1.2.3.4 1.2.3.4 1 1\r\n",
    "a word too few": b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
    "a word too many": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
    "a leading zero in a port": b"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
    "a port that is too high": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "a port with six digits": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 100000\r\n",
    "a signed port": b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n",
    "a port of other digits": "PROXY TCP4 1.2.3.4 1.2.3.4 \u0661 1\r\n".encode(),
    "a leading zero in an address": b"PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n",
    "an address that is none": b"PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n",
    "a short address": b"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n",
    "a name": b"PROXY TCP4 localhost 1.2.3.4 1 1\r\n",
    "IPv6 as TCP4": b"PROXY TCP4 ::1 1.2.3.4 1 1\r\n",
    "IPv4 as TCP6": b"PROXY TCP6 1.2.3.4 ::1 1 1\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n",
    "brackets": b"PROXY TCP6 [::1] ::1 1 1\r\n",
    "a byte that is no ASCII": b"PROXY TCP4 1.2.3.\xb4 1.2.3.4 1 1\r\n",
    "a NUL": b"PROXY TCP4 1.2.3.4\0 1.2.3.4 1 1\r\n",
    "a line feed alone": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\nGET / HTTP/1.1\r\n",
    "a line without an end": b"PROXY TCP4 " + b"1" * 96,
    "a line a byte too long": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "version 1 in binary": v2(IP4, 0x11, 0x11),
    "version 3 in binary": v2(IP4, 0x11, 0x31),
    "an unknown command": v2(IP4, 0x11, 0x22),
    "an unknown address family": v2(IP4, 0x41),
    "an unknown transport": v2(IP4, 0x13),
    "too short for IPv4": v2(IP4[:-1]),
    "too short for IPv6": v2(IP4, 0x21),
    "too short for UNIX": v2(UNIX[:-1], 0x31),
    "a TLV's head that is cut off": v2(IP4 + b"\x04\0"),
    "a TLV that is cut off": v2(IP4 + struct.pack("!BH", 4, 2) + b"x"),
    "a wrong checksum": summed(wrong=1),
    "a checksum of three bytes": v2(IP4 + tlv(3, b"abc")),
    "no TLS flags": v2(IP4 + tlv(0x20, b"\1\0\0\0")),
    "a header that is too long": v2(b"", length=HEADER_BYTES - 15),
    "the longest header": v2(b"", length=65535),
}  # fmt: skip

PLAIN = {
    "HTTP": GET,
    "PROPFIND": b"PROPFIND / HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "empty lines": b"\r\nGET / HTTP/1.1\r\n",
    "nearly a signature": b"\r\n\r\n\0\r\nQUIT\r",
    "lower case": b"proxy TCP4 ",
    "a tab": b"PROXY\tTCP4 ",
}


def by_pieces(pieces: list[bytes], version: str = "any") -> tuple[Header, bytes]:
    """Read as a connection does; return the header and what stands behind it."""
    came = bytearray()
    found = None
    for count, piece in enumerate(pieces):
        came += piece
        found = read(came, version)
        if found is not None:
            came += b"".join(pieces[count + 1 :])
            return found, bytes(came[found.size_bytes :])
    raise EOFError


def cuts(data: bytes) -> list[list[bytes]]:
    places = range(len(data)) if len(data) < 1000 else [0, 1, 5, 12, 15, 16, 17, 28, 5000, len(data) - 1]
    return [[data[:at], data[at:]] for at in places if at]


@pytest.mark.parametrize("name", GOOD)
def test_the_two_ends_are_read_wherever_the_header_is_cut(name):
    data, client, server = GOOD[name]
    wanted = Header(len(data), True, client, server)
    assert read(data, "any") == wanted
    for pieces in (*cuts(data + GET), [bytes([byte]) for byte in data + GET]):
        assert by_pieces(pieces) == (wanted, GET)


@pytest.mark.parametrize("name", UNNAMED)
def test_headers_that_name_nobody_keep_the_ends_of_the_connection(name):
    data = UNNAMED[name]
    for pieces in (*cuts(data + GET), [bytes([byte]) for byte in data + GET]):
        assert by_pieces(pieces) == (Header(len(data)), GET)


@pytest.mark.parametrize("name", GOOD | UNNAMED)
def test_a_header_is_never_taken_before_it_is_whole(name):
    data = GOOD[name][0] if name in GOOD else UNNAMED[name]
    places = range(len(data)) if len(data) < 1000 else [0, 15, 16, 30, len(data) - 1]
    assert [read(data[:at], "any") for at in places] == [None] * len(places)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_header_is_refused_wherever_it_is_cut(name):
    data = BAD[name]
    with pytest.raises(HeaderError) as raised:
        read(data, "any")
    assert not isinstance(raised.value, NoHeaderError)
    for pieces in (*cuts(data), [bytes([byte]) for byte in data]):
        with pytest.raises(HeaderError):
            by_pieces(pieces)


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_no_header_is_refused_at_the_first_byte_that_tells(name):
    data = PLAIN[name]
    with pytest.raises(NoHeaderError):
        by_pieces([bytes([byte]) for byte in data])
    shared = next(size for size in range(len(data)) if not any(
        prefix.startswith(data[: size + 1]) for prefix in (b"PROXY ", SIGNATURE)
    ))  # fmt: skip
    assert read(data[:shared], "any") is None
    with pytest.raises(NoHeaderError):
        read(data[: shared + 1], "any")


@pytest.mark.parametrize(("version", "other"), [("v1", "v2 TCP4"), ("v2", "TCP4")])
def test_only_the_version_that_was_asked_for_is_taken(version, other):
    mine = "TCP4" if version == "v1" else "v2 TCP4"
    assert read(GOOD[mine][0], version) == read(GOOD[mine][0], "any")
    with pytest.raises(NoHeaderError, match=version):
        read(GOOD[other][0], version)
    with pytest.raises(NoHeaderError):
        read(GOOD[other][0][:1], version)


@pytest.mark.parametrize(
    ("flags", "tls"), [(1, True), (7, True), (0, False), (2, False), (4, False)]
)  # fmt: skip
def test_a_client_that_came_to_the_proxy_by_tls(flags, tls):
    value = struct.pack("!BL", flags, 0) + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"someone")
    assert read(v2(IP4 + tlv(0x20, value) + tlv(4)), "any").tls is tls
    assert read(v2(IP4 + tlv(0x20, value), command=0x20), "any").tls is False


def test_the_checksum_is_the_castagnoli_one():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4


@given(st.integers(0, len(summed(tlv(1, b"http/1.1"))) * 8 - 1))
def test_with_a_checksum_no_bit_can_change(bit):
    """One bit of a header with a checksum that is turned is never taken as naming anybody."""
    header = bytearray(summed(tlv(1, b"http/1.1")))
    header[bit // 8] ^= 1 << bit % 8
    try:
        found = read(header, "any")
    except HeaderError:
        return
    # LOCAL and UNSPEC ignore the block, a greater length waits for more, and the checksum's TLV, or one
    # that covers it, may have become another.
    at = 16 + 12 + 6
    assert found is None or not found.named or bit // 8 in (at, 14, 15, 28, 29, 30)


beginnings = st.sampled_from(
    [
        b"",
        b"PROXY ",
        b"PROXY TCP4 ",
        b"PROXY TCP6 ::1 ",
        SIGNATURE,
        v2(IP4),
        v2(b"", length=200),
        SIGNATURE + b"!",
    ]
)


@given(beginnings, st.binary(max_size=400), st.sampled_from(["v1", "v2", "any"]), st.data())
@example(b"PROXY UNKNOWN", b"\r\n", "v1", None)
def test_any_bytes_give_one_reading_and_one_kind_of_error(beginning, rest, version, data):
    """Whatever comes, however it is cut: the same header or the same refusal, and never another exception."""
    whole = beginning + rest

    def reading(pieces: list[bytes]) -> object:
        try:
            return by_pieces(pieces, version)[0]
        except EOFError:
            return None
        except HeaderError as error:
            return type(error)

    places = data.draw(st.lists(st.integers(0, len(whole)), max_size=6)) if data else [1]
    bounds = sorted({0, *places, len(whole)})
    pieces = [whole[a:b] for a, b in pairwise(bounds)]
    assert reading(pieces) == reading([whole]) == reading([bytes([byte]) for byte in whole])
    found = reading([whole])
    if isinstance(found, Header):
        assert 0 < found.size_bytes <= len(whole)
        for end in (found.client, found.server):
            if end is not None:
                assert str(ipaddress.ip_address(end[0])) == end[0]
                assert 0 <= end[1] < 65536


def test_reading_takes_no_more_memory_than_a_header():
    header = GOOD["v2 at its longest"][0] + bytes(1_000_000)
    line = b"PROXY " + bytes(1_000_000)
    tracemalloc.start()
    try:
        assert read(header, "any").client == ENDS4[0]
        with pytest.raises(HeaderError):
            read(line, "any")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * HEADER_BYTES
