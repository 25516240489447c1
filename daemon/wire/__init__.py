"""The wire: HTTP/1.1 and WebSocket as bytes. It knows no ASGI."""

from asgid.daemon.wire.factory import ConnectionFactory
from asgid.daemon.wire.turns import Turns

__all__ = ["ConnectionFactory", "Turns"]
