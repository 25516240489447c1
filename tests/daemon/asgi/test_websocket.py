"""The WebSocket cycle: real clients on real sockets, and applications that break every rule."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asgid.config.spec import Timeouts
from support.serving import serve
from support.websocket import KEY, close_frame, frame, frames

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
)


async def echo(_scope, receive, send):
    assert await receive() == {"type": "websocket.connect"}
    await send(ACCEPT)
    while (event := await receive())["type"] == "websocket.receive":
        answer = {key: value for key, value in event.items() if key != "type"}
        await send({"type": "websocket.send", **answer})


def scripted(*events, then=None):
    """An application that sends ``events`` one after the other, and then does ``then``."""

    async def application(_scope, receive, send):
        await receive()
        for event in events:
            await send(event)
        if then is not None:
            await then(receive, send)

    return application


async def until_closed(receive, _send):
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def close_of(websocket) -> tuple[int, str]:
    """The code and reason that a client is closed with."""
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    return websocket.close_code, websocket.close_reason


# The main paths, with a client that is not ours.


def test_text_and_bytes_of_every_size_are_echoed():
    async def client(served):
        async with connect(served.url, max_size=None) as websocket:
            for size in (0, 1, 125, 126, 5000, 65_536, 1024 * 1024):
                for message in ("ü" * (size // 2), b"\xff" * size):
                    await websocket.send(message)
                    assert await websocket.recv() == message
            await websocket.ping()

    assert [finished.status for finished in serve(echo, client).finished] == [101]


def test_fragments_are_one_message():
    async def client(served):
        async with connect(served.url) as websocket:
            await websocket.send(["one ", "two ", "three"])
            assert await websocket.recv() == "one two three"

    serve(echo, client)


def test_a_hundred_clients_at_once_get_their_own_messages_in_order():
    async def one(served, number):
        async with connect(served.url) as websocket:
            messages = [f"{number}:{i}" for i in range(50)]
            for message in messages:
                await websocket.send(message)
            assert [await websocket.recv() for _ in messages] == messages

    async def client(served):
        await asyncio.gather(*(one(served, number) for number in range(100)))

    served = serve(echo, client)
    assert served.factory.counters.websockets == 100


def test_the_scope_is_a_websockets():
    scopes = []

    async def application(scope, receive, send):
        scopes.append(scope)
        await receive()
        await send({**ACCEPT, "subprotocol": "v2", "headers": [(b"x-one", b"1"), (b"x-one", b"2")]})

    async def client(served):
        async with connect(served.url + "a%20b?c=d", subprotocols=["v1", "v2"]) as websocket:
            assert websocket.subprotocol == "v2"
            assert websocket.response.headers.get_all("x-one") == ["1", "2"]

    serve(application, client)
    [scope] = scopes
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "ws", "1.1")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a b", b"/a%20b", b"c=d")
    assert scope["subprotocols"] == ["v1", "v2"]
    assert scope["extensions"] == {"asgid": {"listener": "main"}, "websocket.http.response": {}}
    assert "method" not in scope


def test_close_codes_and_reasons_are_carried_both_ways():
    events = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        if scope["path"] == "/server":
            await send({**CLOSE, "code": 4001, "reason": "enough"})
        events.append(await receive())

    async def client(served):
        async with connect(served.url + "server") as websocket:
            assert await close_of(websocket) == (4001, "enough")
        async with connect(served.url + "client") as websocket:
            await websocket.close(3333, "tired")
        async with connect(served.url + "client") as websocket:
            websocket.transport.abort()
        await served.until(lambda: len(events) == 3)

    serve(application, client)
    disconnect = {"type": "websocket.disconnect"}
    assert events[:2] == [
        {**disconnect, "code": 4001, "reason": "enough"},
        {**disconnect, "code": 3333, "reason": "tired"},
    ]
    assert events[2]["code"] == 1006


@pytest.mark.parametrize(
    ("application", "status"),
    [
        (scripted(CLOSE), 403),
        (scripted(CLOSE, then=until_closed), 403),
        (scripted(), 500),
        (scripted({"type": "websocket.send", "text": "too early"}), 500),
        (scripted({**ACCEPT, "subprotocol": "not offered"}), 500),
        (scripted({**ACCEPT, "subprotocol": 5}), 500),
        (scripted({**ACCEPT, "headers": [("str", "str")]}), 500),
        (scripted({**ACCEPT, "headers": [(b"x", b"a\r\nb: c")]}), 500),
        (scripted({"type": "websocket.http.response.start", "status": "204"}), 500),
        (scripted({"type": "websocket.http.response.start", "status": 401}), 500),
        (scripted({"type": "http.response.start", "status": 200, "headers": []}), 500),
        (scripted({}), 500),
    ],
)
def test_before_the_accept_every_end_is_a_whole_response(application, status, caplog):
    async def client(served):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url)
        response = refused.value.response
        assert response.status_code == status
        assert response.headers["connection"] == "close"
        assert len(response.body) == int(response.headers["content-length"]) > 0

    with caplog.at_level(logging.ERROR):
        serve(application, client)
    assert bool(caplog.records) == (status == 500)


def test_an_exception_before_the_accept_is_500_and_its_traceback_is_logged(caplog):
    async def application(_scope, _receive, _send):
        raise LookupError("of the application")

    async def client(served):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url)
        assert refused.value.response.status_code == 500

    serve(application, client)
    assert "raised LookupError" in caplog.text
    assert "of the application" in caplog.text


def test_a_denial_is_the_applications_own_response():
    start = {
        "type": "websocket.http.response.start",
        "status": 401,
        "headers": [(b"www-authenticate", b"Bearer"), (b"content-length", b"8")],
    }
    body = {"type": "websocket.http.response.body"}

    async def client(served):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url)
        response = refused.value.response
        assert (response.status_code, response.body) == (401, b"who are?")
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers.get_all("content-length") == ["8"]

    serve(scripted(start, {**body, "body": b"who ", "more_body": True}, {**body, "body": b"are?"}), client)


def test_9110_15_5_22_a_denial_with_426_keeps_what_it_wants_to_upgrade_to(caplog):
    start = {"type": "websocket.http.response.start", "status": 426, "headers": [(b"Upgrade", b"a/2")]}

    said = []

    async def client(served):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url)
        headers = refused.value.response.headers
        said.extend((headers.get_all("upgrade"), headers.get_all("connection")))

    serve(scripted(start, {"type": "websocket.http.response.body"}), client)
    assert said == [["a/2"], ["close, upgrade"]]
    assert "upgrade" not in caplog.text


async def fail(_receive, _send):
    raise LookupError("of the application")


async def be_cancelled(_receive, _send):
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("application", "code", "said"),
    [
        (scripted(ACCEPT), 1000, ""),
        (scripted(ACCEPT, CLOSE), 1000, ""),
        (scripted(ACCEPT, {**CLOSE, "code": None, "reason": None}), 1000, ""),
        (scripted(ACCEPT, then=fail), 1011, "raised LookupError"),
        (scripted(ACCEPT, then=be_cancelled), 1011, "was cancelled"),
        (
            scripted(ACCEPT, ACCEPT),
            1011,
            "sent 'websocket.accept' where the WebSocket expects websocket.send",
        ),
        (scripted(ACCEPT, {"type": "nonsense"}), 1011, "sent 'nonsense'"),
        (scripted(ACCEPT, {"type": ["websocket.send"]}), 1011, "sent ['websocket.send']"),
        (scripted(ACCEPT, {"text": "a"}), 1011, "made a mistake: sent an event without a type"),
        (scripted(ACCEPT, None), 1011, "made a mistake: sent an event without a type"),
        (scripted(ACCEPT, {"type": "websocket.send"}), 1011, "needs either text or bytes"),
        (scripted(ACCEPT, {"type": "websocket.send", "text": "a", "bytes": b"b"}), 1011, "needs either"),
        (scripted(ACCEPT, {"type": "websocket.send", "text": b"a"}), 1011, "text of type bytes"),
        (scripted(ACCEPT, {"type": "websocket.send", "bytes": "a"}), 1011, "bytes of type str"),
        (scripted(ACCEPT, {"type": "websocket.send", "text": "\ud800"}), 1011, "surrogates not allowed"),
        (scripted(ACCEPT, {**CLOSE, "code": 1006}), 1011, "the close code 1006 may not be sent"),
        (scripted(ACCEPT, {**CLOSE, "code": "1000"}), 1011, "the code '1000'"),
        (scripted(ACCEPT, {**CLOSE, "reason": b"x"}), 1011, "the reason b'x'"),
        (
            scripted(ACCEPT, {"type": "websocket.http.response.start", "status": 200}),
            1011,
            "sent 'websocket.http",
        ),
    ],
)
def test_after_the_accept_every_end_has_its_code_and_mistakes_are_named(application, code, said, caplog):
    async def client(served):
        async with connect(served.url) as websocket:
            assert (await close_of(websocket))[0] == code

    with caplog.at_level(logging.ERROR):
        serve(application, client)
    assert said in caplog.text
    assert bool(caplog.records) == bool(said)


def test_other_buffers_are_bytes_and_the_key_that_is_none_does_not_count():
    async def client(served):
        async with connect(served.url) as websocket:
            assert [await websocket.recv() for _ in range(4)] == [b"a", b"b", "c", b"d"]

    serve(
        scripted(
            ACCEPT,
            {"type": "websocket.send", "bytes": bytearray(b"a")},
            {"type": "websocket.send", "bytes": memoryview(b"b"), "text": None},
            {"type": "websocket.send", "bytes": None, "text": "c"},
            {"type": "websocket.send", "bytes": b"d", "text": None},
        ),
        client,
    )


def test_after_a_close_by_either_side_send_raises_oserror_and_receive_tells_again_and_again():
    seen = []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        if (await receive())["type"] == "websocket.receive":
            await send(CLOSE)
        for event in ({"type": "websocket.send", "text": "x"}, CLOSE):
            with pytest.raises(OSError):
                await send(event)
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    async def client(served):
        async with connect(served.url) as websocket:
            await websocket.send("close, please")
            assert (await close_of(websocket))[0] == 1000
        async with connect(served.url):
            pass
        await served.until(lambda: len(seen) == 4)

    serve(application, client)
    assert set(seen) == {"websocket.disconnect"}


class WebSocketDisconnect(Exception):  # noqa: N818 - as frameworks call it
    """Starlette's has this name."""


