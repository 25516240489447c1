"""What is asked of this host besides the listeners' sockets, by the lint and by the start alike."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import pytest

from support.files import write

HEAD = '[application]\ntarget = "stub:application"\n'
STUB = "async def application(scope, receive, send):\n    raise RuntimeError\n"
LISTENER = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'


@pytest.fixture
def file(tmp_path):
    write(tmp_path / "stub.py", STUB)
    os.mkfifo(tmp_path / "pipe")

    def written(text):
        return write(tmp_path / "listeners.toml", text)

    return written


@pytest.fixture
def linted(run):
    def lint(path, *, status=1, **options):
        done = run("lint", "--live", "--format", "json", path, **options)
        assert done.status == status, done.out.text + done.err.text
        return json.loads(done.out.text)

    return lint


def underlined(path, finding) -> str:
    line = path.read_text().splitlines()[finding["line"] - 1]
    return line[finding["column"] - 1 : finding["end_column"] - 1]


CASES = {
    "directory": (HEAD + 'directory = "gone"\n' + LISTENER, "ASG909", '"gone"'),
    "directory is a file": (HEAD + 'directory = "stub.py"\n' + LISTENER, "ASG909", '"stub.py"'),
    "pid file": (HEAD + LISTENER + '[daemon]\npid_file = "gone/pid"\n', "ASG907", '"gone/pid"'),
    "pid file is a directory": (HEAD + LISTENER + '[daemon]\npid_file = "."\n', "ASG907", '"."'),
    "pid file is a device": (HEAD + LISTENER + '[daemon]\npid_file = "/dev/full"\n', "ASG907", '"/dev/full"'),
    "pid file is a pipe": (HEAD + LISTENER + '[daemon]\npid_file = "pipe"\n', "ASG907", '"pipe"'),
    "access log": (HEAD + LISTENER + '[log]\naccess = "gone/log"\n', "ASG908", '"gone/log"'),
    "access log is a directory": (HEAD + LISTENER + '[log]\naccess = "/tmp"\n', "ASG908", '"/tmp"'),
    "access log in proc": (HEAD + LISTENER + '[log]\naccess = "/proc/log"\n', "ASG908", '"/proc/log"'),
    "access log on no terminal": (HEAD + LISTENER + '[log]\naccess = "/dev/tty"\n', "ASG908", '"/dev/tty"'),
    "access log is a socket": (
        HEAD + '[listeners.main]\nunix = "s"\n[log]\naccess = "./s"\n', "ASG908", '"./s"',
    ),
    "pid file is a socket": (
        HEAD + '[listeners.main]\nunix = "s"\n[daemon]\npid_file = "s"\n', "ASG907", '"s"',
    ),
    "pid file is the log": (
        HEAD + LISTENER + '[daemon]\npid_file = "x"\n[log]\naccess = "x"\n', "ASG907", '"x"',
    ),
    "virtualenv": (HEAD + 'virtualenv = "gone"\n' + LISTENER, "ASG905", '"gone"'),
    "user": (HEAD + '[listeners.main]\nunix = "s"\nowner = "nosuchuser"\n', "ASG812", '"nosuchuser"'),
    "interface": (HEAD + '[listeners.main]\ninterface = "nosuch0"\nport = 1\n', "ASG802", '"nosuch0"'),
    "address": (
        HEAD + '[listeners.main]\naddress = ["127.0.0.1", "198.18.0.1"]\nport = 0\n', "ASG801",
        '"198.18.0.1"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_lint_and_the_start_tell_the_same_with_the_line_and_a_caret(linted, run, file, name):
    text, code, span = CASES[name]
    path = file(text)
    (found,) = [each for each in linted(path, prefix=("setsid", "-w")) if each["severity"] == "error"]
    assert found["code"] == code
    assert underlined(path, found) == span
    failed = run("--config", path, prefix=("setsid", "-w"))
    assert failed.status == 1
    where = f"{path}:{found['line']}:{found['column']}: error[{code}]: {found['message']}"
    at = failed.err.lines.index(where)
    assert failed.err.lines[at + 1].split(" | ")[1] == path.read_text().splitlines()[found["line"] - 1]
    assert failed.err.lines[at + 2].count("^") == len(span)
    assert failed.err.text.count("error[") == 1
    assert "Traceback" not in failed.err.text


WITHOUT = ("setpriv", "--bounding-set", "-chown,-net_bind_service")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do without a capability")
@pytest.mark.parametrize(
    ("listener", "code", "span"),
    [
        ('address = "127.0.0.1"\nport = 7\n', "ASG810", '"127.0.0.1"'),
        ('unix = "s"\nowner = "daemon"\n', "ASG819", '"s"'),
        ('unix = "s"\ngroup = "daemon"\n', "ASG819", '"s"'),
    ],
)
def test_what_needs_a_privilege_is_told_by_lint_and_start_alike(linted, run, file, listener, code, span):
    if code == "ASG810" and int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 7:
        pytest.skip("this host lets everybody have port 7")
    path = file(HEAD + "[listeners.main]\n" + listener)
    (found,) = linted(path, prefix=WITHOUT)
    assert (found["code"], underlined(path, found)) == (code, span)
    failed = run("--config", path, prefix=WITHOUT)
    assert failed.status == 1
    assert f"{path}:{found['line']}:{found['column']}: error[{code}]: {found['message']}" in failed.err.lines
    assert failed.err.text.count("error[") == 1
    assert linted(file(HEAD + LISTENER), status=0, prefix=WITHOUT) == []


@pytest.mark.parametrize(
    ("table", "code"), [("[log]\naccess", "ASG908"), ("[daemon]\npid_file", "ASG907")], ids=["log", "pid"]
)
def test_a_name_longer_than_a_file_may_have_is_an_error(linted, run, file, table, code):
    path = file(HEAD + LISTENER + f'{table} = "{"x" * 256}"\n')
    (found,) = linted(path)
    assert (found["code"], found["line"]) == (code, 7)
    assert "File name too long" in found["message"]
    failed = run("--config", path)
    assert failed.status == 1
    assert failed.err.text.count(f"error[{code}]") == 1


def test_a_pipe_that_the_start_may_find_without_a_reader_is_an_info(linted, run, file):
    path = file(HEAD + LISTENER + '[log]\naccess = "pipe"\n')
    (found,) = linted(path, status=0)
    assert (found["code"], found["severity"], underlined(path, found)) == ("ASG908", "info", '"pipe"')
    failed = run("--config", path)
    assert failed.status == 1
    assert failed.err.text.count("error[ASG908]") == 1
    assert "info[" not in failed.err.text


def test_an_application_that_does_not_start_is_told_at_its_target(run, file, tmp_path):
    path = file(HEAD + 'lifespan = "on"\n' + LISTENER)
    failed = run("--config", path)
    assert failed.status == 1
    assert f"{path}:2:10: error[ASG902]: " in failed.err.text
    assert failed.err.text.count("error[") == 1


def test_a_missing_attribute_is_found_without_a_server(linted, file):
    path = file(HEAD.replace("stub:application", "stub:aplication") + LISTENER)
    (found,) = linted(path)
    assert found["code"] == "ASG901"
    assert underlined(path, found) == '"stub:aplication"'
    assert "application" in found["help"]


def test_an_environment_that_cannot_be_had_does_not_hide_the_rest_from_a_start(run, file):
    path = file(HEAD + 'virtualenv = "gone"\n[listeners.main]\naddress = "198.18.0.1"\nport = 1\n')
    failed = run("--config", path)
    assert failed.status == 1
    assert re.findall(r"error\[(ASG\d+)\]", failed.err.text) == ["ASG905", "ASG801"]


LOW = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (LISTENER + "[limits]\nconnections = 300\n", "300"),
        (LISTENER + "[listeners.main.limits]\nconnections = 300\n[limits]\nconnections = 5\n", "300"),
        (LISTENER, "[listeners.main]"),
        (LISTENER + '[listeners.b]\nunix = "s"\n', "[listeners.main]"),
    ],
)
def test_more_connections_than_files_may_be_open_are_a_warning_once(linted, file, text, span):
    path = file(HEAD + text)
    (found,) = linted(path, status=0, prefix=LOW)
    assert (found["code"], found["severity"]) == ("ASG817", "warning")
    assert "256" in found["message"]
    assert underlined(path, found) == span


@pytest.mark.parametrize("connections", [0, 100, 256])
def test_connections_within_the_limit_or_without_one_are_no_finding(linted, file, connections):
    assert (
        linted(file(HEAD + LISTENER + f"[limits]\nconnections = {connections}\n"), status=0, prefix=LOW) == []
    )


@pytest.fixture
def somaxconn():
    return int(Path("/proc/sys/net/core/somaxconn").read_text())


def test_a_backlog_that_the_kernel_cuts_is_a_warning_at_the_backlog(linted, file, somaxconn):
    more = somaxconn + 1
    path = file(
        HEAD
        + LISTENER
        + f'backlog = {more}\n[listeners.b]\nendpoint = "tcp:0:interface=127.0.0.1:backlog={more}"\n'
        + f'[listeners.c]\nunix = "s"\nbacklog = {somaxconn}\n'
    )
    found = linted(path, status=0)
    assert [(each["code"], each["severity"], each["line"]) for each in found] == [
        ("ASG820", "warning", 6),
        ("ASG820", "warning", 8),
    ]
    assert underlined(path, found[0]) == str(more)


def test_a_service_that_runs_is_not_in_its_own_way(serve, run, start, tmp_path):
    text = '[listeners.local]\nunix = "probe.sock"\n[listeners.main]\naddress = "127.0.0.1"\nport = {port}\n'
    from support.files import free_port

    port = free_port()
    serve(text.format(port=port))
    checked = run("lint", "--live", tmp_path / "listeners.toml")
    assert (checked.status, checked.out.text) == (0, "")
    copy = write(tmp_path / "other.toml", (tmp_path / "listeners.toml").read_text())
    other = run("lint", "--live", copy)
    assert other.status == 1
    assert re.findall(r"error\[(ASG\d+)\]", other.out.text) == ["ASG806", "ASG804"]
    assert run("--config", tmp_path / "listeners.toml").status == 1, "a second one does not start"


def test_a_warning_of_a_listener_that_fails_when_it_is_opened_has_its_line_too(serve):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        server = serve(
            f'[listeners.a]\naddress = "127.0.0.1"\nport = {port}\nrequired = false\n'
            '[listeners.b]\naddress = "127.0.0.1"\nport = 0\n'
        )
    at = next(i for i, line in enumerate(server.err.lines) if "warning[ASG804]" in line)
    assert server.err.lines[at + 1].endswith('| address = "127.0.0.1"')
    assert server.err.text.count("ASG804") == 1


def test_a_conflict_that_only_the_host_tells_of_is_at_the_key_and_names_the_earlier_line(
    file, linted, tmp_path
):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    path = file(HEAD + '[listeners.a]\nunix = "s"\n\n[listeners.b]\nmode = "0600"\nunix = "link/s"\n')
    (found,) = linted(path)
    assert (found["code"], found["line"], underlined(path, found)) == ("ASG213", 8, "unix")
    assert "(line 4)" in found["message"]
