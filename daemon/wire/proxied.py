"""A connection of a listener with the PROXY protocol, until its header has come; then it is HTTP/1.1.

Only peers in ``proxy.trusted`` are heard: another one is refused when it connects. A client that sends no
header, or a bad one, is refused as well. Refused is reset, without an answer: the specification forbids to
guess what was meant (section 2: the receiver must not guess whether the header is there, and aborts the
connection where it is not), and whoever speaks to this port is no browser. HAProxy and nginx do the same.

The header and the first request's head share ``timeouts.request_head``, which runs from the accept. A
connection that ends or times out before its first byte is a health check that knows no better (TCP alone), or
one that was opened ahead: it is closed in silence, as on any listener.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from zope.interface import implementer

from asgid.daemon.seam import Peer
from asgid.daemon.trust import Trust
from asgid.daemon.wire.http1_ends import FRESH_S
from asgid.daemon.wire.http1_response import NEVER
from asgid.daemon.wire.proxy_protocol import HeaderError, Version, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from asgid.config.spec import Proxy
    from asgid.daemon.wire.factory import ConnectionFactory

log = logging.getLogger("asgid.http")

_CLOSE_S = 5.0  # for a transport that does not close at once (TLS)


class Rules(NamedTuple):
    """What the connections of one listener share."""

    version: Version
    trust: Trust


def proxied(proxy: Proxy, version: Version) -> Callable[[ConnectionFactory], ProxiedConnection]:
    """Return what makes the connections of a factory with this ``proxy``."""
    rules = Rules(version, Trust(proxy.trusted))
    return lambda factory: ProxiedConnection(factory, rules)


@implementer(IProtocol, IHalfCloseableProtocol)
class ProxiedConnection:
    """Twisted's IProtocol and the seam's ``Connection``, until the header of ``transport`` is there."""

    __slots__ = ("__weakref__", "_came", "_deadline", "_factory", "_over", "_own", "_rules", "transport")
    _own: Peer  # the two ends of the connection itself
    watched = False  # it is read

    def __init__(self, factory: ConnectionFactory, rules: Rules) -> None:
        self._factory = factory
        self._rules = rules
        self._came = bytearray()
        self._deadline = NEVER
        self._over = False
        self.transport: Any = None

    # What Twisted calls.

    def makeConnection(self, transport: Any) -> None:
        """Begin to wait for the header; refuse a peer that is not trusted."""
        self.transport = transport
        factory = self._factory
        self._deadline = factory.deadline(factory.timeouts.request_head_s)
        factory.connected(self)
        self._own = factory.peer(transport)
        if not self._rules.trust.peer(self._own.client, self._own.server):
            self._refuse("with the PROXY protocol only peers in proxy.trusted are heard")

    def connectionMade(self) -> None:
        """Do nothing: :meth:`makeConnection` did it."""

    def dataReceived(self, data: bytes) -> None:
        """Take what came of the header, and give what is behind it to HTTP."""
        if self._over:
            return
        came = self._came
        came += data
        try:
            header = read(came, self._rules.version)
        except HeaderError as error:
            self._refuse(str(error))
        else:
            if header is not None:
                self._over = True
                peer = self._own
                if header.named:
                    scheme = "https" if header.tls else peer.scheme
                    peer = Peer(header.client, header.server, scheme)
                self._factory.unwrapped(self, peer, self._deadline, bytes(came[header.size_bytes :]))

    def readConnectionLost(self) -> None:
        """Take note that the peer has finished sending, with no header."""
        if self._over:
            return
        if self._came:
            self._refuse("the connection ended within its PROXY header")
        else:
            self._close()

    def writeConnectionLost(self) -> None:
        """Do nothing: the write side is closed only together with the other."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - nothing was begun
        """Take note that the connection has ended."""
        self._over = True
        self._deadline = NEVER
        self._factory.disconnected(self)

    # What the listener calls.

    @property
    def idleness(self) -> tuple[int, float] | None:
        """What it waits for, and since when (:attr:`asgid.daemon.seam.Connection.idleness`)."""
        if self._over:
            return None
        seconds = self._factory.timeouts.request_head_s
        return 2 if self._came else 1, self._deadline - seconds if seconds else -NEVER

    def shed(self) -> None:
        """Close: the descriptor is wanted for somebody else."""
        self._factory.counters.shed += 1
        self._close()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self.transport.fileno())

    def departed(self, reset: bool) -> None:
        """Do nothing: the socket is read, and tells by itself."""

    def sweep(self, now: float) -> None:
        """Act on the deadline."""
        if self._deadline > now:
            return
        if self._over:
            self._abort()
        elif self._came:
            self._factory.counters.head_timeouts += 1
            self._refuse("its PROXY header did not come in timeouts.request_head")
        else:
            self._factory.counters.silent += 1
            self._close()

    def drain(self) -> None:
        """Wait a moment for what has just been accepted: its header, and a request, may be on their way."""
        if not self._over:
            self._deadline = min(self._deadline, self._factory.deadline(FRESH_S))

    def cut(self) -> None:
        """Close now."""
        self._abort()

    def _refuse(self, why: str) -> None:
        self._factory.counters.unproxied += 1
        self._factory.complaints.say(log, self._own.client, f"refused: {why}", logging.WARNING)
        self._abort()

    def _close(self) -> None:
        self._over = True
        self._deadline = self._factory.clock() + _CLOSE_S
        self.transport.loseConnection()

    def _abort(self) -> None:
        self._over = True
        self._deadline = NEVER
        self._came.clear()
        self.transport.abortConnection()
