"""What would fail on this host now: every listener looked at, nothing kept, nothing changed.

No running service can notice. An address is asked of the kernel with a socket that gets no port. Whether a
port is free the table of sockets tells; only where it is in use already, in a way that the table leaves open
(by a connection, say), it is bound for a moment, with SO_REUSEADDR and without listening. Nothing is
connected to: who serves a unix socket the kernel's list of them tells. Foreign kinds are asked of Twisted,
whose import they need anyway.
"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes, endpoints
from asgid.config.diagnostics import Diagnostic, has_errors, where
from asgid.config.endpoints import Endpoint
from asgid.daemon.net import descriptors, live_unix, plans, privileges
from asgid.daemon.net.errors import AddressAbsentError, CollisionError, OpenError, PortHeldError
from asgid.daemon.net.holders import Processes
from asgid.daemon.net.in_use import Taken, TcpTable, UnixTable, overlap, plain
from asgid.daemon.net.live_unix import Around
from asgid.daemon.net.sockets import TcpSocket, explain, privileged, stock_sockets
from asgid.daemon.net.unix import UnixSocket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asgid.config.diagnostics import Severity
    from asgid.config.host import HostView
    from asgid.config.spec import EndpointSpec, ListenerSpec, Plan
    from asgid.daemon.net.holders import Service

_MOST_ADDRESSES = 12


def live_problems(
    plan: Plan, host: HostView, *, by_hand: bool = False, service: Service | None = None
) -> list[Diagnostic]:
    """Return what this host cannot do of ``plan`` now, for every listener at once.

    What the plan itself found out of the host (``ListenerSpec.problems``) is among it, each problem once. A
    listener that is not required has warnings in place of errors. ``by_hand`` is a look from outside of the
    service: what ``service`` holds is not in the way then, and systemd has passed nothing yet.
    """
    live = _Live(plan, host, service, by_hand=by_hand)
    found = [each for listener in plan.listeners for each in live.of(listener)]
    if live.serving or has_errors(found):
        return found
    return [*found, nothing_serves(plan)]


def nothing_serves(plan: Plan) -> Diagnostic:
    """Return the finding that not one listener could be opened."""
    return Diagnostic(
        code=codes.NOTHING_SERVES,
        severity="error",
        message="no listener serves",
        place=plan.listeners[0].place if plan.listeners else plan.application.place,
        key="listeners",
        help="every listener has required = false, and none could be opened",
    )


class _Wanted(NamedTuple):
    """What one endpoint string opens: TCP sockets, a unix socket, or descriptors that are there already."""

    tcp: tuple[TcpSocket, ...] = ()
    unix: UnixSocket | None = None
    passed: tuple[int, ...] = ()


class _Note(NamedTuple):
    """Something that is worth a word and in nobody's way."""

    severity: Severity
    code: str
    message: str
    help: str = ""


