"""The journal: what systemd reads from standard error gets its priority from the head of each line.

systemd sets JOURNAL_STREAM to the device and inode of the journal's socket (systemd.exec(5)). A line that
begins with ``<N>`` has the priority N of syslog(3), unless the unit says ``SyslogLevelPrefix=no``
(sd-daemon(3)).
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

PRIORITIES: Final = {"error": 3, "warning": 4, "info": 6}
"""The priority of each severity of a finding."""


def is_read() -> bool:
    """Tell whether standard error goes to the journal."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def marked(text: str, priority: int) -> str:
    """Return ``text`` with the priority at the head of each line, for each becomes a record of its own."""
    return "".join(f"<{priority}>{line}" for line in text.splitlines(keepends=True))


def priority_of(level: int) -> int:
    """Return the priority of a record's level: DEBUG is 7, INFO 6, WARNING 4, ERROR 3, CRITICAL 2."""
    if level >= logging.ERROR:
        return 2 if level >= logging.CRITICAL else 3
    if level >= logging.INFO:
        return 4 if level >= logging.WARNING else 6
    return 7
