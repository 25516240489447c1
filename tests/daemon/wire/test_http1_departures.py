"""The ways a client can go, and backpressure both ways."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.connections import Server, on_loop, settle
from support.echo import GET, Echo, exchange, post, read_all, respond

# The ways a client can go.


@on_loop
async def test_a_half_closed_client_gets_its_answers():
    for slow in (False, True):
        app = Echo(slow=slow)
        client = Server(app).connect()
        client.send(post(b"a") + GET + GET)
        client.finish()
        await settle(30)
        assert len(client.responses()) == 3
        assert client.lost
        assert not client.aborted


@on_loop
async def test_a_half_closed_client_is_told_to_the_application_and_still_gets_what_it_sends():
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await read_all(receive)
        events.append(await receive())
        await respond(send, b"still")

    client = await exchange(Server(app), GET)
    client.finish()
    await settle()
    assert events == [{"type": "http.disconnect"}]
    assert client.response().body == b"still"
    assert client.lost


@on_loop
async def test_a_request_that_begins_after_the_fin_is_told_so():
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        if scope["path"] == "/":
            await read_all(receive)
            events.append(await receive())
        await respond(send)

    client = Server(app).connect()
    client.send(b"GET /a HTTP/1.1\r\nHost: site\r\n\r\n" + GET)
    client.finish()
    await settle(30)
    assert events == [{"type": "http.disconnect"}]
    assert len(client.responses()) == 2


@on_loop
async def test_a_fin_inside_a_body_is_a_disconnect():
    events: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.extend([await receive(), await receive(), await receive()])
        await respond(send)

    client = await exchange(Server(app), post(b"hello")[:-2])
    client.finish()
    await settle()
    assert events == [
        {"type": "http.request", "body": b"hel", "more_body": True},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]
    assert client.lost


@pytest.mark.parametrize(
    ("data", "asks", "status"),
    [
        (post(b"hello")[:-2], 2, 400),
        (b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", 2, 400),
        (post(b"hello")[:-2], 1, 500),  # it was not told: that is a mistake of its own
        (post(b"hello"), 2, 500),  # a whole request that was not answered
    ],
)
@on_loop
async def test_9112_8_an_incomplete_request_that_the_application_gives_up_is_answered_with_400(
    data, asks, status
):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(asks):
            await receive()
        await asyncio.sleep(0)

    server = Server(app)
    client = server.connect()
    client.send(data)
    client.finish()
    await settle()
    assert client.response().status == status
    assert client.lost
    assert [finished.status for finished in server.finished] == [status]


@on_loop
async def test_a_silent_close_and_a_close_inside_a_head_are_no_requests():
    server = Server(Echo())
    for data in (b"", b"GET / HT", GET):
        client = await exchange(server, data)
        client.finish()
        await settle()
        assert client.lost
    assert server.factory.counters.requests == 1
    assert server.factory.counters.bad_requests == 0
    assert not server.factory.connections


@pytest.mark.parametrize("streaming", [False, True])
@on_loop
async def test_after_a_reset_send_raises_oserror(streaming):
    raised: list[BaseException] = []
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if streaming:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await gate.wait()
        try:
            if not streaming:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"b", "more_body": True})
        except OSError as error:
            raised.append(error)

    server = Server(app)
    client = await exchange(server, GET)
    client.reset()
    await settle()
    gate.set()
    await settle()
    assert len(raised) == 1
    assert [(finished.cut, finished.status) for finished in server.finished] == [
        (True, 200 if streaming else 0)
    ]
    assert not server.factory.connections
    assert server.gateway.running == 0


@on_loop
async def test_a_reset_while_send_waits_raises_oserror_in_it():
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        except OSError as error:
            raised.append(error)
            raise

    server = Server(app)
    client = server.connect()
    client.stall()
    await exchange(server, GET, client=client)
    assert raised == []
    client.reset()
    await settle()
    assert len(raised) == 1


@on_loop
async def test_the_very_send_that_waits_raises_oserror_on_a_reset():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        waiting = [
            send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True}) for _ in "ab"
        ]
        ended.extend(await asyncio.gather(*waiting, return_exceptions=True))

    ended: list[Any] = []
    server = Server(app)
    client = server.connect()
    client.stall()
    await exchange(server, GET, client=client)
    client.reset()
    await settle()
    assert [type(end) for end in ended] == [ConnectionResetError, ConnectionResetError]


@on_loop
async def test_a_reset_in_a_pipelined_row_begins_no_further_request():
    gate = asyncio.Event()
    seen: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["raw_path"])
        await gate.wait()
        await respond(send)

    client = await exchange(Server(app), GET * 10)
    client.reset()
    gate.set()
    await settle(30)
    assert seen == [b"/"]


# Backpressure.


@on_loop
async def test_send_waits_for_a_client_that_does_not_read():
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(100):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent.append(number)
        await send({"type": "http.response.body"})

    server = Server(app)
    client = server.connect()
    client.stall()
    await exchange(server, GET, client=client)
    assert len(sent) <= 1
    client.read(60_000)
    await settle()
    assert len(sent) <= 3
    client.read()
    await settle(250)
    assert len(client.response().body) == 100 * 65536
    assert client.response().complete


@on_loop
async def test_two_senders_that_wait_both_go_on():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        piece = {"type": "http.response.body", "body": b"x" * 100_000, "more_body": True}
        await asyncio.gather(send(piece), send(piece), send(piece))
        await send({"type": "http.response.body"})

    server = Server(app)
    client = server.connect()
    client.stall()
    await exchange(server, GET, client=client)
    client.read()
    await settle(30)
    assert client.response().complete


@on_loop
async def test_reading_stops_when_the_application_does_not_take_the_body():
    gate = asyncio.Event()
    got: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        got.append(len(await read_all(receive)))
        await respond(send)

    server = Server(app)
    data = post(b"x" * 1_000_000)
    client = await exchange(server, data[:1000])
    sent = 1000
    while not client.paused and sent < len(data):
        client.send(data[sent : sent + 10_000])
        sent += 10_000
        await settle(1)
    assert sent < 120_000
    client.send(data[sent:])
    gate.set()
    await settle(30)
    assert got == [1_000_000]
    assert client.response().status == 200
    assert not client.paused


@on_loop
async def test_a_pipelined_request_is_not_begun_while_the_answer_before_it_waits_for_the_client():
    app = Echo()
    server = Server(app)
    client = server.connect()
    client.stall()
    await exchange(server, post(b"x" * 100_000), GET, client=client)
    assert len(app.seen) == 1
    client.read()
    await settle(30)
    assert len(client.responses()) == 2
