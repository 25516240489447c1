"""Every flag, once: its names, its meaning, its default, and the key of the file that says the same.

Daphne's flags keep their names, meanings and defaults (the server's name aside). An absent flag leaves
nothing behind, so that a flag that was given can be told from a default.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_PATTERN: Final = "%(asctime)-15s %(levelname)-8s %(message)s"
_MOST_DIGITS: Final = 20
TRUSTED_BY_DEFAULT: Final = ("127.0.0.0/8", "::1/128", "unix")


def port(text: str) -> int:
    """Read a TCP port, 0 to 65535; 0 asks the system for one."""
    if not _is_digits(text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: a port is 0 to 65535")
    return int(text)


def number(text: str) -> int:
    """Read a whole number that is not negative."""
    if not _is_digits(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0")
    return int(text)


def _is_digits(text: str) -> bool:
    """Tell whether ``text`` is ASCII digits alone, and few enough: ``int`` takes more than a file does."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def seconds(text: str) -> float:
    """Read seconds, a fraction allowed."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return int(value) if value.is_integer() else value


def seconds_or_none(text: str) -> float:
    """Read seconds, or -1 for no limit."""
    return -1 if text == "-1" else seconds(text)


def names(text: str) -> list[str]:
    """Read words between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. ``key``, dotted, is where the file says the same."""

    names: tuple[str, ...]
    key: str
    help: str
    default: Any = None
    read: Callable[[str], Any] | None = None
    metavar: str | None = None
    action: str = "store"
    const: Any = None
    choices: tuple[Any, ...] = ()

    @property
    def dest(self) -> str:
        """The name that the parsed value gets."""
        return "server_name" if self.const == "" else self.names[-1].lstrip("-").replace("-", "_")


_V = "the application"
_NAME = "listeners.NAME"
LISTENING: Final = (
    Flag(("-b", "--bind"), f"{_NAME}.address", "the address to listen on (127.0.0.1)", metavar="ADDRESS"),
    Flag(("-p", "--port"), f"{_NAME}.port", "the port to listen on (8000)", read=port),
    Flag(("-u", "--unix-socket"), f"{_NAME}.unix", "a unix socket to listen on, mode 0666", metavar="PATH"),
    Flag(("--fd",), f"{_NAME}.fd", "an inherited descriptor to listen on", read=number, metavar="NUMBER"),
    Flag(
        ("-e", "--endpoint"), f"{_NAME}.endpoint",
        "a Twisted endpoint string to listen on; repeatable", action="append", metavar="STRING",
    ),
)  # fmt: skip
SERVING: Final = (
    Flag(
        ("--websocket_timeout",), "websocket.lifetime",
        "a WebSocket's longest life in seconds; -1: none (86400)", 86400, seconds_or_none, "SECONDS",
    ),
    Flag(
        ("--websocket_connect_timeout",), "websocket.connect_timeout",
        f"how long {_V} may take to accept or refuse a WebSocket, in seconds; -1: no limit (5)",
        5, seconds_or_none, "SECONDS",
    ),
    Flag(
        ("-v", "--verbosity"), "log.level",
        "0: warnings, 1: what happens, 2: debugging, 3: asyncio's debug mode too (1)",
        1, int, "LEVEL", choices=(0, 1, 2, 3),
    ),
    Flag(
        ("-t", "--http-timeout"), "timeouts.application",
        f"answer 503 when {_V} has not begun to answer after these seconds (no limit)", 0, seconds, "SECONDS",
    ),
    Flag(
        ("--access-log",), "log.access",
        "append the access log to this file; -: standard output (which is the default, unless -v is 0)",
        metavar="FILE",
    ),
    Flag(
        ("--log-fmt",), "log.pattern", "the pattern of a log line, as Python's logging has it", LOG_PATTERN,
        metavar="PATTERN",
    ),
    Flag(
        ("--ping-interval",), "websocket.ping_interval",
        "seconds between two pings on an idle WebSocket; 0: none (20)", 20, seconds, "SECONDS",
    ),
    Flag(
        ("--ping-timeout",), "websocket.ping_timeout",
        "seconds after which a WebSocket that does not answer a ping is closed; 0: never (30)",
        30, seconds, "SECONDS",
    ),
    Flag(
        ("--websocket-max-message-size",), "websocket.message_size",
        "the longest WebSocket message taken, in bytes; 0: no limit (1048576)", 1024 * 1024, number, "BYTES",
    ),
    Flag(
        ("--websocket-max-frame-size",), "websocket.frame_size",
        "the longest WebSocket frame taken, in bytes; 0: no limit (1048576)", 1024 * 1024, number, "BYTES",
    ),
    Flag(
        ("--application-close-timeout",), "timeouts.application_close",
        f"seconds that {_V} may still run after its client has gone (10)", 10, seconds, "SECONDS",
    ),
    Flag(("--root-path",), "application.root_path", "the scope's root_path", "", metavar="PATH"),
    Flag(
        ("--proxy-headers",), "proxy.forwarded",
        "take the client and the scheme from X-Forwarded-For, -Port and -Proto of a trusted peer",
        action="store_true",
    ),
    Flag(
        ("--proxy-headers-host",), "proxy.host_header",
        "the header with the client's address (X-Forwarded-For); needs --proxy-headers",
        "X-Forwarded-For", metavar="HEADER",
    ),
    Flag(
        ("--proxy-headers-port",), "proxy.port_header",
        "the header with the client's port (X-Forwarded-Port); needs --proxy-headers",
        "X-Forwarded-Port", metavar="HEADER",
    ),
    Flag(
        ("--trusted",), "proxy.trusted",
        "the networks whose forwarded headers are taken, between commas, and unix for unix sockets "
        "(loopback and unix); needs --proxy-headers",
        list(TRUSTED_BY_DEFAULT), names, "CIDR,...",
    ),
    Flag(
        ("-s", "--server-name"), "daemon.server_header", "the Server header (asgid)", "asgid",
        metavar="NAME",
    ),
    Flag(
        ("--no-server-name",), "daemon.server_header", "send no Server header", action="store_const",
        const="",
    ),
)  # fmt: skip
NEWER: Final = (
    Flag(
        ("--app-dir",), "application.directory", f"the directory that {_V} is in (the current one)",
        metavar="DIRECTORY",
    ),
    Flag(
        ("--factory",), "application.factory", f"the target is a callable that returns {_V}", False,
        action="store_true",
    ),
    Flag(
        ("--lifespan",), "application.lifespan", "the lifespan protocol: auto, on or off (auto)", "auto",
        choices=("auto", "on", "off"),
    ),
    Flag(
        ("--drain",), "timeouts.drain", "seconds that requests may take to finish at a stop (30)",
        30, seconds, "SECONDS",
    ),
    Flag(("--pid-file",), "daemon.pid_file", "write the process's id to this file", metavar="FILE"),
)  # fmt: skip
GROUPS: Final = (
    ("where to listen (127.0.0.1:8000 where nothing is said; all of these add up)", LISTENING),
    ("how to serve", SERVING),
    ("what Daphne does not have", NEWER),
)
FLAGS: Final = tuple(flag for _, flags in GROUPS for flag in flags)
