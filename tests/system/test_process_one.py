"""asgid as process 1 of a container: signals, statuses, reaping."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from support.files import SITE, probe_file
from support.raw import Raw
from support.server import PATIENCE_S

CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []  # it has ended and was reaped


@pytest.fixture
def container(start, tmp_path):
    """asgid as process 1; ``init`` is its pid as it is seen from here."""
    server = start("--config", probe_file(tmp_path), prefix=CONTAINER, cwd=SITE).wait_serving()
    (server.init,) = children(server.pid)
    return server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(container, number):
    with Raw(container.first.place) as client:
        assert client.get("/hello").status == 200
    os.kill(container.init, number)
    assert container.wait() == 0
    assert "the lifespan shut down" in container.err.text


def test_a_second_signal_ends_it_at_once(container):
    with Raw(container.first.place) as client, Raw(container.first.place) as observer:
        client.request("/hang")
        observer.get("/wait?event=hang:")
        os.kill(container.init, signal.SIGTERM)
        container.err.wait_for("SIGTERM")
        time.sleep(0.5)  # so soon after it it is the same one
        os.kill(container.init, signal.SIGTERM)
        assert container.wait() == 143


def test_orphans_are_reaped_and_statuses_of_children_reach_the_application(container):
    with Raw(container.first.place) as client:
        got = json.loads(client.get("/children?orphans=20").body)
    assert got == {"statuses": [7, 8]}
    # The orphans have ended before the answer: they, too, held the pipe that the application read to its end.
    deadline = time.monotonic() + PATIENCE_S
    while any(state(pid) == "Z" for pid in descendants(container.init)):
        assert time.monotonic() < deadline, "orphans are not reaped"
    os.kill(container.init, signal.SIGTERM)
    assert container.wait() == 0


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found += [child, *(descendants(child) if state(child) != "Z" else [])]
    return found


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "gone"


def test_a_failed_start_has_its_status(start, tmp_path):
    path = probe_file(tmp_path)
    failed = start("--config", path, prefix=CONTAINER, env={"PROBE_LIFESPAN": "fail"})
    assert failed.wait() == 1
    path.write_text("nonsense")
    assert start("--config", path, prefix=CONTAINER).wait() == 78
