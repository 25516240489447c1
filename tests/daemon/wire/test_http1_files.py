"""Files over real sockets: sendfile(2), clients that are slow or leave, and what stands in for sendfile."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from typing import Any

import pytest

from asgid.config.spec import Timeouts
from support.extensions import START, path, piece, sends, start, zero
from support.serving import Served, serve

MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    where = tmp_path_factory.mktemp("files") / "big"
    where.write_bytes(os.urandom(20 * MIB))
    return where


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - their names are what is wanted


class Sendfile:
    """The kernel's sendfile, counted; ``fails`` is raised in place of the call of that number."""

    def __init__(self, monkeypatch: Any, fails: dict[int, int] | None = None) -> None:
        self.calls = 0
        self.sent = 0
        self.fails = fails or {}
        self.kernel = os.sendfile
        monkeypatch.setattr(os, "sendfile", self)

    def __call__(self, out: int, file: int, offset: int, count: int) -> int:
        self.calls += 1
        if self.calls in self.fails:
            raise OSError(self.fails[self.calls], os.strerror(self.fails[self.calls]))
        sent = self.kernel(out, file, offset, count)
        self.sent += sent
        return sent


async def connect(served: Served, *, narrow: bool = False) -> socket.socket:
    client = socket.socket()
    client.setblocking(False)
    if narrow:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(client, served.address)
    return client


async def ask(served: Served, request: bytes = GET, *, narrow: bool = False) -> socket.socket:
    client = await connect(served, narrow=narrow)
    await asyncio.get_running_loop().sock_sendall(client, request)
    return client


async def read_all(client: socket.socket) -> bytes:
    """Read until the server closes or resets."""
    data = bytearray()
    loop = asyncio.get_running_loop()
    try:
        while more := await loop.sock_recv(client, MIB):
            data += more
    except ConnectionResetError:
        pass
    client.close()
    return bytes(data)


async def body(served: Served, request: bytes = CLOSE) -> bytes:
    return (await read_all(await ask(served, request))).partition(b"\r\n\r\n")[2]


async def stuck(served: Served, counted: Sendfile) -> None:
    """Wait until the socket is full and the kernel takes no more."""
    await served.until(lambda: counted.calls > 0)
    calls = -1
    while calls != counted.calls:
        calls = counted.calls
        for _ in range(50):
            await asyncio.sleep(0)


async def nothing_left(served: Served, before: list[str]) -> None:
    """See that every descriptor is closed that was opened since."""
    await served.until(lambda: not served.factory.connections)
    await served.until(lambda: descriptors() == before)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 32 * 1024 + 1, MIB, 20 * MIB])
def test_the_kernel_sends_what_is_large_and_the_connection_goes_on(big, size, monkeypatch):
    counted = Sendfile(monkeypatch)

    async def client(served: Served) -> None:
        got = await read_all(await ask(served, GET + CLOSE))
        length = b"content-length: %d\r\n" % size
        assert got.count(length) == 2
        data = big.read_bytes()[:size]
        first, second = (at for at in (got.index(b"\r\n\r\n") + 4, len(got) - size))
        assert got[first : first + size] == data
        assert got[second:] == data
        assert got[first + size :].startswith(b"HTTP/1.1 200 OK\r\n")

    with big.open("rb") as file:
        served = serve(sends(START, zero(file, offset=0, count=size)), client)
    assert counted.sent == (2 * size if size > 32 * 1024 else 0)
    assert [(end.body_bytes, end.cut) for end in served.finished] == [(size, False)] * 2


