"""Limits and refusals: each is a whole answer, and ends the connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asgid.config.spec import Limits
from support.connections import Server, on_loop, settle
from support.echo import GET, Echo, chunked, exchange, post, read_all

# Limits and refusals.

REFUSALS: dict[str, tuple[int, bytes]] = {
    "400": (400, b"GET /\xff HTTP/1.1\r\nHost: site\r\n\r\n"),
    "400 half a head": (400, b"GET / HTTP/1.1\nHost: si"),
    "400 chunk with its head": (400, chunked()[:-5] + b"x\r\n"),
    "400 chunk later": (400, chunked(b"abc")[:-5] + b"x\r\n"),
    "413": (413, post(b"x" * 5001)[:200]),
    "413 chunked": (413, chunked(*[b"x" * 100] * 51)),
    "414": (414, b"GET /" + b"a" * 500 + b" HTTP/1.1\r\nHost: site\r\n\r\n"),
    "414 without end": (414, b"G" * 600),
    "417": (417, post(b"x", b"Expect: cake")),
    "431 size": (431, b"GET / HTTP/1.1\r\nHost: site\r\nA: " + b"a" * 1000 + b"\r\n\r\n"),
    "431 without end": (431, b"GET / HTTP/1.1\r\nHost: site\r\nA: " + b"a" * 1000),
    "431 count": (431, b"GET / HTTP/1.1\r\nHost: site\r\n" + b"A: b\r\n" * 20 + b"\r\n"),
    "501": (501, b"BREW / HTTP/1.1\r\nHost: site\r\n\r\n"),
    "505": (505, b"GET / HTTP/2.0\r\nHost: site\r\n\r\n"),
}
SMALL = Limits(request_line_bytes=500, header_bytes=1000, header_count=20, body_bytes=5000)


@pytest.mark.parametrize("by_bytes", [False, True])
@pytest.mark.parametrize(("status", "data"), REFUSALS.values(), ids=REFUSALS)
@on_loop
async def test_a_refusal_is_a_whole_answer_and_ends_the_connection(status, data, by_bytes, caplog):
    caplog.set_level("INFO")
    app = Echo()
    server = Server(app, limits=SMALL)
    client = await exchange(server, *([bytes((byte,)) for byte in data] if by_bytes else [data]))
    response = client.response()
    assert response.status == status
    assert response.one("server") == "asgid"
    assert "GMT" in (response.one("date") or "")
    assert response.one("connection") == "close"
    assert response.one("content-type") == "text/plain; charset=utf-8"
    assert 0 < len(response.body) < 100
    assert response.complete
    assert app.seen == []
    assert client.ended
    assert not client.lost  # it reads on for a while, so that no reset eats the answer (RFC 9112 9.6)
    assert server.factory.counters.bad_requests == 1
    assert (server.factory.counters.responses_4xx, server.factory.counters.responses_5xx) == (
        (1, 0) if status < 500 else (0, 1)
    )
    assert [finished.status for finished in server.finished] == [status]
    assert f"refused with {status}" in caplog.text
    assert "listener public" in caplog.text
    assert "192.0.2.7:5000" in caplog.text
    client.send(GET)
    client.finish()
    await settle()
    assert client.lost
    assert not client.late
    assert app.seen == []


@on_loop
async def test_413_comes_before_the_body_and_before_the_application():
    app = Echo()
    client = await exchange(Server(app, limits=SMALL), post(b"x" * 5001, b"Expect: 100-continue")[:-5001])
    assert client.response().status == 413
    assert client.response().interim == []


@on_loop
async def test_the_limits_are_inclusive_and_zero_is_none():
    line = b"GET /" + b"a" * 486 + b" HTTP/1.1"
    for data in (
        line + b"\r\nHost: site\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site\r\n" + b"A: b\r\n" * 19 + b"\r\n",
        post(b"x" * 5000),
        chunked(*[b"x" * 100] * 50),
    ):
        for pieces in ([data], [bytes((byte,)) for byte in data]):
            client = await exchange(Server(Echo(), limits=SMALL), *pieces)
            assert client.response().status == 200
    none = Limits(request_line_bytes=0, header_bytes=0, header_count=0, body_bytes=0)
    data = b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: site\r\n" + b"A: b\r\n" * 10_000
    data += b"Content-Length: 9\r\n\r\n" + b"x" * 9
    client = await exchange(Server(Echo(), limits=none), data[:50_000], data[50_000:])
    assert client.response().status == 200


@on_loop
async def test_a_refusal_while_the_application_reads_cancels_it_and_is_answered():
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await read_all(receive)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    server = Server(app)
    client = await exchange(server, chunked(b"abc")[:-5], b"nonsense\r\n")
    assert client.response().status == 400
    assert ended == ["cancelled"]
    assert [finished.status for finished in server.finished] == [400]


@on_loop
async def test_a_refusal_after_the_response_has_begun_cuts_the_connection():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await read_all(receive)

    server = Server(app)
    client = await exchange(server, chunked(b"abc")[:-5], b"nonsense\r\n")
    assert client.aborted
    assert client.response().body == b"begun"
    assert not client.response().complete
    assert [(finished.status, finished.cut) for finished in server.finished] == [(200, True)]
    assert server.factory.counters.cut == 1


@on_loop
async def test_one_clients_refused_head_changes_nothing_for_another():
    server = Server(Echo())
    for body in (
        b"Content-Length: 1000",
        b"Transfer-Encoding: chunked",
        b"Upgrade: x\r\nConnection: upgrade",
    ):
        for start, extra in (
            (b"POST / HTTP/1.1", b"A: b\r\n" * 200),
            (b"POST http://a@b/ HTTP/1.1", b""),
            (b"POST * HTTP/1.1", b""),
        ):
            head = start + b"\r\nHost: site\r\n" + body + b"\r\n" + extra + b"\r\n"
            assert (await exchange(server, head)).response().status in (400, 431)
            assert (await exchange(server, GET)).response().status == 200


@on_loop
async def test_a_refused_head_has_no_body_in_its_answer():
    """RFC 9110 9.3.2, also where the head was not parsed to its end."""
    server = Server(Echo())
    for data in (b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: site\r\nExpect: cake\r\n\r\n"):
        client = server.connect()
        client.send(data)
        await settle()
        (response,) = client.responses("HEAD")
        assert response.status in (400, 417)
        assert client.received.endswith(b"\r\n\r\n")


@on_loop
async def test_empty_lines_count_against_the_limit_however_they_come():
    server = Server(Echo(), limits=Limits(header_bytes=100))
    client = server.connect()
    for _ in range(50):
        client.send(b"\r\n")
    client.send(GET)
    await settle()
    assert client.response().status == 200
    for _ in range(30):  # the next request's are counted anew
        client.send(b"\r\n")
    await settle()
    assert len(client.responses()) == 1
    for _ in range(21):
        client.send(b"\r\n")
    await settle()
    assert [response.status for response in client.responses()] == [200, 431]


@pytest.mark.parametrize(
    ("status", "data"),
    [each for each in REFUSALS.values() if each[1].startswith(b"GET ")],
    ids=[name for name, each in REFUSALS.items() if each[1].startswith(b"GET ")],
)
@on_loop
async def test_9110_9_3_2_no_refusal_of_head_has_a_body(status, data):
    server = Server(Echo(), limits=SMALL)
    client = await exchange(server, b"\r\n" + data.replace(b"GET", b"HEAD", 1))
    assert bytes(client.received).startswith(b"HTTP/1.1 %d " % status)
    assert bytes(client.received).endswith(b"\r\n\r\n")
    assert client.received.count(b"\r\n\r\n") == 1


@on_loop
async def test_9110_9_3_2_a_head_that_does_not_come_is_answered_without_a_body():
    server = Server(Echo())
    client = await exchange(server, b"HEAD / HTTP/1.1\r\n")
    server.pass_time(3600)
    await settle()
    assert bytes(client.received).startswith(b"HTTP/1.1 408 ")
    assert bytes(client.received).endswith(b"\r\n\r\n")


@on_loop
async def test_a_refusal_of_get_has_its_body_though_head_stands_behind_it():
    server = Server(Echo(), limits=SMALL)
    client = await exchange(server, b"GET / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert bytes(client.received).endswith(b"400 Bad Request\n")
