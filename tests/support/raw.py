"""A client that sends exactly the bytes it is given, and says exactly what came back."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from typing import Self

from support.server import PATIENCE_S

Place = tuple[str, int] | str


@dataclass
class Response:
    """One response as it stood on the wire; ``headers`` keep order, duplicates and case."""

    version: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        """The value of a header that stands there at most once."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None


class ClosedError(Exception):
    """The server closed the connection before a response was complete."""


class Raw:
    """One connection, to (host, port) or to a unix path."""

    def __init__(self, place: Place, *, receive_buffer: int | None = None) -> None:
        family = (
            socket.AF_UNIX
            if isinstance(place, str)
            else socket.AF_INET6
            if ":" in place[0]
            else socket.AF_INET
        )
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            if isinstance(place, tuple) and "%" in place[0]:
                place = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0][4]  # a zone becomes a scope id
            self.socket.connect(place)
        except OSError:
            self.socket.close()
            raise
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with a RST instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_what_fits(self, data: bytes, silence_s: float = 1.0) -> int:
        """Send until the other side has taken nothing for ``silence_s``; return how much went."""
        sent = 0
        self.socket.settimeout(silence_s)
        try:
            while sent < len(data):
                sent += self.socket.send(data[sent : sent + 65536])
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(PATIENCE_S)
        return sent

    def _more(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def _need(self) -> None:
        data = self._more()
        if not data:
            raise ClosedError(self._read)
        self._read += data

    def read_exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._need()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def read_until(self, mark: bytes) -> bytes:
        """Read up to and with ``mark``."""
        while mark not in self._read:
            self._need()
        head, _, self._read = self._read.partition(mark)
        return head + mark

    def read_to_end(self) -> bytes:
        """Read until the server closes or resets."""
        while data := self._more():
            self._read += data
        taken, self._read = self._read, b""
        return taken

    def silent(self, silence_s: float) -> bool:
        """Whether nothing, not even a close, comes for ``silence_s``."""
        if self._read:
            return False
        self.socket.settimeout(silence_s)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(PATIENCE_S)
        self._read += data
        return False

    def closed(self) -> bool:
        """Whether the server closes the connection, and sends nothing more before."""
        return not self._read and self._more() == b""

    def response(self, *, bodiless: bool = False) -> Response:
        """Read one response; ``bodiless`` where it answers a HEAD."""
        got = self._head()
        if bodiless or got.status in {204, 304} or got.status < 200:
            return got
        length = got.one("content-length")
        if "chunked" in (got.one("transfer-encoding") or ""):
            got.chunks = list(self._chunks())
            got.body = b"".join(got.chunks)
        elif length is not None:
            got.body = self.read_exactly(int(length))
        else:
            got.body = self.read_to_end()
        return got

    def _head(self) -> Response:
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        first, *rest = head.removesuffix("\r\n\r\n").split("\r\n")
        version, status, *reason = first.split(" ", 2)
        pairs = [line.split(":", 1) for line in rest]
        headers = [(name, value.strip()) for name, value in pairs]
        return Response(version, int(status), "".join(reason), headers)

    def _chunks(self):
        while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
            chunk = self.read_exactly(size + 2)
            assert chunk.endswith(b"\r\n")
            yield chunk[:-2]
        while self.read_until(b"\r\n") != b"\r\n":
            pass  # trailers

    def get(self, target: str, *headers: str, method: str = "GET", version: str = "1.1") -> Response:
        """Send a request without a body and read the response."""
        self.request(target, *headers, method=method, version=version)
        return self.response(bodiless=method == "HEAD")

    def request(
        self, target: str, *headers: str, method: str = "GET", version: str = "1.1", body: bytes = b""
    ) -> None:
        """Send a request; a body gets its Content-Length unless a header says how it is framed."""
        lines = [f"{method} {target} HTTP/{version}", "Host: test", *headers]
        framed = any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers)
        if body and not framed:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
