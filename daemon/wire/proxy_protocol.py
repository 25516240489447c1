"""The PROXY protocol's header, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2.1 and 2.2).

:func:`read` is a function of the bytes that have come so far, so it does not matter where they were cut. What
the specification leaves to the receiver is decided so:

- Version 1 is held to its grammar: single spaces, CRLF within 107 bytes, ports and IPv4 addresses without
  leading zeros, addresses of the family that is announced.
- UNKNOWN (version 1), LOCAL and UNSPEC (version 2) keep the connection's own addresses; what else stands in
  such a header is not looked at. A datagram's addresses are taken as a stream's.
- An address of AF_UNIX has no host: both ends are then as those of a unix socket.
- An IPv4 address in IPv6's clothes, which HAProxy sends where only one end has IPv6, is that IPv4 address.
- TLVs have to fill the rest of the header exactly. PP2_TYPE_CRC32C is verified. PP2_TYPE_SSL with
  PP2_CLIENT_SSL makes the scheme ``https``: it says that the client came to the proxy by TLS, only a trusted
  peer is heard at all, and an application that redirects plain requests to ``https`` would do so for ever
  without it. Every other TLV is passed over.
- A version 2 header may say that it is up to 65,551 bytes long; one of more than 16 KiB is refused.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from asgid.daemon.trust import unpacked

if TYPE_CHECKING:
    from asgid.daemon.seam import Address

Version = Literal["v1", "v2", "any"]

HEADER_BYTES: Final = 16 * 1024  # at most, of either version
_LINE_BYTES: Final = 107  # of version 1, with its CRLF
_PREFIX: Final = b"PROXY "
_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED: Final = struct.Struct("!12sBBH")  # signature, version and command, family and transport, length
_ADDRESS_BYTES: Final = {1: 12, 2: 36, 3: 216}  # of AF_INET, AF_INET6, AF_UNIX; UNSPEC is ignored
_CRC32C, _SSL = 0x03, 0x20
_SSL_BYTES: Final = 5  # the flags and the result of the verification, before what it is made of
_CLIENT_SSL: Final = 1


class HeaderError(Exception):
    """What came is no PROXY header that can be taken. The text says why, and repeats nothing that came."""


class NoHeaderError(HeaderError):
    """What came does not begin like a PROXY header of a version that is accepted."""


class Header(NamedTuple):
    """A PROXY header. Where ``named`` is false the connection's own ends hold."""

    size_bytes: int
    named: bool = False
    client: Address | None = None  # None beside ``named``: a unix socket's
    server: Address | None = None
    tls: bool = False  # the client came to the proxy by TLS


def read(data: bytes | bytearray, version: Version) -> Header | None:
    """Return the header that ``data`` begins with, None where it is not whole yet.

    Raises :class:`HeaderError` as soon as it cannot become one.
    """
    if version != "v2" and data[:6] == _PREFIX[: len(data)]:
        return _read_line(data)
    if version != "v1" and data[:12] == _SIGNATURE[: len(data)]:
        return _read_binary(data) if len(data) >= 16 else None
    raise NoHeaderError(f"no PROXY header ({'v1 or v2' if version == 'any' else version}) came")


def _read_line(data: bytes | bytearray) -> Header | None:
    end = data.find(b"\r\n", 0, _LINE_BYTES)
    if end < 0:
        if len(data) >= _LINE_BYTES:
            raise HeaderError(f"a PROXY line of more than {_LINE_BYTES} bytes")
        return None
    words = bytes(data[6:end]).split(b" ")
    if words[0] == b"UNKNOWN":
        return Header(end + 2)
    if words[0] not in (b"TCP4", b"TCP6") or len(words) != 5:
        raise HeaderError("a malformed PROXY line")
    family, source, target, source_port, target_port = words
    parsed = _literal if family == b"TCP6" else _dotted
    client, server = (parsed(source), _port(source_port)), (parsed(target), _port(target_port))
    return Header(end + 2, True, client, server)


def _dotted(word: bytes) -> str:
    try:
        return str(ipaddress.IPv4Address(word.decode("ascii")))
    except ValueError:
        raise HeaderError("a malformed IPv4 address in a PROXY line") from None


def _literal(word: bytes) -> str:
    try:
        address = ipaddress.IPv6Address(word.decode("ascii"))
    except ValueError:
        raise HeaderError("a malformed IPv6 address in a PROXY line") from None
    if address.scope_id is not None:
        raise HeaderError("a zone in a PROXY line")
    return str(address.ipv4_mapped or address)


def _port(word: bytes) -> int:
    if not 0 < len(word) < 6 or not word.isdigit() or (word[0] == 0x30 and len(word) > 1):
        raise HeaderError("a malformed port in a PROXY line")
    number = int(word)
    if number > 65535:
        raise HeaderError("a malformed port in a PROXY line")
    return number


def _read_binary(data: bytes | bytearray) -> Header | None:
    _, command, family, length = _FIXED.unpack_from(data)
    if command not in (0x20, 0x21):
        raise HeaderError("a PROXY header of another version, or with an unknown command")
    size = _FIXED.size + length
    if size > HEADER_BYTES:
        raise HeaderError(f"a PROXY header of more than {HEADER_BYTES} bytes")
    if command == 0x20:  # LOCAL: its family and its block are ignored
        return Header(size) if len(data) >= size else None
    kind, transport = family >> 4, family & 15
    if kind > 3 or transport > 2:
        raise HeaderError("a PROXY header with an unknown address family or transport")
    if len(data) < size:
        return None
    if not kind or not transport:
        return Header(size)
    at = _FIXED.size + _ADDRESS_BYTES[kind]
    if at > size:
        raise HeaderError("a PROXY header too short for its addresses")
    client, server = _ends(kind, bytes(data[_FIXED.size : at]))
    return Header(size, True, client, server, tls=_read_vectors(bytes(data[:size]), at))


def _ends(kind: int, block: bytes) -> tuple[Address | None, Address | None]:
    if kind == 3:
        return None, None
    if kind == 1:
        source, target, source_port, target_port = struct.unpack("!4s4sHH", block)
    else:
        source, target, source_port, target_port = struct.unpack("!16s16sHH", block)
    return (unpacked(source), source_port), (unpacked(target), target_port)


def _read_vectors(header: bytes, at: int) -> bool:
    """Check the TLVs of ``header`` from ``at`` on; return whether one says that the client came by TLS."""
    tls = False
    size = len(header)
    while at < size:
        if at + 3 > size:
            raise HeaderError("a PROXY header with a TLV that is cut off")
        kind, length = struct.unpack_from("!BH", header, at)
        start, at = at + 3, at + 3 + length
        if at > size:
            raise HeaderError("a PROXY header with a TLV that is cut off")
        if kind == _CRC32C:
            if length != 4:
                raise HeaderError("a PROXY header with a checksum that is none")
            if crc32c(header[:start] + bytes(4) + header[at:]) != int.from_bytes(header[start:at], "big"):
                raise HeaderError("a PROXY header with a wrong checksum")
        elif kind == _SSL:
            if length < _SSL_BYTES:
                raise HeaderError("a PROXY header with a TLV that is cut off")
            tls = bool(header[start] & _CLIENT_SSL)
    return tls


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)  # noqa: PLW2901 - eight steps of one value
        entries.append(entry)
    return tuple(entries)


_CRC_TABLE: Final = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of ``data`` (Castagnoli; RFC 9260, appendix A)."""
    crc = 0xFFFFFFFF
    table = _CRC_TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
