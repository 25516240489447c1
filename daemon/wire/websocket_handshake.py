"""The opening handshake of a WebSocket as Autobahn is to see it (RFC 6455 4.2.1).

Autobahn judges it, but as text: its lines end where Python's do, and its numbers are what Python takes for
one. So it is shown no header that it has nothing to say about, and the others as the grammar has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asgid.daemon.wire.http1_head import TOKEN

if TYPE_CHECKING:
    from asgid.daemon.seam import Headers

__all__ = ["objection", "shown"]

# Extensions are not shown: what is compressed is none of Autobahn's business.
_SHOWN = frozenset((b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-key"))
_JOINED = b"sec-websocket-protocol"  # may stand in several headers (RFC 6455 11.3.4)
_LINE_BREAKS = b"\x0b\x0c\x1c\x1d\x1e\x85"  # the bytes that end a line there (str.splitlines)
_VERSION = re.compile(rb"0|[1-9][0-9]{0,2}")  # RFC 6455 4.3
_PROTOCOL = re.compile(TOKEN)


def objection(headers: Headers) -> str:
    """Return what is wrong with a handshake that Autobahn would not see; empty where nothing is."""
    for name, value in headers:
        if name in _SHOWN and value.translate(None, _LINE_BREAKS) != value:
            return f"a control byte, or byte 85, in {name.decode()}"
        if name == b"sec-websocket-version" and not _VERSION.fullmatch(value):
            return f"the Sec-WebSocket-Version {value.decode('latin-1')!a}"
        if name == _JOINED and not all(map(_PROTOCOL.fullmatch, _members(value))):
            return f"a subprotocol in {value.decode('latin-1')!a} that is no token"
    return ""


def shown(headers: Headers) -> bytes:
    """Return the handshake, to which there is no objection, as a head for Autobahn."""
    lines = [b"GET / HTTP/1.1", b"Host: x"]
    protocols: list[bytes] = []
    for name, value in headers:
        if name in _SHOWN:
            lines.append(name + b": " + value)
        elif name == _JOINED:
            protocols += _members(value)
    if protocols:
        lines.append(_JOINED + b": " + b", ".join(protocols))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _members(value: bytes) -> list[bytes]:
    """Return the members of a list; empty ones are none (RFC 9110 5.6.1.2)."""
    return [member for each in value.split(b",") if (member := each.strip(b" \t"))]
