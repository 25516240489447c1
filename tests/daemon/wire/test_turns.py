"""A turn of the loop is bounded for all connections together, and nobody is forgotten for it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from asgid.config.spec import Timeouts, WebSocketOptions
from asgid.daemon.wire.turns import TURN_FRAMES, TURN_S, Turns
from support.connections import Clock, Server, on_loop, settle
from support.websocket import MemoryWebSocket, frame

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
PING = b"\x89\x00"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
COSTS_S = TURN_S / 4


class Costly:
    """An application whose every answer takes a while, by the clock."""

    def __init__(self, *, body: bytes = b"x", pieces: int = 1) -> None:
        self.server: Server
        self.body, self.pieces = body, pieces
        self.turn = 0
        self.answered: list[tuple[int, str]] = []  # in which turn, and which

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for left in range(self.pieces - 1, -1, -1):
            self.server.clock.advance(COSTS_S)
            self.answered.append((self.turn, scope["path"]))
            await send({"type": "http.response.body", "body": self.body, "more_body": left > 0})

    def in_each_turn(self) -> list[int]:
        turns = [turn for turn, _ in self.answered]
        return [turns.count(turn) for turn in sorted(set(turns))]

    async def count_turns(self, until) -> None:
        while not until():
            await asyncio.sleep(0)
            self.turn += 1
            assert self.turn < 10_000


def costly(**options) -> tuple[Costly, Server]:
    app = Costly(**options)
    app.server = server = Server(app, observed=False)
    return app, server


async def happens_over_turns(most: int, seen) -> None:
    """Let turns of the loop go by until it happened to all; it has begun, and in none happens to more."""
    happened = sum(seen())
    assert 0 < happened <= most
    while happened < len(seen()):
        await asyncio.sleep(0)
        before, happened = happened, sum(seen())
        assert happened - before <= most


def fill(server: Server) -> None:
    """Let the time of this turn of the loop pass, before the next one has begun."""
    for _ in range(2):
        server.clock.advance(2 * TURN_S)
        server.factory.turns.look()
    assert server.factory.turns.full


@on_loop
async def test_requests_of_many_clients_that_come_at_once_are_dealt_with_over_several_turns():
    app, server = costly()
    clients = [server.connect() for _ in range(100)]
    for number, client in enumerate(clients):
        client.send(GET % number)
    await app.count_turns(lambda: len(app.answered) == 100)
    # what is deferred, and what was read in the same turn of the loop: three times TURN_S and a step for each
    assert max(app.in_each_turn()) <= 3 * TURN_S / COSTS_S + 3
    assert [client.response().status for client in clients] == [200] * 100


@on_loop
async def test_those_who_wait_go_on_in_the_order_in_which_they_came():
    app, server = costly()
    clients = [server.connect() for _ in range(60)]
    for number, client in enumerate(clients):
        client.send(GET % number)
    await app.count_turns(lambda: len(app.answered) == 60)
    assert [path for _, path in app.answered] == [f"/{number}" for number in range(60)]


@on_loop
async def test_rows_of_many_clients_take_turns_so_that_another_is_answered_in_between():
    app, server = costly()
    clients = [server.connect() for _ in range(10)]
    for client in clients:
        client.send(b"".join(GET % number for number in range(50)))
    await app.count_turns(lambda: app.turn == 2)
    other = server.connect()
    other.send(GET % 999)
    await app.count_turns(lambda: len(app.answered) == 501)
    before = [path for _, path in app.answered].index("/999")
    assert before < 100
    assert max(app.in_each_turn()) <= 3 * TURN_S / COSTS_S + 3
    for client in clients:
        assert len(client.responses(*["GET"] * 50)) == 50


@on_loop
async def test_a_stream_waits_behind_those_that_have_had_nothing():
    app, server = costly(body=bytes(65_536), pieces=16)
    clients = [server.connect() for _ in range(30)]
    for number, client in enumerate(clients):
        client.send(GET % number)
    await app.count_turns(lambda: len(app.answered) == 30 * 16)
    first = {path: index for index, (_, path) in reversed(list(enumerate(app.answered)))}
    assert len(first) == 30
    # one after the other each would begin when those before it have ended
    assert max(first.values()) < len(app.answered) / 2
    assert all(len(client.response().body) == 16 * 65_536 for client in clients)


@on_loop
async def test_a_client_whose_request_waits_is_neither_shed_nor_timed_out_nor_closed_by_a_drain():
    app, server = costly()
    busy, late, again = server.connect(), server.connect(), server.connect()
    again.send(GET % 0)
    await settle()
    app.answered.clear()
    fill(server)
    for client in (busy, late, again):
        client.protocol.dataReceived(GET % 1)
    assert not app.answered
    assert server.factory.idle() == []
    server.factory.sweep(server.clock.advance(3600))
    server.factory.drain()
    await settle()
    for client, count in ((busy, 1), (late, 1), (again, 2)):
        answers = client.responses(*["GET"] * count)
        assert [answer.status for answer in answers] == [200] * count
        assert ("connection", "close") in answers[-1].headers


@on_loop
async def test_a_client_that_has_finished_sending_while_its_request_waits_is_answered():
    app, server = costly()
    client = server.connect()
    fill(server)
    client.protocol.dataReceived(GET % 1)
    client.protocol.readConnectionLost()
    assert not app.answered
    await settle()
    assert client.response().status == 200
    assert client.lost


@on_loop
async def test_those_who_leave_when_a_turn_is_full_are_closed_in_the_next():
    _, server = costly()
    clients = [server.connect() for _ in range(3)]
    await settle()
    fill(server)
    for client in clients:
        client.protocol.readConnectionLost()
    assert not any(client.losing for client in clients)
    await settle()
    assert all(client.lost for client in clients)
    assert not server.factory.connections


@on_loop
async def test_thousands_whose_time_is_over_are_closed_over_several_turns():
    server = Server(Costly(), timeouts=Timeouts(request_head_s=5.0))
    clients = [server.connect() for _ in range(2000)]
    server.pass_time(6.0)
    await happens_over_turns(256, lambda: [client.losing for client in clients])
    assert server.factory.counters.silent == 2000


@on_loop
async def test_hundreds_who_do_not_read_are_cut_over_several_turns():
    async def big(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    server = Server(big, timeouts=Timeouts(response_write_s=5.0))
    clients = [server.connect() for _ in range(300)]
    for client in clients:
        client.stall()
        client.send(GET % 1)
    await settle(100)
    assert all(client.full for client in clients)
    server.pass_time(6.0)
    await happens_over_turns(32, lambda: [client.aborted for client in clients])
    await settle()
    assert server.gateway.running == 0
    assert server.factory.counters.write_timeouts == 300


@on_loop
async def test_hundreds_of_websockets_that_answer_no_ping_are_cut_over_several_turns():
    ended = []

    async def echo(scope, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        ended.append(await receive())

    server = Server(echo, websocket=WebSocketOptions(ping_interval_s=5.0, ping_timeout_s=5.0))
    clients = [server.connect() for _ in range(300)]
    for client in clients:
        client.send(HANDSHAKE)
    await settle(100)
    server.pass_time(5.0)
    assert all(client.received.endswith(PING) for client in clients)
    server.pass_time(5.0)
    await happens_over_turns(32, lambda: [client.aborted for client in clients])
    await settle(20)
    assert [event["code"] for event in ended] == [1006] * 300
    assert server.factory.counters.ping_timeouts == server.factory.counters.cut == 300


@on_loop
async def test_what_comes_while_a_request_waits_is_bounded_and_read_afterwards():
    app, server = costly()
    client = server.connect()
    fill(server)
    row = GET % 1 * 4000
    client.protocol.dataReceived(row)
    assert client.paused
    client.send(GET % 2)
    await app.count_turns(lambda: len(app.answered) == 4001)
    assert not client.paused


@on_loop
async def test_chunked_bodies_of_many_clients_take_turns():
    sizes = []

    async def application(scope, receive, send) -> None:
        size = 0
        while (event := await receive())["type"] == "http.request":
            size += len(event["body"])
            if not event["more_body"]:
                break
        sizes.append(size)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = Server(application, observed=False)
    client = server.connect()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    await settle()
    fill(server)
    client.protocol.dataReceived(b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")
    decoder = client.protocol._chunked
    assert decoder.more  # not a line was looked at
    await settle()
    assert sizes == [5000]
    assert client.response().status == 200


def test_frames_of_a_full_turn_wait_and_are_taken_afterwards():
    websocket = MemoryWebSocket()
    turns = websocket.factory.turns
    for _ in range(2):
        websocket.now += 2 * TURN_S
        turns.look()
    assert turns.full
    websocket.connection.dataReceived(frame(1, b"hello") * 3 + frame(9, b"x") * 3)
    assert websocket.application.messages == []
    assert websocket.written() == b""
    websocket.turns()
    assert websocket.application.messages == ["hello"] * 3
    assert [opcode for opcode, _ in websocket.sent()] == [0x8A] * 3


def test_many_websockets_share_a_turn():
    """Each has a row of pings; by the clock a frame takes a quarter of a turn's time."""
    clock = Clock()
    due = []
    turns = Turns(clock, lambda call, *values: due.append(call))

    taken: list[int] = []

    class Row:
        def __init__(self) -> None:
            self.left = 300

        def go_on(self) -> None:
            frames = min(self.left, turns.frames)
            self.left -= frames
            taken[-1] += frames
            clock.advance(COSTS_S * frames / TURN_FRAMES)
            turns.look()
            if self.left:
                turns.defer(self)

    rows = [Row() for _ in range(50)]
    taken.append(0)
    for row in rows:
        row.go_on()
    while due:
        taken.append(0)
        due.pop(0)()
    assert all(row.left == 0 for row in rows)
    assert sum(taken) == 50 * 300
    assert max(taken) <= TURN_FRAMES * (2 * TURN_S / COSTS_S + 2)


