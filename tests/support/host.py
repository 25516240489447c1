"""A host as a test wants it, for what is planned without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass
class Host:
    """A host as a test wants it."""

    ipv6: bool = True
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    accounts: tuple[str, ...] = ("www-data",)

    def interfaces(self) -> Mapping[str, tuple[IPv4Address | IPv6Address, ...]]:
        return {name: tuple(map(ip_address, each)) for name, each in self.addresses.items()}

    def has_ipv6(self) -> bool:
        return self.ipv6

    def user(self, name: str) -> int | None:
        return 33 if name in self.accounts else None

    group = user

    def read_bytes(self, path: Path) -> bytes:
        return path.read_bytes()
