"""Near the limit of open files: idle connections go first, and who comes new is served."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack

import pytest

from support.raw import ClosedError, Raw

LIMIT = 64
MANY = 3 * LIMIT
NEAR = rf"the limit of open files \({LIMIT}\) is near"


@pytest.fixture
def server(serve):
    return serve(prefix=("sh", "-c", f'ulimit -n {LIMIT}; exec "$@"', "sh"))


@pytest.fixture
def clients():
    with ExitStack() as stack:
        yield stack


def gone(client: Raw) -> bool:
    """Whether the server has closed this connection (asked without waiting)."""
    client.socket.settimeout(0)
    try:
        return client.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        client.socket.settimeout(20)


def test_idle_keep_alive_connections_are_closed_the_longest_idle_first(server, clients):
    served = []
    for _ in range(MANY):
        client = clients.enter_context(Raw(server.first.place))
        assert client.get("/hello").status == 200
        served.append(client)
    closed = [gone(client) for client in served]
    assert closed == sorted(closed, reverse=True), "a longer idle one was kept"
    assert MANY - LIMIT < sum(closed) < MANY
    server.err.wait_for(NEAR + r": idle connections are closed.*\(main: \d+\)")
    assert server.err.text.count("limit of open files") == 1
    assert server.stop() == 0
    assert "Traceback" not in server.err.text


def test_what_is_under_way_is_kept(server, clients):
    busy = clients.enter_context(Raw(server.first.place))
    busy.request("/wait?event=go")
    for _ in range(MANY):
        client = clients.enter_context(Raw(server.first.place))
        assert client.get("/hello").status == 200
    clients.enter_context(Raw(server.first.place)).get("/set?event=go")
    assert busy.response().status == 200


def test_those_whose_request_has_come_but_was_not_read_yet_are_not_idle(server, clients):
    silent = [clients.enter_context(Raw(server.first.place)) for _ in range(MANY)]
    server.err.wait_for(NEAR)
    server.tell(signal.SIGSTOP)  # as on a machine that has no time for it, while new connections wait
    time.sleep(0.5)
    asking = [client for client in silent if not gone(client)]
    for client in asking:
        client.request("/hello")
    server.tell(signal.SIGCONT)
    assert len(asking) > LIMIT
    assert [client.response().status for client in asking] == [200] * len(asking)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: slow\r\nX-"])
def test_those_that_say_nothing_or_half_a_head_go_for_one_that_asks(server, clients, said):
    for _ in range(LIMIT + 20):  # some of them wait in the backlog
        client = clients.enter_context(socket.create_connection(server.first.place))
        client.sendall(said)
    for _ in range(10):
        with Raw(server.first.place) as client:
            assert client.get("/hello").status == 200
    assert server.stop() == 0
    assert "Traceback" not in server.err.text


def test_where_all_are_busy_new_ones_wait_and_nobody_is_cut(server, clients):
    observer = clients.enter_context(Raw(server.first.place))
    assert observer.get("/hello").status == 200
    waiting = [clients.enter_context(Raw(server.first.place)) for _ in range(LIMIT)]
    for client in waiting:
        client.request("/wait?event=all")
    server.err.wait_for(NEAR + ", and no connection is idle: new ones wait")
    with pytest.raises(ClosedError):  # it was the only idle one
        observer.get("/hello")
    assert not any(gone(client) for client in waiting)
    late = clients.enter_context(Raw(server.first.place))
    late.request("/set?event=all")
    assert late.silent(0.2)
    for client in waiting[8:]:
        client.reset()
    del waiting[8:]
    assert late.response().status == 200
    for client in waiting:
        assert client.response().status == 200


def test_a_limit_that_is_not_reached_closes_nobody(server, clients):
    served = [clients.enter_context(Raw(server.first.place)) for _ in range(LIMIT // 4)]
    for _ in range(2):
        for client in served:
            assert client.get("/hello").status == 200
    assert "limit of open files" not in server.err.text


def test_descriptors_that_the_application_takes_do_not_stop_the_accepting(serve, tmp_path):
    (tmp_path / "greedy.py").write_text(
        "import os\n"
        "kept = []\n"
        "async def application(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        f"    while len(kept) < {LIMIT} and (not kept or kept[-1] < {LIMIT} - 5):\n"
        "        kept.append(os.dup(0))\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b'%d' % len(kept)})\n"
    )
    rest = '[log]\naccess = ""\n'
    server = serve(
        rest=rest, target="greedy:application", env={"PYTHONPATH": str(tmp_path)},
        prefix=("sh", "-c", f'ulimit -n {LIMIT}; exec "$@"', "sh"),
    )  # fmt: skip
    for _ in range(20):
        with Raw(server.first.place) as client:
            assert client.get("/").status == 200


def test_no_descriptor_left_at_all_is_said(serve, tmp_path):
    (tmp_path / "hoarder.py").write_text(
        "import os\n"
        "kept = []\n"
        "async def application(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': b''})\n"
        "    try:\n"
        "        while True:\n"
        "            kept.append(os.dup(0))\n"
        "    except OSError:\n"
        "        pass\n"
    )
    server = serve(
        target="hoarder:application", env={"PYTHONPATH": str(tmp_path)},
        prefix=("sh", "-c", f'ulimit -n {LIMIT}; exec "$@"', "sh"),
    )  # fmt: skip
    with Raw(server.first.place) as client:
        assert client.get("/").status == 200
        server.err.wait_for(rf"limit of open files \({LIMIT}\) is reached")