def test_a_server_with_little_to_do_is_called_back_once_in_a_while_only():
    clock = Clock()
    due = []
    turns = Turns(clock, lambda call, *_values: due.append(call))
    calls = 0
    for _ in range(1000):  # turns of 0.1 ms
        clock.advance(0.0001)
        turns.look()
        assert not turns.full
        while due:
            calls += 1
            due.pop(0)()
    assert 5 <= calls <= 0.1 / TURN_S + 1


@on_loop
async def test_a_mistake_of_one_that_goes_on_leaves_the_others_be():
    loop = asyncio.get_running_loop()
    said = []
    loop.set_exception_handler(lambda _loop, context: said.append(context["exception"]))
    turns = Turns(Clock(), loop.call_soon)
    went_on = []

    class One:
        def __init__(self, number: int) -> None:
            self.number = number

        def go_on(self) -> None:
            if self.number == 1:
                raise ValueError(self.number)
            went_on.append(self.number)

    for number in range(4):
        turns.defer(One(number))
    waiter = turns.wait()
    await settle()
    assert went_on == [0, 2, 3]
    assert waiter.done()
    assert len(said) == 1


@on_loop
async def test_who_streams_goes_on_in_order_a_few_in_each_turn():
    turns = Turns(Clock(), asyncio.get_running_loop().call_soon)
    order = []

    async def stream(number: int) -> None:
        await turns.wait()
        order.append(number)

    tasks = [asyncio.ensure_future(stream(number)) for number in range(40)]
    lengths = []
    while len(order) < 40:
        await asyncio.sleep(0)
        lengths.append(len(order))
    await asyncio.gather(*tasks)
    assert order == list(range(40))
    assert max(after - before for before, after in pairwise(lengths)) <= 8


@pytest.mark.parametrize(("computes", "fills"), [(1.0, True), (0.5, True), (0.0, False)])
def test_what_another_process_takes_is_no_time_of_the_turn(computes, fills):
    clock, computed = Clock(), Clock()
    turns = Turns(clock, lambda call, *_values: None, computed)
    for _ in range(40):  # 40 ms, without another turn
        clock.advance(0.001)
        computed.advance(0.001 * computes)
        turns.look()
    assert turns.full == fills


def test_a_turn_that_blocks_without_computing_is_full_in_the_end():
    clock = Clock()
    turns = Turns(clock, lambda call, *_values: None, lambda: 0.0)
    for _ in range(8):
        clock.advance(0.01)
        turns.look()
    assert turns.full
