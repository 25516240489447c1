"""Pipelined requests: in order, and never more of them taken, parsed or kept than a bounded number."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

from asgid.daemon.wire import http1
from support.connections import Server, on_loop, settle

SHORT = b"GET /%05d HTTP/1.1\r\nHost:a\r\n\r\n"
ROW = b"".join(SHORT % number for number in range(40_000))
READ = ROW[: 256 * 1024]  # what uvloop reads at once


class Numbered:
    """Answers with the path; ``gate`` holds every answer back."""

    def __init__(self, *, gate: asyncio.Event | None = None) -> None:
        self.gate = gate
        self.begun: list[str] = []
        self.inside = self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.gate is not None:
            await self.gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})
        self.inside -= 1


def counting(server: Server, monkeypatch: Any) -> list[int]:
    """Count the heads that are parsed."""
    parsed = [0]
    parse = server.factory.parser.parse

    def counted(*arguments: Any) -> Any:
        parsed[0] += 1
        return parse(*arguments)

    monkeypatch.setattr(server.factory.parser, "parse", counted)
    return parsed


@pytest.mark.parametrize("waits", [False, True])
@on_loop
async def test_what_one_read_can_hold_is_answered_in_order(waits):
    gate = asyncio.Event()
    gate.set()
    app = Numbered(gate=gate if waits else None)
    server = Server(app, observed=False)
    client = server.connect()
    count = len(READ) // len(SHORT % 0)
    client.send(READ[: count * len(SHORT % 0)])
    while len(app.begun) < count:  # noqa: ASYNC110 - any turn may bring it
        await asyncio.sleep(0)
    await settle()
    assert app.most == 1
    expected = [b"/%05d" % number for number in range(count)]
    assert [response.body for response in client.responses()] == expected
    assert not client.paused


@on_loop
async def test_while_one_is_answered_no_other_is_parsed_and_the_socket_is_not_read(monkeypatch):
    gate = asyncio.Event()
    app = Numbered(gate=gate)
    server = Server(app, observed=False)
    parsed = counting(server, monkeypatch)
    client = server.connect()
    client.send(ROW)
    await settle()
    client.send(ROW)
    await settle()
    assert (app.begun, parsed[0]) == (["/00000"], 1)
    assert client.paused
    assert len(client.arrived) == 1  # the second row is still the client's
    gate.set()
    await settle(100)
    assert len(app.begun) > 1


@on_loop
async def test_a_turn_of_the_loop_takes_a_bounded_number(monkeypatch):
    app = Numbered()
    server = Server(app, observed=False)
    parsed = counting(server, monkeypatch)
    client = server.connect()
    client.send(ROW)
    most = before = 0
    while len(app.begun) < 5_000:
        await asyncio.sleep(0)
        most, before = max(most, parsed[0] - before), parsed[0]
    assert most <= http1._TURN_REQUESTS + 1  # the first one of a read is taken by itself
    assert client.paused  # what waits is more than is held for a client


@on_loop
async def test_a_client_that_does_not_read_its_answers_has_no_more_requests_taken(monkeypatch):
    app = Numbered()
    server = Server(app, observed=False)
    parsed = counting(server, monkeypatch)
    client = server.connect()
    client.stall()
    client.send(ROW)
    await settle(2_000)
    taken = parsed[0]
    assert len(client.buffer) < 128 * 1024  # uvloop's mark is 64 KiB, an answer is short
    await settle(100)
    assert parsed[0] == taken == len(app.begun) < 2_000
    assert client.paused
    client.read()
    while len(app.begun) < taken + 1_000:  # noqa: ASYNC110 - any turn may bring it
        await asyncio.sleep(0)


@on_loop
async def test_rows_of_many_clients_take_no_memory_beyond_what_was_read(monkeypatch):
    """Each of 20 clients sends 40,000 requests; the answers of all of them are held back."""
    gate = asyncio.Event()
    server = Server(Numbered(gate=gate), observed=False)
    clients = [server.connect() for _ in range(20)]
    await settle()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for client in clients:
        for at in range(0, len(ROW), 256 * 1024):  # as much as uvloop reads at once
            client.send(ROW[at : at + 256 * 1024])
            await settle(1)
    await settle()
    held = sum(len(piece) for client in clients for piece in client.arrived)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(client.paused for client in clients)
    # One read of each client and a request: not what the kernel would keep, which the test's clients do here.
    assert after - before - held < 20 * (256 + 64 + 64) * 1024
    server.factory.cut()
