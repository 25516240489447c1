"""Whoever is too slow, too many or wrong: one counter for each, a line for each, and not too many lines."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from asgid.config.spec import Limits, Timeouts
from asgid.daemon.seam import Counters
from asgid.daemon.wire.complaints import LINES, WINDOW_S, Complaints
from support.connections import Clock, Server, on_loop, settle
from support.websocket import MemoryWebSocket

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
TIMEOUTS = ("head", "body", "write", "application", "connect", "ping")


def counted(counters: Counters) -> dict[str, int]:
    """What of the rarer things was counted."""
    names = [f"{name}_timeouts" for name in TIMEOUTS] + ["silent", "idle_closed", "full", "shed", "cut"]
    return {name: value for name in names if (value := getattr(counters, name))}


async def answers(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def reads(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def hangs(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def floods(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})


@pytest.mark.parametrize(
    ("application", "sent", "counts", "said"),
    [
        (answers, b"", {"silent": 1}, "nothing came in timeouts.request_head"),
        (answers, GET[:20], {"head_timeouts": 1}, "refused with 408: the request's head"),
        (answers, GET, {"idle_closed": 1}, "no other request came in timeouts.keep_alive"),
        (
            reads, b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 9\r\n\r\n1", {"body_timeouts": 1},
            "refused with 408: the request's body",
        ),
        (
            answers, b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 9\r\n\r\n1", {"body_timeouts": 1},
            "closed: the rest of a body did not come in timeouts.request_body",
        ),
        (floods, GET, {"write_timeouts": 1, "cut": 1}, "the client did not read in timeouts.response_write"),
        (hangs, GET, {"application_timeouts": 1}, "the application took longer than timeouts.application"),
    ],
)  # fmt: skip
@on_loop
async def test_each_timeout_has_a_counter_and_a_line_that_names_its_key(
    caplog, application, sent, counts, said
):
    limits = Timeouts(request_head_s=5, request_body_s=5, keep_alive_s=5, response_write_s=5, application_s=5)
    if application is floods:
        limits = Timeouts(response_write_s=5)
    server = Server(application, timeouts=limits)
    client = server.connect()
    if application is floods:
        client.stall()
    if sent:
        client.send(sent)
    await settle()
    with caplog.at_level(logging.DEBUG, logger="asgid.http"):
        server.pass_time(6)
        await settle()
    assert counted(server.factory.counters) == counts
    (line,) = [each.getMessage() for each in caplog.records if each.name == "asgid.http"]
    assert line.startswith("listener public, 192.0.2.7:5000: ")
    assert said in line


def test_the_connect_timeout_of_a_websocket_is_counted_and_said(caplog):
    peer = MemoryWebSocket(accept=False, connect_s=5)
    with caplog.at_level(logging.INFO, logger="asgid.websocket"):
        peer.pass_time(6)
    assert counted(peer.factory.counters) == {"connect_timeouts": 1}
    assert "did not accept a WebSocket in time" in caplog.text


def test_a_websocket_that_does_not_answer_pings_is_counted_and_said(caplog):
    peer = MemoryWebSocket(ping_interval_s=1, ping_timeout_s=1)
    with caplog.at_level(logging.INFO, logger="asgid.websocket"):
        peer.pass_time(2)
        peer.pass_time(2)
    assert counted(peer.factory.counters) == {"ping_timeouts": 1, "cut": 1}
    assert "does not answer pings" in caplog.text


@on_loop
async def test_each_time_that_the_limit_of_connections_is_reached_is_counted():
    server = Server(answers, limits=Limits(connections=2))
    for _ in range(3):
        clients = [server.connect() for _ in range(2)]
        for client in clients:
            client.reset()
        await settle()
    assert server.factory.counters.full == 3


def test_the_sum_of_timeouts_has_every_one_of_them():
    counters = Counters()
    for number, name in enumerate(TIMEOUTS):
        setattr(counters, f"{name}_timeouts", 10**number)
    assert counters.timeouts == 111111


@pytest.mark.parametrize("hello", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16"])
@on_loop
async def test_a_tls_client_on_a_plain_listener_is_told_at_once(caplog, hello):
    """In HTTP: clients make "wrong version number" or better of it, which names the mistake."""
    server = Server(answers)
    client = server.connect()
    with caplog.at_level(logging.INFO, logger="asgid.http"):
        client.send(hello)
        await settle()
    assert client.response().status == 400
    assert server.factory.counters.bad_requests == 1
    assert [each.getMessage() for each in caplog.records] == [
        "listener public, 192.0.2.7:5000: refused with 400: a TLS client spoke to a listener of plain HTTP"
    ]


# Lines are bounded.


def test_a_flood_of_complaints_is_a_bounded_number_of_lines_and_a_count(caplog):
    clock = Clock()
    log = logging.getLogger("asgid.http")
    complaints = Complaints("public", clock)
    with caplog.at_level(logging.INFO, logger="asgid.http"):
        for number in range(1000):
            complaints.say(log, ("192.0.2.1", number), "refused")
        assert len(caplog.records) == LINES
        complaints.sweep(clock.advance(WINDOW_S), log)
        assert caplog.records[-1].getMessage().startswith(f"listener public: {1000 - LINES} lines like")
        complaints.sweep(clock.advance(WINDOW_S), log)
        assert len(caplog.records) == LINES + 1
        complaints.say(log, None, "refused")
        complaints.say(log, ("2001:db8::1", 80), "refused")
    assert [each.getMessage() for each in caplog.records[-2:]] == [
        "listener public, a unix socket: refused",
        "listener public, [2001:db8::1]:80: refused",
    ]


@on_loop
async def test_a_flood_of_bad_requests_is_counted_and_not_all_written(caplog):
    server = Server(answers)
    with caplog.at_level(logging.INFO, logger="asgid.http"):
        for _ in range(100):
            server.connect().send(b"nonsense\r\n\r\n")
        await settle()
        server.pass_time(WINDOW_S)
    assert server.factory.counters.bad_requests == 100
    assert len(caplog.records) == LINES + 1