def test_parts_of_files_and_pieces_follow_each_other_in_order(big, monkeypatch):
    counted = Sendfile(monkeypatch)
    data = big.read_bytes()
    events = [
        piece(b"a" * 100_000, True),
        zero(None, offset=7, count=MIB, more_body=True),
        piece(b"b" * 300_000, True),
        zero(None, offset=MIB, count=2 * MIB, more_body=True),
        piece(b"c"),
    ]
    expected = b"a" * 100_000 + data[7 : MIB + 7] + b"b" * 300_000 + data[MIB : 3 * MIB] + b"c"

    async def client(served: Served) -> None:
        got = await ask(served, CLOSE, narrow=True)
        whole = (await read_all(got)).partition(b"\r\n\r\n")[2]
        assert whole == expected

    with big.open("rb") as file:
        told = start((b"content-length", b"%d" % len(expected)))
        serve(sends(told, *[event | ({"file": file} if "file" in event else {}) for event in events]), client)
    assert counted.sent == 3 * MIB


def test_a_file_waits_until_the_piece_before_it_has_left(big):
    """Two tasks of the application send, and the client has not read yet."""
    data = big.read_bytes()[: 4 * MIB]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        before = asyncio.create_task(send(piece(b"a" * 9 * MIB, True)))
        await asyncio.sleep(0)
        with big.open("rb") as file:
            await send(zero(file, offset=0, count=4 * MIB, more_body=True))
        await before
        await send(piece())

    async def client(served: Served) -> None:
        slow = await ask(served, CLOSE, narrow=True)
        for _ in range(200):
            await asyncio.sleep(0)
        got = await read_all(slow)
        assert got.partition(b"a" * 100)[2].lstrip(b"a").startswith(b"\r\n400000\r\n" + data[:1000])
        assert got.endswith(data[-1000:] + b"\r\n0\r\n\r\n")

    serve(app, client)


def test_a_client_that_does_not_read_costs_no_turns_of_the_loop_and_gets_all_in_the_end(big, monkeypatch):
    counted = Sendfile(monkeypatch)

    async def client(served: Served) -> None:
        slow = await ask(served, CLOSE, narrow=True)
        await stuck(served, counted)
        calls = counted.calls
        for _ in range(1000):
            await asyncio.sleep(0)
        assert counted.calls == calls
        assert counted.sent < 20 * MIB
        assert (await read_all(slow)).endswith(big.read_bytes())

    serve(sends(START, path(big)), client)


def test_many_at_once_all_get_theirs(big, monkeypatch):
    counted = Sendfile(monkeypatch)

    async def client(served: Served) -> None:
        before = descriptors()
        readers = [await ask(served, CLOSE, narrow=number % 2 == 0) for number in range(30)]
        for got in await asyncio.gather(*map(read_all, readers)):
            assert got.partition(b"\r\n\r\n")[2] == data
        await nothing_left(served, before)

    data = big.read_bytes()[: 2 * MIB]
    with big.open("rb") as file:
        serve(sends(START, zero(file, offset=0, count=2 * MIB)), client)
    assert counted.sent == 60 * MIB


class Watched:
    """Sends a file, and notes how that ended."""

    def __init__(self, where: Any) -> None:
        self.where = where
        self.ended: list[type[BaseException] | None] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send(path(self.where))
        except BaseException as error:
            self.ended.append(type(error))
            raise
        self.ended.append(None)


@pytest.mark.parametrize("how", ["reset", "close", "silence", "cut", "cancel"])
def test_a_client_that_goes_ends_the_file_and_leaves_nothing(big, how, monkeypatch, caplog):
    counted = Sendfile(monkeypatch)
    app = Watched(big)

    async def client(served: Served) -> None:
        before = descriptors()
        slow = await ask(served, narrow=True)
        await stuck(served, counted)
        if how == "reset":
            reset(slow)
        elif how == "close":
            slow.close()  # with unread data: a reset as well
        elif how == "silence":
            served.pass_time(6)
        elif how == "cut":
            served.factory.cut()
        else:
            served.gateway.cut_all()
        await served.until(lambda: bool(app.ended))
        slow.close()
        await nothing_left(served, before)

    served = serve(app, client, timeouts=Timeouts(response_write_s=5))
    assert app.ended == [
        asyncio.CancelledError if how in ("silence", "cut", "cancel") else ConnectionResetError
    ]
    assert [end.cut for end in served.finished] == [True]
    assert 0 < served.finished[0].body_bytes < 20 * MIB
    errors = [record for record in caplog.records if record.name == "asgid.application"]
    assert len(errors) == (1 if how == "cancel" else 0)


