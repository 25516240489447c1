"""Bodies that nobody reads, and Expect: 100-continue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.connections import Server, on_loop, settle
from support.echo import GET, Echo, chunked, exchange, post, read_all, respond

# Bodies that nobody reads.


async def ignores_body(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, b"ignored")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("data", [post(b"x" * 1000), chunked(b"x" * 500, b"x" * 500)])
@on_loop
async def test_a_body_that_the_application_did_not_read_is_thrown_away(data, late):
    server = Server(ignores_body)
    cut = data.index(b"\r\n\r\n") + 4
    client = await exchange(server, *((data[:cut], data[cut:] + GET) if late else (data + GET,)))
    assert [response.body for response in client.responses()] == [b"ignored", b"ignored"]
    assert not client.lost


@on_loop
async def test_a_long_body_that_nobody_reads_ends_with_the_connection():
    client = await exchange(Server(ignores_body), post(b"x" * 10_000_000)[:1000])
    assert client.response().body == b"ignored"
    assert client.ended  # the client gets its answer, then a FIN: what it still sends is thrown away
    assert not client.lost
    for _ in range(100):
        client.send(b"x" * 1_000_000)
    await settle()
    assert client.lost
    assert not client.late


@on_loop
async def test_a_body_of_unknown_length_that_nobody_reads_is_thrown_away_up_to_a_bound():
    server = Server(ignores_body)
    client = await exchange(server, chunked()[:-5])
    for _ in range(8):
        await exchange(server, b"10000\r\n" + b"x" * 65536 + b"\r\n", client=client)
    assert client.ended
    client.finish()
    await settle()
    assert client.lost
    assert len(client.responses()) == 1


@on_loop
async def test_a_broken_body_that_nobody_reads_ends_the_connection():
    server = Server(ignores_body)
    client = await exchange(server, chunked()[:-5], b"g\r\n")
    assert client.lost
    assert client.response().body == b"ignored"


# 100 Continue.


@on_loop
async def test_9110_10_1_1_continue_is_sent_when_the_application_reads_and_not_before():
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send, await read_all(receive))

    server = Server(app)
    data = post(b"hello", b"Expect: 100-continue")
    client = await exchange(server, data[:-5])
    assert not client.received
    gate.set()
    await settle()
    assert bytes(client.received) == b"HTTP/1.1 100 Continue\r\n\r\n"
    await exchange(server, data[-5:], client=client)
    response = client.response()
    assert (response.interim, response.status, response.body) == ([100], 200, b"hello")
    assert response.one("connection") is None


@on_loop
async def test_9110_10_1_1_no_continue_where_the_body_has_come_already():
    app = Echo()
    server = Server(app)
    data = post(b"hello", b"Expect: 100-continue")
    client = await exchange(server, data, data[:-3], data[-3:])
    assert [response.interim for response in client.responses()] == [[], []]
    assert len(app.seen) == 2


@on_loop
async def test_9110_10_1_1_an_answer_without_reading_closes_and_sends_no_continue():
    client = await exchange(Server(ignores_body), post(b"hello", b"Expect: 100-continue")[:-5])
    response = client.response()
    assert (response.interim, response.one("connection")) == ([], "close")
    assert client.ended


@on_loop
async def test_9110_15_2_no_continue_stands_inside_a_response():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await receive()
        await send({"type": "http.response.body", "body": b"b"})

    server = Server(app)
    data = post(b"hello", b"Expect: 100-continue")
    client = await exchange(server, data[:-5], data[-5:])
    assert client.response().body == b"ab"


@on_loop
async def test_9110_10_1_1_a_client_that_waits_to_be_told_is_not_late():
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send, await read_all(receive))

    server = Server(app)
    client = await exchange(server, post(b"hello", b"Expect: 100-continue")[:-5])
    server.pass_time(3600)
    await settle()
    assert not client.received
    gate.set()
    await settle()
    server.pass_time(61)  # now it has been told, and says nothing
    await settle()
    assert client.response().status == 408


@on_loop
async def test_a_client_that_got_an_answer_in_place_of_a_continue_does_not_hold_the_application():
    """It may or may not send its body then (RFC 9110 10.1.1); what it does not send is late as any other."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await receive()

    server = Server(app)
    client = await exchange(server, post(b"hello", b"Expect: 100-continue")[:-5])
    server.pass_time(59)
    await settle()
    assert not client.lost
    server.pass_time(2)
    await settle()
    assert client.lost


@pytest.mark.parametrize(("size", "closes"), [(100_000, False), (2_000_000, True)])
@on_loop
async def test_9112_9_6_a_connection_that_a_long_unread_body_will_end_says_so(size, closes):
    """A proxy that keeps connections to its upstream would lose its next request otherwise."""
    client = await exchange(Server(ignores_body), post(b"x" * size)[: -size + 1000])
    assert (b"connection: close" in bytes(client.received)) is closes
