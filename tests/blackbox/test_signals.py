"""Signals: the drain, what is cut, the second signal, SIGHUP."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import time
from contextlib import suppress

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from support.raw import ClosedError, Raw

AGAIN_S = 0.5  # a signal that comes so soon after the first is the same wish


def short_drain(value: str = "500ms") -> str:
    return f'[timeouts]\ndrain = "{value}"\n'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_with_status_0_and_runs_the_lifespan_shutdown(serve, number):
    server = serve()
    assert server.stop(number) == 0
    assert "the lifespan shut down" in server.err.text
    assert "Traceback" not in server.err.text


def test_a_request_under_way_is_finished_and_the_next_is_refused(serve):
    server = serve()
    place = server.first.place
    with Raw(place) as client, Raw(place) as observer, Raw(place) as idle:
        assert idle.get("/hello").status == 200
        client.request("/departure")
        observer.get("/wait?event=departure:called")
        observer.request("/wait?event=departure:http")  # under way as well: answered once the other ends
        server.tell(signal.SIGTERM)
        assert idle.closed()  # an idle connection is not waited for
        with pytest.raises(ConnectionRefusedError):
            Raw(place)
        client.half_close()
        answer = client.response()
        assert (answer.body, answer.one("connection")) == (b"late answer\n", "close")
        assert observer.response().body == b"departure:http.disconnect"
    assert server.wait() == 0


def test_a_hung_request_is_cut_when_the_drain_is_over_and_the_log_says_so(serve):
    server = serve(rest=short_drain())
    with Raw(server.first.place) as client:
        client.request("/hang")
        with Raw(server.first.place) as observer:
            observer.get("/wait?event=hang:")
        assert server.stop() == 0
        assert client.read_to_end() == b"" or True
    server.err.wait_for(r"main.*cut")
    assert "the lifespan shut down" in server.err.text


@pytest.mark.parametrize("how", ["stubborn", "thread"])
def test_nothing_holds_the_stop_longer_than_the_drain(serve, how):
    server = serve(rest=short_drain())
    with Raw(server.first.place) as client:
        client.request(f"/hang?how={how}")
        with Raw(server.first.place) as observer:
            observer.get("/wait?event=hang:")
        assert server.stop() == 0
    assert "cut" in server.err.text


def test_a_hung_lifespan_shutdown_does_not_hold_the_stop(serve):
    server = serve(rest=short_drain(), env={"PROBE_LIFESPAN": "hang"})
    assert server.stop() == 0
    assert "shut down" in server.err.text or "shutdown" in server.err.text


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_it_at_once(serve, number, status):
    server = serve(rest=short_drain("60s"))
    with Raw(server.first.place) as client:
        client.request("/hang")
        with Raw(server.first.place) as observer:
            observer.get("/wait?event=hang:")
        server.tell(number)
        server.err.wait_for(number.name)
        time.sleep(AGAIN_S)
        server.tell(number)
        assert server.wait() == status


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_that_is_told_twice_at_once_is_one(serve, second):
    """Of a terminal's Ctrl-C and a wrapper that passes it on, the request under way is not the victim."""
    server = serve(rest=short_drain("60s"))
    with Raw(server.first.place) as client, Raw(server.first.place) as observer:
        client.request("/wait?event=go")
        observer.get("/hello")
        observer.request("/wait?event=never")
        for number in (signal.SIGINT, second, signal.SIGINT):
            server.tell(number)
        server.err.wait_for("SIG(INT|TERM): stopping")
        assert client.silent(0.2)
        time.sleep(AGAIN_S)
        server.tell(second)
        assert server.wait() == 128 + second
    assert server.err.text.count(": stopping") == 1


def test_websockets_are_closed_with_1012(serve):
    server = serve()
    url = f"ws://{server.first.address}/ws/echo"
    with websockets.sync.client.connect(url) as client:
        client.send("before")
        assert client.recv() == "before"
        server.tell(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=20)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012
    assert server.wait() == 0


def test_a_hung_websocket_does_not_hold_the_stop(serve):
    server = serve(rest=short_drain())
    url = f"ws://{server.first.address}/ws/hang?how=stubborn"
    with websockets.sync.client.connect(url) as client, Raw(server.first.place) as observer:
        observer.get("/wait?event=ws:hang")
        server.tell(signal.SIGTERM)
        with suppress(ConnectionClosed):
            client.recv(timeout=20)
        assert server.wait() == 0


def test_a_keep_alive_client_that_asks_again_and_again_does_not_hold_the_stop(serve):
    server = serve()
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
        server.tell(signal.SIGTERM)
        with suppress(ClosedError, ConnectionError):
            while client.get("/hello").status == 200:
                pass
    assert server.wait() == 0


def test_sighup_reopens_the_access_log_and_says_that_there_is_no_reload(serve, tmp_path):
    log = tmp_path / "access.log"
    server = serve(rest='[log]\naccess = "access.log"\n')
    with Raw(server.first.place) as client:
        client.get("/hello?first")
        moved = log.rename(tmp_path / "access.log.1")
        server.tell(signal.SIGHUP)
        server.err.wait_for("reload is not available yet")
        client.get("/hello?second")
    assert server.stop() == 0
    assert "/hello?first" in moved.read_text()
    assert "/hello?second" in log.read_text()
    assert "/hello?second" not in moved.read_text()
    assert server.out.lines == []


