"""A relay between a proxy and the server that writes down what went through, and a reader for that.

The reader is written apart from the server, and takes nothing but the plainest form: what a proxy forwards
that is not in it is nothing that two readers could agree on.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.raw import Place

_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")


class UnreadableError(Exception):
    """What was forwarded is not in the plainest form."""


@dataclass
class Forwarded:
    """One request that a proxy sent on, whole."""

    method: str
    target: str
    body: bytes


@dataclass
class Flow:
    """One connection of the proxy's to the server; its requests as far as they can be read."""

    port: int  # by which the server knows it
    saw: list[Any] = field(default_factory=list)  # what the application saw on it
    data: bytearray = field(default_factory=bytearray)
    requests: list[Forwarded] = field(default_factory=list)
    answered: bytearray = field(default_factory=bytearray)  # what the server wrote
    unreadable: str = ""
    disagreed: bool = False

    def read(self) -> list[Forwarded]:
        """Read the requests that became whole since, and return all there are."""
        try:
            while not self.unreadable and (found := read_request(bytes(self.data))) is not None:
                request, size = found
                self.requests.append(request)
                del self.data[:size]
        except UnreadableError as error:
            self.unreadable = str(error)
        return self.requests


def read_request(data: bytes) -> tuple[Forwarded, int] | None:
    """Read one request off the beginning of ``data``, and say how long it was; None where it is not whole."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    line, *lines = head.split(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or not re.fullmatch(rb"HTTP/1\.[0-9]", words[2]):
        raise UnreadableError(f"a request line {line!r}")
    fields: dict[bytes, list[bytes]] = {}
    for text in lines:
        match = _LINE.fullmatch(text)
        if match is None:
            raise UnreadableError(f"a field line {text!r}")
        fields.setdefault(match[1].lower(), []).append(match[2])
    codings = fields.get(b"transfer-encoding", [])
    lengths = fields.get(b"content-length", [])
    if codings:
        if lengths or [coding.lower() for coding in codings] != [b"chunked"]:
            raise UnreadableError(f"the framing {codings!r} {lengths!r}")
        found = _read_chunks(rest)
        if found is None:
            return None
        body, size = found
    else:
        if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
            raise UnreadableError(f"the lengths {lengths!r}")
        size = int(lengths[0]) if lengths else 0
        body = rest[:size]
        if len(body) < size:
            return None
    return Forwarded(words[0].decode("latin-1"), words[1].decode("latin-1"), body), len(head) + 4 + size


def _read_chunks(data: bytes) -> tuple[bytes, int] | None:
    body = b""
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        line = data[at:end].partition(b";")[0].strip(b" \t")
        if not re.fullmatch(rb"[0-9A-Fa-f]+", line):
            raise UnreadableError(f"a chunk of size {line!r}")
        size = int(line, 16)
        at = end + 2
        if not size:
            break
        if len(data) < at + size + 2:
            return None
        if data[at + size : at + size + 2] != b"\r\n":
            raise UnreadableError("a chunk without its end")
        body += data[at : at + size]
        at += size + 2
    else:
        return None
    while (end := data.find(b"\r\n", at)) >= 0:  # trailers
        line, at = data[at:end], end + 2
        if not line:
            return body, at
        if not _LINE.fullmatch(line):
            raise UnreadableError(f"a trailer {line!r}")
    return None


class Relay:
    """Listens for a proxy, and connects to the server for each connection of the proxy's."""

    def __init__(self, server: Place) -> None:
        self.flows: list[Flow] = []  # the newest last: a port may come again
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(end)
            flow = Flow(far.getsockname()[1])
            self.flows.append(flow)
            threading.Thread(target=_pump, args=(near, far, flow.data), daemon=True).start()
            threading.Thread(target=_pump, args=(far, near, flow.answered), daemon=True).start()

    def close(self) -> None:
        """Close every socket."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for end in (self._listening, *self._sockets):
            end.close()


def _pump(source: socket.socket, target: socket.socket, record: bytearray) -> None:
    try:
        while data := source.recv(65536):
            record += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one side was reset: so is the other
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