class _Live:
    def __init__(self, plan: Plan, host: HostView, service: Service | None, *, by_hand: bool) -> None:
        self._plan = plan
        self._host = host
        self._service = service
        self._by_hand = by_hand
        self._processes = Processes()
        self._read: Mapping[EndpointSpec, _Wanted | OpenError] = {
            endpoint: _read(endpoint, host) for listener in plan.listeners for endpoint in listener.endpoints
        }
        wanted = [each for each in self._read.values() if isinstance(each, _Wanted)]
        self._tcp = TcpTable({sock.port for each in wanted for sock in each.tcp if sock.port})
        self._unix = Around(UnixTable(), self._processes, service)
        self._claims: list[tuple[EndpointSpec, str, object, bytes, int]] = []
        self._first_free_port = privileges.first_free_port()
        self._refused = False  # the listener that is looked at
        self.serving = 0  # so many listeners have nothing in their way

    def of(self, listener: ListenerSpec) -> Iterator[Diagnostic]:
        """Yield what is wrong with ``listener``."""
        yield from listener.problems
        self._refused = bool(listener.problems)
        known = {problem.code for problem in listener.problems}
        for endpoint in listener.endpoints:
            for code, severity, message, advice in self._of_endpoint(listener, endpoint):
                if code not in known:
                    yield Diagnostic(
                        code=code,
                        severity=severity,
                        message=f"listener {listener.name}: {message}",
                        place=endpoint.place,
                        key=f"listeners.{listener.name}.{listener.kind}",
                        help=advice,
                    )
        self.serving += not self._refused

    def _of_endpoint(
        self, listener: ListenerSpec, endpoint: EndpointSpec
    ) -> Iterator[tuple[str, Severity, str, str]]:
        wrong: Severity = "error" if listener.required else "warning"
        try:
            read = self._read[endpoint]
            if isinstance(read, OpenError):
                raise read
            for note in self._look(listener, endpoint, read):
                yield note.code, note.severity, note.message, note.help
        except OpenError as error:
            self._refused = True
            yield error.code, wrong, error.message, error.help

    def _look(self, listener: ListenerSpec, endpoint: EndpointSpec, wanted: _Wanted) -> Iterator[_Note]:
        """Yield what is worth a word. Raises ``OpenError`` where ``wanted`` cannot be had."""
        for sock in wanted.tcp:
            yield from self._tcp_socket(listener, endpoint, sock)
        if wanted.unix is not None:
            if live_unix.is_stale(wanted.unix, self._unix):
                message = f"{wanted.unix.path} is left from a process that has gone: it is replaced"
                yield _Note("info", codes.PATH_STALE, message)
            parent = Path(wanted.unix.path).parent.stat()
            self._claim(listener, endpoint, (parent.st_dev, parent.st_ino, Path(wanted.unix.path).name))
        for fileno in wanted.passed:
            self._descriptor(listener, endpoint, fileno)
        yield from self._systemd(listener, endpoint)

    def _tcp_socket(
        self, listener: ListenerSpec, endpoint: EndpointSpec, wanted: TcpSocket
    ) -> Iterator[_Note]:
        address = self._resolved(wanted)
        if wanted.freebind:
            try:
                self._resolved(wanted._replace(freebind=False))
            except AddressAbsentError as error:
                message = f"{error.message} yet: nobody reaches it until it has (freebind)"
                yield _Note("warning", error.code, message, error.help)
        if not wanted.port:
            return
        if wanted.port < self._first_free_port and not privileges.has_over_network(
            privileges.CAP_NET_BIND_SERVICE
        ):
            raise privileged(wanted)
        device = socket.if_nametoindex(wanted.device) if wanted.device else 0
        self._check_port(wanted, address, device)
        self._claim(listener, endpoint, wanted.port, address, device)

    def _resolved(self, wanted: TcpSocket) -> bytes:
        """Return the packed address. Raises ``OpenError`` where this host cannot bind it."""
        try:
            return plain(wanted.resolved())
        except OSError as error:
            found = explain(wanted, error)
            if isinstance(found, AddressAbsentError):
                found.help = self._addresses(6 if ":" in wanted.interface else 4) or found.help
            raise found from error

    def _addresses(self, version: int) -> str:
        """Return the addresses of this host of one family, for a line of help."""
        there = [
            f"{address} ({name})" if address.version == 4 or "%" not in str(address) else str(address)
            for name, addresses in self._host.interfaces().items()
            for address in addresses
            if address.version == version
        ]
        more = f" and {len(there) - _MOST_ADDRESSES} more" if len(there) > _MOST_ADDRESSES else ""
        return f"this host has {', '.join(there[:_MOST_ADDRESSES])}{more}" if there else ""

    def _check_port(self, wanted: TcpSocket, address: bytes, device: int) -> None:
        """Raise ``PortHeldError`` where a socket is in the way that is not the running service's."""
        hits = {each: overlap(address, device, each) for each in self._tcp.at(wanted.port)}
        held = [each for each, hit in hits.items() if hit and each.listens]
        if not held:
            held = [each for each, hit in hits.items() if hit is not False]
            if not held or _binds(wanted):
                return
        if self._service is None or not self._service.holds(held):
            raise self._held(wanted, address, held)

    def _held(self, wanted: TcpSocket, address: bytes, held: list[Taken]) -> PortHeldError:
        who = self._processes.named(held)
        first = held[0]
        by = f"held by {who}" if who else "in use"
        how = ""
        if first.listens and first.address != address:
            what = f"{first}, IPv4 included" if len(first.address) > len(address) else f"{first}"
            how = f", which listens on {what}" if who else f": something listens on {what}"
        elif not any(each.inode for each in held):
            how = " for a minute yet, by a connection that was closed (TIME_WAIT)"
        elif not first.listens:
            how = ", as one end of a connection or without listening"
        return PortHeldError(
            f"{wanted} is {by}{how}", "stop what holds it, or give this listener another port"
        )

    def _systemd(self, listener: ListenerSpec, endpoint: EndpointSpec) -> Iterator[_Note]:
        seen = plans.read(endpoint.text)
        if not isinstance(seen, endpoints.AsgidSystemd):
            return
        if self._by_hand and "LISTEN_FDS" not in os.environ:
            message = (
                f"the socket {seen.name} is for systemd to pass: only the start will show whether it does"
            )
            yield _Note("info", codes.SYSTEMD_NAME_ABSENT, message)
            return
        for fileno in descriptors.passed(seen.name):
            self._descriptor(listener, endpoint, fileno)

    def _descriptor(self, listener: ListenerSpec, endpoint: EndpointSpec, fileno: int) -> None:
        with descriptors.adopted(fileno) as sock:
            self._claim(listener, endpoint, os.fstat(sock.fileno()).st_ino)

    def _claim(
        self,
        listener: ListenerSpec,
        endpoint: EndpointSpec,
        what: object,
        address: bytes = b"",
        device: int = 0,
    ) -> None:
        """Take note of what an endpoint takes. Raises ``CollisionError`` where an earlier one has it."""
        for other, name, theirs, their_address, their_device in self._claims:
            taken = Taken(their_address, 0, True, their_device, True, -1, 0)
            if theirs == what and overlap(address, device, taken):
                line = "" if where(other.place) == other.place.file else f" (line {other.place.line})"
                raise CollisionError(
                    f"{endpoint.text} takes what listener {name}{line} takes with {other.text}",
                    f"the other one is at {where(other.place)}",
                )
        if not listener.problems:  # with problems it is not opened
            self._claims.append((endpoint, listener.name, what, address, device))


