"""A connection that uvloop accepted, presented as a Twisted transport.

After the first packet nothing of ours stands between the native transport and the protocol: ``data_received``
is the protocol's own ``dataReceived``, and ``write`` is the native transport's own ``write``. What differs
between the two worlds (producers, half close, the order of a close) is done here, once per event.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    ILoggingContext,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
)
from twisted.logger import Logger
from zope.interface import implementer

from asgid.daemon.net.addresses import address_of, end_of
from asgid.daemon.net.faces import failure_of
from asgid.daemon.net.options import SocketOptions

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Iterable

    from twisted.python.failure import Failure

    from asgid.daemon.net.addresses import Address
    from asgid.daemon.net.faces import StreamProtocol
    from asgid.daemon.net.port import NativePort
_log = Logger()

# The states of a transport, as bits of one small integer: a connection that idles pays eight bytes for them.
_STARTING = 1  # inside connectionMade: uvloop starts to read only after it
_HELD = 2  # reading was paused inside connectionMade
_FULL = 4  # the write buffer is above its mark
_LOSING = 8  # loseConnection was called
_ENDING = 16  # loseWriteConnection was called
_ENDED = 32  # the write side is shut down
_EOF = 64  # the peer has ended its side
_ABORTED = 128  # abortConnection was called
_PULL = 256  # the producer is a pull producer
_PULLING = 512  # its next turn is scheduled
_LOST = 1024  # connectionLost was called

_DONE = failure_of(ConnectionDone())
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST (socket(7))


def _ignore(_data: object) -> None:
    """Write nothing: the connection is gone, or its write side is closed."""


@implementer(ITCPTransport, IPushProducer, IConsumer, ILoggingContext, ISystemHandle)
class NativeTransport(SocketOptions):
    """Twisted's ITCPTransport over one of uvloop's transports, whose asyncio protocol it is at the same time.

    ``write`` takes bytes and never blocks; what the kernel does not take at once is kept, and a streaming
    producer is paused above 64 KiB. On a unix socket the TCP options are accepted and ignored.
    """

    __slots__ = ("_early", "_producer", "_protocol", "_state", "data_received", "write")

    data_received: Callable[[bytes], object]
    write: Callable[[bytes], object]

    def __init__(self, native: Transport, port: NativePort) -> None:
        super().__init__(native, port)
        self._producer: Any = None
        self._protocol: StreamProtocol | None = None
        self._early: list[bytes] | None = None
        self._state = _STARTING
        self.data_received = _ignore
        self.write = native.write

    def attach(self, protocol: StreamProtocol) -> None:
        """Connect ``protocol``: its ``makeConnection`` is called, and what is read goes to it."""
        self._protocol = protocol
        self.data_received = protocol.dataReceived
        self._native.set_protocol(cast("Any", self))
        protocol.makeConnection(self)
        state = self._state = self._state & ~_STARTING
        if state & _HELD and not state & _LOST:
            self._hold_early()

    @property
    def protocol(self) -> StreamProtocol | None:
        """The protocol that is connected; setting it sends what is read from then on to the new one."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: StreamProtocol) -> None:
        self._protocol = protocol
        if self._early is None:
            self.data_received = protocol.dataReceived
            self._native.set_protocol(cast("Any", self))

    # Twisted's flags, which LineReceiver and others read.

    @property
    def connected(self) -> bool:
        """Whether the connection is up."""
        return not self._state & _LOST

    @property
    def disconnected(self) -> bool:
        """Whether the connection was lost."""
        return bool(self._state & _LOST)

    @property
    def disconnecting(self) -> bool:
        """Whether the connection is about to be closed from this side."""
        return bool(self._state & _LOSING)

    # ITransport

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Write every piece of ``data``, in order. Raises ``TypeError`` where one is not bytes."""
        try:
            whole = b"".join(data)
        except TypeError:
            raise TypeError("Data must be bytes") from None
        self.write(whole)

    def loseConnection(self) -> None:
        """Close the connection when what was written has left; a pull producer may finish before.

        A streaming producer is not waited for, as on Twisted's own transports, whatever their documentation
        says: its TLS relies on that where a client ends the TLS session while a response is under way.
        """
        if self._state & (_LOST | _LOSING):
            return
        self._state |= _LOSING
        if self._producer is None:
            self._native.close()
            return
        self._native.pause_reading()
        if not self._state & _PULL:
            self._port.loop.call_soon(self._native.close)

    def getPeer(self) -> Address:
        """Return the address of the other end."""
        return address_of(self._native.get_extra_info("peername"))

    def getHost(self) -> Address:
        """Return the address of this end."""
        if self._port.path is not None:
            return address_of(self._port.path)
        return address_of(self._native.get_extra_info("sockname"))

    def ends(self) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
        """Return the other end and this one as host and port, None where it has none (unix sockets).

        It is :meth:`getPeer` and :meth:`getHost` without their address objects.
        """
        port = self._port
        if port.path is not None:
            return None, None
        native = self._native
        return end_of(native.get_extra_info("peername")), end_of(
            port.own_name or native.get_extra_info("sockname")
        )

    # ITCPTransport

    def loseWriteConnection(self) -> None:
        """Send what was written and then a FIN; the protocol goes on reading."""
        if self._state & (_LOST | _ENDING):
            return
        self._state |= _ENDING
        if self._producer is None:
            self._end_when_empty()

    def abortConnection(self) -> None:
        """Close the connection now; what was not sent is dropped and the peer gets a reset."""
        if self._state & (_LOST | _ABORTED):
            return
        self._state |= _ABORTED
        self.write = _ignore
        with suppress(OSError):
            self.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._native.abort()

    # ISystemHandle, ILoggingContext and what the wire asks for

    def fileno(self) -> int:
        """Return the descriptor, -1 when the connection is lost."""
        return -1 if self._state & _LOST else int(self.getHandle().fileno())

    def get_write_buffer_size(self) -> int:
        """Return how many bytes were written and not yet taken by the kernel."""
        return 0 if self._state & _LOST else self._native.get_write_buffer_size()

    def logPrefix(self) -> str:
        """Return what a log line about this connection begins with."""
        protocol = self._protocol
        if ILoggingContext.providedBy(protocol):
            return str(cast("Any", protocol).logPrefix())
        return type(protocol).__name__

    # IPushProducer: this transport as a producer of what it reads

    def pauseProducing(self) -> None:
        """Stop reading."""
        if self._state & _STARTING:
            self._state |= _HELD
        elif self._early is None:
            self._native.pause_reading()

    def resumeProducing(self) -> None:
        """Go on reading."""
        state = self._state
        if state & _HELD:
            self._state = state & ~_HELD
            if self._early is not None:
                self._port.loop.call_soon(self._release_early)
        elif not state & (_LOST | _LOSING | _EOF):
            self._native.resume_reading()

    def stopProducing(self) -> None:
        """Close the connection: who consumes what is read wants no more of it."""
        self.loseConnection()

    # Older protocols call a FileDescriptor's methods of the same meaning.
    stopReading = pauseProducing
    startReading = resumeProducing

    def _hold_early(self) -> None:
        # uvloop starts to read after connectionMade whatever was asked for in it, so what comes until the
        # next turn of the loop is kept here.
        self._early = []
        self.data_received = self._early.append
        self._native.set_protocol(cast("Any", self))
        self._port.loop.call_soon(self._pause_early)

    def _pause_early(self) -> None:
        if self._state & _HELD:
            self._native.pause_reading()

    def _release_early(self) -> None:
        early, protocol = self._early, self._protocol
        if self._state & _HELD or early is None:
            return
        self._early = None
        if protocol is None:
            return
        self.protocol = protocol
        self.resumeProducing()
        if early:
            self.data_received(b"".join(early))

    # IConsumer: a producer that writes to this transport

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let ``producer`` write: a streaming one until it is paused, another one whenever it is asked.

        Raises ``RuntimeError`` where one is registered already.
        """
        if self._producer is not None:
            raise RuntimeError(f"{self._producer} is registered already and was never unregistered")
        if self._state & _LOST:
            producer.stopProducing()
            return
        self._producer = producer
        if streaming:
            if self._state & _FULL:
                producer.pauseProducing()
            return
        self._state |= _PULL
        self.write = self._write_pulled
        self._native.set_write_buffer_limits(high=0)
        producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer; a close that waited for it goes on."""
        if self._producer is None:
            return
        self._producer = None
        state = self._state
        if state & _LOST:
            return
        if state & _PULL:
            self._state = state & ~(_PULL | _PULLING)
            self.write = self._native.write
            self._native.set_write_buffer_limits()
        if state & _LOSING:
            self._native.close()
        elif state & _ENDING:
            self._end_when_empty()

    def _write_pulled(self, data: bytes) -> None:
        self._native.write(data)
        if not self._state & (_FULL | _PULLING):
            self._state |= _PULLING
            self._port.loop.call_soon(self._pull)

    def _pull(self) -> None:
        if self._state & _PULLING:
            self._state &= ~_PULLING
            if self._producer is not None and not self._state & _FULL:
                self._producer.resumeProducing()

    # asyncio's protocol, as uvloop calls it

    def pause_writing(self) -> None:
        """Take note that the write buffer is above its mark."""
        self._state |= _FULL
        if self._producer is not None and not self._state & _PULL:
            self._producer.pauseProducing()

    def resume_writing(self) -> None:
        """Take note that the write buffer is empty."""
        self._state &= ~_FULL
        if self._producer is not None:
            self._producer.resumeProducing()
        elif self._state & _ENDING and not self._state & _LOSING:
            self._end_writing()

    def eof_received(self) -> bool:
        """Tell a half-closeable protocol that its peer has ended; any other one loses its connection."""
        self._state |= _EOF
        half: Any = IHalfCloseableProtocol(self._protocol, None)
        if half is None:
            self._native.abort()
        else:
            half.readConnectionLost()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell the protocol why the connection is lost."""
        self._lose(_reason(self._state, exc))

    def _lose(self, reason: Failure) -> None:
        if self._state & _LOST:
            return
        self._state |= _LOST
        protocol, producer = self._protocol, self._producer
        self._protocol = self._producer = self._early = None
        self.write = self.data_received = _ignore
        self._port.transports.discard(self)
        try:
            if producer is not None:
                producer.stopProducing()
            if protocol is not None:
                protocol.connectionLost(reason)
        except Exception:  # noqa: BLE001 - a protocol's mistake must not end the loop
            _log.failure("while a protocol was told that its connection is lost")

    def is_reading(self) -> bool:
        """Tell whether what the peer sends is read."""
        state = self._state
        if state & (_LOST | _LOSING):
            return False
        return not state & _HELD if state & _STARTING else self._native.is_reading()

    def connectionLost(self, reason: Failure) -> None:
        """Drop the connection and tell the protocol so at once: the reactor stops."""
        self._native.abort()
        self._lose(reason)

    def _end_when_empty(self) -> None:
        if self._native.get_write_buffer_size():
            self._native.set_write_buffer_limits(high=0)  # resume_writing comes when it is empty
        else:
            self._port.loop.call_soon(self._end_writing)

    def _end_writing(self) -> None:
        if self._state & (_LOST | _ENDED | _LOSING | _ABORTED):
            return
        self._state |= _ENDED
        self.write = _ignore
        self._native.write_eof()
        half: Any = IHalfCloseableProtocol(self._protocol, None)
        if half is not None:
            try:
                half.writeConnectionLost()
            except Exception as exc:  # noqa: BLE001 - as Twisted: the connection is lost for it
                _log.failure("while a protocol was told that its write side is closed")
                self.connection_lost(exc)
                self._native.abort()


def _reason(state: int, exc: BaseException | None) -> Failure:
    """Return why a connection in ``state`` was lost, as Twisted's protocols expect to be told."""
    if state & _ABORTED:
        return failure_of(ConnectionAborted())
    if exc is None:
        return _DONE
    if isinstance(exc, OSError):
        return failure_of(ConnectionLost(str(exc)))
    return failure_of(exc)
