"""ASGI's extensions for HTTP: trailers and early hints."""

from __future__ import annotations

from typing import Any

import pytest

from support.connections import Server, on_loop, settle
from support.extensions import (
    GET,
    HEADS,
    START,
    TE,
    TRAILING,
    ask,
    hint,
    piece,
    start,
    trailers,
)

# Trailers (RFC 9110 6.5, RFC 9112 7.1.2).


@pytest.mark.parametrize("te", [b"trailers", b"Trailers", b"gzip;q=0.5, trailers", b"trailers, deflate"])
@on_loop
async def test_trailers_follow_the_last_chunk_for_a_client_that_takes_them(te):
    events = (
        start((b"Trailer", b"x-sum"), trailers=True),
        piece(b"hello"),
        trailers((b"x-sum", b"1"), (b"x-b", b"2")),
    )
    _, client = await ask(*events, request=TE % te * 2)
    first, second = client.responses()
    assert first == second
    assert (first.body, first.one("trailer")) == (b"hello", "x-sum")
    assert first.trailers == [("x-sum", "1"), ("x-b", "2")]


@pytest.mark.parametrize(
    ("request_", "headers"),
    [
        (GET, ()),
        (TE % b"gzip", ()),
        (TE % b"trailers-not", ()),
        (HEADS["1.0"].replace(b"\r\n\r\n", b"\r\nTE: trailers\r\n\r\n"), ()),
        (HEADS["1.0 kept"].replace(b"\r\n\r\n", b"\r\nTE: trailers\r\n\r\n"), ()),
        (TE % b"trailers", ((b"content-length", b"5"),)),
        ((TE % b"trailers").replace(b"GET", b"HEAD"), ()),
    ],
)
@on_loop
async def test_trailers_and_their_announcement_are_dropped_where_they_cannot_be_sent(request_, headers):
    events = (
        start((b"trailer", b"x-sum"), *headers, trailers=True),
        piece(b"hel", True),
        piece(b"lo"),
        trailers((b"x-sum", b"1")),
    )
    _, client = await ask(*events, request=request_)
    response = client.response(request_.split()[0].decode())
    assert response.complete
    assert response.body == (b"" if request_.startswith(b"HEAD") else b"hello")
    assert b"x-sum" not in client.received
    assert response.one("trailer") is None


@on_loop
async def test_trailers_may_come_in_several_events():
    events = TRAILING, piece(b"a"), trailers((b"x-a", b"1"), more=True), trailers((b"x-b", b"2"))
    _, client = await ask(*events, request=TE % b"trailers")
    assert client.received.endswith(b"0\r\nx-a: 1\r\nx-b: 2\r\n\r\n")


@on_loop
async def test_the_announcement_of_trailers_cannot_split_the_head(caplog):
    split = {**TRAILING, "headers": [(b"trailer", b"x-sum\r\nset-cookie: a=b")]}
    _, client = await ask(split, piece(b"hello"), trailers((b"x-sum", b"1")), request=TE % b"trailers")
    assert client.response().status == 500
    assert b"set-cookie" not in client.received
    assert "the header trailer has CR, LF or NUL" in caplog.text


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ((b"content-length", b"5"), "content-length may not be a trailer"),
        ((b"Set-Cookie", b"a=b"), "Set-Cookie may not be a trailer"),
        ((b"host", b"a"), "host may not be a trailer"),
        ((b"x-a", b"a\r\nb: c"), "CR, LF or NUL"),
        ((b"x a", b"a"), "is not a header name"),
        (("x-a", b"a"), "must be bytes"),
        (b"xyz", "http.response.trailers"),
    ],
)
@on_loop
async def test_what_may_be_no_trailer_is_a_mistake_that_cuts(header, named, caplog):
    server, client = await ask(TRAILING, piece(b"hello"), trailers(header), request=TE % b"trailers")
    assert named in caplog.text
    assert client.aborted
    assert not client.response().complete
    assert server.factory.counters.cut == 1


@on_loop
async def test_hop_by_hop_fields_are_left_out_of_trailers():
    events = (
        TRAILING,
        piece(b"hello"),
        trailers((b"connection", b"close"), (b"keep-alive", b"1"), (b"x", b"y")),
    )
    _, client = await ask(*events, request=TE % b"trailers")
    assert client.received.endswith(b"0\r\nx: y\r\n\r\n")


