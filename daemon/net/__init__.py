"""The network: the reactor, the endpoint opener and what this host has.

Nothing is imported before it is asked for: Twisted alone takes longer to import than a small lint to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asgid.daemon.net.errors import OpenError
    from asgid.daemon.net.host import LinuxHost
    from asgid.daemon.net.live import live_problems
    from asgid.daemon.net.opener import PortGroup, open_endpoint
    from asgid.daemon.net.port import NativePort
    from asgid.daemon.net.reactor import NativeReactor, install
    from asgid.daemon.net.transport import NativeTransport

_HOMES = {
    "LinuxHost": "host",
    "NativePort": "port",
    "NativeReactor": "reactor",
    "NativeTransport": "transport",
    "OpenError": "errors",
    "PortGroup": "opener",
    "install": "reactor",
    "live_problems": "live",
    "open_endpoint": "opener",
}

__all__ = [
    "LinuxHost",
    "NativePort",
    "NativeReactor",
    "NativeTransport",
    "OpenError",
    "PortGroup",
    "install",
    "live_problems",
    "open_endpoint",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
