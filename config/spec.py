"""What the daemon runs from: frozen values, resolved from a configuration by :func:`asgid.config.plan`.

Past this point there are no strings left to interpret and no ``None`` that means "the default". Units are
in the names: ``_s`` is seconds (float), ``_bytes`` is bytes (int). Zero means no limit, except where a
field says otherwise. They are named tuples: making a dataclass costs a start four times as much.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from asgid.config.places import NOWHERE, EndpointSpec, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from asgid.config.diagnostics import Diagnostic

__all__ = [
    "NOWHERE",
    "ApplicationSpec",
    "DaemonSpec",
    "EndpointSpec",
    "Headers",
    "Limits",
    "ListenerSpec",
    "LogSpec",
    "Place",
    "Plan",
    "Proxy",
    "Timeouts",
    "WebSocketOptions",
]

Headers = tuple[tuple[bytes, bytes], ...]


class Limits(NamedTuple):
    """``[limits]``: what one listener lets a client do."""

    connections: int = 10_000
    request_line_bytes: int = 8 * 1024
    header_bytes: int = 32 * 1024
    header_count: int = 128
    body_bytes: int = 100_000_000
    concurrency: int = 0


class Timeouts(NamedTuple):
    """``[timeouts]``, in seconds; zero ``drain_s`` cuts at once, ``keep_alive_s`` after each response."""

    request_head_s: float = 10.0
    request_body_s: float = 60.0
    keep_alive_s: float = 15.0
    response_write_s: float = 60.0
    application_s: float = 0.0
    application_close_s: float = 10.0
    tls_handshake_s: float = 10.0
    drain_s: float = 30.0


class WebSocketOptions(NamedTuple):
    """``[websocket]``; ``ping_interval_s`` zero sends no pings, ``queue`` is at least 1."""

    origins: tuple[str, ...] = ()  # in their normal form, and "self"; empty: any
    message_bytes: int = 1024 * 1024
    frame_bytes: int = 1024 * 1024
    queue: int = 32
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    connect_s: float = 5.0
    lifetime_s: float = 0.0
    compression: bool = True
    compression_threshold_bytes: int = 1024


class Proxy(NamedTuple):
    """``[proxy]``: whose word is taken. ``trusted`` holds CIDR networks as text, and ``unix``."""

    protocol: Literal["none", "v1", "v2", "any"] = "none"
    trusted: tuple[str, ...] = ()
    forwarded: Literal["none", "x-forwarded", "rfc7239"] = "none"
    host_header: bytes = b"x-forwarded-for"  # lower-cased
    port_header: bytes = b"x-forwarded-port"  # lower-cased
    rewrites: bool = True  # X-Forwarded-Host and -Prefix are taken; Daphne's flags know nothing of them


class ListenerSpec(NamedTuple):
    """One named listener: its endpoint strings and everything a connection on it needs to know.

    ``problems`` is not empty where the host cannot serve it now (an interface that is not there, say); its
    ``endpoints`` are then those that could be resolved, and ``missing`` names the others.
    """

    name: str
    kind: Literal["address", "interface", "unix", "systemd", "fd", "endpoint"]
    place: Place
    endpoints: tuple[EndpointSpec, ...]
    required: bool = True
    root_path: str = ""
    headers: Headers = ()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    websocket: WebSocketOptions = WebSocketOptions()
    proxy: Proxy = Proxy()
    problems: tuple[Diagnostic, ...] = ()
    missing: tuple[str, ...] = ()


class ApplicationSpec(NamedTuple):
    """``[application]``. ``environment`` is the environment file's and the table's, the table's winning."""

    target: str
    place: Place
    directory: Path | None = None  # absolute; None (a command line): the current directory
    virtualenv: Path | None = None
    factory: bool = False
    lifespan: Literal["auto", "on", "off"] = "auto"
    environment: Mapping[str, str] = MappingProxyType({})
    directory_place: Place = NOWHERE
    virtualenv_place: Place = NOWHERE


class DaemonSpec(NamedTuple):
    """``[daemon]``; ``umask`` None leaves the process's own; paths are absolute."""

    workers: int = 1
    umask: int | None = None
    pid_file: Path | None = None
    server_header: bytes = b"asgid"  # empty: none
    date_header: bool = True
    pid_file_place: Place = NOWHERE


class LogSpec(NamedTuple):
    """``[log]``; ``access`` is "-" (standard output), "" (none) or an absolute path."""

    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    format: Literal["text", "json"] = "text"
    pattern: str = ""
    access: str = "-"
    access_format: Literal["combined", "json"] = "combined"
    access_place: Place = NOWHERE


class Plan(NamedTuple):
    """Everything a daemon needs to run. ``diagnostics`` are findings about this host made while planning."""

    application: ApplicationSpec
    listeners: tuple[ListenerSpec, ...]
    daemon: DaemonSpec = DaemonSpec()
    log: LogSpec = LogSpec()
    diagnostics: tuple[Diagnostic, ...] = ()
