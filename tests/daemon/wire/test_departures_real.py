"""The ways a client can go, over real sockets, and what the application is told in each situation.

A FIN is how nearly every client goes, and how one that has only finished sending begins to wait: the
application is told, and what it sends is still written. Who has really gone answers that with a reset.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

import pytest

from asgid.config.spec import Timeouts
from support.serving import Served, serve

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 50000000\r\n\r\n"
TIMEOUTS = Timeouts(application_close_s=30, response_write_s=5, request_body_s=5)
LEFT = ConnectionResetError


class Situation:
    """An application, and what it went through: events' types, errors, and "answered"."""

    def __init__(self) -> None:
        self.begun = 0
        self.went: list[Any] = []
        self.ready = asyncio.Event()
        self.gate = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        try:
            await self.live(receive, send)
        except asyncio.CancelledError:
            self.went.append("cancelled")
            raise
        except OSError as error:
            self.went.append(type(error))
            raise

    async def live(self, receive: Any, send: Any) -> None:
        raise NotImplementedError

    async def note(self, receive: Any) -> None:
        """Receive to the end of the request or of the client."""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect" or not event["more_body"]:
                self.went.append(event["type"])
                return

    async def answer(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):  # the first is taken by the kernel whatever became of the client
            await send({"type": "http.response.body", "body": b"answer", "more_body": True})
            for _ in range(20):
                await asyncio.sleep(0)
        await send({"type": "http.response.body"})
        self.went.append("answered")


class Waits(Situation):
    """Has its request, and waits in ``receive`` for the client to leave, or for the gate."""

    request = GET

    async def live(self, receive: Any, send: Any) -> None:
        await self.note(receive)
        self.ready.set()
        left, gate = asyncio.create_task(receive()), asyncio.create_task(self.gate.wait())
        await asyncio.wait((left, gate), return_when=asyncio.FIRST_COMPLETED)
        gate.cancel()
        if left.done():
            self.went.append(left.result()["type"])
        left.cancel()
        await self.answer(send)


class InARow(Waits):
    """The same, with more requests behind it."""

    request = GET * 3


class InALongRow(Waits):
    """The same, with so many behind it that the socket is not read."""

    request = GET * 8_000


class InItsBody(Situation):
    """Reads a body that breaks off."""

    request = UPLOAD + b"x" * 1000

    async def live(self, receive: Any, send: Any) -> None:
        await receive()
        self.ready.set()
        await self.note(receive)
        await self.answer(send)


class Holds(Situation):
    """Does not read a body that is longer than what is held for it, until the gate opens; then reads on."""

    request = UPLOAD + b"x" * 200_000

    async def live(self, receive: Any, send: Any) -> None:
        self.ready.set()
        await self.gate.wait()
        await self.note(receive)
        await self.answer(send)


class Streams(Situation):
    """Sends to a client that does not read."""

    request = GET

    async def live(self, receive: Any, send: Any) -> None:
        await self.note(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        asyncio.get_running_loop().call_later(0.1, self.ready.set)
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


# Situation, how the client goes, whether the gate opens after that; what the application went through.
TABLE: list[tuple[type[Situation], str, bool, list[Any]]] = [
    (Waits, "close", False, ["http.request", "http.disconnect", LEFT]),
    (Waits, "half", False, ["http.request", "http.disconnect", "answered"]),
    (Waits, "reset", False, ["http.request", "http.disconnect", LEFT]),
    (Waits, "silence", True, ["http.request", "answered"]),
    (InARow, "close", False, ["http.request", "http.disconnect", LEFT]),
    (InARow, "half", False, ["http.request", "http.disconnect", "answered"] * 3),
    (InARow, "reset", False, ["http.request", "http.disconnect", LEFT]),
    (InARow, "silence", True, ["http.request", "answered"] * 3),
    (InALongRow, "close", False, ["http.request", "http.disconnect", LEFT]),
    (InALongRow, "reset", False, ["http.request", "http.disconnect", LEFT]),
    (InItsBody, "close", False, ["http.disconnect", LEFT]),
    (InItsBody, "half", False, ["http.disconnect", "answered"]),
    (InItsBody, "reset", False, ["http.disconnect", LEFT]),
    (InItsBody, "silence", False, ["cancelled"]),  # timeouts.request_body: answered with 408
    (Holds, "close", True, ["http.disconnect", LEFT]),
    (Holds, "half", True, ["http.disconnect", "answered"]),
    (Holds, "reset", True, ["http.disconnect", LEFT]),
    (Holds, "silence", True, ["cancelled"]),  # not before it reads: until then the application is slow
    (Streams, "close", False, ["http.request", LEFT]),
    (Streams, "reset", False, ["http.request", LEFT]),
    (Streams, "silence", False, ["http.request", "cancelled"]),  # timeouts.response_write
]


def go(client: socket.socket, how: str) -> None:
    if how == "half":
        client.shutdown(socket.SHUT_WR)
    elif how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    elif how == "close":
        client.close()


@pytest.mark.parametrize("row", TABLE, ids=[f"{row[0].__name__}-{row[1]}" for row in TABLE])
def test_what_an_application_is_told_of_a_client_that_goes(row, caplog):
    kind, how, opens, expected = row
    app = kind()
    received = bytearray()

    async def client(served: Served) -> None:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        await loop.sock_connect(sock, served.address)
        sending = asyncio.create_task(loop.sock_sendall(sock, kind.request))
        await app.ready.wait()
        await asyncio.sleep(0.05)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        go(sock, how)
        if how == "reset" and opens:  # the sweep finds it, before the application reads on
            await served.until(lambda: sweep(served, how) or not served.factory.connections)
        if opens:
            app.gate.set()
        reads = how in ("half", "silence") and kind is not Streams
        reading = asyncio.create_task(read(sock, received)) if reads else None
        await served.until(lambda: sweep(served, how) or len(app.went) >= len(expected))
        await served.until(lambda: not served.gateway.running)
        served.factory.cut()
        if reading is not None:
            await reading
        sock.close()

    serve(app, client, timeouts=TIMEOUTS)
    assert app.went == expected
    assert app.begun == max(1, expected.count("http.request"))
    assert received.count(b"HTTP/1.1 200 OK") == expected.count("answered")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def sweep(served: Served, how: str) -> bool:
    """Let the sweep find who has left unread, and, with a little time each turn, who is silent."""
    served.pass_time(0.01 if how == "silence" else 0)
    return False


async def read(sock: socket.socket, received: bytearray) -> None:
    with suppress(ConnectionResetError):
        while data := await asyncio.get_running_loop().sock_recv(sock, 65536):
            received += data
