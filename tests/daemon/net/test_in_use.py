"""Which sockets there are: as the kernel lists them, by netlink and in /proc, and who may be in whose way."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from asgid.daemon.net import in_use, netlink
from asgid.daemon.net.in_use import Taken, TcpTable, UnixTable, overlap, plain

ANY4, ANY6 = bytes(4), bytes(16)
LOCAL4, LOCAL6 = socket.inet_aton("127.0.0.1"), socket.inet_pton(socket.AF_INET6, "::1")
OTHER4 = socket.inet_aton("10.0.0.1")


def taken(address, *, device=0, v6_only: bool | None = True) -> Taken:
    return Taken(address, 80, True, device, v6_only, 0, 1)


@pytest.mark.parametrize(
    ("wanted", "device", "other", "answer"),
    [
        (LOCAL4, 0, taken(LOCAL4), True),
        (LOCAL4, 0, taken(ANY4), True),
        (ANY4, 0, taken(LOCAL4), True),
        (LOCAL4, 0, taken(OTHER4), False),
        (LOCAL6, 0, taken(ANY6), True),
        (ANY6, 0, taken(LOCAL6), True),
        (ANY6, 0, taken(ANY4), False),
        (ANY6, 0, taken(LOCAL4), False),
        (LOCAL4, 0, taken(LOCAL6), False),
        (LOCAL4, 0, taken(ANY6, v6_only=True), False),
        (LOCAL4, 0, taken(ANY6, v6_only=False), True),
        (LOCAL4, 0, taken(ANY6, v6_only=None), None),
        (LOCAL6, 0, taken(ANY6, v6_only=None), True),
        (ANY4, 0, taken(ANY4, device=2), True),
        (ANY4, 2, taken(ANY4), True),
        (ANY4, 2, taken(ANY4, device=2), True),
        (ANY4, 2, taken(ANY4, device=3), False),
        (ANY4, 2, taken(ANY4, device=-1), None),
        (ANY4, 0, taken(ANY4, device=-1), True),
        (LOCAL4, 2, taken(OTHER4, device=-1), False),
    ],
)
def test_who_is_in_whose_way(wanted, device, other, answer):
    assert overlap(wanted, device, other) is answer


def test_a_mapped_address_is_the_ipv4_address_that_it_is():
    assert plain(socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")) == LOCAL4
    assert plain(LOCAL6) == LOCAL6


@pytest.fixture
def sockets():
    """One of each kind, by name, bound to different ports."""
    with ExitStack() as stack:
        made = {}

        def make(name, family, address, *, listen=True, v6_only=None):
            sock = made[name] = stack.enter_context(socket.socket(family))
            if v6_only is not None:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
            sock.bind((address, 0))
            if listen:
                sock.listen()

        make("local", socket.AF_INET, "127.0.0.1")
        make("both", socket.AF_INET6, "::", v6_only=False)
        make("six", socket.AF_INET6, "::", v6_only=True)
        make("bound", socket.AF_INET, "127.0.0.1", listen=False)
        client = made["client"] = stack.enter_context(socket.socket())
        client.connect(made["local"].getsockname())
        yield made


def inode(sock) -> int:
    return os.fstat(sock.fileno()).st_ino


def test_the_kernel_tells_of_every_kind_of_socket(sockets):
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    table = TcpTable(set(ports.values()))
    for name, address, listens, v6_only in (
        ("local", LOCAL4, True, True),
        ("both", ANY6, True, False),
        ("six", ANY6, True, True),
        ("client", LOCAL4, False, True),
    ):
        found = [each for each in table.at(ports[name]) if each.inode == inode(sockets[name])]
        expected = Taken(address, ports[name], listens, 0, v6_only, os.geteuid(), inode(sockets[name]))
        assert found == [expected], name
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if release >= (6, 8):
        assert [each.listens for each in table.at(ports["bound"])] == [False]


def test_only_the_ports_that_are_asked_for_are_told(sockets):
    port = sockets["local"].getsockname()[1]
    assert {each.port for each in TcpTable({port}).taken} == {port}


@pytest.mark.parametrize("one_alone", [True, False])
def test_the_kernel_leaves_out_what_is_outside_of_the_ports(sockets, monkeypatch, one_alone):
    """For it is quick at that, and Python is not: a busy host has tens of thousands in TIME_WAIT."""
    heard = set()

    def dump(*question):
        for kind, payload in netlink.dump(*question):
            heard.add(int.from_bytes(payload[4:6], "big"))
            yield kind, payload

    monkeypatch.setattr(in_use, "netlink", SimpleNamespace(dump=dump, attributes=netlink.attributes))
    ports = sorted(sock.getsockname()[1] for name, sock in sockets.items() if name != "bound")
    wanted = set(ports[1:2] if one_alone else ports)
    assert {each.port for each in TcpTable(wanted).taken} == wanted
    assert wanted <= heard <= set(range(min(wanted), max(wanted) + 1))


def test_no_port_needs_no_question(monkeypatch):
    monkeypatch.setattr(in_use, "netlink", None)
    assert TcpTable(()).taken == ()


def test_proc_says_the_same_where_there_is_no_netlink(sockets, tmp_path):
    """A copy of /proc/net, as a kernel without sock_diag has it alone."""
    (tmp_path / "net").mkdir()
    for name in ("tcp", "tcp6"):
        (tmp_path / "net" / name).write_bytes(Path("/proc/net", name).read_bytes())
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    table = TcpTable(set(ports.values()), tmp_path)
    for name, address, listens in (("local", LOCAL4, True), ("both", ANY6, True), ("client", LOCAL4, False)):
        found = [each for each in table.at(ports[name]) if each.inode == inode(sockets[name])]
        assert found == [
            Taken(address, ports[name], listens, -1, None, os.geteuid(), inode(sockets[name]))
        ], name


LINES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 0:0 00:0 0   33        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F40 0100007F:D431 01 0:0 00:0 0   33        0 4243 1 0 20 4 30 10 -1
   2: 0100007F:1F41 00000000:0000 0A 0:0 00:0 0   33        0 4244 1 0 100 0 0 10 0
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the lines are a little-endian kernel's")
def test_lines_of_proc_are_read_as_they_stand_there(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(LINES)
    assert TcpTable({8000}, tmp_path).taken == (
        Taken(LOCAL4, 8000, True, -1, None, 33, 4242),
        Taken(LOCAL4, 8000, False, -1, None, 33, 4243),
    )


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A unix socket that was bound by a relative name."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("s.sock")
        sock.listen()
        yield sock


def test_a_unix_socket_is_known_by_its_file_and_not_by_the_name_it_was_bound_by(served, tmp_path):
    (tmp_path / "link").symlink_to(".")
    for path in (tmp_path / "s.sock", tmp_path / "link" / "s.sock"):
        assert [each.inode for each in UnixTable().at(str(path))] == [inode(served)]
    (tmp_path / "s.sock").rename(tmp_path / "moved")
    assert [each.inode for each in UnixTable().at(str(tmp_path / "moved"))] == [inode(served)]
    assert UnixTable().at(str(tmp_path / "s.sock")) == []


def test_connections_that_outlive_their_listener_do_not_serve_its_path(served, tmp_path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("s.sock")
        connection, _ = served.accept()
        with connection:
            served.close()
            assert UnixTable().at(str(tmp_path / "s.sock")) == []


def test_another_socket_in_the_same_directory_is_not_this_one(served, tmp_path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "stale.sock"))
    assert UnixTable().at(str(tmp_path / "stale.sock")) == []


def test_proc_tells_of_unix_sockets_where_there_is_no_netlink(tmp_path):
    with socket.socket(socket.AF_UNIX) as sock, socket.socket(socket.AF_UNIX) as other:
        sock.bind(str(tmp_path / "a b.sock"))
        other.bind(str(tmp_path / "other"))
        sock.listen()
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / "unix").write_bytes(Path("/proc/net/unix").read_bytes())
        found = UnixTable(tmp_path).at(str(tmp_path / "a b.sock"))
        assert [each.inode for each in found] == [inode(sock)]
