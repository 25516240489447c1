"""The access log: what a line says, that nobody can forge one, and when lines reach the file."""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.daemon.observe.access import FLUSH_BYTES, FLUSH_S, AccessLog, combined, timestamp
from asgid.daemon.observe.outlet import HELD_BYTES
from asgid.daemon.seam import Finished, Peer, RequestHead

WHEN = "10/Oct/2000:13:55:36 -0700"
LINE = re.compile(
    r'(?P<client>\S+) - - \[(?P<when>[^\]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-) '
    r"(?P<size>\d+|-) "
    r'"(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
)


def finished(
    target=b"/", headers=(), *, client=("192.0.2.1", 5), status=200, size=5, method="GET", version="1.1"
):
    head = RequestHead(method, target, version, list(headers), Peer(client, None, "http"))
    return Finished("main", head, status, size, 0.1, cut=False)


class Timer:
    def __init__(self):
        self.calls = []

    def __call__(self, seconds, call):
        self.calls.append((seconds, call))

    def fire(self):
        calls, self.calls = self.calls, []
        for _, call in calls:
            call()


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def log(tmp_path, timer):
    made = AccessLog(str(tmp_path / "access.log"), call_later=timer, clock=lambda: 0.0)
    yield made
    made.close()


def text(tmp_path):
    return (tmp_path / "access.log").read_text()


def test_a_line_is_apaches_combined_format():
    headers = [(b"host", b"x"), (b"referer", b"http://example.org/"), (b"user-agent", b"curl/8")]
    assert combined(finished(b"/a?b=c", headers), WHEN) == (
        f'192.0.2.1 - - [{WHEN}] "GET /a?b=c HTTP/1.1" 200 5 "http://example.org/" "curl/8"'
    )


def test_what_is_not_known_is_a_dash():
    assert (
        combined(finished(client=None, status=0, size=0), WHEN)
        == f'- - - [{WHEN}] "GET / HTTP/1.1" - - "-" "-"'
    )


@given(target=st.binary(), referer=st.binary(), agent=st.binary())
def test_whatever_a_client_sends_is_one_line_of_printable_ascii_with_its_fields_in_place(
    target, referer, agent
):
    headers = [(b"referer", referer), (b"user-agent", agent)]
    line = combined(finished(target, headers), WHEN)
    assert line.isascii()
    assert line.isprintable()
    found = LINE.fullmatch(line)
    assert found
    assert found["when"] == WHEN
    assert found["status"] == "200"


@given(st.binary())
def test_what_is_escaped_can_be_told_back(target):
    request = LINE.fullmatch(combined(finished(target), WHEN))["request"]
    shown = request.removeprefix("GET ").removesuffix(" HTTP/1.1")
    names = {"n": "\n", "r": "\r", "t": "\t"}
    back = re.sub(
        r"\\(x(..)|.)", lambda hit: chr(int(hit[2], 16)) if hit[2] else names.get(hit[1], hit[1]), shown
    )
    assert back.encode("latin-1") == target


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC0", "01/Jan/1970:00:00:00 +0000"),
        ("XYZ-5:30", "01/Jan/1970:05:30:00 +0530"),
        ("ABC3:30", "31/Dec/1969:20:30:00 -0330"),
    ],
)
def test_the_time_is_local_with_its_offset(monkeypatch, zone, shown):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert timestamp(0) == shown
    finally:
        monkeypatch.undo()
        time.tzset()


def test_lines_wait_for_one_timer_and_are_written_together(tmp_path, log, timer):
    for number in range(3):
        log(finished(b"/%d" % number))
    assert text(tmp_path) == ""
    assert [seconds for seconds, _ in timer.calls] == [FLUSH_S]
    timer.fire()
    assert [LINE.fullmatch(line)["request"] for line in text(tmp_path).splitlines()] == [
        f"GET /{number} HTTP/1.1" for number in range(3)
    ]
    log(finished())
    assert len(timer.calls) == 1


