"""Files as bodies, by reading and writing: a transport in memory has no descriptor."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from typing import Any

import pytest

from asgid.config.spec import Timeouts
from support.connections import Server, on_loop, settle
from support.extensions import (
    GET,
    HEADS,
    START,
    TE,
    TRAILING,
    ask,
    path,
    piece,
    sends,
    start,
    trailers,
    zero,
)

SIZES = [0, 1, 32 * 1024, 32 * 1024 + 1, 300_000]


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - their names are what is wanted


def content(size: int) -> bytes:
    return bytes(number * 7 % 251 for number in range(1000)) * (size // 1000 + 1)


@pytest.fixture
def file(tmp_path):
    def make(data: bytes) -> Any:
        where = tmp_path / "file"
        where.write_bytes(data)
        return where

    return make


@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize("version", HEADS)
@pytest.mark.parametrize("size", SIZES)
@on_loop
async def test_a_path_is_sent_as_a_body_of_its_length(file, size, version, announced):
    data = content(size)[:size]
    headers = ((b"content-length", b"%d" % size),) if announced else ()
    rows = 1 if version == "1.0" else 2
    server, client = await ask(start(*headers), path(file(data)), request=HEADS[version] * rows)
    await settle(60)
    method = HEADS[version].split()[0].decode()
    for response in client.responses(*[method] * rows):
        assert (response.status, response.one("content-length")) == (200, str(size))
        assert response.body == (b"" if method == "HEAD" else data)
    assert [end.cut for end in server.finished] == [False] * rows
    assert client.lost is (version == "1.0")


@pytest.mark.parametrize("status", [204, 205, 304])
@on_loop
async def test_no_file_where_there_can_be_no_body(file, status):
    _, client = await ask(start(status=status), path(file(content(70_000))), request=GET * 2)
    first, second = client.responses()
    assert (first.status, first.body) == (status, b"")
    assert (second.status, second.body) == (status, b"")


@pytest.mark.parametrize("size", [10, 100_000])
@on_loop
async def test_a_part_of_a_file_is_one_piece_among_others(file, size):
    data = content(2 * size)[: 2 * size]
    with file(data).open("rb") as opened:
        descriptor = opened.fileno()
        events = (
            piece(b"begin", True),
            zero(opened, offset=5, count=size, more_body=True),
            zero(descriptor, offset=size, more_body=True),
            piece(b"end"),
        )
        _, client = await ask(START, *events, request=GET * 2)
        await settle(60)
        for response in client.responses():
            assert response.one("transfer-encoding") == "chunked"
            assert response.body == b"begin" + data[5 : 5 + size] + data[size:] + b"end"
        assert opened.tell() == 0


@pytest.mark.parametrize("size", [10, 100_000])
@on_loop
async def test_without_an_offset_a_file_is_read_on_from_its_position(file, size):
    data = content(3 * size)[: 3 * size]
    for buffering in (-1, 0):
        with file(data).open("rb", buffering=buffering) as opened:
            opened.read(3)  # a buffered file is now at another place than its descriptor
            events = (
                zero(opened, count=size, more_body=True),
                zero(opened, count=4, more_body=True),
                zero(opened),
            )
            _, client = await ask(START, *events)
            assert client.response().body == data[3:]
            assert client.response().complete
            assert opened.tell() == len(data)


@on_loop
async def test_a_descriptor_without_an_offset_is_read_from_its_position(file):
    descriptor = os.open(file(b"0123456789"), os.O_RDONLY)
    os.lseek(descriptor, 4, os.SEEK_SET)
    _, client = await ask(START, zero(descriptor, count=3, more_body=True), zero(descriptor))
    assert client.response().body == b"456789"
    os.close(descriptor)


@pytest.mark.parametrize("event", ["path", "zero"])
@on_loop
async def test_a_file_and_trailers(file, event):
    where = file(content(70_000))
    with where.open("rb") as opened:
        sent = path(where) if event == "path" else zero(opened)
        _, client = await ask(TRAILING, sent, trailers((b"x", b"y")), request=TE % b"trailers")
        assert client.response().body == where.read_bytes()
        assert client.received.endswith(b"\r\n0\r\nx: y\r\n\r\n")


@on_loop
async def test_of_a_file_that_has_grown_what_was_announced_is_sent(file):
    where = file(content(100_000))
    _, client = await ask(start((b"content-length", b"50000")), path(where), request=GET * 2)
    await settle(60)
    assert [response.body for response in client.responses()] == [where.read_bytes()[:50_000]] * 2


class Closed(io.BytesIO):
    def fileno(self) -> int:
        raise ValueError("I/O operation on closed file")


FILES_REFUSED: list[tuple[str, Any, str]] = [
    ("no file", lambda at: [START, path(at / "none")], "none cannot be opened: No such file"),
    ("a directory", lambda at: [START, path(at)], "not a regular file"),
    ("a fifo", lambda at: [START, path(at / "fifo")], "not a regular file"),
    ("NUL", lambda at: [START, path("a\0b")], "http.response.pathsend: embedded null byte"),
    ("no path", lambda at: [START, {"type": "http.response.pathsend"}], "of type NoneType"),
    ("a path that is a number", lambda at: [START, {**path(at), "path": 1}], "of type int"),
    (
        "shorter",
        lambda at: [start((b"content-length", b"11")), path(at / "ten")],
        "after 10 bytes, its Content-L",
    ),
    ("path first", lambda at: [path(at / "ten")], "'http.response.pathsend' where the response expects"),
    ("file first", lambda at: [zero(0)], "'http.response.zerocopysend' where the response expects"),
    ("in memory", lambda at: [START, zero(io.BytesIO(b"abc"))], "BytesIO, has no descriptor"),
    ("closed", lambda at: [START, zero(Closed())], "Closed, has no descriptor"),
    ("no file at all", lambda at: [START, zero(None)], "NoneType, has no descriptor"),
    ("a bad descriptor", lambda at: [START, zero(999_999, offset=0)], "Bad file descriptor"),
    ("a bad position", lambda at: [START, zero(999_999)], "has no position"),
    ("a pipe", lambda at: [START, zero(PIPE[0], offset=0)], "not a regular file"),
    ("before its begin", lambda at: [START, zero(0, offset=-1)], "the offset is -1"),
    ("less than nothing", lambda at: [START, zero(0, count=-1)], "the count is -1"),
    ("half a byte", lambda at: [START, zero(0, count=0.5)], "the count is 0.5"),
    (
        "more than there is",
        lambda at: [START, zero(TEN, offset=3, count=8)],
        "after 7 bytes, 8 were to be sent",
    ),
    (
        "more than announced",
        lambda at: [start((b"content-length", b"3")), zero(TEN, offset=0, count=4)],
        "longer than its Content-Length of 3",
    ),
    (
        "less than announced",
        lambda at: [start((b"content-length", b"9")), zero(TEN, offset=0, count=4)],
        "after 4 bytes, its Content-Length is 9",
    ),
]
PIPE = os.pipe()
TEN = os.memfd_create("ten")
os.write(TEN, b"0123456789")


@pytest.mark.parametrize(
    ("events", "named"), [row[1:] for row in FILES_REFUSED], ids=[row[0] for row in FILES_REFUSED]
)
@on_loop
async def test_a_file_that_cannot_be_sent_is_a_500_and_named(events, named, tmp_path, caplog):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "ten").write_bytes(b"0123456789")
    server, client = await ask(*events(tmp_path))
    assert (client.response().status, client.response().one("connection")) == (500, "close")
    assert named in caplog.text
    assert len([record for record in caplog.records if record.name == "asgid.application"]) == 1
    assert [end.status for end in server.finished] == [500]


@pytest.mark.parametrize(
    ("events", "named"),
    [
        ([zero(TEN, offset=0, count=11)], "after 10 bytes, 11 were to be sent"),
        ([path("/nonexistent")], "cannot be opened"),
        ([zero(TEN, offset=0, more_body=True)], "returned before its response was complete"),
    ],
)
@on_loop
async def test_a_file_that_cannot_be_sent_after_a_piece_cuts(events, named, caplog):
    server, client = await ask(START, piece(b"begun", True), *events)
    assert client.aborted
    assert named in caplog.text
    assert not client.response().complete
    assert server.factory.counters.cut == 1


@on_loop
async def test_an_application_may_do_without_a_file_that_cannot_be_opened():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send(path("/nonexistent"))
        except Exception:  # noqa: BLE001 - whatever it is
            await send(piece(b"not there"))

    client = Server(app).connect()
    client.send(GET)
    await settle()
    assert client.response().body == b"not there"


@on_loop
async def test_nothing_can_be_sent_into_a_file(file, caplog):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        sending = asyncio.create_task(send(path(where)))
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="nothing before the file is sent"):
            await send(piece(b"inside", True))
        await sending

    where = file(content(1_000_000))
    client = Server(app).connect()
    client.stall()
    client.send(GET)
    await settle()
    client.read()
    await settle(100)
    assert client.response().body == where.read_bytes()


@on_loop
async def test_a_slow_reader_is_not_read_ahead_for(file):
    where = file(content(3_000_000))
    server, client = Server(sends(START, path(where))), None
    client = server.connect()
    client.stall()
    client.send(GET)
    await settle(100)
    assert len(client.buffer) < 400_000
    client.read()
    await settle(200)
    assert client.response().body == where.read_bytes()


@pytest.mark.parametrize("how", ["reset", "cut", "timeout", "application_close"])
@on_loop
async def test_a_file_ends_with_its_connection_and_leaves_nothing(file, how):
    opened = descriptors()
    server = Server(sends(START, path(file(content(3_000_000)))), timeouts=Timeouts(response_write_s=5))
    client = server.connect()
    client.stall()
    client.send(GET)
    await settle(30)
    assert server.gateway.running == 1
    if how == "reset":
        client.reset()
    elif how == "cut":
        server.factory.cut()
    elif how == "timeout":
        server.pass_time(6)
    else:
        server.gateway.cut_all()
    await settle(30)
    assert client.lost
    assert server.gateway.running == 0
    assert [end.cut for end in server.finished] == [True]
    assert descriptors() == opened


@on_loop
async def test_a_file_that_shrinks_while_it_is_sent_cuts_and_is_named(caplog):
    with tempfile.TemporaryFile() as opened:
        opened.write(content(3_000_000))
        opened.flush()
        server = Server(sends(START, zero(opened, offset=0)))
        client = server.connect()
        client.stall()
        client.send(GET)
        await settle(30)
        opened.truncate(1_000_000)
        client.read()
        await settle(100)
        assert client.aborted
        assert "the file ended" in caplog.text
        assert not client.response().complete
        assert server.factory.counters.cut == 1
