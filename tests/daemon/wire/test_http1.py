"""HTTP/1.1 connections: requests in, cut anywhere; pipelined in order and bounded; keep-alive."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.config.spec import Limits, Timeouts
from support.connections import Server, on_loop, run_on_loop, settle
from support.echo import GET, Echo, chunked, exchange, post, respond

# The simplest things.


@on_loop
async def test_a_request_is_answered_with_server_date_and_length():
    client = await exchange(Server(Echo()), GET)
    response = client.response()
    assert (response.status, response.reason, response.body) == (200, "OK", b"/ ")
    assert response.one("server") == "asgid"
    assert response.one("content-length") == "2"
    assert "GMT" in (response.one("date") or "")
    assert response.one("connection") is None


@on_loop
async def test_head_and_first_piece_leave_in_one_write():
    client = await exchange(Server(Echo()), GET)
    assert client.writes == 1


@on_loop
async def test_a_connection_serves_request_after_request():
    app = Echo()
    server = Server(app)
    client = server.connect()
    for number in range(5):
        await exchange(server, post(b"%d" % number), client=client)
    assert [seen[2] for seen in app.seen] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(client.responses()) == 5
    assert server.factory.counters.requests == 5


BODIES = {
    "length": post(b"hello"),
    "empty": post(b""),
    "chunked": chunked(b"he", b"llo"),
    "chunked, trailers": chunked(b"hello")[:-2] + b"X-T: 1\r\n\r\n",
    "chunked, empty": chunked(),
    "get": GET,
    "http/1.0": post(b"hello", version=b"1.0"),
    "expect": post(b"hello", b"Expect: 100-continue"),
    "empty lines first": b"\r\n\r\n" + post(b"hello"),
}


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("data", BODIES.values(), ids=BODIES)
@on_loop
async def test_whole_byte_by_byte_and_with_trailing_bytes_the_request_is_the_same(data, slow):
    expected = [
        ("GET" if data is GET else "POST", b"/", b"hello" if b"hello" in data or b"llo" in data else b"")
    ]
    for pieces in (
        [data],
        [bytes((byte,)) for byte in data],
        [data[:-1], data[-1:]],
        *([data[:cut], data[cut:]] for cut in range(1, 9)),
    ):
        app = Echo(slow=slow)
        client = await exchange(Server(app), *pieces)
        assert app.seen == expected
        assert client.response().status == 200
        assert not client.late


@pytest.mark.parametrize("data", BODIES.values(), ids=BODIES)
@on_loop
async def test_what_follows_a_request_is_the_next_one(data):
    app = Echo()
    client = await exchange(Server(app), data + GET)
    closes = b"HTTP/1.0" in data
    assert len(app.seen) == (1 if closes else 2)
    assert len(client.responses()) == (1 if closes else 2)


@on_loop
async def test_9112_2_2_empty_lines_before_a_request_are_skipped():
    app = Echo()
    client = await exchange(Server(app), b"\r\n\r\n" + GET, b"\r", b"\n", GET, b"\r\n" + GET)
    assert len(client.responses()) == len(app.seen) == 3


@pytest.mark.parametrize("junk", [b"\n", b"\r\r\n", b"\n\r\n", b"\r\n\n"])
@on_loop
async def test_9112_2_2_bare_cr_or_lf_before_a_request_is_refused(junk):
    client = await exchange(Server(Echo()), junk + GET)
    assert client.response().status == 400


# Cuts.

requests = st.sampled_from(
    [
        GET, post(b"abc"), post(b""), chunked(b"ab", b"c"), chunked(), b"\r\n" + GET,
        b"HEAD /h HTTP/1.1\r\nHost: site\r\n\r\n", post(b"GET / HTTP/1.1\r\n\r\n"),
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", post(b"x", b"Connection: close"),
        b"GET / HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: site\r\n\r\n", post(b"x",
        b"Content-Length: 2"),
        b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
        b"\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: site\r\nA: b\nC: d\r\n\r\n", b"POST / HTTP/1.1\r\nHost: site\r\n",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    st.lists(requests, max_size=6).map(b"".join), st.lists(st.integers(0, 700), max_size=10), st.booleans()
)
def test_the_same_bytes_cut_anywhere_give_the_same_requests_and_answers(data, cuts, slow):
    """Whole, byte by byte and at random cuts: the same requests arrive, the same answers leave."""
    places = sorted({place % (len(data) + 1) for place in cuts})
    random = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    seen = []

    async def scenario() -> None:
        for pieces in ([data], random, [bytes((byte,)) for byte in data]):
            app = Echo(slow=slow)
            client = Server(app).connect()
            for piece in pieces:
                client.send(piece)
            client.finish()
            await settle(60)
            assert not client.late
            assert client.lost
            methods = [method for method, _, _ in app.seen]
            answers = [(answer.status, answer.body) for answer in client.responses(*methods)]
            seen.append((app.seen, answers))

    run_on_loop(scenario)
    assert seen[0] == seen[1] == seen[2]


# Pipelining.


@on_loop
async def test_9112_9_3_2_pipelined_requests_are_answered_in_order_and_one_at_a_time():
    running: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.append(scope["raw_path"])
        assert len(running) == 1
        await asyncio.sleep(0)
        await respond(send, scope["raw_path"])
        running.remove(scope["raw_path"])

    paths = [b"/%d" % number for number in range(20)]
    client = await exchange(
        Server(app), b"".join(b"GET %b HTTP/1.1\r\nHost: site\r\n\r\n" % path for path in paths)
    )
    await settle(200)
    assert [response.body for response in client.responses()] == paths


@on_loop
async def test_forty_thousand_requests_in_one_read_leave_the_loop_free():
    server = Server(Echo())
    client = server.connect()
    turns: list[int] = []

    def tick() -> None:
        turns.append(server.factory.counters.requests)
        if turns[-1] < 40_000:
            server.loop.call_soon(tick)

    tick()
    client.send(GET * 40_000)
    while turns[-1] < 40_000:
        await settle()
    taken = [after - before for before, after in pairwise(turns)]
    assert max(taken) <= 64
    await settle()
    assert client.received.count(b"HTTP/1.1 200 OK") == 40_000
    assert not client.paused


@pytest.mark.parametrize("stalled", [False, True])
@on_loop
async def test_what_waits_of_pipelined_requests_is_bounded(stalled):
    """The socket is paused, be it the loop's turns or a client that does not read that holds them up."""
    client = Server(Echo()).connect()
    if stalled:
        client.stall()
    sent = 0
    while not client.paused and sent < 100:
        client.send(GET * 2000)
        await settle(1)
        sent += 1
    assert sent < 12
    client.read()
    while client.received.count(b"HTTP/1.1 200 OK") < sent * 2000:
        await settle()
    await settle()
    assert not client.paused


