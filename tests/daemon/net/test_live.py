from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address

import pytest

from asgid.config import codes
from asgid.config.spec import ApplicationSpec, EndpointSpec, ListenerSpec, Place, Plan
from asgid.daemon.net import LinuxHost, live_problems
from asgid.daemon.net.holders import Processes, Service

HOST = LinuxHost()


def listener(name: str, *strings: str, required: bool = True, ipv6_only: bool = False) -> ListenerSpec:
    ends = tuple(
        EndpointSpec(text, Place("listeners.toml", at + 3, 7), ipv6_only) for at, text in enumerate(strings)
    )
    return ListenerSpec(name, "endpoint", Place("listeners.toml"), ends, required=required)


def found(*listeners: ListenerSpec):
    return live_problems(Plan(ApplicationSpec("m:a", Place("listeners.toml")), listeners), HOST)


@pytest.fixture
def held():
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        yield sock


def test_every_listener_is_tried_and_not_the_first_alone(held, tmp_path):
    (tmp_path / "file").write_text("")
    problems = found(
        listener("one", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1"),
        listener("two", "tcp:0:interface=192.0.2.77", "tcp:0"),
        listener("three", f"unix:{tmp_path / 'file'}", f"unix:{tmp_path / 'no' / 'socket'}"),
        listener("four", "fd:fileno=98765"),
        listener("five", "asgid-systemd:name=web"),
        listener("six", "nosuchkind:1"),
        listener("seven", r"tcp:0:interface=fe80\:\:1%nosuch0"),
        listener("well", "tcp:0", r"tcp:0:interface=\:\:", f"unix:{tmp_path / 'socket'}"),
    )
    assert [(each.message.split(":")[0], each.code, each.place.line) for each in problems] == [
        ("listener one", codes.PORT_HELD, 3),
        ("listener two", codes.ADDRESS_ABSENT, 3),
        ("listener three", codes.PATH_NOT_A_SOCKET, 3),
        ("listener three", codes.PATH_NOT_CREATABLE, 4),
        ("listener four", codes.DESCRIPTOR_UNUSABLE, 3),
        ("listener five", codes.SYSTEMD_NAME_ABSENT, 3),
        ("listener six", codes.ENDPOINT_REFUSED_HERE, 3),
        ("listener seven", codes.INTERFACE_ABSENT, 3),
    ]
    assert {each.severity for each in problems} == {"error"}
    assert not (tmp_path / "socket").exists(), "a trial leaves nothing behind"


def test_a_held_port_names_its_holder_and_the_key(held):
    (problem,) = found(listener("web", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1"))
    assert f"(pid {os.getpid()})" in problem.message
    assert problem.key == "listeners.web.endpoint"
    assert problem.help


@pytest.mark.parametrize("interface", ["", "0.0.0.0", r"\:\:"])
def test_a_wildcard_collides_with_whoever_holds_one_address_of_it(held, interface):
    (problem,) = found(listener("web", f"tcp:{held.getsockname()[1]}:interface={interface}"))
    assert problem.code == codes.PORT_HELD
    assert f"(pid {os.getpid()})" in problem.message


def test_ipv6_alone_does_not_collide_with_an_ipv4_holder(held):
    number = held.getsockname()[1]
    assert found(listener("web", rf"tcp:{number}:interface=\:\:", ipv6_only=True)) == []
    assert found(listener("web", rf"asgid-tcp:port={number}:interface=\:\:")) == []


def test_a_listener_that_is_not_required_has_warnings(held):
    optional = listener("web", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1", required=False)
    (problem,) = found(optional, listener("other", "tcp:0"))
    assert (problem.code, problem.severity) == (codes.PORT_HELD, "warning")


def test_where_nothing_would_serve_that_is_an_error(held):
    optional = listener("web", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1", required=False)
    assert [(each.code, each.severity) for each in found(optional)] == [
        (codes.PORT_HELD, "warning"),
        (codes.NOTHING_SERVES, "error"),
    ]


def test_a_foreign_tls_kind_is_asked_for_its_files_too():
    (problem,) = found(listener("web", "ssl:0:privateKey=/nosuch.pem"))
    assert problem.code == codes.ENDPOINT_REFUSED_HERE
    assert "/nosuch.pem" in problem.message


def test_a_stale_unix_socket_is_only_mentioned_and_left_for_the_start_to_replace(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    (stale,) = found(listener("web", f"unix:{path}"))
    assert (stale.code, stale.severity) == (codes.PATH_STALE, "info")
    assert path.exists()


def test_a_served_unix_socket_is_a_problem(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        live.listen()
        (problem,) = found(listener("web", f"unix:{path}"))
    assert problem.code == codes.PATH_SERVED


def test_a_trial_never_lets_a_client_in(tmp_path):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    assert found(listener("web", f"tcp:{number}:interface=127.0.0.1")) == []
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", number))


def test_inherited_sockets_survive_being_looked_at(held):
    assert found(listener("web", f"fd:fileno={held.fileno()}")) == []
    with socket.socket() as client:
        client.connect(held.getsockname())


@pytest.mark.parametrize(
    ("family", "address", "v6_only", "wanted", "words"),
    [
        (socket.AF_INET, "0.0.0.0", None, "127.0.0.1", ", which listens on 0.0.0.0:{port}"),
        (socket.AF_INET, "127.0.0.1", None, "0.0.0.0", ", which listens on 127.0.0.1:{port}"),
        (socket.AF_INET6, "::", False, "127.0.0.1", ", which listens on [::]:{port}, IPv4 included"),
        (socket.AF_INET6, "::", True, r"\:\:1", ", which listens on [::]:{port}"),
        (socket.AF_INET, "127.0.0.1", None, "127.0.0.1", ""),
    ],
)
def test_another_way_of_holding_a_port_is_told(family, address, v6_only, wanted, words):
    with socket.socket(family) as holder:
        if v6_only is not None:
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
        holder.bind((address, 0))
        holder.listen()
        port = holder.getsockname()[1]
        (problem,) = found(listener("web", f"tcp:{port}:interface={wanted}"))
    assert problem.code == codes.PORT_HELD
    assert problem.message.endswith(f"(pid {os.getpid()}){words.format(port=port)}")


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("kind", ["bound", "connection"])
def test_a_port_that_is_used_without_listening_is_held_where_the_kernel_says_so(kind, reuse):
    with socket.socket() as sock:
        accepted = sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        if kind == "connection":
            with socket.create_server(("127.0.0.1", 0)) as server:
                sock.connect(server.getsockname())
                accepted, _ = server.accept()
        problems = found(listener("web", f"tcp:{port}:interface=127.0.0.1"))
        accepted.close()
    if kind == "bound" and not reuse and kernel() < (6, 8):
        pytest.skip("this kernel does not list sockets that are bound alone")
    assert [each.code for each in problems] == ([] if reuse else [codes.PORT_HELD])


def kernel():
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


@pytest.fixture
def done(monkeypatch):
    """What is done to sockets, as the interpreter's own audit events tell."""
    events = []
    watching = [True]

    def hook(event, arguments):
        if watching and event in {"socket.bind", "socket.connect"}:
            events.append((event, arguments[1]))

    sys.addaudithook(hook)  # for good: it can't be taken away
    yield events
    watching.clear()


def test_nothing_is_bound_to_a_port_or_connected_to(done, tmp_path, held):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as dead:
        live.bind(str(tmp_path / "live"))
        live.listen()
        dead.bind(str(tmp_path / "dead"))
        dead.close()
        done.clear()
        found(
            listener("a", f"tcp:{free}:interface=127.0.0.1", rf"tcp:{free + 1}:interface=\:\:"),
            listener("b", f"unix:{tmp_path / 'live'}", f"unix:{tmp_path / 'dead'}", f"unix:{tmp_path / 'x'}"),
            listener("c", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1"),
        )
    assert {each for each, _ in done} == {"socket.bind"}
    assert all(address[1] == 0 for _, address in done), done
    assert sorted(each.name for each in tmp_path.iterdir()) == ["dead", "live"]


def test_what_this_very_service_holds_is_in_nobodys_way_by_hand_and_is_at_a_start(tmp_path):
    script = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); u = socket.socket(socket.AF_UNIX);"
        "u.bind(sys.argv[1]); u.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    path = tmp_path / "s"
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        port = int(running.stdout.readline())
        (tmp_path / "pid").write_text(str(running.pid))
        service = Service(None, tmp_path / "pid", Processes())
        wanted = listener("web", f"tcp:{port}:interface=127.0.0.1", f"tcp:{port}", f"unix:{path}")
        plan = Plan(ApplicationSpec("m:a", Place("listeners.toml")), (wanted,))
        assert [each.code for each in live_problems(plan, HOST, by_hand=True, service=service)] == [
            codes.COLLISION  # of the two, not with the service
        ]
        at_start = {each.code for each in live_problems(plan, HOST)}
        running.communicate("")
    assert at_start == {codes.PORT_HELD, codes.PATH_SERVED}


def test_by_hand_a_socket_that_systemd_is_to_pass_is_only_mentioned(monkeypatch):
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    plan = Plan(ApplicationSpec("m:a", Place("f")), (listener("web", "asgid-systemd:name=http"),))
    (mentioned,) = live_problems(plan, HOST, by_hand=True)
    assert (mentioned.code, mentioned.severity) == (codes.SYSTEMD_NAME_ABSENT, "info")
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    (refused,) = live_problems(plan, HOST, by_hand=True)
    assert (refused.code, refused.severity) == (codes.SYSTEMD_NAME_ABSENT, "error")


class SmallHost(LinuxHost):
    """A host with two interfaces."""

    def interfaces(self):
        return {"lo": (IPv4Address("127.0.0.1"),), "eth0": (IPv4Address("10.0.0.5"), IPv6Address("fd00::5"))}


def test_an_absent_address_is_told_with_those_of_its_family_that_are_there():
    four, six = (
        live_problems(Plan(ApplicationSpec("m:a", Place("f")), (listener("web", text),)), SmallHost())[0]
        for text in ("tcp:0:interface=192.0.2.77", r"tcp:0:interface=2001\:db8\:\:77")
    )
    assert four.help == "this host has 127.0.0.1 (lo), 10.0.0.5 (eth0)"
    assert six.help == "this host has fd00::5 (eth0)"


def test_freebind_makes_an_absent_address_a_warning():
    (problem,) = found(listener("later", "asgid-tcp:port=0:interface=192.0.2.77:freebind=1"))
    assert (problem.code, problem.severity) == (codes.ADDRESS_ABSENT, "warning")
    assert "192.0.2.77" in problem.message
    assert found(listener("now", "asgid-tcp:port=0:interface=127.0.0.1:freebind=1")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tcp:{port}:interface=127.0.0.1", "tcp:{port}:interface=localhost"),
        ("haproxy:tcp:{port}:interface=127.0.0.1", "tcp:{port}"),
        (r"tcp:{port}:interface=\:\:", r"tcp:{port}:interface=\:\:1"),
        ("unix:{folder}/sub/s", "unix:{folder}/link/s"),
        ("fd:fileno={fd}", "fd:fileno={again}"),
    ],
)
def test_two_listeners_that_come_to_the_same_are_told_at_the_later_one(tmp_path, one, other, held):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub")
    with socket.socket() as probe, closing(held.dup()) as again:
        probe.bind(("127.0.0.1", 0))
        names = {"port": probe.getsockname()[1], "folder": tmp_path, "fd": held.fileno()}
        probe.close()
        strings = [each.format(again=again.fileno(), **names) for each in (one, other)]
        (problem,) = found(*(listener(name, text) for name, text in zip("ab", strings, strict=True)))
    assert problem.code == codes.COLLISION
    assert problem.message.startswith("listener b: ")
    assert "listener a" in problem.message
    assert problem.help == "the other one is at listeners.toml:3:7"


def test_the_same_name_in_another_directory_or_another_port_is_no_collision(tmp_path):
    (tmp_path / "sub").mkdir()
    assert (
        found(listener("a", f"unix:{tmp_path}/sub/s", "tcp:0"), listener("b", f"unix:{tmp_path}/s", "tcp:0"))
        == []
    )


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("gone/s", codes.PATH_NOT_CREATABLE, "there is no directory"),
        ("file/s", codes.PATH_NOT_CREATABLE, "Not a directory"),
        ("loop/s", codes.PATH_NOT_CREATABLE, "symbolic links"),
        ("to", codes.PATH_NOT_A_SOCKET, "is not a socket"),
        ("dangling", codes.PATH_NOT_A_SOCKET, "is not a socket"),
        ("sub", codes.PATH_NOT_A_SOCKET, "is not a socket"),
        ("/proc/s", codes.PATH_NOT_CREATABLE, "proc"),
    ],
)
def test_odd_paths_are_told_apart(tmp_path, path, code, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "sub" / "stale"))
    (tmp_path / "to").symlink_to("sub/stale")
    (problem,) = found(listener("web", f"unix:{tmp_path / path}"))
    if path.startswith("/proc") and os.geteuid():
        words = "not writable"
    assert problem.code == code
    assert words in problem.message


def test_a_socket_inside_haproxy_that_is_there_already_is_told_where_nothing_would_replace_it(tmp_path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
    (problem,) = found(listener("web", f"haproxy:unix:{tmp_path}/s:lockfile=0"))
    assert (problem.code, problem.severity) == (codes.PATH_NOT_CREATABLE, "error")
    (stale,) = found(listener("web", f"haproxy:unix:{tmp_path}/s"))
    assert stale.severity == "info"
    (tmp_path / "s.lock").symlink_to(str(os.getpid()))
    (locked,) = found(listener("web", f"haproxy:unix:{tmp_path}/s"))
    assert (locked.code, locked.severity) == (codes.ENDPOINT_REFUSED_HERE, "error")


def test_a_socket_that_is_served_from_another_network_namespace_is_served(tmp_path):
    script = (
        "import socket, sys; u = socket.socket(socket.AF_UNIX);"
        "u.bind(sys.argv[1]); u.listen(); print(1, flush=True); sys.stdin.read()"
    )
    command = ["unshare", "-n", sys.executable, "-c", script, str(tmp_path / "s")]
    if os.geteuid():
        pytest.skip("this needs root")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        if not running.stdout.readline():
            pytest.skip("no network namespaces here")
        (problem,) = found(listener("web", f"unix:{tmp_path / 's'}"))
        running.communicate("")
    assert problem.code == codes.PATH_SERVED
    assert f"(pid {running.pid})" in problem.message


def test_two_hundred_listeners_take_one_look_at_the_sockets_and_the_processes(monkeypatch, held):
    """Whoever reads a table for each listener opens thousands of files; what is held is still found."""
    opened = []
    watching = [True]

    def hook(event, arguments):
        if watching and event in {"open", "os.listdir", "os.scandir", "socket.__new__"}:
            opened.append((event, *map(str, arguments[:1])))

    many = [listener(f"l{at}", f"tcp:{20000 + at}:interface=127.0.0.1") for at in range(200)]
    many.append(listener("held", f"tcp:{held.getsockname()[1]}:interface=127.0.0.1"))
    sys.addaudithook(hook)
    problems = found(*many)
    watching.clear()
    assert codes.PORT_HELD in {each.code for each in problems}
    assert len([each for each in opened if each[1] == "/proc"]) <= 2
    assert len([each for each in opened if each[1].startswith("/proc/net")]) <= 3
    assert len([each for each in opened if each[1].startswith("/proc/sys")]) <= 2
