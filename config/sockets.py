"""What an endpoint string takes, told from the string alone, and which two cannot both have it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple, TypeGuard

from asgid.config import endpoint_check, endpoints
from asgid.config.addresses import Address, Reach, as_address, reach
from asgid.config.endpoints import Endpoint

_ANY4 = IPv4Address("0.0.0.0")
_ANY6 = IPv6Address("::")
_STOCK = frozenset({"tcp", "tcp6", "ssl", "tls"})
_DEFAULT_INTERFACE = {"tcp": "", "ssl": "", "tcp6": "::", "tls": "::"}
_DEFAULT_PORT = {"tls": "443"}


class TcpClaim(NamedTuple):
    """An address and a port. ``dual``: a stock string's ``::``, that takes every IPv4 address as well."""

    address: Address
    port: int
    device: str = ""
    dual: bool = False

    def __str__(self) -> str:
        return f"{self.address} port {self.port}"


class OtherClaim(NamedTuple):
    """A unix socket's path, an inherited descriptor, or every one that systemd passed under a name."""

    what: Literal["the unix socket", "descriptor", "the systemd socket"]
    name: str

    def __str__(self) -> str:
        return f"{self.what} {self.name}"


Claim = TcpClaim | OtherClaim


@lru_cache(maxsize=4096)
def claim(endpoint: Endpoint) -> Claim | None:
    """Return what ``endpoint`` takes, or None where the string does not tell (a plugin, a host name)."""
    if endpoint.kind == "haproxy" and endpoint.args:
        return claim(Endpoint(endpoint.args[0], endpoint.args[1:], endpoint.kwargs))
    if endpoint.kind in _STOCK:
        return _stock_claim(endpoint)
    match endpoints.view(endpoint):
        case endpoints.AsgidTcp(port, interface, _, device, _):
            address = as_address(interface)
            return None if address is None else TcpClaim(address, port, device)
        case endpoints.Unix(path) | endpoints.AsgidUnix(path):
            return OtherClaim("the unix socket", path)
        case endpoints.AsgidSystemd(name):
            return OtherClaim("the systemd socket", name)
        case endpoints.Fd(fileno):
            return OtherClaim("descriptor", str(fileno))
        case _:
            return None


def _stock_claim(endpoint: Endpoint) -> TcpClaim | None:
    bound = endpoint_check.bind(endpoint)
    interface = bound.get("interface", _DEFAULT_INTERFACE[endpoint.kind])
    address = as_address(interface) if interface else _ANY4
    if address is None:
        return None
    port = int(bound.get("port", _DEFAULT_PORT.get(endpoint.kind, "0")))
    return TcpClaim(address, port, dual=address == _ANY6)


def is_wildcard(address: Address) -> bool:
    """Tell whether ``address`` is every one of its family."""
    return address in {_ANY4, _ANY6}


def takes_ipv4_wildcard(claimed: Claim | None) -> TypeGuard[TcpClaim]:
    """Tell whether ``claimed`` is every IPv4 address, said as such."""
    return isinstance(claimed, TcpClaim) and claimed.address == _ANY4


def path_of(claimed: Claim | None) -> str | None:
    """Return the path of a unix socket, None for whatever else is claimed."""
    if isinstance(claimed, OtherClaim) and claimed.what == "the unix socket":
        return claimed.name
    return None


def reach_of(claimed: Claim | None) -> Reach | None:
    """Return how far a claim can be reached from, or None where that cannot be told."""
    if path_of(claimed) is not None:
        return Reach.LOOPBACK
    return reach(claimed.address) if isinstance(claimed, TcpClaim) else None


def collide(one: Claim, other: Claim, *, ipv6_only: bool) -> bool:
    """Tell whether two claims cannot both be had (ip(7)); ``ipv6_only``: no ``::`` takes IPv4 as well."""
    if not isinstance(one, TcpClaim) or not isinstance(other, TcpClaim):
        return one == other
    if one.port != other.port or one.port == 0:
        return False
    if one.device and other.device and one.device != other.device:
        return False
    if _overlap(one.address, other.address):
        return True
    if ipv6_only:
        return False
    return (one.dual and other.address.version == 4) or (other.dual and one.address.version == 4)


def _overlap(one: Address, other: Address) -> bool:
    if one.version != other.version:
        return False
    return one == other or is_wildcard(one) or is_wildcard(other)
