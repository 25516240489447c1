"""ASGI scopes (HTTP and WebSocket specification 2.5), made from request heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from asgid.daemon.asgi.extensions import NOTHING, Fixed, announced, of_session

if TYPE_CHECKING:
    from asgid.config.spec import ListenerSpec
    from asgid.daemon.asgi.forwarded import Forwarding
    from asgid.daemon.seam import RequestHead

Scope = dict[str, Any]
SPEC_VERSION = "2.5"


class ScopeMaker:
    """Makes the scopes of one listener's requests. ``state`` is the lifespan's, ``None`` without one."""

    def __init__(self, spec: ListenerSpec, state: dict[str, Any] | None) -> None:
        self._extensions = {version: announced(spec.name, version) for version in ("1.0", "1.1")}
        self._websocket_extensions = {"asgid": Fixed(listener=spec.name), "websocket.http.response": NOTHING}
        self._root_path = spec.root_path
        self._state = state
        self._forwarding: Forwarding | None = None
        if spec.proxy.forwarded != "none":
            from asgid.daemon.asgi import forwarded  # noqa: PLC0415 - most starts do without it

            self._forwarding = forwarded.Forwarding(spec.name, spec.proxy)

    def http(self, head: RequestHead) -> Scope:
        """Return the scope of an HTTP request."""
        target, _, query = head.target.partition(b"?")
        peer = head.peer
        path = target.decode("ascii")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": SPEC_VERSION},
            "http_version": head.version,
            "method": head.method,
            "scheme": peer.scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": target,
            "query_string": query,
            "root_path": self._root_path,
            "headers": head.headers,
            "client": peer.client,
            "server": peer.server,
            "extensions": self._extensions[head.version].copy(),
        }
        if peer.tls is not None:
            scope["extensions"]["tls"] = of_session(peer.tls)
        if self._state is not None:
            scope["state"] = self._state.copy()
        if self._forwarding is not None:
            self._forwarding.apply(scope)
            head.client = scope["client"]
        return scope

    def websocket(self, head: RequestHead, subprotocols: list[str]) -> Scope:
        """Return the scope of a WebSocket that asks for ``subprotocols``."""
        scope = self.http(head)
        scope["type"] = "websocket"
        scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
        scope["subprotocols"] = subprotocols
        tls = scope["extensions"].get("tls")
        scope["extensions"] = self._websocket_extensions.copy()
        if tls is not None:
            scope["extensions"]["tls"] = tls
        del scope["method"]
        return scope
