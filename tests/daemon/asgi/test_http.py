"""One request in the application: receive, send, and what each of them is told when."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from typing import Any

import anyio
import pytest

from asgid.config.spec import Timeouts
from asgid.daemon.asgi import http
from support.connections import Client, Server, on_loop, settle

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
DISCONNECT = {"type": "http.disconnect"}


def post(size: int, *lines: bytes) -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: site", b"Content-Length: %d" % size, *lines, b"", b""))


async def answer(send: Any, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def begin(app: Any, *pieces: bytes, **options: Any) -> tuple[Server, Client]:
    server = Server(app, **options)
    client = server.connect()
    for piece in pieces:
        client.send(piece)
        await settle(2)
    await settle()
    return server, client


# receive


@on_loop
async def test_a_request_without_a_body_is_one_empty_event():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.append(await receive())
        await answer(send)

    events: list[Any] = []
    await begin(app, GET + post(0))
    assert events == [{"type": "http.request", "body": b"", "more_body": False}] * 2


@on_loop
async def test_pieces_that_wait_are_joined_in_order_and_lose_nothing():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        while not events or events[-1]["more_body"]:
            events.append(await receive())
        await answer(send)

    gate = asyncio.Event()
    events: list[Any] = []
    body = b"".join(b"%05d" % number for number in range(20_000))
    _, client = await begin(app, post(len(body)), *(body[at : at + 7] for at in range(0, 700, 7)))
    gate.set()
    await settle()
    for at in range(700, len(body), 9000):
        client.send(body[at : at + 9000])
        await settle(1)
    await settle()
    assert b"".join(event["body"] for event in events) == body
    assert [event["more_body"] for event in events] == [True] * (len(events) - 1) + [False]
    assert client.response().status == 200


@on_loop
async def test_after_the_body_receive_waits_until_the_response_is_complete_and_then_disconnects():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        waits = asyncio.create_task(receive())
        await asyncio.sleep(0)
        assert not waits.done()
        await answer(send)
        events.append(await waits)
        events.append(await receive())

    events: list[Any] = []
    await begin(app, GET)
    assert events == [DISCONNECT, DISCONNECT]


@on_loop
async def test_receive_waits_for_a_body_that_comes_later():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.append(await receive())
        events.append(await receive())
        await answer(send)

    events: list[Any] = []
    await begin(app, post(5), b"he", b"llo")
    assert [(event["body"], event["more_body"]) for event in events] == [(b"he", True), (b"llo", False)]


@on_loop
async def test_a_receive_that_is_cancelled_loses_nothing():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            waits = asyncio.create_task(receive())
            await asyncio.sleep(0)
            waits.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waits
        begun.set()
        events.append(await receive())
        await answer(send)

    begun = asyncio.Event()
    events: list[Any] = []
    _, client = await begin(app, post(5))
    assert begun.is_set()
    client.send(b"hello")
    await settle()
    assert events == [{"type": "http.request", "body": b"hello", "more_body": False}]


@on_loop
async def test_two_that_receive_at_once_are_both_woken_at_the_end():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        events.extend(await asyncio.gather(receive(), receive()))

    events: list[Any] = []
    _, client = await begin(app, GET)
    client.reset()
    await settle()
    assert events == [DISCONNECT, DISCONNECT]


@on_loop
async def test_polling_for_a_disconnect_does_not_gather_anything():
    """As Starlette's Request.is_disconnected does, in a stream for each of its pieces."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for _ in range(50):
            with anyio.CancelScope() as scope_:
                scope_.cancel()
                await receive()
            (cycle,) = server.gateway.cycles
            waiting.append(len(cycle._waiters))
        await answer(send)

    waiting: list[int] = []
    server = Server(app)
    client = server.connect()
    client.send(GET)
    while not client.received:
        await settle()
    assert max(waiting) <= 1


