"""Addresses, zones, interfaces and networks as text: what is one, and how far it can be reached from."""

from __future__ import annotations

import enum
import re
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address

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


class Reach(enum.IntEnum):
    """How far a listener can be reached from, narrowest first."""

    LOOPBACK = 0
    PRIVATE = 1
    PUBLIC = 2


def as_address(text: str) -> Address | None:
    """Return the address that ``text`` is, with its zone, or None. An IPv4 address has four decimal parts."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def as_network(text: str) -> IPv4Network | IPv6Network | None:
    """Return the network that ``text`` is, or None. An address is a network of one; host bits are zero."""
    try:
        return ip_network(text)
    except (AddressValueError, ValueError):
        return None


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
