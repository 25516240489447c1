"""What would fail on this host now: every listener tried, nothing kept, nothing changed.

A TCP socket is bound and not listened on, so that no client ever reaches it; a port in use is refused by the
kernel at that point already. Foreign kinds are asked of Twisted, whose import they need anyway.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from asgid.config import endpoints
from asgid.config.diagnostics import Diagnostic
from asgid.daemon.net import descriptors, plans, unix
from asgid.daemon.net.errors import OpenError
from asgid.daemon.net.sockets import TcpSocket, explain, stock_sockets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgid.config.host import HostView
    from asgid.config.spec import EndpointSpec, ListenerSpec, Plan


def live_problems(plan: Plan, host: HostView) -> list[Diagnostic]:  # noqa: ARG001 - the plan has asked it already
    """Return what this host cannot do of ``plan`` now, for every listener at once.

    What the plan itself found out of the host (``ListenerSpec.problems``) is among it, each problem once. A
    listener that is not required has warnings in place of errors.
    """
    return [found for listener in plan.listeners for found in _of_listener(listener)]


def _of_listener(listener: ListenerSpec) -> Iterable[Diagnostic]:
    yield from listener.problems
    known = {problem.code for problem in listener.problems}
    for endpoint in listener.endpoints:
        try:
            attempt(endpoint)
        except OpenError as error:
            if error.code not in known:
                yield _diagnostic(listener, endpoint, error)


def _diagnostic(listener: ListenerSpec, endpoint: EndpointSpec, error: OpenError) -> Diagnostic:
    return Diagnostic(
        code=error.code,
        severity="error" if listener.required else "warning",
        message=f"listener {listener.name}: {error.message}",
        place=endpoint.place,
        key=f"listeners.{listener.name}.{listener.kind}",
        help=error.help,
    )


def attempt(endpoint: EndpointSpec) -> None:
    """Raise ``OpenError`` where ``endpoint`` would not open now."""
    wanted = plans.read(endpoint.text)
    match wanted:
        case endpoints.Tcp() | endpoints.AsgidTcp():
            _bind(plans.tcp_sockets(wanted, ipv6_only=endpoint.ipv6_only))
        case endpoints.Unix() | endpoints.AsgidUnix():
            unix.check(plans.unix_socket(wanted).path)
        case endpoints.Fd():
            descriptors.adopted(wanted.fileno).close()
        case endpoints.AsgidSystemd():
            for fileno in descriptors.passed(wanted.name):
                descriptors.adopted(fileno).close()
        case endpoints.Foreign():
            _attempt_foreign(endpoint, wanted)


def _bind(wanted: tuple[TcpSocket, ...]) -> None:
    for each in wanted:
        try:
            each.bound().close()
        except (OSError, OverflowError) as error:
            raise explain(each, error) from error


def _attempt_foreign(endpoint: EndpointSpec, wanted: endpoints.Foreign) -> None:
    from asgid.daemon.net import foreign  # noqa: PLC0415 - twisted.internet.endpoints

    foreign.made(None, endpoint.text)
    named = dict(wanted.endpoint.kwargs)
    port = named.get("port", wanted.endpoint.args[0] if wanted.endpoint.args else "")
    if wanted.endpoint.kind == "ssl" and port.isdecimal():
        with suppress(ValueError):
            interface = named.get("interface", "")
            _bind(stock_sockets(interface, int(port), ipv6_only=endpoint.ipv6_only))
