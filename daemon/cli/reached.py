"""The sockets of an endpoint, as ``asgid show`` tells of them: their options, and who can reach them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from asgid.config import endpoints, writing
from asgid.config.addresses import Reach, reach
from asgid.config.endpoints import parse, view
from asgid.config.sockets import TcpClaim, claim, reach_of
from asgid.daemon.net import LinuxHost, plans
from asgid.daemon.net.sockets import TcpSocket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgid.config.spec import EndpointSpec

UNKNOWN: Final = "unknown"
_WHO: Final = {
    Reach.LOOPBACK: "this host alone",
    Reach.PRIVATE: "its own network, and private ones that are routed here",
    Reach.PUBLIC: "anybody",
}
_ELSEWHERE: Final = "the socket is opened elsewhere, and passed"


@dataclass(frozen=True, slots=True)
class Shown:
    """One socket. ``reach`` is loopback, private, public or unknown, and ``who`` says it in words."""

    name: str
    options: tuple[str, ...]
    reach: str
    who: str


def shown(spec: EndpointSpec) -> list[Shown]:
    """Return the sockets that an endpoint becomes on this host."""
    parsed = parse(spec.text)
    wanted = view(parsed)
    match wanted:
        case endpoints.Tcp() | endpoints.AsgidTcp():
            found = plans.tcp_sockets(wanted, ipv6_only=spec.ipv6_only)
            return [_tcp(each, wanted.backlog) for each in found]
        case endpoints.AsgidUnix(path, mode, owner, group, backlog):
            whose = [f"{name} {each}" for name, each in (("owner", owner), ("group", group)) if each]
            return [_unix(path, mode, whose, backlog)]
        case endpoints.Unix(path, mode, backlog):
            return [_unix(path, mode, [], backlog)]
        case endpoints.AsgidSystemd(name, passed):
            return [Shown(f"systemd socket {name}", (_backlog(passed),), UNKNOWN, _ELSEWHERE)]
        case endpoints.Fd(fileno, passed):
            return [Shown(f"descriptor {fileno}", (_backlog(passed),), UNKNOWN, _ELSEWHERE)]
        case _:
            return [_foreign(parsed.kind, spec.text)]


def reach_of_all(sockets: Iterable[Shown]) -> str:
    """Return the widest reach; unknown where one is, and none is public."""
    found = {each.reach for each in sockets}
    return next((each for each in ("public", UNKNOWN, "private", "loopback") if each in found), UNKNOWN)


def _tcp(socket: TcpSocket, backlog: int) -> Shown:
    options = (*socket.options, f"backlog {backlog}")
    try:
        address = ip_address(socket.interface or "0.0.0.0")
    except ValueError:
        return Shown(str(socket), options, UNKNOWN, "a host's name, looked up at start")
    how_far = reach(address)
    who = _WHO[how_far]
    if address.is_unspecified:
        who = f"anybody who reaches this host at {_all(address.version)}"
    if socket.device:
        who += f", by the interface {socket.device}"
    return Shown(str(socket), options, how_far.name.lower(), who)


def _all(version: int) -> str:
    """Return this host's addresses of a version; loopback ones where there are no others."""
    found = [each for all_ in LinuxHost().interfaces().values() for each in all_ if each.version == version]
    outside = [each for each in found if not each.is_loopback]
    return _either(list(map(str, outside or found))) or "its addresses, of which it has none now"


def _unix(path: str, mode: int, whose: list[str], backlog: int) -> Shown:
    options = (f"mode {writing.mode(mode)}", *whose, f"backlog {backlog}")
    classes = {0o200: "its owner", 0o020: "its group"}  # who connects has to be able to write: unix(7)
    who = "everybody on this host"
    if not mode & 0o002:
        who = f"on this host {_either([*(name for bit, name in classes.items() if mode & bit), 'root'])}"
    return Shown(f"unix:{path}", options, "loopback", who)


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _backlog(passed: int | None) -> str:
    return "backlog as it was passed" if passed is None else f"backlog {passed}"


def _foreign(kind: str, text: str) -> Shown:
    claimed = claim(parse(text))
    how_far = reach_of(claimed)
    options = (f"what Twisted's {kind}: sets",)
    if claimed is None or how_far is None:
        return Shown(text, options, UNKNOWN, f"{kind}: is a plugin's, and its string does not tell")
    name = (
        str(TcpSocket(str(claimed.address), claimed.port)) if isinstance(claimed, TcpClaim) else str(claimed)
    )
    return Shown(name, options, how_far.name.lower(), _WHO[how_far])