@on_loop
async def test_what_a_client_sends_that_does_not_read_is_bounded_however_little_comes_at_a_time():
    client = Server(Echo()).connect()
    client.stall()
    sent = 0
    while not client.paused and sent < 1000:
        client.send(GET * 20)
        await settle(2)
        sent += 1
    assert client.paused
    client.read()
    while client.received.count(b"HTTP/1.1 200 OK") < sent * 20:
        await settle()
    assert not client.paused


@on_loop
async def test_what_waits_behind_a_slow_request_is_bounded():
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send)

    client = await exchange(Server(app), GET)
    sent = 0
    while not client.paused and sent < 100:
        client.send(GET * 100)
        await settle(1)
        sent += 1
    assert client.paused
    assert sent < 30
    gate.set()
    while client.received.count(b"HTTP/1.1 200 OK") < 1 + sent * 100:
        await settle()


@on_loop
async def test_a_head_larger_than_the_bound_on_reading_ahead_is_read_behind_a_slow_request():
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send)

    large = b"GET / HTTP/1.1\r\nHost: site\r\nA: " + b"a" * 150_000 + b"\r\n\r\n"
    client = await exchange(
        Server(app, limits=Limits(header_bytes=200_000)),
        GET,
        large[:70_000],
        large[70_000:140_000],
        large[140_000:],
    )
    gate.set()
    await settle(30)
    assert len(client.responses()) == 2


@on_loop
async def test_a_refused_request_in_a_row_is_answered_in_its_place_and_ends_the_row():
    app = Echo(slow=True)
    client = await exchange(Server(app), GET + post(b"a") + b"GET /\xff HTTP/1.1\r\n\r\n" + GET)
    await settle(30)
    assert [response.status for response in client.responses()] == [200, 200, 400]
    assert len(app.seen) == 2


# Keep-alive.


@pytest.mark.parametrize(
    ("request_", "answer", "closes"),
    [
        (GET, None, False),
        (b"GET / HTTP/1.1\r\nHost: site\r\nConnection: keep-alive\r\n\r\n", None, False),
        (b"GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n", "close", True),
        (b"GET / HTTP/1.0\r\nHost: site\r\n\r\n", "close", True),
        (b"GET / HTTP/1.0\r\n\r\n", "close", True),
        (b"GET / HTTP/1.0\r\nHost: site\r\nConnection: keep-alive\r\n\r\n", "keep-alive", False),
    ],
)
@on_loop
async def test_9112_9_3_persistence(request_, answer, closes):
    client = await exchange(Server(Echo()), request_)
    assert client.response().one("connection") == answer
    assert client.lost is closes
    if not closes:
        await exchange(Server(Echo()), request_, client=client)
        assert len(client.responses()) == 2


@on_loop
async def test_9112_9_6_nothing_after_connection_close_is_served():
    app = Echo()
    client = await exchange(Server(app), post(b"a", b"Connection: close") + GET + GET)
    assert len(app.seen) == 1
    assert client.response().body == b"/ a"
    assert client.ended
    client.finish()
    await settle()
    assert client.lost


@on_loop
async def test_keep_alive_zero_closes_after_each_response():
    client = await exchange(Server(Echo(), timeouts=Timeouts(keep_alive_s=0)), GET)
    assert client.response().one("connection") == "close"
    assert client.lost
