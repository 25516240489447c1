"""Responses while the request's body is unread: what becomes of the connection (RFC 9112 9.3, 9.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asgid.daemon.wire.http1_response import DISCARD_BYTES
from support.connections import Server, on_loop, settle
from support.extensions import START, path, piece, sends

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def head(length: int, *lines: bytes) -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: a", b"Content-Length: %d" % length, *lines, b"", b""))


ANSWERS = {
    "whole": [START, piece(b"hello")],
    "streamed": [START, piece(b"hel", True), piece(b"lo")],
    "a file": [START, path(__file__)],
}


@pytest.fixture(autouse=True)
def _cached():
    """The file is in the page cache: no turn of the loop waits for a thread that waits for the disk."""
    Path(__file__).read_bytes()


@pytest.mark.parametrize("answer", ANSWERS)
@on_loop
async def test_a_long_body_that_may_stay_unread_ends_the_connection_and_that_is_announced(answer):
    client = Server(sends(*ANSWERS[answer])).connect()
    client.send(head(DISCARD_BYTES + 1))
    await settle(30)
    assert client.response().one("connection") == "close"
    assert client.response().complete
    assert client.ended


@pytest.mark.parametrize("answer", ANSWERS)
@on_loop
async def test_a_body_within_the_bound_is_read_and_the_next_request_is_served(answer):
    client = Server(sends(*ANSWERS[answer])).connect()
    client.send(head(DISCARD_BYTES))
    await settle(30)
    assert client.response().one("connection") is None
    client.send(b"x" * DISCARD_BYTES + GET)
    await settle(30)
    first, second = client.responses()
    assert first.body == second.body
    assert not client.ended


@pytest.mark.parametrize("answer", ANSWERS)
@on_loop
async def test_a_body_that_waits_for_100_continue_is_not_waited_for_and_that_is_announced(answer):
    client = Server(sends(*ANSWERS[answer])).connect()
    client.send(head(5, b"Expect: 100-continue"))
    await settle(30)
    assert (client.response().one("connection"), client.response().interim) == ("close", [])
    assert client.ended


@pytest.mark.parametrize("answer", ANSWERS)
@on_loop
async def test_a_chunked_body_is_read_within_the_bound_and_no_further(answer):
    """Nobody knows how long it is: the end of the connection can only be announced by ending it."""
    for size, served in ((DISCARD_BYTES // 2, 2), (2 * DISCARD_BYTES, 1)):
        client = Server(sends(*ANSWERS[answer])).connect()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await settle(30)
        for _ in range(4):
            client.send(b"%x\r\n%b\r\n" % (size // 4, b"x" * (size // 4)))
        client.send(b"0\r\n\r\n" + GET)
        await settle(30)
        assert len(client.responses()) == served
        assert client.ended is (served == 1)


@on_loop
async def test_an_application_that_reads_and_answers_at_once_reads_all_of_a_long_body():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            event = await receive()
            await send(piece(event["body"], event["more_body"]))
            if not event["more_body"]:
                return

    client = Server(app).connect()
    size = 4 * DISCARD_BYTES
    client.send(head(size))
    for _ in range(4):
        client.send(b"x" * DISCARD_BYTES)
        await settle(30)
    assert client.response().body == b"x" * size
    assert client.response().one("connection") == "close"  # it could not be known that it would be read
    assert client.lost