WRONG_TRAILERS: list[tuple[Any, str]] = [
    ([START, piece(b"a", True), trailers()], "'http.response.trailers' where the response expects"),
    ([START, trailers()], "'http.response.trailers' where the response expects"),
    ([TRAILING, piece(b"a", True), trailers()], "'http.response.trailers' where the response expects"),
    ([TRAILING, piece(b"a"), piece(b"b")], "expects http.response.trailers"),
    ([TRAILING, piece(b"a")], "returned before its response was complete"),
    ([TRAILING, piece(b"a"), trailers((b"x", b"y"), more=True)], "returned before its response was complete"),
    (
        [start((b"content-length", b"5"), trailers=True), piece(b"abc"), trailers()],
        "after 3 bytes, its Content-Length is 5",
    ),
]


@pytest.mark.parametrize(("events", "named"), WRONG_TRAILERS)
@on_loop
async def test_trailers_out_of_place_are_named_and_the_response_is_not_complete(events, named, caplog):
    _, client = await ask(*events, request=TE % b"trailers")
    assert named in caplog.text
    assert not client.response().complete or client.response().status == 500


@on_loop
async def test_what_is_sent_after_the_trailers_is_named_and_the_client_keeps_its_answer(caplog):
    events = TRAILING, piece(b"a"), trailers((b"x", b"y")), trailers((b"z", b"y"))
    _, client = await ask(*events, request=TE % b"trailers" * 2)
    assert [response.complete for response in client.responses()] == [True, True]
    assert "the response is complete" in caplog.text


# Early hints (RFC 8297).


@pytest.mark.parametrize("before", [True, False])
@on_loop
async def test_hints_come_before_the_head(before):
    events = [hint(b"</a>; rel=preload"), hint(b"</b>", b"</c>")]
    events.insert(0 if not before else 2, start())
    _, client = await ask(*events, piece(b"hello"), request=GET * 2)
    for response in client.responses():
        assert (response.interim, response.status, response.body) == ([103, 103], 200, b"hello")
    assert client.received.startswith(
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: </b>\r\nlink: </c>\r\n\r\nHTTP/1.1 200 OK\r\n"
    )


@pytest.mark.parametrize(
    ("events", "request_"),
    [
        ([hint(b"</a>"), START, hint(b"</a>"), piece(b"hello")], HEADS["1.0"]),
        ([START, piece(b"hel", True), hint(b"</a>"), piece(b"lo")], GET),
        ([TRAILING, piece(b"hel", True), hint(b"</a>"), piece(b"lo"), trailers()], GET),
        ([hint(), START, piece(b"hello")], GET),
    ],
)
@on_loop
async def test_a_hint_that_cannot_be_given_is_none(events, request_, caplog):
    _, client = await ask(*events, request=request_)
    assert (client.response().interim, client.response().body) == ([], b"hello")
    assert not caplog.records


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (hint(b"</a>\r\nx: y"), "CR, LF or NUL"),
        (hint("</a>"), "must be bytes"),
        ({"type": "http.response.early_hint", "links": b"</a>"}, "not bytes"),
        ({"type": "http.response.early_hint", "links": None}, "http.response.early_hint"),
    ],
)
@on_loop
async def test_a_hint_that_is_none_is_a_mistake(event, named, caplog):
    _, client = await ask(event, START, piece())
    assert (client.response().status, client.response().interim) == (500, [])
    assert named in caplog.text


@on_loop
async def test_hints_wait_for_a_client_that_does_not_read():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(100):
            await send(hint(b"x" * 10_000))
            sent.append(1)
        await send(START)
        await send(piece())

    sent: list[int] = []
    server = Server(app)
    client = server.connect()
    client.stall()
    client.send(GET)
    await settle(30)
    assert len(sent) < 10
    client.read()
    await settle(100)
    assert client.response().interim == [103] * 100


@on_loop
async def test_a_hint_follows_100_continue_and_not_the_other_way_round():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(hint(b"</a>"))
        await send(START)
        await send(piece())

    client = Server(app).connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    await settle()
    client.send(b"hello")
    await settle()
    assert client.response().interim == [100, 103]
