"""Deadlines, drain and cut: each timeout with a clock moved by hand, none of them with a timer."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from asgid.config.spec import Timeouts
from support.connections import Client, Server, kernel_holds, on_loop, settle

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: site\r\nTransfer-Encoding: chunked\r\n\r\n"


class App:
    """Reads the body, waits for ``gate`` where there is one, answers; notes how it ended."""

    def __init__(
        self, *, gated: bool = False, body: bytes = b"hello", read: bool = True, begin: bool = False
    ) -> None:
        self.gate = asyncio.Event()
        if not gated:
            self.gate.set()
        self.body = body
        self.read = read
        self.begin = begin
        self.ended: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            if self.begin:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            while self.read:
                event = await receive()
                if event["type"] == "http.disconnect":
                    self.ended.append("disconnect")
                    return
                if not event["more_body"]:
                    break
            await self.gate.wait()
            if not self.begin:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self.body})
            self.ended.append("answered")
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        except OSError:
            self.ended.append("oserror")
            raise


async def begin(app: Any, *pieces: bytes, stalled: bool = False, **timeouts: float) -> tuple[Server, Client]:
    server = Server(app, timeouts=Timeouts(**timeouts))
    client = server.connect()
    if stalled:
        client.stall()
    for piece in pieces:
        client.send(piece)
    await settle()
    return server, client


async def later(server: Server, seconds: float) -> None:
    server.pass_time(seconds)
    await settle()


# request_head


@on_loop
async def test_a_connection_that_says_nothing_is_closed_silently_after_request_head():
    server, client = await begin(App())
    await later(server, 9.9)
    assert not client.lost
    await later(server, 0.2)
    assert client.lost
    assert not client.received
    assert server.factory.counters.timeouts == 0


@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\nHost: site\r\n", b"\r\nG"])
@on_loop
async def test_half_a_head_is_answered_with_408_however_slowly_it_comes(part):
    server, client = await begin(App(), part)
    for _ in range(9):
        await later(server, 1)
        client.send(b"a")
    assert not client.received
    await later(server, 1.1)
    assert client.response().status == 408
    assert client.response().one("connection") == "close"
    assert client.ended
    assert server.factory.counters.timeouts == 1
    assert [finished.status for finished in server.finished] == [408]


@on_loop
async def test_on_a_kept_connection_the_time_for_a_head_runs_from_its_first_byte():
    server, client = await begin(App(), GET, keep_alive_s=100)
    await later(server, 50)
    client.send(b"GET")
    await settle()
    await later(server, 9.9)
    assert not client.lost
    assert len(client.responses()) == 1
    await later(server, 0.2)
    assert [response.status for response in client.responses()] == [200, 408]


@on_loop
async def test_a_head_in_the_row_behind_a_slow_request_has_its_time_from_when_it_is_looked_at():
    app = App(gated=True)
    server, client = await begin(app, GET + b"GET")
    await later(server, 1000)
    assert not client.received
    app.gate.set()
    await settle()
    await later(server, 9.9)
    assert not client.ended
    await later(server, 0.2)
    assert [response.status for response in client.responses()] == [200, 408]


# keep_alive


@on_loop
async def test_an_idle_connection_is_closed_silently_after_keep_alive():
    server, client = await begin(App(), GET)
    await later(server, 14.9)
    assert not client.lost
    client.send(GET)
    await settle()
    await later(server, 14.9)
    assert not client.lost
    await later(server, 0.2)
    assert client.lost
    assert len(client.responses()) == 2
    assert server.factory.counters.timeouts == 0


@on_loop
async def test_empty_lines_do_not_keep_a_connection():
    server, client = await begin(App(), GET)
    for _ in range(20):
        client.send(b"\r\n")
        await later(server, 1)
    assert client.lost


# request_body


@pytest.mark.parametrize("head", [POST, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
@on_loop
async def test_a_body_that_stops_is_answered_with_408(head, read):
    app = App(gated=True, read=read)
    server, client = await begin(app, head)
    await later(server, 59)
    assert not client.received
    await later(server, 2)
    assert client.response().status == 408
    assert app.ended == ["cancelled"]
    assert server.factory.counters.timeouts == 1


@pytest.mark.parametrize("head", [POST, CHUNKED], ids=["length", "chunked"])
@on_loop
async def test_each_piece_of_a_body_has_its_own_time(head):
    server, client = await begin(App(), head)
    pieces = [b"a"] * 10 if head is POST else [b"1\r\na\r\n"] * 10 + [b"0\r\n\r\n"]
    for piece in pieces:
        await later(server, 59)
        client.send(piece)
        await settle()
    assert client.response().status == 200


@on_loop
async def test_a_body_that_the_application_does_not_take_is_not_late():
    app = App(gated=True, read=False)
    head = b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 1000000\r\n\r\n"
    server, client = await begin(app, head, b"x" * 100_000)
    assert client.paused
    await later(server, 3600)
    assert not client.received
    app.gate.set()
    await settle()
    assert client.response().status == 200


@on_loop
async def test_a_body_that_stops_after_the_response_has_begun_cuts_the_connection():
    app = App(begin=True)
    server, client = await begin(app, POST)
    await later(server, 61)
    assert client.aborted
    assert app.ended == ["cancelled"]
    assert [(finished.status, finished.cut) for finished in server.finished] == [(200, True)]


@on_loop
async def test_what_nobody_wants_of_a_body_and_does_not_come_ends_the_connection():
    server, client = await begin(App(read=False), POST)
    assert client.response().status == 200
    await later(server, 61)
    assert client.lost


# response_write


@on_loop
async def test_a_client_that_does_not_read_is_cut():
    app = App(body=b"x" * 1_000_000)
    server, client = await begin(app, GET, stalled=True)
    await later(server, 59)
    assert not client.aborted
    await later(server, 2)
    assert client.aborted
    assert server.factory.counters.timeouts == 1


@on_loop
async def test_a_client_that_does_not_read_a_stream_is_cut_and_send_raises_oserror():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        except OSError as error:
            ended.append(error)
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    ended: list[BaseException] = []
    server, client = await begin(app, GET, stalled=True)
    await later(server, 61)
    assert client.aborted
    assert len(ended) == 1
    assert server.factory.counters.cut == 1
    assert [(finished.status, finished.cut) for finished in server.finished] == [(200, True)]


@on_loop
async def test_a_client_that_reads_slowly_is_not_cut():
    server, client = await begin(App(body=b"x" * 500_000), GET, stalled=True)
    for _ in range(30):
        await later(server, 59)
        client.read(3)
    assert not client.aborted
    client.read()
    await settle()
    assert client.response().complete


@pytest.mark.parametrize("request_", [GET, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), POST])
@on_loop
async def test_a_client_that_reads_what_the_kernel_has_is_not_cut(request_):
    """The kernel takes nothing more until much of it has left."""
    server, client = await begin(App(body=b"x" * 1_000_000, read=False), stalled=True)
    with kernel_holds(4) as (descriptor, theirs):
        client.descriptor = descriptor
        client.send(request_.replace(b"Length: 10", b"Length: 999999"))
        await settle()
        for _ in range(3):
            theirs.recv(1000)
            await later(server, 60)
            assert not client.aborted
        await later(server, 60)
        assert client.aborted


@pytest.mark.parametrize("request_", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), POST])
@pytest.mark.parametrize("size", [30_000, 1_000_000])
@on_loop
async def test_a_slow_reader_gets_the_whole_of_a_last_answer(request_, size):
    """Also where the body of the request is left unread, and the connection lingers for it."""
    app = App(body=b"x" * size, read=False)
    server, client = await begin(app, request_.replace(b"Length: 10", b"Length: 999999"), stalled=True)
    for _ in range(40):
        await later(server, 20)
        client.read(500)
    client.send(b"x" * 1_100_000)
    await settle()
    client.read()
    await settle()
    assert client.response().complete
    assert not client.late


@on_loop
async def test_a_client_that_takes_slowly_what_the_kernel_has_of_a_last_answer_is_waited_for():
    server, client = await begin(App(read=False))
    with kernel_holds(4) as (descriptor, theirs):
        client.descriptor = descriptor
        client.send(POST.replace(b"10", b"999999"))
        await settle()
        assert client.ended
        for _ in range(3):
            await later(server, 6)
            assert not client.aborted
            theirs.recv(1000)
        await later(server, 6)
        assert not client.aborted
        await later(server, 6)
        assert client.aborted


@on_loop
async def test_a_client_that_does_not_read_its_last_answer_is_cut():
    server, client = await begin(
        App(body=b"x" * 1_000_000, read=False), POST.replace(b"10", b"999999"), stalled=True
    )
    for _ in range(70):
        await later(server, 1)
    assert client.aborted
    assert not server.factory.connections


@pytest.mark.parametrize("response_write_s", [0, 1, 60])
@on_loop
async def test_a_client_that_has_all_and_does_not_close_is_dropped_and_not_blamed(caplog, response_write_s):
    """Twisted's TLS has sent everything, its closure alert too, and waits for the client's."""
    caplog.set_level("INFO")
    server, client = await begin(App(), response_write_s=response_write_s)
    client.loseConnection = lambda: None
    client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await settle()
    assert client.response().complete
    await later(server, 20)
    assert not client.aborted
    await later(server, 20)
    assert client.aborted
    assert (server.factory.connections, server.factory.counters.write_timeouts) == (set(), 0)
    assert not caplog.records


@on_loop
async def test_a_refused_client_that_stays_is_dropped_soon():
    server, client = await begin(App(), b"nonsense\r\n\r\n", response_write_s=1)
    assert client.ended
    for _ in range(4):
        await later(server, 1)
    assert not client.lost
    await later(server, 2)
    assert client.lost
    assert server.factory.counters.timeouts == 0


@on_loop
async def test_a_refused_client_that_goes_on_sending_is_read_for_a_while_but_not_for_ever():
    server, client = await begin(App(), b"nonsense\r\n\r\n")
    for _ in range(25):
        client.send(b"more of it")
        await later(server, 1)
    assert not client.lost
    for _ in range(10):
        client.send(b"more of it")
        await later(server, 1)
    assert client.lost


@on_loop
async def test_a_refused_client_that_sends_and_sends_is_read_up_to_a_bound():
    _, client = await begin(App(), b"nonsense\r\n\r\n")
    piece = bytes(1024 * 1024)
    for _ in range(32):
        client.send(piece)
    await settle()
    assert not client.lost
    for _ in range(64):
        client.send(piece)
    await settle()
    assert client.lost


# application


@on_loop
async def test_an_application_that_takes_too_long_is_answered_for_and_cancelled(caplog):
    caplog.set_level("INFO")
    app = App(gated=True)
    server, client = await begin(app, GET, application_s=5)
    await later(server, 4.9)
    assert not client.received
    await later(server, 0.2)
    assert client.response().status == 503
    assert app.ended == ["cancelled"]
    assert "timeouts.application" in caplog.text
    assert server.factory.counters.timeouts == 1
    assert [finished.status for finished in server.finished] == [503]
    assert server.gateway.running == 0


@on_loop
async def test_an_application_that_takes_too_long_with_a_response_begun_is_cut():
    app = App(gated=True, begin=True)
    server, client = await begin(app, GET, application_s=5)
    await later(server, 5.1)
    assert client.aborted
    assert not client.response().complete
    assert app.ended == ["cancelled"]


@on_loop
async def test_each_request_has_the_applications_time_for_itself():
    server, client = await begin(App(), GET, application_s=5, keep_alive_s=100)
    await later(server, 50)
    client.send(GET)
    await settle()
    await later(server, 50)
    assert [response.status for response in client.responses()] == [200, 200]


@on_loop
async def test_a_client_and_an_application_that_are_both_late_are_ended_once():
    app = App(gated=True, begin=True, body=b"")
    server, client = await begin(app, POST, application_s=60)
    await later(server, 61)
    assert client.aborted
    assert len(server.finished) == 1


@on_loop
async def test_a_client_that_does_not_read_and_a_late_application_are_ended_once():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    server, client = await begin(app, GET, stalled=True, application_s=60)
    await later(server, 61)
    assert client.aborted
    assert len(server.finished) == 1
    assert server.factory.counters.cut == 1


@on_loop
async def test_zero_is_no_limit():
    never = {"request_head_s": 0, "request_body_s": 0, "response_write_s": 0, "application_s": 0}
    for pieces in ((), (b"GET",), (POST,), (CHUNKED,), (GET,)):
        server, client = await begin(App(gated=True, body=b"x" * 100_000), *pieces, stalled=True, **never)
        await later(server, 1e6)
        assert not client.lost
        assert not client.received


# Departures that are only found by looking.


@on_loop
async def test_a_departure_while_reading_is_paused_is_found_by_the_sweep():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        events.append(await receive())

    for reset in (False, True):
        events: list[Any] = []
        server, client = await begin(app, GET)
        for _ in range(200):
            client.send(GET * 20)
        await settle()
        assert client.paused
        ours, theirs = socket.socketpair()
        with ours, theirs:
            client.descriptor = ours.fileno()
            await later(server, 1)
            assert events == []
            if reset:
                theirs.close()
            else:
                theirs.shutdown(socket.SHUT_WR)
            server.pass_time(1)
            assert client.aborted is reset
            client.descriptor = -1
            await settle()
        assert events == [{"type": "http.disconnect"}]


@on_loop
async def test_a_fin_behind_a_body_that_is_not_read_is_no_disconnect():
    """The client has sent the whole of its request: it stands before the FIN (RFC 9112 8)."""
    got: list[int] = []
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        size = 0
        while True:
            event = await receive()
            assert event["type"] == "http.request"
            size += len(event["body"])
            if not event["more_body"]:
                break
        got.append(size)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"thanks"})

    head = b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 200000\r\n\r\n"
    server, client = await begin(app, head, b"x" * 100_000, b"x" * 100_000)
    client.finish()
    await settle()
    assert client.paused
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client.descriptor = ours.fileno()
        theirs.shutdown(socket.SHUT_WR)
        await later(server, 1)
    gate.set()
    await settle()
    assert got == [200_000]
    assert client.response().body == b"thanks"
    assert client.lost


# Drain and cut.


@on_loop
async def test_drain_closes_what_is_idle_and_lets_a_request_finish():
    app = App(gated=True)
    server = Server(app)
    silent, kept, half, busy = (server.connect() for _ in range(4))
    app.gate.set()
    kept.send(GET)
    half.send(b"GET / HT")
    await settle()
    app.gate.clear()
    busy.send(GET + GET)
    await settle()
    server.factory.drain()
    await settle()
    assert [client.lost for client in (silent, kept, half, busy)] == [False, True, False, False]
    half.send(b"TP/1.1\r\nHost: a\r\n\r\n")  # it was coming, and is answered
    app.gate.set()
    await settle()
    assert half.response().one("connection") == "close"
    server.pass_time(1.5)  # whoever said nothing after the accept has had a moment
    await settle()
    assert silent.lost
    await settle()
    assert busy.response().one("connection") == "close"  # the second was not begun, and is not answered
    assert app.ended == ["answered", "answered", "answered"]
    busy.finish()
    await settle()
    assert not server.factory.connections


@on_loop
async def test_a_request_that_comes_just_after_a_drain_began_is_answered():
    """Its client had been accepted, and could not know."""
    server = Server(App())
    client = server.connect()
    server.factory.drain()
    await settle()
    client.send(GET)
    await settle()
    assert client.response().one("connection") == "close"
    assert client.lost


@on_loop
async def test_a_head_that_never_ends_holds_a_drain_no_longer_than_it_holds_anything():
    server = Server(App())
    client = server.connect()
    client.send(b"GET / HT")
    await settle()
    server.factory.drain()
    server.pass_time(5)
    await settle()
    assert not client.lost
    server.pass_time(6)  # timeouts.request_head is 10 s
    await settle()
    assert client.response().status == 408


@on_loop
async def test_drain_does_not_close_on_a_request_that_the_kernel_holds():
    server = Server(App())
    client, idle = server.connect(), server.connect()
    for each in (client, idle):
        each.send(GET)
    await settle()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(GET)
        client.descriptor = ours.fileno()
        server.factory.drain()
        client.descriptor = -1
    await settle()
    assert idle.lost
    client.send(GET)
    await settle()
    assert [answer.one("connection") for answer in client.responses()] == [None, "close"]
    assert client.ended or client.lost


@on_loop
async def test_drain_ends_a_connection_that_only_throws_away_a_body():
    server, client = await begin(App(read=False), POST)
    assert client.response().status == 200
    server.factory.drain()
    await settle()
    assert client.ended
    client.finish()
    await settle()
    assert client.lost


@on_loop
async def test_a_stream_that_has_begun_is_finished_while_draining():
    app = App(gated=True, begin=True)
    server, client = await begin(app, GET)
    server.factory.drain()
    app.gate.set()
    await settle()
    assert client.response().body == b"begunhello"
    assert client.lost


@on_loop
async def test_a_connection_that_comes_while_draining_is_not_kept():
    server = Server(App())
    server.factory.drain()
    client = server.connect()
    client.send(GET)
    await settle()
    assert client.response().one("connection") == "close"
    assert client.lost


@on_loop
async def test_cut_ends_everything_and_cancels_the_application():
    app = App(gated=True)
    server, busy = await begin(app, GET)
    idle = server.connect()
    await settle()
    assert server.factory.cut() == 2
    await settle()
    assert idle.lost
    assert busy.lost
    assert not busy.received
    assert app.ended == ["cancelled"]
    assert [(finished.status, finished.cut) for finished in server.finished] == [(0, True)]
    assert server.factory.counters.cut == 1
    assert not server.factory.connections


@on_loop
async def test_cut_counts_and_tells_a_request_once_even_if_it_comes_twice():
    server, _ = await begin(App(gated=True, begin=True), GET)
    server.factory.cut()
    server.factory.cut()
    await settle()
    server.factory.cut()
    server.pass_time(1e6)
    await settle()
    assert len(server.finished) == 1
    assert server.factory.counters.cut == 1


@on_loop
async def test_an_application_that_ignores_its_cancellation_cannot_write_any_more():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"late"})
        except OSError as error:
            raised.append(error)

    raised: list[BaseException] = []
    server, client = await begin(app, GET, application_s=5)
    await later(server, 6)
    assert client.response().status == 503
    assert len(raised) == 1
    assert not client.late


@pytest.mark.parametrize("how", ["reset", "finish"])
@on_loop
async def test_after_the_client_has_gone_the_application_has_application_close_to_return(how):
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    server, client = await begin(app, GET, application_close_s=0.001)
    getattr(client, how)()
    await ended.wait()  # a timer of the loop: the only one, and only for a client that has gone
    await settle()
    assert server.gateway.running == 0
    assert how == "reset" or client.response().status == 500


class LaterByHand:
    """A loop whose timers are run by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.timers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, seconds: float, call: Any, *values: Any) -> None:
        self.timers.append(partial(call, *values))


@on_loop
async def test_a_half_closed_client_is_taken_for_gone_when_nothing_was_sent_to_it_for_as_long():
    go = asyncio.Semaphore(0)
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while await go.acquire():
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    server, client = await begin(app, GET)
    server.gateway.loop = loop = LaterByHand(server.gateway.loop)
    client.finish()
    await settle()
    for _ in range(5):
        go.release()
        await settle()
        loop.timers.pop()()
        await settle()
        assert not ended
    loop.timers.pop()()
    await settle()
    assert ended == ["cancelled"]
    assert not loop.timers
    assert client.lost
