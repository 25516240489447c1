"""What a conformance case is: raw bytes, and what has to come of them."""

from __future__ import annotations

from dataclasses import dataclass

MARKER_TARGET = "/marker"
# Sent behind every case: who reads another end of the case than the table says swallows it, or doubles it.
MARKER = b"GET /marker HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n"

# Limits of the server under test, so that a small request can break each of them.
REQUEST_LINE_BYTES = 1024
HEADER_BYTES = 4096
HEADER_COUNT = 32
BODY_BYTES = 16384


@dataclass(frozen=True)
class Taken:
    """The application gets a request: exactly this one, whole."""

    target: str = "/"
    body: bytes = b""
    method: str = "GET"
    version: str = "1.1"
    closes: bool = False  # the connection ends after the answer: the marker behind it is not served
    fields: tuple[tuple[str, str], ...] = ()  # stand among its headers, in this order
    without: tuple[str, ...] = ()  # names that must not stand there

    def __str__(self) -> str:
        """Say it for the matrix."""
        target = self.target if len(self.target) < 40 else self.target[:20] + "..."
        said = f"taken: `{self.method} {target}`"
        if self.body:
            said += f", body of {len(self.body)}"
        if self.closes:
            said += ", then closed"
        return said


@dataclass(frozen=True)
class Refused:
    """The server answers with one of these statuses and closes; the application gets nothing of it."""

    statuses: tuple[int, ...]

    def __str__(self) -> str:
        """Say it for the matrix."""
        return " or ".join(str(status) for status in self.statuses) + ", closed"


@dataclass(frozen=True)
class Unfinished:
    """The client leaves in the middle: no complete request reaches the application, and nothing is served."""

    def __str__(self) -> str:
        """Say it for the matrix."""
        return "nothing complete is seen"


Outcome = Taken | Refused | Unfinished


@dataclass(frozen=True)
class Case:
    """One raw request (or a row of them), by the rule it is about."""

    rule: str
    name: str
    data: bytes
    outcome: tuple[Outcome, ...]
    waits: bytes = b""  # sent once the server has answered 100 Continue

    @property
    def ident(self) -> str:
        """A name for the test."""
        return f"{self.rule} {self.name}"

    @property
    def leaves(self) -> bool:
        """Whether the client ends its side after the data, with no marker."""
        return isinstance(self.outcome[-1], Unfinished)

    @property
    def stays_open(self) -> bool:
        """Whether the marker behind the case is served."""
        last = self.outcome[-1]
        return isinstance(last, Taken) and not last.closes

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What the application sees, the marker aside."""
        return tuple(outcome for outcome in self.outcome if isinstance(outcome, Taken))


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: site") -> bytes:
    """A head with a Host, unless ``host`` is empty."""
    return b"\r\n".join((start, *((host,) if host else ()), *lines, b"", b""))


def post(*lines: bytes, body: bytes = b"", target: bytes = b"/") -> bytes:
    """A POST with ``lines`` and then ``body`` as it stands."""
    return get(*lines, start=b"POST " + target + b" HTTP/1.1") + body


def chunked(coded: bytes, *lines: bytes) -> bytes:
    """A POST whose chunked body is ``coded`` as it stands."""
    return post(b"Transfer-Encoding: chunked", *lines, body=coded)


def shown(value: bytes) -> str:
    """Bytes as a name shows them."""
    return f"`{ascii(value)[2:-1]}`"
