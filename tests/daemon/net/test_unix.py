from __future__ import annotations

import os
import socket
import stat

import pytest

from asgid.config import endpoints
from asgid.daemon.net.errors import PathServedError, PathTakenError

HELLO = b"hello"


def asgid_unix(path, mode: int = 0o660, **options) -> str:
    return str(endpoints.asgid_unix(str(path), mode, 50, **options))


def test_a_unix_socket_has_its_mode_and_serves_and_goes_with_its_port(opened, closed, greeted, tmp_path):
    path = tmp_path / "a=b:c.sock"
    port = opened(asgid_unix(path, 0o604))
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert port.addresses() == [f"unix:{path}"]
    assert greeted(f"unix:{path}") == HELLO
    closed(port)
    assert list(tmp_path.iterdir()) == []


def test_a_stock_unix_string_makes_the_socket_anybodys_and_leaves_no_lock(opened, closed, tmp_path):
    port = opened(f"unix:{tmp_path / 's'}")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o666
    assert [each.name for each in tmp_path.iterdir()] == ["s"]
    closed(port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_unix_socket_has_its_owner_and_group_by_name_and_by_number(opened, tmp_path):
    opened(asgid_unix(tmp_path / "named", owner="nobody", group="nogroup"))
    opened(asgid_unix(tmp_path / "numbered", owner="1234", group="4321"))
    named, numbered = (tmp_path / "named").stat(), (tmp_path / "numbered").stat()
    assert named.st_uid > 0
    assert named.st_gid > 0
    assert (numbered.st_uid, numbered.st_gid) == (1234, 4321)


def test_a_stale_socket_is_replaced(opened, greeted, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    opened(asgid_unix(path))
    assert greeted(f"unix:{path}") == HELLO
    assert [each.name for each in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("listens", [True, False])
def test_a_live_socket_is_left_alone_also_when_it_does_not_listen_yet(opened, tmp_path, listens):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        if listens:
            live.listen()
        before = path.stat().st_ino
        with pytest.raises(PathServedError, match=rf"pid {os.getpid()}\)"):
            opened(asgid_unix(path))
        assert path.stat().st_ino == before


def test_a_live_socket_whose_backlog_is_full_is_left_alone(opened, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as first:
        live.bind(str(path))
        live.listen(0)
        first.connect(str(path))
        with pytest.raises(PathServedError):
            opened(asgid_unix(path))


@pytest.mark.parametrize("kind", ["file", "directory", "link to a file"])
def test_what_is_no_socket_is_left_alone(opened, tmp_path, kind):
    path, target = tmp_path / "s", tmp_path / "target"
    target.write_text("precious")
    if kind == "directory":
        path.mkdir()
    elif kind == "file":
        path.write_text("precious")
    else:
        path.symlink_to(target)
    with pytest.raises(PathTakenError):
        opened(asgid_unix(path))
    assert path.exists()
    assert target.read_text() == "precious"


def test_a_path_that_is_somebody_elses_by_now_is_not_removed(opened, closed, tmp_path):
    path = tmp_path / "s"
    port = opened(asgid_unix(path))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        closed(port)
        assert path.exists()


def test_an_abstract_socket_works_and_leaves_nothing(reactor, run, greeting):
    path = f"\0asgid-test-{os.getpid()}"

    async def scenario():
        port = reactor.listenUNIX(path, greeting)
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await reactor.loop.sock_connect(client, path)
            assert await reactor.loop.sock_recv(client, 100) == HELLO
        assert port.addresses() == [f"unix:@{path[1:]}"]

    run(scenario())
