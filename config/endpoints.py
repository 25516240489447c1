r"""Endpoint strings: Twisted's grammar, read once into a frozen value, and written back.

The grammar is that of ``twisted.internet.endpoints.serverFromString``: arguments separated by ``:``, an
argument with ``=`` is a keyword, a backslash takes the next character as it is. What is read here means
what Twisted makes of it, with one addition: what Twisted accepts and cannot open (port 99999), answers with
a traceback (an unknown keyword, a trailing backslash) or takes silently (a keyword given twice) is an
:class:`EndpointSyntaxError` that says so and, where it can, shows the string as it should read.

>>> str(tcp(8005, "::1", 50))
'tcp:port=8005:interface=\\:\\:1:backlog=50'
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from asgid.config.endpoint_check import bind, checked
from asgid.config.endpoint_grammar import Endpoint, EndpointSyntaxError, quote

__all__ = [
    "AsgidSystemd",
    "AsgidTcp",
    "AsgidUnix",
    "Endpoint",
    "EndpointSyntaxError",
    "Fd",
    "Foreign",
    "Tcp",
    "Unix",
    "View",
    "asgid_systemd",
    "asgid_tcp",
    "asgid_unix",
    "bind",
    "fd",
    "parse",
    "quote",
    "tcp",
    "view",
]


@lru_cache(maxsize=4096)
def parse(text: str) -> Endpoint:
    """Read one endpoint string. Raises :class:`EndpointSyntaxError` for what cannot be opened anywhere.

    The arguments of the stock kinds and of asgid's own are checked; those of other kinds (Twisted's
    plugins) are left to their plugin. What was read is remembered, for every check asks for it.
    """
    return checked(text)


def tcp(port: int, interface: str, backlog: int) -> Endpoint:
    """Return Twisted's stock kind for one address; an empty ``interface`` is every IPv4 address."""
    return Endpoint("tcp", (), (("port", str(port)), ("interface", interface), ("backlog", str(backlog))))


def asgid_tcp(
    port: int, interface: str, backlog: int, *, device: str = "", freebind: bool = False
) -> Endpoint:
    """Return asgid's own kind for exactly one socket: IPv6 is IPV6_V6ONLY; ``device`` is SO_BINDTODEVICE."""
    kwargs = [("port", str(port)), ("interface", interface), ("backlog", str(backlog))]
    kwargs += [("device", device)] if device else []
    kwargs += [("freebind", "1")] if freebind else []
    return Endpoint("asgid-tcp", (), tuple(kwargs))


def asgid_unix(path: str, mode: int, backlog: int, *, owner: str = "", group: str = "") -> Endpoint:
    """Return asgid's own kind for a unix socket with permissions."""
    kwargs = [("path", path), ("mode", f"{mode:04o}")]
    kwargs += [("owner", owner)] if owner else []
    kwargs += [("group", group)] if group else []
    return Endpoint("asgid-unix", (), (*kwargs, ("backlog", str(backlog))))


def asgid_systemd(name: str, backlog: int | None = None) -> Endpoint:
    """Return asgid's own kind for every descriptor passed under ``name`` (sd_listen_fds(3))."""
    return Endpoint("asgid-systemd", (), (("name", name), *_backlog(backlog)))


def fd(fileno: int, backlog: int | None = None) -> Endpoint:
    """Return Daphne's kind for an inherited descriptor."""
    return Endpoint("fd", (), (("fileno", str(fileno)), *_backlog(backlog)))


def _backlog(backlog: int | None) -> tuple[tuple[str, str], ...]:
    return () if backlog is None else (("backlog", str(backlog)),)


class Tcp(NamedTuple):
    """Stock ``tcp:``. ``interface`` is an address, a host name, or empty for every IPv4 address."""

    port: int
    interface: str
    backlog: int


class AsgidTcp(NamedTuple):
    """``asgid-tcp:``, exactly one socket. ``interface`` is an address; ``device`` is empty for none."""

    port: int
    interface: str
    backlog: int
    device: str
    freebind: bool


class Unix(NamedTuple):
    """Stock ``unix:``; ``lockfile`` asks for Twisted's ``.lock`` beside the socket."""

    path: str
    mode: int
    backlog: int
    lockfile: bool


class AsgidUnix(NamedTuple):
    """``asgid-unix:``; an empty ``owner`` or ``group`` is left as it comes."""

    path: str
    mode: int
    owner: str
    group: str
    backlog: int


class AsgidSystemd(NamedTuple):
    """``asgid-systemd:``; ``backlog`` None leaves what the socket unit says."""

    name: str
    backlog: int | None


class Fd(NamedTuple):
    """``fd:``; ``backlog`` None leaves what the socket has."""

    fileno: int
    backlog: int | None


class Foreign(NamedTuple):
    """A kind that Twisted or one of its plugins opens, ``ssl:`` among them."""

    endpoint: Endpoint


View = Tcp | AsgidTcp | Unix | AsgidUnix | AsgidSystemd | Fd | Foreign


def view(endpoint: Endpoint) -> View:
    """Return what a parsed endpoint says, typed. Raises as :func:`parse` does."""
    bound = bind(endpoint)
    backlog = int(bound.get("backlog", "50"))
    match endpoint.kind:
        case "tcp":
            return Tcp(int(bound["port"]), bound.get("interface", ""), backlog)
        case "asgid-tcp":
            free = bound.get("freebind", "0") == "1"
            return AsgidTcp(int(bound["port"]), bound["interface"], backlog, bound.get("device", ""), free)
        case "unix":
            return Unix(
                bound["address"], int(bound.get("mode", "666"), 8), backlog, bound.get("lockfile", "1") != "0"
            )
        case "asgid-unix":
            mode = int(bound.get("mode", "660"), 8)
            return AsgidUnix(bound["path"], mode, bound.get("owner", ""), bound.get("group", ""), backlog)
        case "asgid-systemd":
            return AsgidSystemd(bound["name"], int(bound["backlog"]) if "backlog" in bound else None)
        case "fd":
            return Fd(int(bound["fileno"]), int(bound["backlog"]) if "backlog" in bound else None)
        case _:
            return Foreign(endpoint)
