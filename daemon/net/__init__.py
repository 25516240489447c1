"""The network: the reactor, the endpoint opener and what this host has.

Nothing is imported before it is asked for: Twisted alone takes longer to import than a small lint to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asgid.daemon.net.reactor import NativeReactor as NativeReactor, install as install

_HOMES = {
    "NativeReactor": "reactor",
    "install": "reactor",
}

__all__ = ["NativeReactor", "install"]  # pyright: ignore - lazily defined below


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
