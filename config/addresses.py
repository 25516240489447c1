"""Addresses, zones, interfaces and networks as text: what is one, and how far it can be reached from."""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from asgid.config import codes

Address = IPv4Address | IPv6Address
BROADCAST = IPv4Address("255.255.255.255")

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_INTERFACE = re.compile(r"[^\s/:%\x00-\x1f\x7f]{1,15}")
_LINK_LOCAL_V4 = IPv4Network("169.254.0.0/16")
_PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    _LINK_LOCAL_V4,  # not routed, as fe80::/10 is not (RFC 3927 7)
    IPv6Network("fc00::/7"),
    IPv6Network("fe80::/10"),
)


_DOCUMENTATION = (
    IPv4Network("192.0.2.0/24"),
    IPv4Network("198.51.100.0/24"),
    IPv4Network("203.0.113.0/24"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),  # RFC 9637
)
"""What stands in examples and on no host (RFC 5737, RFC 3849)."""


class Reach(enum.IntEnum):
    """How far a listener can be reached from, narrowest first."""

    LOOPBACK = 0
    PRIVATE = 1
    PUBLIC = 2


@lru_cache(maxsize=4096)
def as_address(text: str) -> Address | None:
    """Return the address that ``text`` is, with its zone, or None. An IPv4 address has four decimal parts."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def as_network(text: str, *, strict: bool = True) -> IPv4Network | IPv6Network | None:
    """Return the network that ``text`` is, or None. An address is a network of one.

    ``strict``: bits beyond the mask are zero; otherwise they are dropped. A network of IPv4 addresses mapped
    into IPv6 (RFC 4291 2.5.5.2) is that IPv4 network, as peers with such an address are that IPv4 address.
    """
    try:
        network = ip_network(text, strict=strict)
    except (AddressValueError, ValueError):
        return None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network


def with_port(host: str, port: int) -> str:
    """Return an address and a port as one text, IPv6 in brackets (RFC 3986 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_host_name(text: str) -> bool:
    """Tell whether ``text`` could be a host's name (RFC 1123 2.1, and ``_``), which an address is not."""
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or labels[-1].isdigit():
        return False
    return all(_LABEL.fullmatch(label) for label in labels)


def is_interface_name(text: str) -> bool:
    """Tell whether Linux could have an interface of that name: 1 to 15 bytes, no blank, ``/`` or ``:``."""
    if text in {".", ".."} or len(text.encode("utf-8", "surrogatepass")) > 15:
        return False
    return _INTERFACE.fullmatch(text) is not None


def reach(address: Address) -> Reach:
    """Return how far ``address`` can be reached from; a wildcard counts as public."""
    if address.is_loopback:
        return Reach.LOOPBACK
    plain = IPv6Address(int(address)) if isinstance(address, IPv6Address) else address
    private = any(plain in network for network in _PRIVATE if network.version == plain.version)
    return Reach.PRIVATE if private else Reach.PUBLIC


def is_documentation(address: Address) -> bool:
    """Tell whether ``address`` is one of those that are for examples."""
    plain = IPv6Address(int(address)) if isinstance(address, IPv6Address) else address
    return any(plain in network for network in _DOCUMENTATION if network.version == plain.version)


def unbindable(address: Address, text: str) -> tuple[str, str] | None:
    """Return a code and a sentence for an address, written ``text``, that no TCP socket can be bound to."""
    if address.is_multicast:
        return codes.MULTICAST_ADDRESS, f"{text} is a multicast address, on which no connection can arrive"
    if address == BROADCAST:
        return (
            codes.BROADCAST_ADDRESS,
            f"{text} is the broadcast address, on which no connection can arrive",
        )
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return codes.MAPPED_ADDRESS, f"{text} is an IPv4 address mapped into IPv6, which is refused"
    if address.is_link_local and address.scope_id is None:
        return codes.BAD_ZONE, f"{text} is link-local and says nothing of which link"
    return None
