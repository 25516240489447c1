"""Whose word is taken: the peers in ``proxy.trusted``, as addresses are compared with them."""

from __future__ import annotations

import ipaddress
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_REMEMBERED = 1024
_MAPPED = bytes(10) + b"\xff\xff"


class Trust:
    """The networks in ``trusted`` (CIDR as text, and ``unix``), parsed once.

    A zone in an address does not matter, and IPv4 in IPv6's clothes (``::ffff:10.0.0.1``) is that IPv4.
    """

    __slots__ = ("_networks", "_seen", "unix")

    def __init__(self, trusted: Iterable[str]) -> None:
        self.unix = False  # whether who connects to a unix socket is trusted
        self._networks: dict[int, list[tuple[int, int]]] = {4: [], 16: []}  # by the bytes of an address
        self._seen: dict[str, bool] = {}
        for text in trusted:
            if text == "unix":
                self.unix = True
            else:
                network = ipaddress.ip_network(text, strict=False)
                size = len(network.network_address.packed)
                self._networks[size].append((int(network.netmask), int(network.network_address)))

    def peer(self, end: tuple[str, int] | None, own: tuple[str, int] | None = None) -> bool:
        """Tell whether a connection's other end is trusted; ``None`` is one of a unix socket.

        That is one whose ``own`` end has no address either. A TCP client that was reset before it was
        accepted has none any more, while what it sent can still be read: it is nobody.
        """
        if end is None:
            return self.unix and own is None
        verdict = self._seen.get(end[0])
        if verdict is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            verdict = self._seen[end[0]] = self.address(end[0].partition("%")[0])
        return verdict

    def address(self, text: str) -> bool:
        """Tell whether ``text``, a literal address without a zone, is in one of the networks."""
        found = packed(text)
        if found is None:
            return False
        number = int.from_bytes(found, "big")
        return any(number & mask == network for mask, network in self._networks[len(found)])


def packed(text: str) -> bytes | None:
    """Return the 4 or 16 bytes of a literal address without a zone, None where ``text`` is none."""
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        found = inet_pton(AF_INET6, text)
    except (OSError, ValueError):  # ValueError: a NUL
        return None
    return found[12:] if found.startswith(_MAPPED) else found


def unpacked(address: bytes) -> str:
    """Return the usual form of an address that :func:`packed` gave, or that came packed."""
    if len(address) == 4 or address.startswith(_MAPPED):
        return inet_ntop(AF_INET, address[-4:])
    return inet_ntop(AF_INET6, address)
