"""Questions to the kernel by netlink(7): a request, and the messages of the dump that answers it."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST_DUMP = 0x301
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr, nlattr: length, type
_READ_BYTES = 1 << 18


def dump(protocol: int, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the payload of every message that answers a dump. Raises ``OSError``.

    ``protocol`` is a NETLINK number, ``kind`` the type of the request, ``body`` what follows its header.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as sock:
        sock.bind((0, 0))
        sock.send(_HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST_DUMP, 1, 0) + body)
        while True:
            for each, payload in _messages(sock.recv(_READ_BYTES)):
                if each == _NLMSG_DONE:
                    return
                if each == _NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", payload)[0], "netlink refused the question")
                yield each, payload


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data, at)
        yield kind, data[at + _HEADER.size : at + length]
        at += max(_aligned(length), _HEADER.size)


def attributes(payload: bytes, at: int) -> dict[int, bytes]:
    """Return the attributes that follow the fixed part of a message, which is ``at`` bytes long."""
    found: dict[int, bytes] = {}
    while at + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        found[kind] = payload[at + _ATTRIBUTE.size : at + length]
        at += max(_aligned(length), _ATTRIBUTE.size)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
