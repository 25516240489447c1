"""2xx: listeners, where they listen, and which cannot be together."""

from __future__ import annotations

from asgid.config.rules.listeners import addresses, collisions, shape, unix_and_systemd

__all__ = ["addresses", "collisions", "shape", "unix_and_systemd"]
