"""Exit statuses, and the error that is the command line's own."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FINDINGS: Final = (
    1  # errors (of lint --strict: warnings); at start: this host, or the application, can't do it now
)
USAGE: Final = 2  # wrong usage, or a lint of a file that can't be read
CONFIG: Final = 78  # EX_CONFIG of sysexits.h: the file is missing, unreadable or wrong; a restart won't help


class UsageError(Exception):
    """The command line is wrong. ``help`` says what to write instead."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - the field's name everywhere
        super().__init__(message)
        self.help = help
