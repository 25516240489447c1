"""The logs: one handler on the root logger, set up before the application is imported.

An application that configures logging itself has the last word. asgid's own loggers are below ``asgid``;
Twisted's and Autobahn's events come out as ``twisted`` with their own levels. Twisted is imported only by
what needs it: commands that open nothing set up logs too.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from asgid.daemon.observe import journal
from asgid.daemon.observe.escape import visible

if TYPE_CHECKING:
    import asyncio

    from asgid.config.spec import LogSpec

PATTERN: Final = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
JOURNAL_PATTERN: Final = "%(levelname)-8s %(name)s: %(message)s"  # the journal has the time
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_WHERE = ("task", "future", "handle", "transport", "protocol")
logger = logging.getLogger("asgid")


class LineFormatter(logging.Formatter):
    """Formats a record; a message of asgid's own stays on one line, whatever a client put into it."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line without its traceback."""
        if record.name.partition(".")[0] == "asgid":
            record.message = visible(record.message)
        return super().formatMessage(record)


class JournalFormatter(LineFormatter):
    """Formats a record for the journal: its priority at the head of each line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return journal.marked(super().format(record), journal.priority_of(record.levelno))


class StderrHandler(logging.StreamHandler[Any]):
    """Writes to whatever ``sys.stderr`` is at the time, which an application or a test may have replaced."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """The stream of the moment."""
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        """Refuse nothing and keep nothing: the stream is always ``sys.stderr``."""


def configure(spec: LogSpec) -> None:
    """Give the root logger its level and a handler on standard error, in place of an earlier call's."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrHandler)]:
        root.removeHandler(handler)
    handler = StderrHandler()
    if journal.is_read():
        handler.setFormatter(JournalFormatter(spec.pattern or JOURNAL_PATTERN))
    else:
        handler.setFormatter(LineFormatter(spec.pattern or PATTERN))
    root.addHandler(handler)
    root.setLevel(_LEVELS[spec.level])


def revive() -> None:
    """Let asgid's own loggers speak again.

    ``logging.config.dictConfig`` disables every logger that it does not name, unless it is told not to. An
    application that forgets to would silence the daemon it runs in.
    """
    for name, found in list(logging.Logger.manager.loggerDict.items()):
        if isinstance(found, logging.Logger) and name.partition(".")[0] in {"asgid", "twisted"}:
            found.disabled = False


def route_twisted() -> None:
    """Send Twisted's log events, and Autobahn's with them, to the standard library's logger ``twisted``."""
    from twisted.logger import ILogObserver, STDLibLogObserver, globalLogBeginner  # noqa: PLC0415 - see above

    observer = cast("ILogObserver", STDLibLogObserver("twisted"))
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)


def unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody handled on the event loop; the loop's exception handler."""
    error = context.get("exception")
    about = ", ".join(f"{key}: {context[key]!r}" for key in _WHERE if key in context)
    text = context.get("message") or "an exception was not handled"
    logger.error("%s%s", text, f" ({about})" if about else "", exc_info=error)


def flush() -> None:
    """Flush the root logger's handlers and both standard streams. Never raises: it runs at the very end."""
    for stream in (*logging.getLogger().handlers, sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, RuntimeError, AttributeError):  # closed, broken, or in use below
            continue
