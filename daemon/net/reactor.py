"""The reactor: Twisted's asyncio reactor on a uvloop loop, whose ports accept with native transports.

A Twisted transport on any reactor costs more than the rest of the server; uvloop's own cost next to nothing.
Everything else (timers, threads, clients, UDP, processes, foreign descriptors) is the stock asyncio reactor.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

import uvloop
from twisted.internet.error import CannotListenError, ConnectionLost, UnsupportedAddressFamily
from twisted.logger import Logger
from twisted.python.lockfile import FilesystemLock

from asgid.config.postponing import left_out, put_off
from asgid.daemon.net.descriptors import adopted, listening_backlog
from asgid.daemon.net.errors import DescriptorError, PathError
from asgid.daemon.net.faces import failure_of
from asgid.daemon.net.port import NativePort
from asgid.daemon.net.sockets import TcpSocket
from asgid.daemon.net.transport import NativeTransport
from asgid.daemon.net.unix import UnixSocket

# The stock reactor imports twisted.internet.ssl, a twentieth of a start, for a Twisted without
# twisted.protocols.tls, and never looks at it where that is there: who wants it imports it later. That one
# brings OpenSSL, a fifth of a start, and is called only where TLS begins (startTLS, listenSSL, connectSSL).
# Its sockets for UDP and for unix clients, and its processes, wait for who asks for one.
with (
    left_out("twisted.internet.ssl"),
    put_off("twisted.protocols.tls", "TLSMemoryBIOFactory", needs="OpenSSL"),
    put_off("twisted.internet.udp"),
    put_off("twisted.internet.unix"),
    put_off("twisted.internet.process"),
):
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.net.faces import StreamFactory

_log = Logger()

NO_MARK = 1 << 62


class NativeReactor(AsyncioSelectorReactor):
    """A Twisted reactor on ``loop``, which it does not own: who made the loop closes it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.ports: set[NativePort] = set()
        self.transports: set[NativeTransport] = set()
        self._children: set[int] = set()
        self.enough_transports = NO_MARK
        self.on_enough: Callable[[], None] = _do_nothing
        super().__init__(loop)
        loop.set_exception_handler(_on_error)

    def listenTCP(self, port: Any, factory: StreamFactory, backlog: int = 50, interface: str = "") -> Any:
        """Bind and listen now; connections are accepted when the reactor runs.

        Raises ``CannotListenError`` where the address cannot be bound. A ``Binding`` of Twisted's in place of
        a number is served by Twisted's own port.
        """
        if not isinstance(port, int):
            stock: Any = super()
            return stock.listenTCP(port, factory, backlog, interface)

        def bind() -> socket.socket:
            try:
                return TcpSocket(interface, port).listening(backlog)
            except (OSError, OverflowError) as error:
                raise CannotListenError(interface, port, error) from error

        return self.listen_on(bind(), factory, backlog, again=bind)

    def listenUNIX(
        self, address: Any, factory: StreamFactory, backlog: int = 50, mode: int = 0o666, wantPID: Any = 0
    ) -> Any:
        """Listen on a path as stock Twisted does; with ``wantPID`` it locks a file beside the path.

        Raises ``CannotListenError`` where the path cannot be bound.
        """
        path = os.fsdecode(address)
        lock = _locked(path) if wantPID else None
        try:
            sock, own = UnixSocket(path, mode, replace=lock is not None).listening(backlog)
        except PathError as error:
            if lock is not None:
                lock.unlock()
            raise CannotListenError(None, os.fsencode(path), error.__cause__ or error) from error

        def cleanup() -> None:
            own.remove()
            if lock is not None:
                lock.unlock()

        return self.listen_on(sock, factory, backlog, path=path, cleanup=cleanup)

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: int, factory: StreamFactory) -> Any:
        """Accept on a duplicate of a listening descriptor; mode, path and backlog stay what they are.

        The path of a unix socket is not removed when the port closes: who made it owns it.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
            raise UnsupportedAddressFamily(addressFamily)
        try:
            sock = adopted(fileDescriptor)
        except DescriptorError as error:
            raise OSError(errno.EBADF, error.message) from error
        path = sock.getsockname() if sock.family == socket.AF_UNIX else None
        return self.listen_on(sock, factory, listening_backlog(sock), path=path, shared=True)

    def listen_on(
        self,
        sock: socket.socket,
        factory: StreamFactory,
        backlog: int,
        *,
        path: str | bytes | None = None,
        cleanup: Callable[[], None] | None = None,
        again: Callable[[], socket.socket] | None = None,
        shared: bool = False,
    ) -> NativePort:
        """Accept on ``sock``, which is bound and listens; see :class:`NativePort`. It owns the socket."""
        port = NativePort(
            self, sock, factory, backlog, path=path, cleanup=cleanup, again=again, shared=shared
        )
        port.startListening()
        return port

    def watch_transports(self, enough: int, on_enough: Callable[[], None]) -> int:
        """Call ``on_enough`` after each accept that makes ``enough`` native transports or more.

        It takes the place of an earlier call's. Returns how many there are.
        """
        self.enough_transports = enough
        self.on_enough = on_enough
        return len(self.transports)

    def spawnProcess(self, *arguments: Any, **options: Any) -> Any:
        """Start a process as stock Twisted does, and notice its end by a descriptor for it (pidfd_open(2)).

        The stock reactor waits for SIGCHLD on a wakeup descriptor that uvloop replaces by its own.
        """
        stock: Any = super()
        process = stock.spawnProcess(*arguments, **options)
        if process.pid is not None:
            watch = os.pidfd_open(process.pid)
            self._children.add(watch)
            self.loop.add_reader(watch, self._child_ended, watch, process)
        return process

    def _child_ended(self, watch: int, process: Any) -> None:
        self._forget_child(watch)
        if process.pid is not None:
            process.reapProcess()

    def _forget_child(self, watch: int) -> None:
        self._children.discard(watch)
        self.loop.remove_reader(watch)
        os.close(watch)

    def disconnectAll(self) -> None:
        """Close every port and tell every protocol that its connection is lost: the reactor stops."""
        super().disconnectAll()
        for watch in list(self._children):
            self._forget_child(watch)
        reason = failure_of(ConnectionLost())
        for port in list(self.ports):
            port.connectionLost(reason)
        for transport in list(self.transports):
            transport.connectionLost(reason)

    def getReaders(self) -> list[Any]:
        """Return everything that is read from: ports that accept and native transports too."""
        stock: Any = super()
        ports = [port for port in self.ports if port.is_reading()]
        transports = [transport for transport in self.transports if transport.is_reading()]
        return [*stock.getReaders(), *ports, *transports]

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run until stopped; then what the stop has closed is closed in the loop too."""
        stock: Any = super()
        stock.run(installSignalHandlers)
        if not self.loop.is_closed():
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()


def _do_nothing() -> None:
    """Do nothing: nobody watches the transports."""


def _locked(path: str) -> FilesystemLock:
    lock = FilesystemLock(f"{path}.lock")
    if not lock.lock():
        raise CannotListenError(None, os.fsencode(path), "Cannot acquire lock")
    return lock


def _on_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an exception that a protocol raised the way Twisted does, any other the way asyncio does."""
    error = context.get("exception")
    if isinstance(context.get("protocol"), NativeTransport) and isinstance(error, BaseException):
        _log.failure("Unhandled error in a protocol", failure_of(error))
    else:
        loop.default_exception_handler(context)


def install() -> NativeReactor:
    """Make a uvloop loop this thread's event loop, and its reactor Twisted's.

    Raises ``ReactorAlreadyInstalledError`` where a reactor was installed before.
    """
    from twisted.internet.main import installReactor  # noqa: PLC0415 - it is loaded by then

    loop = uvloop.new_event_loop()
    reactor = NativeReactor(loop)
    installReactor(reactor)
    asyncio.set_event_loop(loop)
    return reactor
