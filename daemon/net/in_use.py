"""Which sockets there are in this network namespace, asked once: by sock_diag(7), or from /proc (proc(5)).

Nothing is bound or connected to find out. sock_diag tells what /proc does not: sockets that are bound and do
not listen (Linux 6.8 and later), the device that one is bound to, IPV6_V6ONLY, and a unix socket's inode.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asgid.config.addresses import with_port
from asgid.daemon.net import netlink

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PROC = Path("/proc")

_SOCK_DIAG, _BY_FAMILY = 4, 20  # NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY
_INET_REQUEST = struct.Struct("=BBBxI48x")  # struct inet_diag_req_v2: family, protocol, extensions, states
_INET = struct.Struct(
    "=BBBB2s2x16s16xI8x12xII"
)  # struct inet_diag_msg; behind the ports: source, device, uid, inode
_FILTER = struct.Struct("=HHBBH2xHBBH2xH")  # struct nlattr, then two of struct inet_diag_bc_op for each test
_REQ_BYTECODE, _S_GE, _S_LE = 1, 2, 3  # INET_DIAG_REQ_BYTECODE, INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE
_SKV6ONLY = 11  # INET_DIAG_SKV6ONLY: told of sockets that listen, and of closed ones
_UNIX_REQUEST = struct.Struct("=BBxxIII8x")  # struct unix_diag_req: family, protocol, states, inode, show
_UNIX = struct.Struct("=BBBxI8x")  # struct unix_diag_msg: family, type, state, inode
_UNIX_NAME, _UNIX_VFS, _UNIX_UID = 0, 1, 7
_SHOW = 0x01 | 0x02 | 0x40  # UDIAG_SHOW_NAME, _VFS, _UID
_ALL_STATES = 0xFFFFFFFF
_LISTEN, _CLOSE = 10, 7  # TCP_LISTEN and TCP_CLOSE in <net/tcp_states.h>
_TCP_FILES = ("net/tcp", "net/tcp6")
_UNCONNECTED = "01"  # SS_UNCONNECTED in <linux/net.h>: it listens, or may yet
_MAPPED = b"\0" * 10 + b"\xff\xff"


class Taken(NamedTuple):
    """A TCP socket that has a port. ``address`` is packed, an IPv4-mapped one as IPv4.

    ``device`` is an interface's number, 0 for none, and -1 where it is not known; so is ``v6_only`` None.
    """

    address: bytes
    port: int
    listens: bool
    device: int
    v6_only: bool | None
    uid: int
    inode: int

    def __str__(self) -> str:
        host = socket.inet_ntop(socket.AF_INET if len(self.address) == 4 else socket.AF_INET6, self.address)
        return with_port(host, self.port)


def plain(address: bytes) -> bytes:
    """Return a packed address, an IPv4-mapped one (RFC 4291 2.5.5.2) as the IPv4 address that it is."""
    return address[12:] if address[:12] == _MAPPED else address


def overlap(wanted: bytes, device: int, taken: Taken) -> bool | None:
    """Tell whether a socket for ``wanted`` alone would be in the way of ``taken``; None: that cannot be told.

    An IPv6 ``wanted`` is IPv6 alone, as all of ours are. ``device`` is the interface it is bound to, or 0.
    """
    if len(wanted) == len(taken.address):
        hit: bool | None = wanted == taken.address or not any(wanted) or not any(taken.address)
    elif len(wanted) == 4 and not any(taken.address):  # the IPv6 wildcard, which may take IPv4 as well
        hit = None if taken.v6_only is None else not taken.v6_only
    else:
        hit = False
    if hit is False or not device or not taken.device or device == taken.device:
        return hit
    return None if taken.device < 0 else False


class TcpTable:
    """The TCP sockets that have one of ``ports``."""

    def __init__(self, ports: Collection[int], proc: Path = PROC) -> None:
        self._ports = frozenset(ports)
        self._proc = proc

    @cached_property
    def taken(self) -> tuple[Taken, ...]:
        """Every one of them."""
        if self._proc == PROC:
            with suppress(OSError):  # no sock_diag here: an old kernel, a sandbox
                return tuple(self._by_netlink())
        return tuple(self._by_proc())

    def at(self, port: int) -> list[Taken]:
        """Return those that have ``port``."""
        return [each for each in self.taken if each.port == port]

    def _by_netlink(self) -> Iterator[Taken]:
        wanted = {port.to_bytes(2, "big") for port in self._ports}
        if not wanted:
            return
        among = _between(min(self._ports), max(self._ports))
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _INET_REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES) + among
            for _, payload in netlink.dump(_SOCK_DIAG, _BY_FAMILY, request):
                if payload[4:6] not in wanted:
                    continue
                _, state, _, _, port, source, device, uid, inode = _INET.unpack_from(payload)
                v6_only: bool | None = True  # of a socket with one address it makes no difference
                if family == socket.AF_INET6:
                    said = netlink.attributes(payload, _INET.size).get(_SKV6ONLY)
                    v6_only = None if said is None else bool(said[0])
                address = plain(source) if family == socket.AF_INET6 else source[:4]
                number = int.from_bytes(port, "big")
                yield Taken(address, number, state == _LISTEN, device, v6_only, uid, inode)

    def _by_proc(self) -> Iterator[Taken]:
        for file in _TCP_FILES:
            for line in _lines(self._proc / file):
                fields = line.split(maxsplit=10)
                address, _, hexadecimal = fields[1].partition(":")
                port = int(hexadecimal, 16)
                if port in self._ports:
                    packed = plain(_from_kernel(address))
                    listens = int(fields[3], 16) == _LISTEN
                    yield Taken(packed, port, listens, -1, None, int(fields[7]), int(fields[9]))


def _between(least: int, most: int) -> bytes:
    """Return what has the kernel leave out all but a range of ports: a busy host has 30,000 in TIME_WAIT.

    It is a program in its own code. A test that holds goes on to the next, one that does not jumps 4 bytes
    past the end, which means no; the port stands in an instruction behind the test's (linux/inet_diag.h).
    """
    return _FILTER.pack(_FILTER.size, _REQ_BYTECODE, _S_GE, 8, 20, least, _S_LE, 8, 12, most)


def _from_kernel(text: str) -> bytes:
    """Return the address that the kernel prints as 32-bit words in its own byte order."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return raw


