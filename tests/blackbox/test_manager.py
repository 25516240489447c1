"""Under a service manager: what it is told, and when; what the journal gets."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

import pytest

from support.files import probe_file, write
from support.manager import Manager
from support.raw import Raw
from support.server import PATIENCE_S

SLOW_START = """
import asyncio, os

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        open(os.environ["FIFO"]).read()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/block":
        import time
        time.sleep(60)
"""
TOLD = """
import os

async def application(scope, receive, send):
    told = [name for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID") if name in os.environ]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(told).encode()})
"""


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def test_ready_is_said_once_every_listener_accepts_and_the_lifespan_is_up(start, tmp_path, manager):
    write(tmp_path / "slow.py", SLOW_START)
    os.mkfifo(tmp_path / "fifo")
    listeners = "".join(f'[listeners.{name}]\naddress = "127.0.0.1"\nport = 0\n' for name in ("one", "two"))
    path = write(
        tmp_path / "listeners.toml",
        f'[application]\ntarget = "slow:application"\nlifespan = "on"\n{listeners}',
    )
    server = start("--config", path, env={**manager.environment, "FIFO": str(tmp_path / "fifo")})
    assert manager.next() == {"STATUS": "Starting slow:application"}
    (tmp_path / "fifo").write_text("go on")
    ready = manager.next()
    assert ready["READY"] == "1"
    assert ready["STATUS"].startswith("Serving slow:application on one (127.0.0.1:")
    for word in ready["STATUS"].split("(")[1:]:
        host, _, port = word.partition(")")[0].rpartition(":")
        socket.create_connection((host, int(port)), PATIENCE_S).close()
    server.tell(signal.SIGTERM)
    stopping = manager.next()
    assert stopping["STOPPING"] == "1"
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) > 30_000_000  # timeouts.drain is 30 s
    assert server.wait() == 0


def test_what_stops_a_start_is_the_status_and_nothing_is_ready(run, tmp_path, manager):
    refused = threading.Thread(target=lambda: manager.wait_for("BARRIER"))
    refused.start()
    path = probe_file(tmp_path, '[listeners.main]\naddress = "127.0.0.1"\nportt = 80\n')
    assert run("--config", path, env=manager.environment).status == 78
    refused.join(PATIENCE_S)
    (found, barrier) = manager.heard
    assert barrier == {"BARRIER": "1"}
    assert found["STATUS"].startswith(f"{path}:")
    assert "error[ASG101]: there is no key portt in [listeners.main]" in found["STATUS"]


@pytest.mark.parametrize("lifespan", ["fails", "does not import"])
def test_an_application_that_does_not_start_is_told_too(run, tmp_path, manager, lifespan):
    answer = '{"type": "lifespan.startup.failed", "message": "no database"}'
    code = f"async def application(scope, receive, send):\n    await receive()\n    await send({answer})\n"
    write(tmp_path / "mysite.py", code if lifespan == "fails" else "import nothing_of_this_name\n")
    refused = threading.Thread(target=lambda: manager.wait_for("BARRIER"))
    refused.start()
    assert run("-p", "0", "mysite:application", env=manager.environment).status == 1
    refused.join(PATIENCE_S)
    assert [each for each in manager.heard if "READY" in each] == []
    status = manager.heard[-2]["STATUS"]
    assert ("no database" if lifespan == "fails" else "nothing_of_this_name") in status


def test_the_heart_beats_from_the_loop_and_stops_with_it(start, tmp_path, manager):
    write(tmp_path / "slow.py", SLOW_START)
    write(tmp_path / "fifo", "")
    environment = {**manager.environment, "FIFO": str(tmp_path / "fifo"), "WATCHDOG_USEC": "200000"}
    server = start("-p", "0", "slow:application", env=environment).wait_serving()
    manager.wait_for("READY")
    assert [manager.next() for _ in range(3)] == [{"WATCHDOG": "1"}] * 3
    with Raw(server.first.place) as client:
        client.request("/block")
        while manager.hears_within(3):  # what comes late is on its way already; then there is silence
            assert len(manager.heard) < 1000
        server.tell(signal.SIGABRT)  # what systemd sends then
        assert server.wait() == -signal.SIGABRT
    assert "time.sleep" in server.err.text or "in application" in server.err.text
    assert "Fatal Python error: Aborted" in server.err.text


def test_the_application_and_its_children_do_not_speak_for_the_service(start, tmp_path, manager):
    write(tmp_path / "told.py", TOLD)
    environment = {**manager.environment, "WATCHDOG_USEC": "9000000"}
    server = start("-p", "0", "told:application", env=environment).wait_serving()
    with Raw(server.first.place) as client:
        assert client.get("/").body == b"[]"


def test_the_journal_gets_priorities_and_no_times(run, tmp_path):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = os.fstat(theirs.fileno())
        environment = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        path = probe_file(tmp_path, '[listeners.main]\naddress = "127.0.0.1"\nportt = 80\n')
        code = "import os, sys; os.dup2(int(sys.argv[1]), 2); os.execv(sys.argv[2], sys.argv[2:])"
        into = [sys.executable, "-c", code, str(theirs.fileno())]
        assert run("--config", path, prefix=into, pass_fds=[theirs.fileno()], env=environment).status == 78
        theirs.close()
        lines = ours.makefile().read().splitlines()
    assert lines
    assert all(line.startswith("<3>") for line in lines)
    assert run("--config", path, env=environment).err.text.startswith(
        str(path)
    )  # another stream: no priority