def _binds(wanted: TcpSocket) -> bool:
    """Tell whether ``wanted`` can be bound beside what is there and does not listen."""
    try:
        wanted.bound().close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise explain(wanted, error) from error
    return True


def _read(endpoint: EndpointSpec, host: HostView) -> _Wanted | OpenError:
    """Return what ``endpoint`` would open, or why nobody could."""
    try:
        wanted = plans.read(endpoint.text)
        match wanted:
            case endpoints.Tcp() | endpoints.AsgidTcp():
                return _Wanted(tcp=plans.tcp_sockets(wanted, ipv6_only=endpoint.ipv6_only))
            case endpoints.Unix():
                return _Wanted(unix=plans.unix_socket(wanted))
            case endpoints.AsgidUnix():
                return _Wanted(unix=_asgid_unix(wanted, host))
            case endpoints.Fd():
                return _Wanted(passed=(wanted.fileno,))
            case endpoints.Foreign():
                return _foreign(endpoint, wanted.endpoint)
            case _:
                return _Wanted()
    except OpenError as error:
        return error


def _asgid_unix(wanted: endpoints.AsgidUnix, host: HostView) -> UnixSocket:
    """Return the socket, left to whoever makes it where its owner or group is not there: the plan says so."""
    uid = host.user(wanted.owner) if wanted.owner else None
    gid = host.group(wanted.group) if wanted.group else None
    return UnixSocket(wanted.path, wanted.mode, -1 if uid is None else uid, -1 if gid is None else gid)


def _foreign(endpoint: EndpointSpec, read: Endpoint) -> _Wanted:
    """Return what a kind that Twisted opens would open, as far as that is known. Raises ``OpenError``."""
    from asgid.daemon.net import foreign  # noqa: PLC0415 - twisted.internet.endpoints

    foreign.made(None, endpoint.text)
    while read.kind == "haproxy" and read.args:
        read = Endpoint(read.args[0], read.args[1:], read.kwargs)
    named = endpoints.bind(read)
    if read.kind in {"tcp", "tcp6", "ssl"}:
        interface = named.get("interface", "::" if read.kind == "tcp6" else "")
        return _Wanted(tcp=stock_sockets(interface, int(named["port"]), ipv6_only=endpoint.ipv6_only))
    if read.kind == "unix":
        path, locks = named["address"], named.get("lockfile", "1") != "0"
        if locks:
            live_unix.check_lock(path)
        return _Wanted(unix=UnixSocket(path, int(named.get("mode", "666"), 8), replace=locks))
    return _Wanted()