def test_many_lines_do_not_wait(tmp_path, log, timer):
    for _ in range(FLUSH_BYTES // 100):
        log(finished())
    assert text(tmp_path).count("\n") > 100
    assert len(timer.calls) == 1


def test_closing_writes_what_is_held(tmp_path, timer):
    log = AccessLog(str(tmp_path / "access.log"), call_later=timer)
    log(finished())
    log.close()
    assert LINE.fullmatch(text(tmp_path).removesuffix("\n"))


def test_reopening_follows_a_rotation_and_loses_no_line(tmp_path, log):
    log(finished(b"/before"))
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    log.reopen()
    log(finished(b"/after"))
    log.flush()
    assert "/before" in (tmp_path / "access.log.1").read_text()
    assert "/after" in text(tmp_path)


def test_where_the_file_cannot_be_reopened_the_old_one_stays_and_it_is_said(tmp_path, log, caplog):
    moved = (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    (tmp_path / "access.log").mkdir()
    log.reopen()
    log(finished(b"/after"))
    log.flush()
    assert "/after" in moved.read_text()
    assert "cannot be reopened" in caplog.text


def test_reopening_does_not_leak_descriptors(log):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        log.reopen()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_disk_that_is_full_is_said_once_and_again_after_it_had_room(timer, caplog):
    log = AccessLog("/dev/full", call_later=timer)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            log(finished())
            log.flush()
    log.close()
    assert len(caplog.records) == 1
    assert "No space left" in caplog.text


def test_a_path_that_cannot_be_opened_is_an_oserror(tmp_path, timer):
    with pytest.raises(FileNotFoundError):
        AccessLog(str(tmp_path / "no" / "access.log"), call_later=timer)


def test_the_file_is_appended_to_and_not_for_everyone_to_read(tmp_path, timer):
    path = tmp_path / "access.log"
    first = AccessLog(str(path), call_later=timer)
    assert path.stat().st_mode & 0o007 == 0
    second = AccessLog(str(path), call_later=timer)
    for number, log in enumerate([first, second, first]):
        log(finished(b"/%d" % number))
        log.flush()
    first.close()
    second.close()
    assert [line.split()[6] for line in path.read_text().splitlines()] == ["/0", "/1", "/2"]


def test_standard_output_stays_open_when_the_log_closes(capfd, timer):
    log = AccessLog("-", call_later=timer)
    log(finished(b"/one"))
    log.reopen()
    log.close()
    os.write(1, b"still open\n")
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == ["192.0.2.1", "still"]


def test_a_named_pipe_that_nobody_reads_is_an_error_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):
        AccessLog(str(pipe), call_later=lambda *_: None)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(pipe), call_later=lambda *_: None)
    log.close()
    os.close(reader)


@pytest.fixture
def pipe():
    """A pipe whose reader reads when it is told to: (reader, path of the writing end)."""
    reader, writer = os.pipe()
    yield reader, f"/proc/self/fd/{writer}"
    os.close(reader)
    os.close(writer)


def drained(reader):
    """Everything that can be read of a pipe now."""
    os.set_blocking(reader, False)
    got = b""
    try:
        while data := os.read(reader, 65536):
            got += data
    except BlockingIOError:
        pass
    return got


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_loses_nothing_below_the_bound(pipe, timer):
    reader, path = pipe
    log = AccessLog(path, call_later=timer)
    for number in range(4000):  # about 250 KB: four pipes full
        log(finished(b"/%d" % number))
    got = drained(reader)
    assert 0 < len(got) <= 65536
    while timer.calls:
        timer.fire()
        got += drained(reader)
    assert [line.split()[6] for line in got.decode().splitlines()] == [f"/{n}" for n in range(4000)]
    log.close()


def test_what_is_beyond_the_bound_is_dropped_whole_and_counted_once(pipe, timer, caplog):
    reader, path = pipe
    log = AccessLog(path, call_later=timer)
    with caplog.at_level(logging.ERROR):
        for number in range(40_000):
            log(finished(b"/%d" % number))
        log.flush()
        assert [record.getMessage() for record in caplog.records] == [
            f"nobody reads the access log {path}: its lines are dropped"
        ]
        got = drained(reader)
        while timer.calls:
            timer.fire()
            got += drained(reader)
    seen = [int(line.split()[6][1:]) for line in got.decode().splitlines()]
    assert HELD_BYTES < len(got) < HELD_BYTES + 3 * 65536
    assert seen == sorted(set(seen))
    assert len(caplog.records) == 2
    assert caplog.records[1].getMessage() == f"the access log {path}: {40_000 - len(seen)} lines were dropped"
    log(finished(b"/after"))
    log.flush()
    assert drained(reader).split()[6] == b"/after"
    log.close()


def test_a_line_longer_than_a_page_goes_through_a_pipe(pipe, timer):
    reader, path = pipe
    log = AccessLog(path, call_later=timer)
    log(finished(b"/" + b"a" * 20_000))
    log(finished(b"/next"))
    log.flush()
    assert [len(line) > 20_000 for line in drained(reader).splitlines()] == [True, False]
    log.close()


def test_closing_gives_up_on_what_nobody_reads_and_says_how_much_that_was(pipe, timer, caplog):
    reader, path = pipe
    log = AccessLog(path, call_later=timer)
    for _ in range(4000):
        log(finished())
    log.close()
    lines = drained(reader).count(b"\n")
    assert caplog.records[-1].getMessage() == f"the access log {path}: {4000 - lines} lines were dropped"


def test_a_reader_that_has_gone_is_said_once(pipe, timer, caplog):
    reader, path = pipe
    log = AccessLog(path, call_later=timer)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, reader)
    os.close(null)
    for _ in range(3):
        log(finished())
        log.flush()
    log.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"the access log {path} cannot be written: [Errno 32] Broken pipe"
    ]
