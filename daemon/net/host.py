"""What this host has: its interfaces and their addresses (rtnetlink(7)), its users and groups."""

from __future__ import annotations

import grp
import pwd
import socket
import struct
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from asgid.daemon.net import netlink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Address = IPv4Address | IPv6Address

_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, prefix length, flags, scope, interface


class LinuxHost:
    """The HostView of this machine, in this process's network namespace. Each call asks anew."""

    def interfaces(self) -> Mapping[str, tuple[Address, ...]]:
        """Return every interface by name with its addresses; link-local IPv6 ones carry their zone."""
        try:
            names = dict(socket.if_nameindex())
        except OSError:
            return {}
        found: dict[str, list[Address]] = {name: [] for name in names.values()}
        for index, packed in _addresses():
            name = names.get(index)
            if name is not None:
                found[name].append(_address(packed, name))
        return {name: tuple(addresses) for name, addresses in found.items()}

    def has_ipv6(self) -> bool:
        """Tell whether an IPv6 socket can be made and bound here."""
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(("::", 0))
        except OSError:
            return False
        return True

    def user(self, name: str) -> int | None:
        """Return the user id of ``name``, None where there is no such user. A number stands for itself."""
        if _is_id(name):
            return int(name)
        with suppress(KeyError, ValueError):
            return pwd.getpwnam(name).pw_uid
        return None

    def group(self, name: str) -> int | None:
        """Return the group id of ``name``, None where there is no such group. A number stands for itself."""
        if _is_id(name):
            return int(name)
        with suppress(KeyError, ValueError):
            return grp.getgrnam(name).gr_gid
        return None

    def read_bytes(self, path: Path) -> bytes:
        """Return what the file at ``path`` holds. Raises ``OSError``."""
        return path.read_bytes()


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdecimal() and int(name) < 2**32 - 1  # (uid_t) -1 means "leave it"


def _address(packed: bytes, interface: str) -> Address:
    if len(packed) == 4:
        return IPv4Address(packed)
    address = IPv6Address(packed)
    return IPv6Address(f"{address}%{interface}") if address.is_link_local else address


def _addresses() -> Iterator[tuple[int, bytes]]:
    """Yield the interface number and the packed address of every address in this network namespace."""
    body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    for kind, payload in netlink.dump(socket.NETLINK_ROUTE, _RTM_GETADDR, body):
        if kind != _RTM_NEWADDR:
            continue
        family, _prefix, _flags, _scope, index = _ADDRESS.unpack_from(payload)
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        found = netlink.attributes(payload, _ADDRESS.size)
        # On a point-to-point link IFA_ADDRESS is the other end (rtnetlink(7)).
        packed = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS))
        if packed is not None:
            yield index, packed
