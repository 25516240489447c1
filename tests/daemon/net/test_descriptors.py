from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys

import pytest

from asgid.daemon.net.descriptors import passed
from asgid.daemon.net.errors import DescriptorError, SystemdNameError

HELLO = b"hello"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_a_descriptor_of_any_family_is_adopted_and_left_as_it_is(opened, closed, greeted, tmp_path, family):
    path = tmp_path / "s"
    places = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0), socket.AF_UNIX: str(path)}
    with socket.socket(family) as sock:
        sock.bind(places[family])
        sock.listen(7)
        if family == socket.AF_UNIX:
            path.chmod(0o640)
        os.set_inheritable(sock.fileno(), True)
        port = opened(f"fd:fileno={sock.fileno()}")
        assert not os.get_inheritable(sock.fileno())
        assert greeted(port.addresses()[0]) == HELLO
        if family != socket.AF_UNIX:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            assert int.from_bytes(info[28:32], sys.byteorder) == 7, "the backlog is what it was"
        closed(port)
        if family == socket.AF_UNIX:
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


@pytest.mark.parametrize("kind", ["file", "datagram", "not listening", "connected"])
def test_a_descriptor_that_is_no_listening_stream_socket_is_refused(opened, tmp_path, kind):
    left, right = socket.socketpair()
    idle, datagram = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    with left, right, idle, datagram, (tmp_path / "f").open("w") as file:
        kinds = {"file": file, "datagram": datagram, "not listening": idle, "connected": left}
        with pytest.raises(DescriptorError):
            opened(f"fd:fileno={kinds[kind].fileno()}")


PASSED = """
import os, socket, sys
names, wanted, pid_off_by = sys.argv[1:]
socks = [socket.create_server(("127.0.0.1", 0)) for _ in names.split(":")]
for at, sock in enumerate(socks):
    os.dup2(sock.fileno(), 50 + at)
for at in range(len(socks)):
    os.dup2(50 + at, 3 + at)
os.environ.update(LISTEN_FDS=str(len(socks)), LISTEN_FDNAMES=names)
os.environ["LISTEN_PID"] = str(os.getpid() + int(pid_off_by))
from asgid.daemon.net import install, open_endpoint
from twisted.internet.protocol import Factory, Protocol
reactor = install()
def say(port): print("bound", len(port.addresses()))
def fail(failure): print(failure.type.__name__, failure.value.message)
opening = open_endpoint(reactor, "asgid-systemd:name=" + wanted).listen(Factory.forProtocol(Protocol))
opening.addCallbacks(say, fail)
os._exit(0 if not sys.stdout.flush() else 1)
"""


@pytest.mark.parametrize(
    ("names", "wanted", "pid_off_by", "said"),
    [
        ("web", "web", 0, "bound 1"),
        ("web:admin:web", "web", 0, "bound 2"),
        ("web:admin:web", "admin", 0, "bound 1"),
        ("admin:other", "web", 0, "SystemdNameError systemd passed no socket web; it passed admin, other"),
        ("web", "web", 1, "SystemdNameError systemd passed no socket web: it passed none at all"),
    ],
)
def test_every_descriptor_that_systemd_passed_under_the_name_is_adopted(names, wanted, pid_off_by, said):
    done = subprocess.run(
        [sys.executable, "-c", PASSED, names, wanted, str(pid_off_by)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == said, done.stderr


@pytest.mark.parametrize("count", ["99999999", "9" * 5000])
def test_more_descriptors_than_can_be_open_are_refused_and_not_counted(monkeypatch, count):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", count)
    with pytest.raises(SystemdNameError, match="LISTEN_FDS is 9999"):
        passed("web")
