"""The wire: HTTP/1.1 and WebSocket as bytes. It knows no ASGI."""

from asgid.daemon.wire.factory import ConnectionFactory

__all__ = ["ConnectionFactory"]
