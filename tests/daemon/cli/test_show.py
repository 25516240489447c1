"""``asgid show``: what a listener comes to on this host, and who can reach it."""

from __future__ import annotations

import json
import socket

import pytest

from asgid.config.spec import EndpointSpec, Place
from asgid.daemon.cli.reached import reach_of_all, shown
from asgid.daemon.net.sockets import TcpSocket
from support.files import probe_file

LISTENERS = r"""
[listeners.web]
address = ["127.0.0.1", "::1"]
port = 8080
limits.header_count = 5
[listeners.all]
address = "0.0.0.0"
port = 8081
[listeners.local]
unix = "a.sock"
mode = "0620"
group = "root"
[listeners.raw]
endpoint = ['tcp:8082:interface=192.168.1.1', 'tcp:8083:interface=\:\:']
[listeners.passed]
fd = 77
"""


@pytest.fixture
def file(tmp_path):
    return probe_file(tmp_path, LISTENERS, rest="[limits]\nbody_size = '10MB'\n")


def test_a_listener_is_told_with_its_sockets_options_reach_and_settings(run, file):
    done = run("show", file, "web")
    assert (done.status, done.err.text) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.lines]
    assert lines[0] == f"listener web ({file}:6) serves probe:application"
    at = lines.index("tcp:port=8080:interface=127.0.0.1:backlog=2048")
    assert lines[at + 1 : at + 4] == [
        "127.0.0.1:8080", "options: SO_REUSEADDR, backlog 2048", "reach: loopback, this host alone",
    ]  # fmt: skip
    assert "[::1]:8080" in lines
    number = file.read_text().splitlines().index("limits.header_count = 5") + 1
    assert f"limits.header_count 5 {file}:{number}" in lines
    number = file.read_text().splitlines().index("body_size = '10MB'") + 1
    assert f'limits.body_size "10MB" {file}:{number}, for every listener' in lines
    assert 'timeouts.drain "30s" default' in lines


def test_without_a_name_there_is_a_line_for_each(run, file, tmp_path):
    done = run("show", file)
    assert (done.status, done.err.text) == (0, "")
    assert [line.split(maxsplit=2) for line in done.out.lines] == [
        ["web", "loopback", "127.0.0.1:8080, [::1]:8080"],
        ["all", "public", "0.0.0.0:8081"],
        ["local", "loopback", f"unix:{tmp_path}/a.sock"],
        ["raw", "public", "192.168.1.1:8082, [::]:8083, 0.0.0.0:8083"],
        ["passed", "unknown", "descriptor 77"],
    ]


def test_json_is_an_object_of_one_listener_and_a_list_of_all(run, file):
    one = json.loads(run("show", file, "raw", "--format", "json").out.text)
    every = json.loads(run("show", "--format=json", file).out.text)
    assert [each["listener"] for each in every] == ["web", "all", "local", "raw", "passed"]
    assert every[3] == one
    assert (one["file"], one["application"], one["missing"]) == (str(file), "probe:application", [])
    assert [each["socket"] for each in one["endpoints"][1]["sockets"]] == ["[::]:8083", "0.0.0.0:8083"]
    assert one["endpoints"][0]["sockets"][0]["reach"] == "private"
    told = {each["key"]: each for each in every[0]["settings"]}
    assert (told["limits.header_count"]["value"], told["limits.header_count"]["from"]) == (5, "listener")
    assert (told["limits.body_size"]["value"], told["limits.body_size"]["from"]) == ("10MB", "server-wide")
    assert told["exposure"] == {
        "key": "exposure", "value": None, "from": "default", "file": None, "line": None, "column": None,
    }  # fmt: skip


def test_an_unknown_listener_is_wrong_usage_that_names_a_near_one(run, file):
    done = run("show", file, "wev")
    assert (done.status, done.out.text) == (2, "")
    assert "has no listener wev" in done.err.text
    assert "did you mean web?" in done.err.text
    assert "web, all, local, raw, passed" in run("show", file, "zzz").err.text


