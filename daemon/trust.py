"""Whose word is taken: the peers in ``proxy.trusted``, as addresses are compared with them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_REMEMBERED = 1024


class Trust:
    """The networks in ``trusted`` (CIDR as text, and ``unix``), parsed once.

    A zone in an address does not matter, and IPv4 in IPv6's clothes (``::ffff:10.0.0.1``) is that IPv4.
    """

    __slots__ = ("_networks", "_seen", "unix")

    def __init__(self, trusted: Iterable[str]) -> None:
        self.unix = False  # whether who connects to a unix socket is trusted
        self._networks: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        self._seen: dict[str, bool] = {}
        for text in trusted:
            if text == "unix":
                self.unix = True
            else:
                network = ipaddress.ip_network(text, strict=False)
                self._networks[network.version].append((int(network.netmask), int(network.network_address)))

    def peer(self, end: tuple[str, int] | None) -> bool:
        """Tell whether a connection's other end is trusted; ``None`` is one of a unix socket."""
        if end is None:
            return self.unix
        verdict = self._seen.get(end[0])
        if verdict is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            verdict = self._seen[end[0]] = self.address(end[0])
        return verdict

    def address(self, text: str) -> bool:
        """Tell whether ``text``, a literal address, is in one of the networks."""
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        number = int(address)
        return any(number & mask == network for mask, network in self._networks[address.version])