def test_a_signal_while_the_application_starts_up_ends_the_start(start, tmp_path):
    from support.files import probe_file, write

    write(
        tmp_path / "slow_start.py",
        "import asyncio, sys\n"
        "async def application(scope, receive, send):\n"
        "    print('starting up', file=sys.stderr, flush=True)\n"
        "    await asyncio.Event().wait()\n",
    )
    path = probe_file(tmp_path, target="slow_start:application", rest="")
    path.write_text(
        path.read_text().replace(path.read_text().split('directory = "')[1].split('"')[0], str(tmp_path))
    )
    server = start("--config", path)
    server.err.wait_for("starting up")
    assert server.stop() == 0
    assert "Traceback" not in server.err.text


def test_no_socket_file_and_no_pid_file_is_left(serve, tmp_path):
    server = serve('[listeners.local]\nunix = "probe.sock"\n', rest='[daemon]\npid_file = "asgid.pid"\n')
    assert (tmp_path / "asgid.pid").read_text().strip() == str(server.pid)
    with Raw(str(tmp_path / "probe.sock")) as client:
        assert client.get("/hello").status == 200
    assert server.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["listeners.toml"]


def test_connections_in_the_backlog_do_not_hold_the_stop(serve):
    server = serve(rest="[limits]\nconnections = 1\n" + short_drain())
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
        with Raw(server.first.place) as waiting:
            waiting.request("/hello")
            assert server.stop() == 0
            assert waiting.read_to_end() == b"" or True


def test_a_client_that_never_closes_its_side_does_not_hold_the_stop(serve):
    server = serve(rest=short_drain())
    client = socket.create_connection(server.first.place)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    with client:
        client.sendall(b"POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhalf")
        with Raw(server.first.place) as observer:
            assert json.loads(observer.get("/seen").body) is not None
        assert server.stop() == 0


SWALLOWS = """
import signal

try:
    signal.raise_signal(signal.SIGTERM)
except BaseException:
    pass

async def application(scope, receive, send):
    raise RuntimeError("asked for nothing")
"""


def test_a_signal_while_the_application_is_imported_is_not_lost_where_its_code_catches_everything(
    run, tmp_path
):
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    ended = run("-p", "0", "swallows:application")
    assert ended.status == 0
    assert "serves" not in ended.err.text


def test_sighup_before_there_is_a_daemon_does_not_end_the_start(start, tmp_path):
    from support.files import probe_file

    text = probe_file(tmp_path).read_text()
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    server = start("--config", pipe)
    with pipe.open("w") as writer:  # it has come as far as reading its file
        server.tell(signal.SIGHUP)
        writer.write(text)
    server.wait_serving()
    assert server.stop() == 0


STUCK_IN_C = """
import ctypes, sys, threading

def stuck():
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    say = lambda: print("stuck", file=sys.stderr, flush=True)
    threading.Timer(0.3, say).start()  # when this thread is
    libc.pthread_mutex_lock(mutex)

async def application(scope, receive, send):
    stuck()
"""


@pytest.mark.parametrize("where", ["the import", "a request"])
def test_a_main_thread_that_never_returns_from_c_does_not_hold_the_stop(start, tmp_path, where):
    (tmp_path / "in_c.py").write_text(STUCK_IN_C + ("stuck()\n" if where == "the import" else ""))
    server = start("-p", "0", "--lifespan", "off", "--drain", "0.5", "in_c:application")
    if where == "a request":
        with Raw(server.wait_serving().first.place) as client:
            client.request("/")
            server.err.wait_for("^stuck$")
            assert server.stop() == 0
    else:
        server.err.wait_for("^stuck$")
        assert server.stop() == 0
    assert "in_c.py" in server.err.text


def test_a_second_signal_ends_at_once_what_never_returns_from_c(start, tmp_path):
    (tmp_path / "in_c.py").write_text(STUCK_IN_C)
    server = start("-p", "0", "--lifespan", "off", "--drain", "1000", "in_c:application")
    with Raw(server.wait_serving().first.place) as client:
        client.request("/")
        server.err.wait_for("^stuck$")
        server.tell(signal.SIGTERM)
        time.sleep(2 * AGAIN_S)
        server.tell(signal.SIGINT)
        assert server.wait() == 130


LISTENS = """
import asyncio, signal, sys

async def application(scope, receive, send):
    await receive()
    say = lambda: print("heard", file=sys.stderr, flush=True)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, say)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
"""


def test_a_signal_handler_that_the_application_gave_the_loop_is_called(start, tmp_path):
    (tmp_path / "listens.py").write_text(LISTENS)
    server = start("-p", "0", "listens:application").wait_serving()
    server.tell(signal.SIGUSR1)
    server.err.wait_for("^heard$")
    assert server.stop() == 0


FORKS = """
import os, signal

async def application(scope, receive, send):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: None)
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        os._exit(0)
    os.waitpid(child, 0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"forked"})
"""


def test_a_signal_to_a_forked_child_is_not_the_daemons(start, tmp_path):
    (tmp_path / "forks.py").write_text(FORKS)
    server = start("-p", "0", "--lifespan", "off", "--drain", "0", "forks:application").wait_serving()
    for _ in range(3):
        with Raw(server.first.place) as client:
            assert client.get("/").body == b"forked"
    assert server.stop() == 0