@pytest.mark.parametrize("wrapped", ["not", "translated", "in a task group"])
def test_an_oserror_for_a_client_that_has_gone_is_not_logged(caplog, wrapped):
    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        last = send({"type": "websocket.send", "text": "into the void"})
        if wrapped == "in a task group":
            async with asyncio.TaskGroup() as group:
                group.create_task(last)
        try:
            await last
        except OSError:
            if wrapped == "translated":
                raise WebSocketDisconnect from None  # as Starlette does
            raise

    async def client(served):
        async with connect(served.url):
            pass

    with caplog.at_level(logging.WARNING):
        serve(application, client)
    assert caplog.records == []


@pytest.mark.parametrize(("kind", "logged"), [(WebSocketDisconnect, False), (RuntimeError, True)])
def test_what_a_framework_makes_of_a_disconnect_is_not_logged_and_a_mistake_is(caplog, kind, logged):
    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        assert (await receive())["type"] == "websocket.disconnect"
        raise kind

    async def client(served):
        async with connect(served.url):
            pass

    with caplog.at_level(logging.WARNING):
        serve(application, client)
    assert [record.exc_info is not None for record in caplog.records] == [True] * logged


async def raw(served, *pieces: bytes) -> bytes:
    """What the server sends, after its 101, to a client that sends ``pieces`` at once, up to its FIN."""
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"".join(pieces))
    answer = await reader.read()
    writer.close()
    return answer


