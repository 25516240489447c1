"""How a connection ends whose transport stands on another one: TLS, as Twisted has it, on TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def end_of_writing(transport: Any) -> Callable[[], None] | None:
    """Return what ends the write side of ``transport`` and leaves it reading; None where nothing does.

    Over TLS that is the closure alert (RFC 9112 9.8), which ``loseConnection`` sends: Twisted's TLS reads on
    then until the client's comes. A FIN without an alert could be anybody's.
    """
    if getattr(transport, "getPeerCertificate", None) is not None:
        return transport.loseConnection  # type: ignore[no-any-return]
    return getattr(transport, "loseWriteConnection", None)


def close_below(transport: Any) -> None:
    """Close what a ``transport`` that is being closed stands on, when all is written.

    For a client that has nothing more to say: it may not look before it has another request, and a server
    need not wait for its closure alert (RFC 9112 9.8). Where more may come, a reset could eat an answer.
    """
    while hasattr(transport, "wrappedProtocol"):  # Twisted's ProtocolWrapper
        transport = transport.transport
        transport.loseConnection()


def abort(transport: Any) -> None:
    """Abort a connection, TLS without a closure alert.

    A body that ends with the connection would be whole with one (RFC 9112 8). Twisted's ``abortConnection``
    sends it, which nothing takes where the connection below is aborted before.
    """
    below = transport
    while hasattr(below, "wrappedProtocol"):
        below = below.transport
    if below is not transport:
        below.abortConnection()
    transport.abortConnection()
