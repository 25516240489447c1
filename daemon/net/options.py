"""The options of a native transport's socket."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Transport

    from asgid.daemon.net.port import NativePort


class SocketOptions:
    """The part of ITCPTransport that is about the socket. On a unix socket TCP's options are ignored."""

    __slots__ = ("_native", "_port")

    def __init__(self, native: Transport, port: NativePort) -> None:
        self._native = native
        self._port = port

    def getHandle(self) -> Any:
        """Return a socket-like object for options; the native transport owns its descriptor."""
        return self._native.get_extra_info("socket")

    def getTcpNoDelay(self) -> bool:
        """Return whether Nagle's algorithm is off. uvloop turns it off on every connection."""
        return self._get_option(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Turn Nagle's algorithm off, or on again."""
        self._set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def getTcpKeepAlive(self) -> bool:
        """Return whether the kernel probes an idle connection (SO_KEEPALIVE)."""
        return self._get_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Let the kernel probe an idle connection, or not."""
        self._set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)

    def _get_option(self, level: int, option: int) -> bool:
        if self._port.path is not None:
            return False
        return bool(self.getHandle().getsockopt(level, option))

    def _set_option(self, level: int, option: int, enabled: bool) -> None:
        if self._port.path is None:
            with suppress(OSError):  # a connection that is about to be lost; the option is then of no use
                self.getHandle().setsockopt(level, option, int(enabled))