@on_loop
async def test_reading_on_after_the_answer_asks_nothing_of_the_next_request():
    """The body is held, the answer is sent, and then the application reads what is left."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/next":
            await second.wait()
            await answer(send, (await receive())["body"])
            return
        await first.wait()
        await answer(send)
        await third.wait()
        while (await receive())["type"] != "http.disconnect":
            pass
        read.append(True)

    first, second, third = asyncio.Event(), asyncio.Event(), asyncio.Event()
    read: list[bool] = []
    following = post(5, b"Expect: 100-continue").replace(b"POST /", b"POST /next")
    _, client = await begin(app, post(100_000), b"x" * 70_000)
    assert client.paused
    client.send(b"x" * 30_000)
    first.set()
    await settle()
    client.send(following)
    await settle()
    third.set()
    await settle()
    assert read == [True]
    assert b"100 Continue" not in client.received
    second.set()
    await settle()
    client.send(b"hello")
    await settle()
    assert [(response.interim, response.body) for response in client.responses()] == [
        ([], b""),
        ([100], b"hello"),
    ]


# send


@on_loop
async def test_send_returns_at_once_while_the_client_keeps_up():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            step = send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            with pytest.raises(StopIteration):
                step.send(None)
        await send({"type": "http.response.body"})
        done.append(True)

    done: list[bool] = []
    await begin(app, GET)
    assert done == [True]


@on_loop
async def test_a_send_that_is_cancelled_while_it_waits_harms_nobody():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        piece = {"type": "http.response.body", "body": b"x" * 100_000, "more_body": True}
        for _ in range(3):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0):
                    await send(piece)
        begun.set()
        await send({"type": "http.response.body"})

    begun = asyncio.Event()
    server = Server(app)
    client = server.connect()
    client.stall()
    client.send(GET)
    await begun.wait()
    client.read()
    await settle()
    assert client.response().body == b"x" * 300_000
    assert client.response().complete


@on_loop
async def test_defaults_of_the_specification():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    _, client = await begin(app, GET)
    assert client.response().one("content-length") == "0"


@on_loop
async def test_headers_may_be_any_iterable_of_pairs():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": ([b"a", b"%d" % n] for n in range(3))}
        )
        await send({"type": "http.response.body"})

    _, client = await begin(app, GET)
    assert client.response().all("a") == ["0", "1", "2"]


@on_loop
async def test_a_status_of_the_standard_library_is_a_status():
    from http import HTTPStatus

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": HTTPStatus.NOT_FOUND})
        await send({"type": "http.response.body"})

    _, client = await begin(app, GET)
    assert client.response().status == 404


# The application's end


async def streams(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0)


async def streams_in_asyncio_group(scope: Any, receive: Any, send: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(streams(scope, receive, send))


async def streams_in_anyio_group(scope: Any, receive: Any, send: Any) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(streams, scope, receive, send)


async def streams_and_wraps(scope: Any, receive: Any, send: Any) -> None:
    try:
        await streams(scope, receive, send)
    except OSError as error:
        raise RuntimeError("the stream broke") from error


@pytest.mark.parametrize(
    "app",
    [streams, streams_in_asyncio_group, streams_in_anyio_group, streams_and_wraps],
    ids=lambda app: app.__name__,
)
@on_loop
async def test_a_stream_whose_client_goes_is_no_mistake_of_the_application(app, caplog):
    server, client = await begin(app, GET)
    assert client.received
    client.reset()
    await settle()
    assert server.gateway.running == 0
    assert caplog.text == ""
    assert [finished.cut for finished in server.finished] == [True]


@on_loop
async def test_an_error_of_the_applications_own_is_logged_also_when_the_client_has_gone(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        raise RuntimeError("boom")

    _, client = await begin(app, GET)
    client.reset()
    await settle()
    assert "raised RuntimeError" in caplog.text


@on_loop
async def test_a_group_with_another_error_beside_the_departure_is_logged(caplog):
    async def fails() -> None:
        await asyncio.Event().wait()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        raise ExceptionGroup("both", [ConnectionResetError("gone"), ValueError("bad")])

    _, client = await begin(app, GET)
    client.reset()
    await settle()
    assert "bad" in caplog.text


class ClientDisconnect(Exception):  # noqa: N818 - as frameworks call it
    """Starlette's has this name."""