AWHILE = {"a turn": lambda: asyncio.sleep(0), "a thread": lambda: asyncio.to_thread(int)}


@pytest.mark.parametrize("texts", [[b"a"], [b"a", b"b"]])
@pytest.mark.parametrize("wait", [*AWHILE, "nothing", "a while before the first"])
@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        (frame(3), 1002),
        (frame(1, b"\xff"), 1007),
        (frame(1, bytes(70)), 1009),
        (frame(1, b"x", mask=None), 1002),
    ],
)
def test_a_broken_frame_waits_until_the_messages_before_it_are_answered(wait, mistake, code, texts):
    events = []
    go = asyncio.Event()

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        if wait.endswith("first"):
            await go.wait()
        while (event := await receive())["type"] == "websocket.receive":
            if wait in AWHILE:
                await AWHILE[wait]()
            await send({"type": "websocket.send", "text": event["text"]})
        events.append(event["code"])

    async def client(served):
        before = [*(frame(1, text) for text in texts), frame(9, b"p")]
        coming = asyncio.ensure_future(raw(served, *before, mistake, frame(1, b"c")))
        await served.until(lambda: any(each.watched for each in served.factory.connections) or coming.done())
        go.set()
        answer = frames(await coming)
        told = answer.pop()
        assert (told[0], told[1][:2]) == (0x88, code.to_bytes(2, "big"))
        assert [pair for pair in answer if pair[0] == 0x81] == [(0x81, text) for text in texts]
        assert (0x8A, b"p") in answer
        await served.until(lambda: bool(events))
        assert served.factory.counters.bad_requests == 1

    serve(application, client, message_bytes=64)
    assert events == [code]