class Bound(NamedTuple):
    """A unix socket that is bound and has no peer: it listens, or may yet. ``name`` is as it was bound.

    ``file`` is the device and the inode of its path, None where that is not known; ``uid`` -1 likewise.
    """

    name: str
    file: tuple[int, int] | None
    uid: int
    inode: int


class UnixTable:
    """The unix sockets of this network namespace that are bound to a path."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc

    @cached_property
    def bound(self) -> tuple[Bound, ...]:
        """Every one of them."""
        if self._proc == PROC:
            with suppress(OSError):
                return tuple(_unix_by_netlink())
        return tuple(unix_by_proc(self._proc / "net/unix"))

    def at(self, path: str) -> list[Bound]:
        """Return those that were bound to what is at ``path`` now, whatever name they were bound by."""
        try:
            there = os.lstat(path)
        except OSError:
            return []
        kernels = (os.major(there.st_dev) << 20 | os.minor(there.st_dev), there.st_ino & 0xFFFFFFFF)
        return [each for each in self.bound if each.file == kernels or same_path(each, path)]


def same_path(one: Bound, path: str) -> bool:
    """Tell whether ``one`` was bound to ``path`` by name, or may have been: a relative name says little."""
    if one.name == path:
        return True
    if one.name.startswith("/"):
        return Path(one.name).name == Path(path).name and os.path.realpath(one.name) == os.path.realpath(path)
    return one.file is None and Path(one.name).name == Path(path).name


def _unix_by_netlink() -> Iterator[Bound]:
    request = _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 1 << _LISTEN | 1 << _CLOSE, 0, _SHOW)
    for _, payload in netlink.dump(_SOCK_DIAG, _BY_FAMILY, request):
        inode = _UNIX.unpack_from(payload)[3]
        said = netlink.attributes(payload, _UNIX.size)
        name = said.get(_UNIX_NAME, b"").rstrip(b"\0").decode("utf-8", "surrogateescape")
        if not name:
            continue  # it has no name, or one in the abstract namespace, which begins with NUL
        file = None
        if _UNIX_VFS in said:
            number, device = struct.unpack_from("=II", said[_UNIX_VFS])
            file = (device, number)
        uid = struct.unpack_from("=I", said[_UNIX_UID])[0] if _UNIX_UID in said else -1
        yield Bound(name, file, uid, inode)


def unix_by_proc(file: Path) -> Iterator[Bound]:
    """Yield what a file like /proc/net/unix lists."""
    for line in _lines(file):
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[5] == _UNCONNECTED:
            yield Bound(fields[7], None, -1, int(fields[6]))


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    return []
