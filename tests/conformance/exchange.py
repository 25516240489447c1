"""How a case is played: over a real socket, its marker behind it, to the end of the connection."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model import BODY_BYTES, HEADER_BYTES, HEADER_COUNT, MARKER, REQUEST_LINE_BYTES, Case, Taken
from support.connections import Response, parse_responses
from support.files import write
from support.raw import Place, Raw
from support.server import ASGID, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = __file__.rpartition("/")[0]


@dataclass(frozen=True)
class Seen:
    """One request as the application saw it; ``body`` is None where it never became whole."""

    connection: int
    method: str
    target: str
    version: str
    headers: list[list[str]]
    body: str | None


@contextmanager
def witness(folder: Path) -> Iterator[Server]:
    """The real command, serving the witness with small limits."""
    path = write(
        folder / "listeners.toml",
        f"""
[application]
target = "witness:application"
directory = "{HERE}/site"
lifespan = "off"
[listeners.main]
address = "127.0.0.1"
port = 0
[limits]
request_line = {REQUEST_LINE_BYTES}
header_size = {HEADER_BYTES}
header_count = {HEADER_COUNT}
body_size = {BODY_BYTES}
""",
    )
    server = Server([ASGID, "--config", path], cwd=folder)
    try:
        yield server.wait_serving()
    finally:
        server.kill()


def seen(place: Place) -> list[Seen]:
    """What the application saw since this was last asked."""
    with Raw(place) as client:
        client.send(b"GET /.seen HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
        (response,) = parse_responses(client.read_to_end(), (), closed=True)
    return [Seen(**entry) for entry in json.loads(response.body)]


def play(place: Place, case: Case, *, patient: bool = False) -> bytes:
    """Send a case, and its marker unless the client leaves; return all that came back.

    A ``patient`` client does not leave in the middle: it waits until the other side has had enough.
    """
    with Raw(place) as client:
        if case.waits:
            client.send(case.data)
            came = client.read_until(b"\r\n\r\n")
            if not came.startswith(b"HTTP/1.1 100 "):
                return came + client.read_to_end()
            client.send(case.waits + MARKER)
            return came + client.read_to_end()
        client.send(case.data if case.leaves else case.data + MARKER)
        if case.leaves and not patient:
            client.half_close()
        return client.read_to_end()


def answers(case: Case, received: bytes) -> list[Response]:
    """The responses to a case and its marker; fails where they are not well-formed.

    (An answer to HEAD with a body, for one: what is behind it would be no response.)
    """
    methods = tuple(
        outcome.method if isinstance(outcome, Taken) else case.data.partition(b" ")[0].decode("latin-1")
        for outcome in case.outcome
    )
    return parse_responses(received, methods, closed=True)
