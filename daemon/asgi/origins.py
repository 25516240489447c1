"""Which pages may open a WebSocket (RFC 6455 10.2): browsers let every page try, and say where it is from."""

from __future__ import annotations

from typing import Any

from asgid.config.origins import SELF, normal_origin
from asgid.daemon.seam import header_values


class Origins:
    """The policy of one listener: ``allowed`` as in :class:`asgid.config.spec.WebSocketOptions`."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = frozenset(allowed)

    def objection(self, scope: dict[str, Any]) -> str:
        """Return why a handshake is to be refused, empty where it is not.

        One without an Origin comes from no page. The request's own origin is made of its scheme and Host,
        which are a trusted proxy's word where there is one.
        """
        headers = scope["headers"]
        values = header_values(headers, b"origin")
        if not values:
            return ""
        if len(values) > 1:
            return "several Origin headers"
        origin = normal_origin(values[0].decode("latin-1"))  # "null" is none
        if origin is not None and origin in self._allowed:
            return ""
        own = None
        if SELF in self._allowed:
            scheme = "https" if scope["scheme"] == "wss" else "http"
            hosts = header_values(headers, b"host")
            own = normal_origin(f"{scheme}://{hosts[0].decode('latin-1')}") if hosts else None
            if origin is not None and origin == own:
                return ""
        return f"its origin {values[0].decode('latin-1')!a} is not let in" + (f" at {own}" if own else "")