@pytest.mark.parametrize(
    "end", [[], [{"type": "websocket.close", "code": 4000}], [{"type": "websocket.send", "text": 1}]]
)
def test_a_broken_frame_ends_the_websocket_with_the_application(end, caplog):
    """It takes one message, and does not ask for another."""

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        await asyncio.sleep(0)
        await send({"type": "websocket.send", "text": "answer"})
        for event in end:
            await send(event)

    async def client(served):
        answer = frames(await raw(served, frame(1, b"a"), frame(1, b"b"), frame(3)))
        assert answer[0] == (0x81, b"answer")
        assert [pair[1][:2] for pair in answer[1:]] == [(1002).to_bytes(2, "big")]

    serve(application, client)


def test_a_broken_frame_waits_for_no_application_that_has_taken_nothing():
    go = asyncio.Event()

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await go.wait()

    async def client(served):
        answer = frames(await raw(served, frame(3)))
        assert [pair[1][:2] for pair in answer] == [(1002).to_bytes(2, "big")]
        go.set()

    serve(application, client)


def test_messages_before_the_close_are_received_before_the_disconnect():
    seen = []
    go = asyncio.Event()

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await go.wait()
        while (event := await receive())["type"] == "websocket.receive":
            seen.append(event["text"])
        seen.append(event["code"])

    async def client(served):
        async with connect(served.url) as websocket:
            for number in range(5):
                await websocket.send(str(number))
        go.set()
        await served.until(lambda: len(seen) == 6)

    serve(application, client)
    assert seen == ["0", "1", "2", "3", "4", 1000]


def test_the_queue_is_bounded_and_nothing_of_what_waited_outside_is_lost():
    seen = []
    go = asyncio.Event()

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await go.wait()
        while (event := await receive())["type"] == "websocket.receive":
            seen.append(len(event["bytes"]))

    async def client(served):
        async with connect(served.url) as websocket:
            sent = asyncio.create_task(send_all(websocket))
            await served.until(lambda: any(connection.watched for connection in served.factory.connections))
            go.set()
            await sent
        await served.until(lambda: len(seen) == 200)

    async def send_all(websocket):
        for _ in range(200):
            await websocket.send(bytes(100_000))

    serve(application, client, queue=4)
    assert seen == [100_000] * 200


def test_a_slow_reader_makes_send_wait():
    sent = []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        for _ in range(200):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            sent.append(None)

    async def client(served):
        async with connect(served.url, max_queue=1, compression=None) as websocket:
            await served.until(lambda: bool(sent))
            for _ in range(1000):
                await asyncio.sleep(0)
            assert len(sent) < 150
            for _ in range(200):
                assert len(await websocket.recv()) == 100_000

    serve(application, client)


def test_a_receive_that_is_cancelled_loses_no_message():
    got = []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        try:
            async with asyncio.timeout(0):
                await receive()
        except TimeoutError:
            got.append("timeout")
        await send({"type": "websocket.send", "text": "go on"})
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        got.append((await receive())["text"])

    async def client(served):
        async with connect(served.url) as websocket:
            await websocket.recv()
            await websocket.send("here")
            await close_of(websocket)

    serve(application, client)
    assert got == ["timeout", "here"]


