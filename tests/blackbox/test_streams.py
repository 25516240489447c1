"""Standard streams that are closed, full, or read by nobody; and a Ctrl-C before there is a daemon."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.files import probe_file
from support.raw import Raw
from support.server import ASGID, PATIENCE_S, Server

BAD = '[application]\ntarget = "app"\n'


def ended(*command: object, **options: object) -> tuple[int, str]:
    """The status of a command in a shell, and all that it wrote to standard error."""
    done = subprocess.run(
        ["sh", "-c", *map(str, command)], stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False, **options
    )
    return done.returncode, done.stderr.decode()


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    return path


def unread() -> int:
    """The writing end of a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("command", ["lint", "endpoints", "--config"])
def test_a_reader_that_has_gone_does_not_change_the_status(bad, command):
    writer = unread()
    done = subprocess.run([ASGID, command, bad], stdout=writer, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == (78 if command == "--config" else 1)


def test_a_failed_import_is_status_1_where_nobody_reads_standard_error(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    writer = unread()
    done = subprocess.run([ASGID, "-p", "0", "broken:app"], cwd=tmp_path, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["lint bad.toml", "--version", "endpoints good.toml"])
def test_a_standard_output_that_is_full_is_told_in_one_line(bad, command):
    probe_file(bad.parent).rename(bad.parent / "good.toml")
    status, words = ended(f'exec "$0" {command} >/dev/full', ASGID, cwd=bad.parent)
    assert status == 1
    assert words == "asgid: standard output cannot be written: No space left on device\n"


def test_streams_that_are_closed_are_no_traceback(bad):
    assert ended('exec "$0" lint "$1" >&-', ASGID, bad) == (1, "")
    assert ended('exec "$0" --config "$1" <&- >&- 2>&-', ASGID, bad) == (78, "")


def test_a_daemon_without_standard_streams_keeps_their_numbers_free(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        number = inherited.fileno()
        path = probe_file(tmp_path, f"[listeners.main]\nfd = {number}\n")
        command = ["sh", "-c", 'exec "$0" --config "$1" <&- >&- 2>&-', ASGID, path]
        process = subprocess.Popen(command, pass_fds=[number])
        place = inherited.getsockname()
    try:
        with Raw(place) as client:  # the socket listens already: the answer comes once asgid serves
            assert client.get("/hello").status == 200
        links = [Path(f"/proc/{process.pid}/fd/{each}").readlink() for each in (0, 1, 2)]
        assert links == [Path(os.devnull)] * 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


INTERRUPTED = """
import signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "{module}":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("module", ["asgid.config", "pydantic", "twisted.internet.protocol", "uvloop"])
def test_a_ctrl_c_before_there_is_a_daemon_ends_it_without_a_traceback(start, tmp_path, module):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED.format(module=module))
    process = start("--config", probe_file(tmp_path), env={"PYTHONPATH": str(tmp_path)})
    assert process.wait() == 130
    assert process.err.text == ""


def test_a_standard_output_that_nobody_drains_does_not_hold_the_answers_up(tmp_path):
    reader, writer = os.pipe()
    path = probe_file(tmp_path, rest='[log]\naccess = "-"\n')
    server = Server([ASGID, "--config", path], cwd=tmp_path, stdout=writer)
    os.close(writer)
    try:
        server.wait_serving()
        with Raw(server.first.place) as client:
            for number in range(3000):  # two pipes full of lines
                assert client.get(f"/hello?{number}", "User-Agent: " + "a" * 20).status == 200
        assert server.stop() == 0
        assert "lines were dropped" in server.err.text
    finally:
        server.kill()
        os.close(reader)
