"""HTTP/1.1 connections: requests in, in order and bounded; keep-alive; refusals; the ways a client can go."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from asgid.config.spec import Limits, Timeouts
from hypothesis import given, settings
from hypothesis import strategies as st
from support.connections import Client, Server, on_loop, run_on_loop, settle

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"


def post(body: bytes, *lines: bytes, version: bytes = b"1.1") -> bytes:
    head = (b"POST / HTTP/" + version, b"Host: site", b"Content-Length: %d" % len(body), *lines, b"", b"")
    return b"\r\n".join(head) + body


def chunked(*pieces: bytes, lines: tuple[bytes, ...] = ()) -> bytes:
    head = (b"POST / HTTP/1.1", b"Host: site", b"Transfer-Encoding: chunked", *lines, b"", b"")
    return (
        b"\r\n".join(head)
        + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        + b"0\r\n\r\n"
    )


async def respond(send: Any, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_all(receive: Any) -> bytes:
    body = b""
    while True:
        event = await receive()
        assert event["type"] == "http.request"
        body += event["body"]
        if not event["more_body"]:
            return body


class Echo:
    """An application that answers with what it got, and notes it; ``slow`` ones answer in a later turn."""

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow
        self.seen: list[tuple[str, bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await read_all(receive)
        if self.slow:
            await asyncio.sleep(0)
        self.seen.append((scope["method"], scope["raw_path"], body))
        await respond(send, scope["raw_path"] + b" " + body)


async def exchange(server: Server, *pieces: bytes, client: Client | None = None) -> Client:
    client = client or server.connect()
    for piece in pieces:
        client.send(piece)
        await settle(1)
    await settle()
    return client


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
        client.send(b"x" * 65536)
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