def test_a_reader_that_is_slow_but_reads_is_not_cut(big, monkeypatch):
    counted = Sendfile(monkeypatch)

    async def client(served: Served) -> None:
        slow = await ask(served, CLOSE, narrow=True)
        loop = asyncio.get_running_loop()
        got = bytearray()
        while len(got) < 8 * MIB:
            await stuck(served, counted)
            served.pass_time(4)
            calls = counted.calls
            while counted.calls == calls:
                got += await loop.sock_recv(slow, 256 * 1024)
        got += await read_all(slow)
        assert got.endswith(big.read_bytes())

    serve(sends(START, path(big)), client, timeouts=Timeouts(response_write_s=5))


def test_a_half_closed_client_gets_the_whole_file(big):
    async def client(served: Served) -> None:
        half = await ask(served, GET, narrow=True)
        half.shutdown(socket.SHUT_WR)
        assert (await read_all(half)).endswith(big.read_bytes())

    serve(sends(START, path(big)), client)


def test_a_file_that_shrinks_meanwhile_cuts_the_connection_and_is_named(tmp_path, monkeypatch, caplog):
    counted = Sendfile(monkeypatch)
    where = tmp_path / "shrinks"
    where.write_bytes(bytes(20 * MIB))

    async def client(served: Served) -> None:
        slow = await ask(served, narrow=True)
        await stuck(served, counted)
        os.truncate(where, MIB)
        assert len(await read_all(slow)) < 20 * MIB

    served = serve(sends(START, path(where)), client)
    assert "the file ended" in caplog.text
    assert served.factory.counters.cut == 1


@pytest.mark.parametrize(
    "fails",
    [{1: errno.EINVAL}, {2: errno.ENOSYS}, {2: errno.EAGAIN, 3: errno.EOPNOTSUPP}],
)
def test_where_sendfile_cannot_be_used_the_file_is_read_and_written(big, fails, monkeypatch):
    counted = Sendfile(monkeypatch, fails)

    async def client(served: Served) -> None:
        assert await body(served) == big.read_bytes()

    serve(sends(START, path(big)), client)
    assert counted.calls == max(fails)


def test_without_a_free_descriptor_the_file_is_read_and_written(big, monkeypatch):
    def dup(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "dup", dup)

    async def client(served: Served) -> None:
        got = await read_all(await ask(served, CLOSE, narrow=True))
        assert got.endswith(big.read_bytes())

    serve(sends(START, path(big)), client)


@pytest.mark.parametrize(
    ("error", "named"), [(errno.EIO, "the file cannot be read: Input/output error"), (errno.EPIPE, None)]
)
def test_a_bad_disk_is_named_and_a_broken_connection_is_not(big, error, named, monkeypatch, caplog):
    Sendfile(monkeypatch, {3: error})
    app = Watched(big)

    async def client(served: Served) -> None:
        assert len(await body(served)) < 20 * MIB

    served = serve(app, client)
    assert [end.cut for end in served.finished] == [True]
    if named:
        assert named in caplog.text
    else:
        assert app.ended == [ConnectionResetError]
        assert not [record for record in caplog.records if record.name == "asgid.application"]


def test_what_is_not_in_the_page_cache_is_read_in_a_thread(big, monkeypatch):
    kernel, asked, read = os.preadv, [], []

    def preadv(*arguments: Any) -> int:
        asked.append(arguments[2])
        if len(asked) % 3 == 1:
            raise BlockingIOError
        return kernel(*arguments)

    def pread(*arguments: Any) -> bytes:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        read.append(arguments[1])
        return reads(*arguments)

    reads = os.pread
    monkeypatch.setattr(os, "preadv", preadv)
    monkeypatch.setattr(os, "pread", pread)

    async def client(served: Served) -> None:
        assert await body(served) == big.read_bytes()

    serve(sends(START, path(big)), client)
    assert read
