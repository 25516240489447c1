"""limits.concurrency: how many requests are in the application at once, and what happens above it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asgid.config.spec import Limits
from support.connections import Server, on_loop, settle

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: site\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TWO = Limits(concurrency=2)


class Gated:
    """Answers when the gate opens; then works on until the second one does. Accepts WebSockets likewise."""

    def __init__(self) -> None:
        self.gate, self.after = asyncio.Event(), asyncio.Event()
        self.after.set()
        self.called = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.called += 1
        await receive()
        await self.gate.wait()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await receive()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
        await self.after.wait()


async def ask(server: Server, *requests: bytes) -> list[Any]:
    clients = []
    for request in requests:
        clients.append(server.connect())
        clients[-1].send(request)
        await settle()
    return clients


@on_loop
async def test_above_the_limit_the_application_is_not_called_and_the_client_is_told_when_to_come_back():
    app = Gated()
    server = Server(app, limits=TWO)
    *served, refused = await ask(server, GET, GET, GET)
    assert app.called == 2
    response = refused.response()
    assert (response.status, response.body) == (503, b"503 Service Unavailable\n")
    assert (response.one("retry-after"), response.one("connection")) == ("1", "close")
    assert response.one("date")
    assert response.one("server")
    assert refused.ended
    counters = server.factory.counters
    assert (counters.overloads, counters.bad_requests, counters.responses_5xx) == (1, 0, 1)
    assert [(end.status, end.head.target) for end in server.finished] == [(503, b"/")]
    app.gate.set()
    await settle()
    assert [client.response().body for client in served] == [b"done", b"done"]
    (again,) = await ask(server, GET)
    assert again.response().status == 200


@on_loop
async def test_what_works_on_after_its_answer_still_counts_and_so_does_what_its_client_has_left():
    app = Gated()
    app.after.clear()
    server = Server(app, limits=TWO)
    app.gate.set()
    first, second = await ask(server, GET, GET)
    assert (first.response().status, second.response().status) == (200, 200)
    first.reset()
    await settle()
    (refused,) = await ask(server, GET)
    assert refused.response().status == 503
    app.after.set()
    await settle()
    (served,) = await ask(server, GET)
    assert served.response().status == 200


@on_loop
async def test_requests_that_never_wait_are_never_refused():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    server = Server(app, limits=Limits(concurrency=1))
    clients = await ask(server, *[GET * 50] * 5)
    assert [[response.status for response in client.responses()] for client in clients] == [[200] * 50] * 5


@on_loop
async def test_a_handshake_counts_until_it_is_accepted_and_then_no_more():
    app = Gated()
    server = Server(app, limits=TWO)
    first, second, third = await ask(server, HANDSHAKE, HANDSHAKE, HANDSHAKE)
    assert third.response().status == 503
    assert third.response().one("retry-after") == "1"
    (refused,) = await ask(server, GET)
    assert refused.response().status == 503
    app.gate.set()
    await settle()
    assert first.received.startswith(b"HTTP/1.1 101")
    assert server.gateway.running == 2
    assert server.gateway.requests == 0
    served = await ask(server, GET, HANDSHAKE, HANDSHAKE)
    assert served[0].response().status == 200
    assert all(client.received.startswith(b"HTTP/1.1 101") for client in served[1:])
    first.reset()
    second.reset()
    await settle()
    assert server.gateway.requests == 0
    assert server.gateway.running == 2


@pytest.mark.parametrize("method", [b"HEAD", b"POST"])
@on_loop
async def test_a_refusal_of_head_has_no_body_and_one_of_a_long_body_reaches_the_client(method):
    app = Gated()
    server = Server(app, limits=Limits(concurrency=1))
    _, refused = await ask(server, GET, method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
    refused.send(b"x" * 800_000)
    await settle()
    assert refused.response(method.decode()).status == 503
    assert refused.ended
    assert not refused.lost  # what it sends is read on: no reset eats the answer


@on_loop
async def test_a_flood_above_the_limit_is_counted_whole_and_said_once_in_a_while(caplog):
    server = Server(Gated(), limits=Limits(concurrency=1))
    await ask(server, GET)
    for _ in range(50):
        (client,) = await ask(server, GET)
        client.reset()
    said = [record.getMessage() for record in caplog.records if "concurrency" in record.getMessage()]
    assert said == ["listener public: limits.concurrency (1) is reached: refused with 503: 1"]
    server.clock.advance(11)
    await ask(server, GET)
    said = [record.getMessage() for record in caplog.records if "concurrency" in record.getMessage()]
    assert said[1:] == ["listener public: limits.concurrency (1) is reached: refused with 503: 50"]
    assert server.factory.counters.overloads == 51


@on_loop
async def test_how_many_the_last_of_a_flood_were_is_said_when_nobody_is_refused_any_more(caplog):
    server = Server(Gated(), limits=Limits(concurrency=1))
    await ask(server, *[GET] * 8)
    for _ in range(3):
        server.pass_time(6)
    said = [record.getMessage() for record in caplog.records if "concurrency" in record.getMessage()]
    assert [line.rpartition(" ")[2] for line in said] == ["1", "6"]


@on_loop
async def test_without_a_limit_nothing_is_asked():
    server = Server(Gated())
    assert server.factory.admission is None
    assert server.factory.begin == server.gateway.begin
