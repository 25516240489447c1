"""Who holds a socket, and whether that is the service that runs from the file already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from asgid.daemon.net.holders import Processes, Service
from asgid.daemon.net.in_use import TcpTable

HOLD = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
os.chdir("/")
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holding():
    """``holding(*words, ...)``: a process with these words on its command line, and the port it holds."""
    started = []

    def hold(*words, **options):
        command = [sys.executable, "-c", HOLD, *map(str, words)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        started.append(process)
        return process.pid, int(process.stdout.readline())

    yield hold
    for process in started:
        process.communicate("")


def held(port):
    found = TcpTable({port}).at(port)
    assert found
    return found


def test_a_holder_is_named_with_its_number(holding):
    pid, port = holding()
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    assert Processes().named(held(port)) == f"{name} (pid {pid})"


def test_of_many_holders_three_are_named():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[sock.fileno()]
            )
            for _ in range(4)
        ]
        try:
            said = Processes().named(held(sock.getsockname()[1]))
        finally:
            for each in children:
                each.communicate(b"\n")
    assert said.count("(pid ") == 3
    assert said.endswith(" and 2 more")


def test_the_process_in_the_pid_file_is_this_service(holding, tmp_path):
    pid, port = holding()
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{pid}\n")
    assert Service(None, pid_file, Processes()).holds(held(port))
    for other in (f"{os.getppid()}\n", "", "no number", f"{2**40}"):
        pid_file.write_text(other)
        assert not Service(None, pid_file, Processes()).holds(held(port))
    assert not Service(None, tmp_path / "gone", Processes()).holds(held(port))


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "{folder}/listeners.toml"],
        ["--config={folder}/listeners.toml"],
        ["--config", "listeners.toml"],
        ["--config", "./sub/../listeners.toml"],
        ["--config", "link/listeners.toml"],
    ],
)
def test_a_process_whose_command_line_names_the_file_is_this_service(holding, tmp_path, words):
    (tmp_path / "listeners.toml").write_text("")
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "sub").mkdir()
    environment = os.environ | {"PWD": str(tmp_path)}
    spelled = [word.format(folder=tmp_path) for word in words]
    pid, port = holding(*spelled, cwd=tmp_path, env=environment)
    service = Service(tmp_path / "listeners.toml", None, Processes())
    assert pid in service.pids
    assert service.holds(held(port))


def test_a_process_that_got_the_file_from_its_environment_is_this_service(holding, tmp_path):
    _, port = holding(env=os.environ | {"ASGID_CONFIG": str(tmp_path / "listeners.toml")})
    assert Service(tmp_path / "listeners.toml", None, Processes()).holds(held(port))


@pytest.mark.parametrize(
    "word", ["{folder}/other/listeners.toml", "{folder}/listeners.toml.old", "{folder}", "listeners.toml"]
)
def test_a_process_that_names_another_file_is_another_service(holding, tmp_path, word):
    _, port = holding("--config", word.format(folder=tmp_path), cwd="/", env=os.environ | {"PWD": "/"})
    assert not Service(tmp_path / "listeners.toml", None, Processes()).holds(held(port))


def test_a_port_that_somebody_else_holds_besides_is_not_this_services(holding, tmp_path):
    pid_file = tmp_path / "pid"
    first, port = holding()
    _, other = holding()
    pid_file.write_text(str(first))
    service = Service(None, pid_file, Processes())
    assert not service.holds([*held(port), *held(other)])


def test_this_very_process_is_not_the_service_that_runs_already(tmp_path):
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert not Service(None, pid_file, Processes()).holds(held(sock.getsockname()[1]))


def test_a_copy_of_proc_is_read_as_it_stands_there(tmp_path):
    """A process whose descriptors may not be seen is known by its user and its command line."""
    process = tmp_path / "77"
    process.mkdir()
    (process / "cmdline").write_bytes(b"asgid\0--config\0/etc/asgid/a.toml\0")
    (tmp_path / "self").mkdir()
    (tmp_path / "net").mkdir()
    uid = process.stat().st_uid
    line = f"   0: 0100007F:1F40 00000000:0000 0A 0:0 00:0 0 {uid} 0 4242 1 0 100 0 0 10 0"
    (tmp_path / "net" / "tcp").write_text(f"header\n{line}\n")
    taken = TcpTable({8000}, tmp_path).at(8000)
    assert Service(Path("/etc/asgid/a.toml"), None, Processes(tmp_path)).holds(taken)
    assert not Service(Path("/etc/asgid/b.toml"), None, Processes(tmp_path)).holds(taken)
    (tmp_path / "net" / "tcp").write_text(f"header\n{line.replace(f' {uid} 0 4242', f' {uid + 1} 0 4242')}\n")
    taken = TcpTable({8000}, tmp_path).at(8000)
    assert not Service(Path("/etc/asgid/a.toml"), None, Processes(tmp_path)).holds(taken)