def test_a_file_with_errors_is_told_of_with_status_1(run, tmp_path):
    done = run("show", probe_file(tmp_path, '[listeners.a]\naddress = "nonsense"\nport = 1\n'), "a")
    assert (done.status, done.out.text) == (1, "")
    assert "nonsense" in done.err.text
    assert run("show", tmp_path / "none.toml", "a").status == 2


def test_what_this_host_does_not_have_is_said_and_makes_status_1(run, tmp_path):
    text = '[listeners.a]\ninterface = "nosuch0"\nport = 1\n[listeners.b]\nfd = 3\n'
    path = probe_file(tmp_path, text)
    done = run("show", path, "a")
    assert done.status == 1
    assert "interface nosuch0 port 1 (not on this host)" in done.out.text
    assert "there is no interface nosuch0" in done.err.text
    assert run("show", path, "b").status == 0
    assert run("show", path).status == 1


def spec(text, *, ipv6_only=False):
    return EndpointSpec(text, Place("x"), ipv6_only)


@pytest.mark.parametrize(
    ("text", "reach", "who"),
    [
        ("tcp:1:interface=127.0.0.9", "loopback", "this host alone"),
        (r"tcp:1:interface=fe80\:\:1%lo", "private", "private"),
        ("tcp:1:interface=8.8.8.8", "public", "anybody"),
        ("tcp:1:interface=localhost", "unknown", "looked up at start"),
        (r"asgid-tcp:1:interface=\:\:1:device=lo", "loopback", "by the interface lo"),
        ("asgid-unix:path=/x:mode=0600", "loopback", "on this host its owner or root"),
        ("asgid-unix:path=/x:mode=0660", "loopback", "on this host its owner, its group or root"),
        ("asgid-unix:path=/x:mode=0444", "loopback", "on this host root"),
        ("unix:/x", "loopback", "everybody on this host"),
        ("asgid-systemd:name=http", "unknown", "passed"),
        ("fd:fileno=3", "unknown", "passed"),
        ("ssl:443:privateKey=x:interface=10.0.0.1", "private", "private"),
        ("plugin:x", "unknown", "does not tell"),
    ],
)
def test_who_can_reach_a_socket(text, reach, who):
    (one,) = shown(spec(text))
    assert one.reach == reach
    assert who in one.who


def test_a_stock_wildcard_is_shown_as_the_sockets_that_it_becomes():
    assert len(shown(spec(r"tcp:1:interface=\:\:"))) == 2
    (one,) = shown(spec(r"tcp:1:interface=\:\:", ipv6_only=True))
    assert "IPV6_V6ONLY" in one.options


def test_the_widest_reach_counts():
    def of(*texts):
        return reach_of_all([one for text in texts for one in shown(spec(text))])

    assert of("tcp:1:interface=127.0.0.1", "tcp:2") == "public"
    assert of("tcp:1:interface=127.0.0.1", "fd:fileno=3") == "unknown"
    assert of("tcp:1:interface=127.0.0.1", "tcp:2:interface=10.0.0.1") == "private"
    assert of("tcp:1:interface=127.0.0.1", "unix:/x") == "loopback"
    assert of("tcp:2:interface=10.0.0.1", "fd:fileno=3") == "unknown"
    assert of() == "unknown"


_FREE = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}


@pytest.mark.parametrize(
    "wanted",
    [
        TcpSocket("127.0.0.1", 0), TcpSocket("127.0.0.1", 0, freebind=True),
        TcpSocket("127.0.0.1", 0, device="lo"),
        TcpSocket("::", 0), TcpSocket("::1", 0, v6_only=True),
        TcpSocket("::1", 0, freebind=True, v6_only=True),
    ],
)  # fmt: skip
def test_the_options_that_are_named_are_those_that_the_socket_has(wanted):
    with wanted.bound() as sock:
        has = {
            "SO_REUSEADDR": sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR),
            "SO_BINDTODEVICE=lo": sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16) != b"",
            "IPV6_V6ONLY": sock.family == socket.AF_INET6
            and sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
            "IP_FREEBIND": sock.family == socket.AF_INET and sock.getsockopt(*_FREE[sock.family]),
            "IPV6_FREEBIND": sock.family == socket.AF_INET6 and sock.getsockopt(*_FREE[sock.family]),
        }
    assert {name for name, on in has.items() if on} == set(wanted.options)
