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


# Many chunks in one read.

TINY = 20_000


def tiny(rest: bytes = GET) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"1\r\nx\r\n" * TINY + b"0\r\n\r\n" + rest


async def counts_body(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, b"%d" % len(await read_all(receive)))


@pytest.mark.parametrize("late", [False, True])
@on_loop
async def test_others_have_turns_while_one_read_of_many_chunks_is_taken(late):
    server = Server(counts_body)
    slow, quick = server.connect(), server.connect()
    cut = tiny().index(b"\r\n\r\n") + 4
    for piece in (tiny()[:cut], tiny()[cut:]) if late else (tiny(),):
        slow.send(piece)
        await asyncio.sleep(0)
    quick.send(GET)
    await settle(6)
    assert quick.response().body == b"0"
    assert not slow.responses()
    assert slow.paused  # and nothing more is read meanwhile
    await settle(60)
    assert [response.body for response in slow.responses()] == [b"%d" % TINY, b"0"]
    assert not slow.paused


@on_loop
async def test_many_chunks_that_nobody_wants_are_thrown_away_and_the_next_request_is_found():
    client = await exchange(Server(ignores_body), tiny())
    await settle(60)
    assert [response.body for response in client.responses()] == [b"ignored", b"ignored"]


@on_loop
async def test_an_application_that_waits_holds_many_chunks_until_it_asks():
    asked = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asked.wait()
        await counts_body(scope, receive, send)

    server = Server(application)
    client = server.connect()
    for number in range(12):
        client.send(tiny(b"")[:-5] if not number else b"1\r\nx\r\n" * TINY)
        await settle(60)
    assert client.paused
    asked.set()
    await settle(300)
    client.send(b"0\r\n\r\n")
    await settle(60)
    assert client.response().body == b"%d" % (12 * TINY)
    assert not client.paused


@on_loop
async def test_a_mistake_behind_many_chunks_is_refused():
    client = await exchange(Server(counts_body), tiny(b"").replace(b"0\r\n\r\n", b"zz\r\n"))
    await settle(60)
    assert client.response().status == 400


@on_loop
async def test_a_client_that_goes_in_the_middle_of_many_chunks_leaves_nothing():
    server = Server(counts_body)
    client = server.connect()
    client.send(tiny())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    client.reset()
    await settle(60)
    assert not client.received