class OurDisconnect(ClientDisconnect):
    """A kind of it."""


class StreamBroke(Exception):  # noqa: N818 - as users do
    """An application's own."""


async def reads(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


async def reads_and_raises_its_own(scope: Any, receive: Any, send: Any) -> None:
    try:
        await reads(scope, receive, send)
    except ClientDisconnect:
        raise OurDisconnect from None


async def reads_and_wraps(scope: Any, receive: Any, send: Any) -> None:
    try:
        await reads(scope, receive, send)
    except ClientDisconnect:
        raise StreamBroke  # noqa: B904 - as many do


async def reads_in_a_group(scope: Any, receive: Any, send: Any) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(reads, scope, receive, send)


async def reads_and_stumbles(scope: Any, receive: Any, send: Any) -> None:
    try:
        await reads(scope, receive, send)
    except ClientDisconnect:
        nothing = None
        nothing.close()


async def reads_and_misses_a_file(scope: Any, receive: Any, send: Any) -> None:
    with contextlib.suppress(ClientDisconnect):
        await reads(scope, receive, send)
    raise FileNotFoundError("the spool")


UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12"


@pytest.mark.parametrize("leaves", ["reset", "finish"])
@pytest.mark.parametrize(
    "app", [reads, reads_and_raises_its_own, reads_and_wraps, reads_in_a_group], ids=lambda app: app.__name__
)
@on_loop
async def test_what_a_framework_makes_of_a_departure_is_no_mistake_of_the_application(app, leaves, caplog):
    with caplog.at_level("DEBUG"):
        server, client = await begin(app, UPLOAD)
        getattr(client, leaves)()
        await settle()
    assert server.gateway.running == 0
    (record,) = (each for each in caplog.records if each.name == "asgid.application")
    assert (record.levelname, record.exc_info) == ("DEBUG", None)
    assert "the client had gone: the application raised" in record.getMessage()
    if leaves == "finish":  # it may be there still: it has an answer
        assert client.response().status == 400  # RFC 9112 8: its request never became whole


@pytest.mark.parametrize("leaves", ["reset", "finish"])
@pytest.mark.parametrize("app", [reads_and_stumbles, reads_and_misses_a_file], ids=lambda app: app.__name__)
@on_loop
async def test_a_mistake_while_a_departure_is_dealt_with_has_its_traceback(app, leaves, caplog):
    _, client = await begin(app, UPLOAD)
    getattr(client, leaves)()
    await settle()
    (record,) = (each for each in caplog.records if each.levelname == "ERROR")
    assert record.exc_info is not None


@on_loop
async def test_a_framework_s_departure_is_a_mistake_while_the_client_is_there(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ClientDisconnect

    _, client = await begin(app, GET)
    assert client.response().status == 500
    assert "raised ClientDisconnect" in caplog.text


@pytest.mark.parametrize(("asks", "level"), [(True, "DEBUG"), (False, "ERROR")])
@on_loop
async def test_to_return_without_an_answer_is_no_mistake_once_the_departure_was_told(caplog, asks, level):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await (receive() if asks else asyncio.sleep(0))

    with caplog.at_level("DEBUG"):
        server, client = await begin(app, GET)
        client.finish()
        await settle()
    assert server.gateway.running == 0
    assert client.response().status == 500  # it may be there still
    (record,) = (each for each in caplog.records if each.name == "asgid.application")
    assert record.levelname == level


@on_loop
async def test_a_lost_connection_of_the_applications_own_after_its_answer_is_logged(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)
        raise ConnectionResetError("the database has gone")

    _, client = await begin(app, GET)
    assert client.response().status == 200
    assert "the database has gone" in caplog.text


@pytest.mark.parametrize(("kind", "logged"), [(ConnectionResetError, False), (ValueError, True)])
@on_loop
async def test_an_error_raised_out_of_the_group_that_has_it_is_looked_at_once(caplog, kind, logged):
    """Its context is that group: Starlette's middleware raises so what was one error in a task group."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()
        error = kind("left")
        try:
            raise ExceptionGroup("group", [error])  # noqa: TRY301 - as it does
        except ExceptionGroup:
            raise error  # noqa: B904

    server, client = await begin(app, GET)
    client.reset()
    await settle()
    assert server.gateway.running == 0
    assert ("raised ValueError" in caplog.text) == logged
    assert "RecursionError" not in caplog.text


@on_loop
async def test_an_oserror_of_the_applications_own_is_a_500_while_the_client_is_there(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise FileNotFoundError("missing")

    _, client = await begin(app, GET)
    assert client.response().status == 500
    assert "missing" in caplog.text


@on_loop
async def test_work_after_the_response_goes_on_while_the_next_request_is_served():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, scope["raw_path"])
        if scope["path"] == "/slow":
            await gate.wait()
            done.append(True)

    gate = asyncio.Event()
    done: list[bool] = []
    server, client = await begin(app, GET.replace(b"/ ", b"/slow "), GET)
    assert [response.body for response in client.responses()] == [b"/slow", b"/"]
    assert server.gateway.running == 1
    gate.set()
    await settle()
    assert done == [True]
    assert server.gateway.running == 0


@on_loop
async def test_work_after_the_response_is_cancelled_by_cut_all():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(True)
            raise

    ended: list[bool] = []
    server, _ = await begin(app, GET)
    assert server.gateway.cut_all() == 1
    await settle()
    assert ended == [True]
    assert server.gateway.running == 0


@on_loop
async def test_an_application_that_goes_on_after_its_client_is_cancelled_in_time_and_not_if_it_ends(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] == "/ends":
            await receive()
            ended.append("by itself")
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            cancelled.set()
            raise

    ended: list[str] = []
    cancelled = asyncio.Event()
    server, client = await begin(app, GET, timeouts=Timeouts(application_close_s=0.25))
    other = server.connect()
    other.send(GET.replace(b"/ ", b"/ends "))
    await settle()
    client.reset()
    other.reset()
    await cancelled.wait()
    await settle()
    assert sorted(ended) == ["by itself", "cancelled"]
    assert caplog.text.count("was cancelled: its client had gone") == 1


@on_loop
async def test_applications_that_are_cancelled_for_want_of_a_client_fill_no_log(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            running.pop()

    running: list[bool] = []
    server, client = await begin(app, GET, timeouts=Timeouts(application_close_s=0.001))
    others = [server.connect() for _ in range(50)]
    for other in others:
        other.send(GET)
    await settle()
    assert len(running) == 51
    for number, each in enumerate([client, *others]):
        (each.reset if number % 2 else each.finish)()
    while running:  # noqa: ASYNC110 - a timer of the loop ends it
        await asyncio.sleep(0.001)
    await settle()
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert client.response().status == 500  # it may be there still


# Contexts and state

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.mark.parametrize("waits", [False, True])
@on_loop
async def test_a_request_sees_nothing_that_another_has_set(waits):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(variable.get())
        variable.set(scope["path"])
        if waits:
            await asyncio.sleep(0)
        await answer(send, variable.get().encode())

    seen: list[str] = []
    _, client = await begin(app, GET * 5)
    await settle(30)
    assert seen == ["unset"] * 5
    assert [response.body for response in client.responses()] == [b"/"] * 5


@on_loop
async def test_a_task_that_outlives_its_request_keeps_its_context():
    async def later() -> None:
        await gate.wait()
        seen.append(variable.get())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        variable.set(scope["path"])
        tasks.append(asyncio.create_task(later()))
        await answer(send)

    gate = asyncio.Event()
    seen: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    await begin(app, GET.replace(b"/ ", b"/a "), GET.replace(b"/ ", b"/b "))
    gate.set()
    await asyncio.gather(*tasks)
    assert seen == ["/a", "/b"]


@on_loop
async def test_the_hold_on_a_body_comes_at_its_mark_and_not_before():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    _, client = await begin(app, post(1_000_000), b"x" * (http._HIGH_BYTES - 1))
    assert not client.paused
    client.send(b"x")
    await settle()
    assert client.paused