def test_two_receives_at_once_each_get_a_message():
    got = []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        both = asyncio.gather(receive(), receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.send", "text": "ready"})
        got.extend(event["text"] for event in await both)

    async def client(served):
        async with connect(served.url) as websocket:
            await websocket.recv()
            await websocket.send("a")
            await websocket.send("b")
            await close_of(websocket)

    serve(application, client)
    assert sorted(got) == ["a", "b"]


def test_the_task_is_the_applications_own_from_the_first_step_to_the_last():
    variable = contextvars.ContextVar("variable", default="unset")
    tasks = []
    seen = []

    async def application(_scope, receive, send):
        seen.append(variable.get())
        variable.set("mine")
        tasks.append(asyncio.current_task())
        await receive()
        await send(ACCEPT)
        async with asyncio.timeout(20):
            await receive()
        tasks.append(asyncio.current_task())
        seen.append(variable.get())
        async with asyncio.TaskGroup() as group:
            group.create_task(send({"type": "websocket.send", "text": "from a child"}))

    async def client(served):
        for _ in range(2):
            async with connect(served.url) as websocket:
                await websocket.send("x")
                assert await websocket.recv() == "from a child"

    serve(application, client)
    assert tasks[0] is tasks[1] is not tasks[2]
    assert seen == ["unset", "mine"] * 2


def test_an_application_that_closes_where_its_message_comes_in_is_heard_of_no_more():
    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        await send({**CLOSE, "code": 4000})

    async def client(served):
        reader, writer = await asyncio.open_connection(*served.address)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.write(frame(1, b"a") + frame(1, b"b") + frame(9, b"p") + close_frame(4000))
        assert await reader.read() == b"\x88\x02\x0f\xa0"
        writer.close()
        await writer.wait_closed()

    serve(application, client)


def test_an_application_that_is_still_there_long_after_its_client_is_cancelled(caplog):
    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await asyncio.Event().wait()

    async def client(served):
        async with connect(served.url):
            pass
        await served.until(lambda: not served.factory.connections)
        await served.until(lambda: not served.gateway.running)

    serve(application, client, Timeouts(application_close_s=0.001))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cancelled" in caplog.text


def test_one_that_does_not_decide_in_time_is_told_and_its_client_refused():
    seen = []

    async def application(_scope, receive, send):
        await receive()
        seen.append(await receive())
        with pytest.raises(OSError):
            await send(ACCEPT)

    async def client(served):
        waiting = asyncio.create_task(refused(served))
        await served.until(lambda: served.gateway.running == 1)
        served.pass_time(6)
        await waiting

    async def refused(served):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(served.url)
        assert refusal.value.response.status_code == 403

    serve(application, client, connect_s=5)
    assert seen[0]["type"] == "websocket.disconnect"


# An application that waits for messages is resumed without its task: it must not see that.


def steps(*each):
    """An application that answers two messages, and then takes a step before each answer more."""

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        for step in (None, None, *each):
            event = await receive()
            if step is not None:
                await step(receive, send)
            await send({"type": "websocket.send", "text": event["text"]})

    async def client(served):
        async with connect(served.url) as websocket:
            with contextlib.suppress(ConnectionClosed):  # an application may end before it answers
                for number in range(2 + len(each)):
                    await websocket.send(str(number))
                    assert await websocket.recv() == str(number)
            return await close_of(websocket)

    return application, client


def closed_after(*each) -> tuple[int, str]:
    """How the client is closed whose application takes those steps; its messages come one by one."""
    application, client = steps(*each)
    ends = []

    async def note(served):
        ends.append(await client(served))

    serve(application, note)
    return ends[0]


@pytest.mark.parametrize("wait", ["a turn", "a timer", "a future that is done", "a task", "a thread"])
def test_whatever_an_application_waits_for_between_messages_it_goes_on(wait):
    tasks = []

    async def step(_receive, _send):
        tasks.append(asyncio.current_task())
        if wait == "a turn":
            await asyncio.sleep(0)
        elif wait == "a timer":
            await asyncio.sleep(0.001)
        elif wait == "a future that is done":
            future = asyncio.get_running_loop().create_future()
            future.set_result(None)
            await future
        elif wait == "a task":
            await asyncio.create_task(asyncio.sleep(0))
        else:
            await asyncio.to_thread(int)
        tasks.append(asyncio.current_task())

    assert closed_after(step, step, step) == (1000, "")
    assert len(tasks) == 6
    assert len(set(tasks)) == 1


def test_each_message_finds_the_task_and_the_context_of_the_last():
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    async def step(_receive, _send):
        variable.set(variable.get() + 1)
        seen.append((variable.get(), asyncio.current_task()))

    assert closed_after(step, step, step) == (1000, "")
    assert [number for number, _ in seen] == [1, 2, 3]
    assert len({task for _, task in seen}) == 1
    assert None not in {task for _, task in seen}


def test_an_application_that_cancels_itself_is_cancelled_where_it_waits_next():
    seen = []

    async def step(_receive, _send):
        task = asyncio.current_task()
        for wait in (asyncio.sleep, asyncio.Event().wait, lambda: asyncio.create_task(asyncio.sleep(60))):
            task.cancel()
            seen.append("not yet")
            with pytest.raises(asyncio.CancelledError):
                await (wait(0) if wait is asyncio.sleep else wait())
            task.uncancel()
        seen.append("still here")

    assert closed_after(step, step) == (1000, "")
    assert seen == [*["not yet"] * 3, "still here"] * 2


def test_a_timeout_reaches_an_application_that_waits_for_a_message_and_loses_none():
    seen = []

    async def step(receive, _send):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                seen.append(await receive())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()

    assert closed_after(step, step, step) == (1000, "")
    assert seen == []


def test_an_application_that_waits_for_a_message_is_cancelled_from_outside(caplog):
    async def step(receive, _send):
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
        await receive()

    with caplog.at_level(logging.ERROR):
        assert closed_after(step)[0] == 1011
    assert "was cancelled" in caplog.text


def test_an_exception_and_its_traceback_are_logged_wherever_it_is_raised(caplog):
    async def step(_receive, _send):
        raise LookupError("of the application")

    with caplog.at_level(logging.ERROR):
        assert closed_after(step)[0] == 1011
    assert "in step" in caplog.text
    assert caplog.text.count("of the application") >= 1


def test_a_task_that_waits_for_a_message_shows_where():
    shown = []

    async def step(_receive, _send):
        task = asyncio.current_task()
        show = lambda: shown.append((repr(task), [each.f_code.co_name for each in task.get_stack()]))  # noqa: E731
        asyncio.get_running_loop().call_soon(show)
        await asyncio.sleep(0)

    assert closed_after(step) == (1000, "")
    [(text, stack)] = shown
    assert "WebSocketCycle.run()" in text
    assert stack == ["run"]


def test_a_message_that_comes_while_a_task_runs_is_received():
    seen = []

    async def application(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] == "websocket.receive":
            seen.append(event["text"])
            await send({"type": "websocket.send", "text": "more"})

    async def client(served):
        async with connect(served.url) as websocket:
            for _ in range(2):
                await websocket.send("by the loop")
                await websocket.recv()
            [connection] = served.factory.connections
            connection.dataReceived(frame(1, b"by a task") + frame(1, b"by it, too"))
            assert seen == ["by the loop"] * 2
            for _ in range(2):
                await websocket.recv()

    serve(application, client)
    assert seen == ["by the loop", "by the loop", "by a task", "by it, too"]


def test_children_that_receive_and_their_parent_each_get_what_comes():
    async def step(receive, send):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.gather(receive(), receive())
        child = asyncio.create_task(receive())
        await asyncio.sleep(0)
        child.cancel()
        await asyncio.gather(child, return_exceptions=True)

    assert closed_after(step, step) == (1000, "")


def test_what_an_application_waits_for_is_cancelled_with_it():
    children = []

    async def step(_receive, _send):
        child = asyncio.create_task(asyncio.sleep(60))
        asyncio.current_task().cancel()
        with pytest.raises(asyncio.CancelledError):
            await child
        asyncio.current_task().uncancel()
        children.append(child.cancelled())

    assert closed_after(step, step) == (1000, "")
    assert children == [True, True]
