"""Twisted's protocols and factories as a type checker can see them: zope's interfaces are opaque to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.python import failure

if TYPE_CHECKING:
    from twisted.python.failure import Failure


class StreamProtocol(Protocol):
    """Twisted's IProtocol, as a transport calls it."""

    def makeConnection(self, transport: Any, /) -> None:
        """Connect to ``transport``."""

    def dataReceived(self, data: bytes, /) -> None:
        """Take what was read."""

    def connectionLost(self, reason: Any, /) -> None:
        """Take note that the connection is lost."""


class StreamFactory(Protocol):
    """Twisted's IProtocolFactory, as a port calls it."""

    def buildProtocol(self, addr: Any, /) -> StreamProtocol | None:
        """Return the protocol for a connection from ``addr``; None refuses it."""

    def doStart(self) -> None:
        """Take note that a port begins to accept."""

    def doStop(self) -> None:
        """Take note that a port has closed."""


def failure_of(error: BaseException) -> Failure:
    """Return Twisted's Failure for ``error``."""
    return failure.Failure(error)
