"""HTTP/1.1 responses: how they are framed, what of the application is refused, and each mistake's outcome."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asgid.config.spec import Timeouts
from support.connections import Client, Server, on_loop, settle

VERSIONS = {
    "1.1": b"HTTP/1.1\r\nHost: site\r\n\r\n",
    "1.0": b"HTTP/1.0\r\n\r\n",
    "1.0 kept": b"HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
}
GET = b"GET / " + VERSIONS["1.1"]


def start(status: Any = 200, *headers: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: Any = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


class Sends:
    """An application that sends the same events to each request."""

    def __init__(self, *events: dict[str, Any], catch: bool = False) -> None:
        self.events = events
        self.catch = catch
        self.raised: list[BaseException] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            for event in self.events:
                await send(event)
        except Exception as error:
            self.raised.append(error)
            if not self.catch:
                raise


async def ask(app: Any, request: bytes = GET, **options: Any) -> tuple[Server, Client]:
    server = Server(app, **options)
    client = server.connect()
    client.send(request)
    await settle()
    return server, client


# Framing.


@pytest.mark.parametrize("version", VERSIONS)
@on_loop
async def test_one_piece_has_a_content_length(version):
    _, client = await ask(Sends(start(), piece(b"hello")), b"GET / " + VERSIONS[version])
    response = client.response()
    assert (response.body, response.one("content-length")) == (b"hello", "5")
    assert response.one("transfer-encoding") is None
    assert client.lost is (version == "1.0")


@on_loop
async def test_9112_7_1_pieces_of_unknown_length_are_chunked():
    _, client = await ask(
        Sends(start(), piece(b"he", True), piece(b"", True), piece(b"llo", True), piece()), GET * 2
    )
    for response in client.responses():
        assert response.one("transfer-encoding") == "chunked"
        assert response.one("content-length") is None
        assert response.chunks == [b"he", b"llo"]
        assert response.complete


@on_loop
async def test_9112_7_1_an_empty_first_piece_does_not_end_a_chunked_body():
    _, client = await ask(Sends(start(), piece(b"", True), piece(b"hello", True), piece(b"!")))
    assert client.response().chunks == [b"hello", b"!"]


@pytest.mark.parametrize("version", ["1.0", "1.0 kept"])
@on_loop
async def test_9112_6_1_http_1_0_is_never_answered_in_chunks(version):
    _, client = await ask(Sends(start(), piece(b"he", True), piece(b"llo")), b"GET / " + VERSIONS[version])
    response = client.response()
    assert response.body == b"hello"
    assert response.one("transfer-encoding") is None
    assert response.one("connection") == "close"
    assert client.lost
    assert response.complete


@pytest.mark.parametrize("version", VERSIONS)
@on_loop
async def test_the_applications_content_length_is_kept(version):
    app = Sends(start(200, (b"Content-Length", b"5")), piece(b"he", True), piece(b"", True), piece(b"llo"))
    _, client = await ask(app, b"GET / " + VERSIONS[version])
    response = client.response()
    assert (response.body, response.all("content-length")) == (b"hello", ["5"])
    assert client.lost is (version == "1.0")


@pytest.mark.parametrize("size", [0, 1, 32 * 1024 - 1, 32 * 1024, 300_000])
@pytest.mark.parametrize("more", [False, True])
@on_loop
async def test_pieces_of_any_size_arrive_as_they_were_sent(size, more):
    events = (
        [piece(b"x" * size, True), piece(b"y" * size, True), piece(b"z" * size)]
        if more
        else [piece(b"x" * size)]
    )
    server, client = await ask(Sends(start(), *events), GET * 2)
    await settle()
    expected = b"".join(event["body"] for event in events)
    assert [response.body for response in client.responses()] == [expected, expected]
    assert [finished.body_bytes for finished in server.finished] == [len(expected)] * 2


@pytest.mark.parametrize("kind", [bytearray, memoryview])
@on_loop
async def test_other_buffers_than_bytes_are_taken(kind):
    _, client = await ask(Sends(start(), piece(kind(b"hello"))))
    assert client.response().body == b"hello"


@pytest.mark.parametrize(
    ("events", "length"),
    [
        ([start(200, (b"content-length", b"1234")), piece()], "1234"),
        ([start(200, (b"content-length", b"5")), piece(b"hello")], "5"),
        ([start(), piece(b"hello")], "5"),
        ([start(200, (b"content-length", b"9")), piece(b"hello", True), piece()], "9"),
    ],
)
@on_loop
async def test_9110_9_3_2_head_has_the_heads_of_get_and_no_body(events, length):
    request = b"HEAD / " + VERSIONS["1.1"]
    server, client = await ask(Sends(*events), request * 2)
    assert [response.one("content-length") for response in client.responses("HEAD", "HEAD")] == [length] * 2
    assert [finished.body_bytes for finished in server.finished] == [0, 0]


@on_loop
async def test_9110_9_3_2_head_of_a_stream_has_no_body():
    _, client = await ask(
        Sends(start(), piece(b"he", True), piece(b"llo")), b"HEAD / " + VERSIONS["1.1"] + GET
    )
    head, get = client.responses("HEAD", "GET")
    assert head.status == 200
    assert get.body == b"hello"


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("events", [[piece()], [piece(b"hello")], [piece(b"he", True), piece(b"llo")]])
@on_loop
async def test_9110_6_4_1_no_body_where_there_can_be_none(status, events):
    _, client = await ask(Sends(start(status), *events), GET * 2)
    for response in client.responses():
        assert (response.status, response.one("transfer-encoding")) == (status, None)
    assert client.received.endswith(b"\r\n\r\n")


@on_loop
async def test_9110_8_6_a_204_has_no_content_length_and_a_304_may():
    for status, length in ((204, None), (304, "5")):
        _, client = await ask(Sends(start(status, (b"content-length", b"5")), piece()), GET * 2)
        assert [response.one("content-length") for response in client.responses()] == [length] * 2


# Headers.


@on_loop
async def test_the_applications_own_date_and_server_stand_for_ours():
    _, client = await ask(Sends(start(200, (b"Date", b"today"), (b"Server", b"mine")), piece()), GET * 2)
    for response in client.responses():
        assert (response.all("date"), response.all("server")) == (["today"], ["mine"])


@on_loop
async def test_server_and_date_can_be_left_out():
    for options in ({"server_header": b""}, {"date_header": False}):
        _, client = await ask(Sends(start(), piece()), **options)
        left_out = "server" if "server_header" in options else "date"
        assert client.response().one(left_out) is None
        assert client.response().one("date" if left_out == "server" else "server") is not None


@on_loop
async def test_the_date_moves_with_the_clock_and_not_more_than_a_second_behind():
    server, _ = await ask(Sends(start(), piece()))
    writer = server.factory.writer
    first = writer.prefix(200, server.clock())
    assert writer.prefix(200, server.clock()) is first
    assert writer.prefix(200, server.clock.advance(1.0)) is not first


@on_loop
async def test_the_listeners_headers_are_in_every_answer_the_wires_own_too():
    header = ((b"strict-transport-security", b"max-age=1"),)
    _, client = await ask(Sends(start(), piece()), GET + b"nonsense\r\n\r\n", headers=header)
    assert [answer.one("strict-transport-security") for answer in client.responses()] == ["max-age=1"] * 2


@on_loop
async def test_9110_7_6_1_hop_by_hop_headers_are_the_wires_own_and_each_is_named_once(caplog):
    hop = [
        (b"Transfer-Encoding", b"gzip"),
        (b"Keep-Alive", b"9"),
        (b"Upgrade", b"h2c"),
        (b"TE", b"a"),
        (b"Trailer", b"b"),
    ]
    _, client = await ask(
        Sends(start(200, *hop, (b"Proxy-Connection", b"x"), (b"X", b"y")), piece(b"hello")), GET * 2
    )
    for response in client.responses():
        assert response.body == b"hello"
        assert response.one("x") == "y"
        assert {name.lower() for name, _ in response.headers} == {"server", "date", "x", "content-length"}
    (record,) = caplog.records
    said = record.getMessage()
    assert "listener public" in said
    for name in ("transfer-encoding", "keep-alive", "upgrade", "te,", "trailer", "proxy-connection", "GET /"):
        assert name in said


@pytest.mark.parametrize("request_", [GET, b"HEAD" + GET[3:], b"GET / " + VERSIONS["1.0"]])
@on_loop
async def test_9110_15_5_22_a_426_says_to_what_it_wants_to_upgrade(request_, caplog):
    said = (b"Upgrade", b"a/1"), (b"Connection", b"Upgrade"), (b"upgrade", b"b")
    _, client = await ask(Sends(start(426, *said), piece(b"hello")), request_)
    response = client.response(request_.split()[0].decode())
    assert response.all("upgrade") == ["a/1", "b"]
    assert "upgrade" in response.all("connection")
    assert not caplog.records


@on_loop
async def test_9112_9_6_an_application_can_close_the_connection():
    _, client = await ask(Sends(start(200, (b"Connection", b"Close")), piece(b"bye")), GET * 2)
    assert client.response().one("connection") == "close"
    assert client.ended


@on_loop
async def test_repeated_headers_keep_their_order():
    _, client = await ask(
        Sends(start(200, (b"Set-Cookie", b"a=1"), (b"X", b"y"), (b"set-cookie", b"b=2")), piece())
    )
    assert client.response().all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("events", [[piece()], [piece(b"hello")], [piece(b"he", True), piece(b"llo")]])
@pytest.mark.parametrize("headers", [(), ((b"content-length", b"5"),), ((b"Content-Length", b"0"),)])
@pytest.mark.parametrize("request_", [GET, GET.replace(b"GET", b"HEAD")])
@on_loop
async def test_9110_15_3_6_a_205_has_no_content_and_says_so(request_, headers, events):
    _, client = await ask(Sends(start(205, *headers), *events), request_ * 2)
    for response in client.responses(*[request_.split()[0].decode()] * 2):
        assert (response.status, response.body, response.one("content-length")) == (205, b"", "0")
        assert response.one("transfer-encoding") is None
    assert client.received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [200, 299, 404, 418, 451, 500, 599, 999])
@on_loop
async def test_any_final_status_is_sent(status):
    _, client = await ask(Sends(start(status), piece(b"x")))
    assert client.response().status == status


# Mistakes: each has a log line that names it, and the client gets 500 or a closed connection.


async def raises_at_once(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("boom")


async def raises_later(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0)
    raise RuntimeError("boom")


async def raises_after_start(scope: Any, receive: Any, send: Any) -> None:
    await send(start())
    raise RuntimeError("boom")


async def exits(scope: Any, receive: Any, send: Any) -> None:
    raise SystemExit(3)


async def ends_a_generator(scope: Any, receive: Any, send: Any) -> None:
    raise GeneratorExit


async def ends_a_generator_later(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0)
    raise GeneratorExit


async def cancels_itself(scope: Any, receive: Any, send: Any) -> None:
    raise asyncio.CancelledError


async def returns(scope: Any, receive: Any, send: Any) -> None:
    pass


async def raises_a_group(scope: Any, receive: Any, send: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(raises_later(scope, receive, send))


def not_async(scope: Any, receive: Any, send: Any) -> None:
    return None


HEADER = "http.response.start: "
ANSWERED: list[tuple[str, Any, str]] = [
    ("raises at once", raises_at_once, "raised RuntimeError"),
    ("raises later", raises_later, "raised RuntimeError"),
    ("raises after the start", raises_after_start, "raised RuntimeError"),
    ("raises in a task group", raises_a_group, "raised ExceptionGroup"),
    ("exits", exits, "raised SystemExit"),
    ("ends a generator", ends_a_generator, "raised GeneratorExit"),
    ("ends a generator later", ends_a_generator_later, "raised GeneratorExit"),
    ("is cancelled", cancels_itself, "was cancelled"),
    ("returns at once", returns, "returned without a response"),
    ("returns after the start", Sends(start()), "returned before its response was complete"),
    ("is not async", not_async, "raised TypeError"),
    ("body first", Sends(piece(b"x")), "'http.response.body' where the response expects http.response.start"),
    (
        "two starts",
        Sends(start(), start()),
        "'http.response.start' where the response expects http.response.body",
    ),
    ("unknown event", Sends({"type": "http.nonsense"}), "'http.nonsense'"),
    ("an event of websocket", Sends({"type": "websocket.send"}), "'websocket.send'"),
    ("no type", Sends({"status": 200}), "type"),
    ("no event", Sends("start"), "without a type"),  # type: ignore[arg-type]
    ("event None", Sends(None), "without a type"),  # type: ignore[arg-type]
    ("a type that is no text", Sends({"type": [1]}), "sent [1] where"),
    ("push", Sends({"type": "http.response.push", "path": "/", "headers": []}), "'http.response.push'"),
    ("status str", Sends(start("OK")), "'OK'"),
    ("status None", Sends(start(None)), "None"),
    ("no status", Sends({"type": "http.response.start"}), "None"),
    ("status 0", Sends(start(0)), "0"),
    ("status 100", Sends(start(100)), "100"),
    ("status 101", Sends(start(101)), "101"),
    ("status 103", Sends(start(103)), "103"),
    ("status 199", Sends(start(199)), "199"),
    ("status -1", Sends(start(-1)), "-1"),
    ("status 1000", Sends(start(1000)), "1000"),
    ("name str", Sends(start(200, ("x", b"y"))), "must be bytes, not str"),
    ("value str", Sends(start(200, (b"x", "y"))), "must be bytes"),
    ("value None", Sends(start(200, (b"x", None))), "must be bytes"),
    ("name None", Sends(start(200, (None, b"y"))), "must be bytes, not NoneType"),
    ("name bytearray", Sends(start(200, (bytearray(b"x"), b"y"))), "must be bytes, not bytearray"),
    ("length str", Sends(start(200, (b"content-length", "5"))), "must be bytes, not str"),
    ("headers None", Sends({**start(), "headers": None}), "http.response.start"),
    ("204, a name None", Sends(start(204, (None, b"y"))), "must be bytes, not NoneType"),
    ("205, value str", Sends(start(205, (b"content-length", "y"))), "must be bytes, not str"),
    ("a header of three", Sends(start(200, (b"a", b"b", b"c"))), "http.response.start"),
    ("headers a dict", Sends({**start(), "headers": {b"ab": b"c"}}), "http.response.start"),
    *(
        (f"name {name!r}", Sends(start(200, (name, b"y"))), "is not a header name")
        for name in (b"", b"a b", b"a:", b"a\r\nb", b"a\n", b"\xff", b"a\0", b" a", b"(")
    ),
    *(
        (f"value {value!r}", Sends(start(200, (b"x", value))), "CR, LF or NUL")
        for value in (b"a\r\nb: c", b"a\n", b"\r", b"\0", b"a\r\n", b"\r\n\r\n", b"\x1b[2J", b"a\x7f")
    ),
    (
        "a value that is left out",
        Sends(start(200, (b"upgrade", b"a\r\nb: c"))),
        "the header upgrade has CR, LF or NUL",
    ),
    *(
        (f"length {value!r}", Sends(start(200, (b"content-length", value)), piece(b"x")), "Content-Length")
        for value in (b"", b"+1", b"-1", b"1.0", b"x", b" 1", b"1, 1", b"99999999999999999999")
    ),
    (
        "two lengths",
        Sends(start(200, (b"content-length", b"1"), (b"Content-Length", b"2")), piece(b"x")),
        "more than one Content-Length",
    ),
    ("body str", Sends(start(), piece("hello")), "str, not bytes"),
    ("body None", Sends(start(), piece(None)), "NoneType, not bytes"),
    ("body list", Sends(start(), piece([b"x"])), "list, not bytes"),
    (
        "too long",
        Sends(start(200, (b"content-length", b"3")), piece(b"hello")),
        "longer than its Content-Length of 3",
    ),
    (
        "too short",
        Sends(start(200, (b"content-length", b"9")), piece(b"hello")),
        "after 5 bytes, its Content-Length is 9",
    ),
]
STARTED = (start(), piece(b"begun", True))


def in_its_body(error: BaseException) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for event in STARTED:
            await send(event)
        raise error

    return app


FIVE = start(200, (b"content-length", b"5"))
CUT: list[tuple[str, Any, str]] = [
    ("returns", Sends(*STARTED), "returned before its response was complete"),
    (
        "a second start",
        Sends(*STARTED, start()),
        "'http.response.start' where the response expects http.response.body",
    ),
    ("body str", Sends(*STARTED, piece("x")), "str, not bytes"),
    ("too long", Sends(FIVE, piece(b"begun", True), piece(b"!")), "longer than its Content-Length of 5"),
    (
        "too long, more",
        Sends(FIVE, piece(b"begun", True), piece(b"!", True)),
        "longer than its Content-Length of 5",
    ),
    ("too short", Sends(FIVE, piece(b"beg", True), piece(b"u")), "after 4 bytes, its Content-Length is 5"),
    (
        "unknown event",
        Sends(*STARTED, {"type": "http.nonsense"}),
        "'http.nonsense' where the response expects",
    ),
    ("no type", Sends(*STARTED, {"body": b""}), "without a type"),
    ("body None", Sends(*STARTED, piece(None)), "NoneType, not bytes"),
    ("ends a generator", in_its_body(GeneratorExit()), "raised GeneratorExit"),
    ("raises", in_its_body(RuntimeError("boom")), "raised RuntimeError"),
    ("exits", in_its_body(SystemExit(3)), "raised SystemExit"),
    ("is cancelled", in_its_body(asyncio.CancelledError()), "was cancelled"),
]


@pytest.mark.parametrize(("app", "named"), [row[1:] for row in ANSWERED], ids=[row[0] for row in ANSWERED])
@on_loop
async def test_a_mistake_before_anything_was_written_is_answered_with_500_and_named(app, named, caplog):
    server, client = await ask(app)
    response = client.response()
    assert (response.status, response.body, response.one("connection")) == (
        500,
        b"500 Internal Server Error\n",
        "close",
    )
    assert len([record for record in caplog.records if record.name == "asgid.application"]) == 1
    message = caplog.records[0].getMessage()
    assert named in caplog.text
    assert "listener public" in message
    assert "GET /" in message
    assert client.ended
    assert server.factory.counters.responses_5xx == 1
    assert [finished.status for finished in server.finished] == [500]
    assert server.gateway.running == 0


@pytest.mark.parametrize(("app", "named"), [row[1:] for row in CUT], ids=[row[0] for row in CUT])
@on_loop
async def test_a_mistake_after_the_response_has_begun_cuts_the_connection_and_is_named(app, named, caplog):
    server, client = await ask(app)
    assert client.lost
    assert client.aborted
    response = client.response()
    assert response.status == 200
    assert response.complete is ("longer" in named)  # the client has all that was announced, and no more
    assert named in caplog.text
    assert server.factory.counters.cut == 1
    assert [(finished.status, finished.cut) for finished in server.finished] == [(200, True)]


@pytest.mark.parametrize(
    ("extra", "named"),
    [(piece(b"more"), "'http.response.body'"), (start(), "'http.response.start'")],
)
@on_loop
async def test_what_is_sent_after_the_end_is_named_and_the_client_keeps_its_answer(extra, named, caplog):
    _, client = await ask(Sends(start(), piece(b"done"), extra), GET * 2)
    assert [response.body for response in client.responses()] == [b"done", b"done"]
    assert named in caplog.text
    assert "the response is complete" in caplog.text


@on_loop
async def test_raising_after_the_end_is_logged_and_the_client_keeps_its_answer(caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Sends(start(), piece(b"done"))(scope, receive, send)
        await asyncio.sleep(0)
        raise RuntimeError("boom")

    _, client = await ask(app, GET * 2)
    assert [response.body for response in client.responses()] == [b"done", b"done"]
    assert caplog.text.count("boom") == 4  # the message and the traceback's line of source, twice


@on_loop
async def test_a_mistake_that_the_application_swallows_is_still_answered(caplog):
    app = Sends(start("OK"), catch=True)
    _, client = await ask(app)
    assert client.response().status == 500
    assert "'OK'" in str(app.raised[0])
    assert "returned without a response" in caplog.text


@on_loop
async def test_a_mistake_can_be_mended_where_nothing_was_written():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(start(200, ("x", "y")))
        except Exception:  # noqa: BLE001 - whatever it is
            await send(start(400))
        await send(piece(b"mended"))

    _, client = await ask(app)
    assert (client.response().status, client.response().body) == (400, b"mended")


@on_loop
async def test_a_mistake_ends_the_row_of_pipelined_requests():
    _, client = await ask(returns, GET * 5)
    assert client.response().status == 500
    assert client.ended


@on_loop
async def test_no_header_of_a_refused_response_is_in_the_500():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"set-cookie", b"secret=1")))
        raise RuntimeError

    _, client = await ask(app)
    assert b"secret" not in client.received


@pytest.mark.parametrize("timeouts", [Timeouts(), Timeouts(application_s=5)])
@pytest.mark.parametrize("observed", [False, True])
@on_loop
async def test_finished_tells_of_each_request_once(timeouts, observed):
    server, client = await ask(
        Sends(start(404), piece(b"hello")), GET * 3, timeouts=timeouts, observed=observed
    )
    assert len(client.responses()) == 3
    assert [
        (end.listener, end.status, end.body_bytes, end.cut, end.head.target) for end in server.finished
    ] == ([("public", 404, 5, False, b"/")] * 3 if observed else [])
    assert server.factory.counters.responses_4xx == 3
    assert server.factory.counters.requests == 3


@on_loop
async def test_finished_tells_how_long_it_took():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await Sends(start(), piece())(scope, receive, send)

    gate = asyncio.Event()
    server, _ = await ask(app)
    server.clock.advance(2.5)
    gate.set()
    await settle()
    assert [end.duration_s for end in server.finished] == [2.5]
