"""What changes from one plan to another, by listener: what a reload would do, and what only a restart does.

Listeners are the same where they have the same name, and sockets where they take the same: how long a backlog
is, and whose a unix socket is, can be changed on a socket that is open. So a listener is *added*, *removed*,
*rebound* (some of its sockets go, or come), *retuned* (its sockets stay, what is said of it changes) or
*unchanged*.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from asgid.config import endpoints, writing
from asgid.config.addresses import with_port
from asgid.config.endpoints import parse, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asgid.config.spec import EndpointSpec, Headers, ListenerSpec, Plan

Kind = Literal["added", "removed", "rebound", "retuned", "unchanged"]

HIDDEN: Final = "(not shown)"
"""Stands for the value of an environment variable."""

_TABLES: Final = ("proxy", "limits", "timeouts", "websocket")
_NAMES: Final = {
    "header_bytes": "header_size",
    "body_bytes": "body_size",
    "message_bytes": "message_size",
    "frame_bytes": "frame_size",
    "connect_s": "connect_timeout",
}
"""The keys of a file whose names are not the plan's without its unit."""


@dataclass(frozen=True, slots=True)
class Change:
    """A key that changes, dotted (in its listener, where it is one's), and its values as a file writes them.

    Empty is a value that nothing is said of.
    """

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ListenerChange:
    """What happens to one listener: the sockets that are opened, closed and kept, and what else changes.

    The connections of the sockets that are closed end: they are drained as ``old`` says.
    """

    name: str
    kind: Kind
    old: ListenerSpec | None
    new: ListenerSpec | None
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """``listeners`` holds every one, those of the new plan in its order and then what is removed.

    ``restart`` are the changes that a process which runs cannot take over.
    """

    listeners: tuple[ListenerChange, ...]
    restart: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Tell whether nothing changes at all."""
        return not self.restart and all(each.kind == "unchanged" for each in self.listeners)


def difference(old: Plan, new: Plan) -> Difference:
    """Return what changes from ``old`` to ``new``. Both are of one host, at one moment."""
    before = {each.name: each for each in old.listeners}
    after = {each.name: each for each in new.listeners}
    changes = [_listener(name, before.get(name), each) for name, each in after.items()]
    changes += [_listener(name, each, None) for name, each in before.items() if name not in after]
    return Difference(tuple(changes), tuple(_restart(old, new)))


def _listener(name: str, old: ListenerSpec | None, new: ListenerSpec | None) -> ListenerChange:
    before, after = _sockets(old), _sockets(new)
    opened = tuple(each for each in after if each not in before)
    closed = tuple(each for each in before if each not in after)
    kept = tuple(each for each in after if each in before)
    if old is None:
        return ListenerChange(name, "added", old, new, opened)
    if new is None:
        return ListenerChange(name, "removed", old, new, (), closed)
    changes = [change for each in kept for change in _compared("", before[each], after[each])]
    changes = [*dict.fromkeys(changes), *_options(old, new)]
    kind: Kind = "rebound" if opened or closed else "retuned" if changes else "unchanged"
    return ListenerChange(name, kind, old, new, opened, closed, kept, tuple(changes))


def _sockets(listener: ListenerSpec | None) -> dict[str, dict[str, str]]:
    """Return each socket that a listener takes, by a name that is its own, and what can be changed of it."""
    if listener is None:
        return {}
    found: dict[str, dict[str, str]] = {each: {} for each in listener.missing}
    for each in listener.endpoints:
        found |= _opened_by(each)
    return found


def _opened_by(spec: EndpointSpec) -> dict[str, dict[str, str]]:
    seen = view(parse(spec.text))
    match seen:
        case endpoints.Tcp(port, interface, backlog):
            tuning = {"backlog": str(backlog), "freebind": "false"}
            address = _address(interface)
            found = {with_port(address, port): tuning}
            # asgid opens a stock string's IPv6 wildcard as a socket for each family.
            return found | (
                {with_port("0.0.0.0", port): tuning} if address == "::" and not spec.ipv6_only else {}
            )
        case endpoints.AsgidTcp(port, interface, backlog, device, freebind):
            by = f" by {device} alone" if device else ""
            tuning = {"backlog": str(backlog), "freebind": "true" if freebind else "false"}
            return {f"{with_port(_address(interface), port)}{by}": tuning}
        case endpoints.AsgidUnix(path, mode, owner, group, backlog):
            said = {"owner": _name(owner), "group": _name(group), "backlog": str(backlog)}
            return {f"unix:{path}": {"mode": f'"{writing.mode(mode)}"'} | said}
        case endpoints.Unix(path, mode, backlog):
            return {f"unix:{path}": {"mode": f'"{writing.mode(mode)}"', "backlog": str(backlog)}}
        case endpoints.AsgidSystemd(name, passed):
            return {f"systemd socket {name}": {"backlog": "" if passed is None else str(passed)}}
        case endpoints.Fd(fileno, passed):
            return {f"descriptor {fileno}": {"backlog": "" if passed is None else str(passed)}}
        case _:
            return {spec.text: {}}


def _name(account: str) -> str:
    return writing.string(account) if account else ""


def _address(interface: str) -> str:
    """Return an address as one text for each, and a host's name as it is."""
    try:
        return str(ip_address(interface)) if interface else "0.0.0.0"
    except ValueError:
        return interface


def _options(old: ListenerSpec, new: ListenerSpec) -> Iterator[Change]:
    """Yield what is said of a listener beside its sockets and changes."""
    yield from _compared(
        "", {"required": _written("", old.required)}, {"required": _written("", new.required)}
    )
    yield from _compared(
        "", {"root_path": _written("", old.root_path)}, {"root_path": _written("", new.root_path)}
    )
    yield from _compared("headers.", _headers(old.headers), _headers(new.headers))
    for table in _TABLES:
        yield from _compared(f"{table}.", _table(getattr(old, table)), _table(getattr(new, table)))


def _headers(headers: Headers) -> dict[str, str]:
    return {name.decode(): _written("", value) for name, value in headers}


def _restart(old: Plan, new: Plan) -> Iterator[Change]:
    for table in ("application", "daemon", "log"):
        yield from _compared(f"{table}.", _table(getattr(old, table)), _table(getattr(new, table)))
    before, after = old.application.environment, new.application.environment
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            shown = [HIDDEN if name in each else "" for each in (before, after)]
            yield Change(f"application.environment.{writing.key(name)}", *shown)


def _table(spec: Any) -> dict[str, str]:
    """Return a table of the plan by its keys in a file, without what only says where it stands there."""
    return {
        _NAMES.get(name, name.removesuffix("_bytes").removesuffix("_s")): _written(name, value)
        for name, value in spec._asdict().items()
        if name not in {"place", "environment", "rewrites"} and not name.endswith("_place")
    }


def _compared(prefix: str, old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if old.get(key, "") != new.get(key, ""):
            yield Change(f"{prefix}{key}", old.get(key, ""), new.get(key, ""))


def _written(name: str, value: Any) -> str:
    """Return a value of the plan as a file writes it; what is not there is empty."""
    if value is None or (name == "origins" and not value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(writing.string(each) for each in value)}]"
    if name.endswith("_s"):
        return f'"{writing.duration(value)}"'
    if name.endswith("_bytes"):
        return f'"{writing.size(value)}"'
    if name == "umask":
        return f'"{writing.mode(value)}"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return writing.string(value.decode())
    return writing.string(str(value) if isinstance(value, Path) else value)
