"""What :func:`asgid.config.plan` asks of the host: a small protocol, which the daemon implements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    Address = IPv4Address | IPv6Address


class HostView(Protocol):
    """A host as the plan sees it. Every answer is of one moment; ask again to see what changed."""

    def interfaces(self) -> Mapping[str, tuple[Address, ...]]:
        """Return every network interface by name, with its addresses.

        IPv6 link-local addresses carry their zone (``scope_id``), which is the interface's name.
        """

    def has_ipv6(self) -> bool:
        """Tell whether IPv6 sockets can be opened here."""

    def user(self, name: str) -> int | None:
        """Return the user id of ``name``, a decimal id being itself, or None where there is no such user."""

    def group(self, name: str) -> int | None:
        """Return the group id of ``name``, a decimal id being itself, or None where there is none."""

    def read_bytes(self, path: Path) -> bytes:
        """Return what the file at ``path`` holds. Raises ``OSError``."""
