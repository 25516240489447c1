"""The journal's priorities: at the head of each line, and only where standard error is the journal's."""

from __future__ import annotations

import logging
import os
import sys

import pytest

from asgid.daemon.observe import journal
from asgid.daemon.observe.logs import JOURNAL_PATTERN, JournalFormatter


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", 7), ("INFO", 6), ("WARNING", 4), ("ERROR", 3), ("CRITICAL", 2)],
)
def test_each_level_has_its_priority_of_syslog(level, priority):
    record = logging.LogRecord("asgid", getattr(logging, level), "", 1, "said", None, None)
    assert JournalFormatter(JOURNAL_PATTERN).format(record) == f"<{priority}>{level:8} asgid: said"


def test_each_line_of_a_traceback_has_it():
    try:
        int("one\ntwo")
    except ValueError:
        record = logging.LogRecord("site", logging.ERROR, "", 1, "it failed", None, sys.exc_info())
    lines = JournalFormatter(JOURNAL_PATTERN).format(record).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_what_a_client_wrote_cannot_forge_a_record():
    record = logging.LogRecord("asgid.http", logging.INFO, "", 1, "path %s", ("a\n<2>forged",), None)
    assert "\n" not in JournalFormatter(JOURNAL_PATTERN).format(record)


def test_standard_error_is_the_journals_by_device_and_inode(monkeypatch, tmp_path):
    with (tmp_path / "journal").open("w") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert journal.is_read()
        for other in (f"{found.st_dev}:{found.st_ino + 1}", f"{found.st_dev + 1}:{found.st_ino}", "", "1"):
            monkeypatch.setenv("JOURNAL_STREAM", other)
            assert not journal.is_read()
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    assert not journal.is_read()  # closed
