"""Makes of a command line the values that the file would hold, with Daphne's rules.

Host and port make one stock ``tcp:`` string; every way to listen that is named adds one listener; only where
none is named it is 127.0.0.1:8000.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from asgid.config import Place
from asgid.config.endpoint_grammar import quote
from asgid.daemon.cli.flags import FLAGS
from asgid.daemon.cli.parsing import flag_of
from asgid.daemon.cli.status import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST: Final = "127.0.0.1"
PORT: Final = 8000
_LEVELS: Final = ("warning", "info", "debug", "debug")
_AT_ONCE_S: Final = 0.001  # what Daphne's 0 means where the file's 0 means no limit
_PLAIN: Final = (
    "http_timeout", "log_fmt", "ping_interval", "ping_timeout", "websocket_max_message_size",
    "websocket_max_frame_size", "root_path", "server_name", "factory", "lifespan", "drain",
)  # fmt: skip
_ZERO_IS_AT_ONCE: Final = ("websocket_timeout", "websocket_connect_timeout", "application_close_timeout")
_PROXY: Final = ("proxy_headers_host", "proxy_headers_port", "trusted")


class Values:
    """The nested values of a file, built key by key, with the place on the command line of each."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.places: dict[str, Place] = {}

    def put(self, key: str, value: Any, said: str = "") -> None:
        """Set a dotted ``key``; ``said`` is the part of the command line that says it."""
        *tables, last = key.split(".")
        table = self.tree
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = value
        if said:
            self.places[key] = Place(f"command line: {said}")


def values_of(given: Mapping[str, Any], application: str) -> Values:
    """Return the values for an ``application`` and the flags that were ``given``, by their ``dest``.

    Raises :class:`UsageError` for flags that contradict each other.
    """
    values = Values()
    values.put("application.target", application, application)
    if "app_dir" in given:
        values.put("application.directory", given["app_dir"], "--app-dir")
    _listeners(values, given)
    _serving(values, given)
    _proxy(values, given)
    return values


def listening_flags(given: Mapping[str, Any]) -> list[str]:
    """Return the flags, as they are written, that were given."""
    return [flag.names[-1] for flag in FLAGS if flag.dest in given]


def _listeners(values: Values, given: Mapping[str, Any]) -> None:
    host, number = given.get("bind") or "", given.get("port")
    unix, descriptor, strings = given.get("unix_socket"), given.get("fd"), given.get("endpoint", [])
    if host or number is not None:
        text = tcp_string(host or HOST, PORT if number is None else number)
        values.put("listeners.bind.endpoint", text, "-b" if host else "-p")
    elif unix is None and descriptor is None and not strings:
        values.put("listeners.bind.endpoint", tcp_string(HOST, PORT), application_default())
    if unix is not None:
        values.put("listeners.unix.unix", unix, "-u")
        values.put("listeners.unix.mode", "0666")
    if descriptor is not None:
        values.put("listeners.fd.fd", descriptor, "--fd")
    for count, text in enumerate(strings, 1):
        said = "-e" if len(strings) == 1 else f"-e {count}"
        values.put(f"listeners.endpoint-{count}.endpoint", text, said)


def application_default() -> str:
    """Return what a diagnostic calls the listener that nobody asked for."""
    return "the default of -b and -p"


def tcp_string(host: str, number: int) -> str:
    """Return the stock endpoint string. Raises :class:`UsageError` for a host that has a port in it."""
    bare = host.strip("[]")
    if ":" in bare:
        try:
            ipaddress.IPv6Address(bare)
        except ValueError:
            name, _, tail = bare.rpartition(":")
            hint = f"-b {name.strip('[]')} -p {tail}" if tail.isdecimal() else "write -b ADDRESS -p PORT"
            raise UsageError(f"-b {host} is no address", hint) from None
    return f"tcp:port={number}:interface={quote(bare)}"


def _serving(values: Values, given: Mapping[str, Any]) -> None:
    for dest in _PLAIN:
        flag = flag_of(dest)
        if dest in given or flag.default is not None:
            values.put(flag.key, given.get(dest, flag.default), flag.names[-1] if dest in given else "")
    for dest in _ZERO_IS_AT_ONCE:
        flag = flag_of(dest)
        said = given.get(dest, flag.default)
        meant = 0 if said < 0 else said or _AT_ONCE_S
        values.put(flag.key, meant, flag.names[-1] if dest in given else "")
    verbosity = given.get("verbosity", 1)
    values.put("log.level", _LEVELS[verbosity], "-v")
    access = given.get("access_log")
    values.put("log.access", access or ("-" if verbosity >= 1 else ""), "--access-log" if access else "")
    if "pid_file" in given:
        values.put("daemon.pid_file", given["pid_file"], "--pid-file")


def _proxy(values: Values, given: Mapping[str, Any]) -> None:
    if "proxy_headers" not in given:
        for dest in _PROXY:
            if dest in given:
                raise UsageError(f"{flag_of(dest).names[-1]} needs --proxy-headers", "add --proxy-headers")
        return
    values.put("proxy.forwarded", "x-forwarded", "--proxy-headers")
    for dest in _PROXY:
        flag = flag_of(dest)
        said = given.get(dest, flag.default)
        if dest != "trusted":  # an empty list of the trusted is a mistake, and no way to ask for the default
            said = said or flag.default
        values.put(flag.key, said, flag.names[-1])
