from __future__ import annotations

import os
import socket
from contextlib import closing

import pytest

from asgid.config import codes
from asgid.config.spec import ApplicationSpec, EndpointSpec, ListenerSpec, Place, Plan
from asgid.daemon.net import LinuxHost, live_problems

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
