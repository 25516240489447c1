"""What the single arguments of endpoint strings must be: each function returns what is wrong, or None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import as_address, is_host_name, unbindable

if TYPE_CHECKING:
    from collections.abc import Callable

UNIX_PATH_BYTES = 107
"""The longest path of a unix socket on Linux (unix(7)): sun_path holds 108 bytes, the last one is NUL."""

_MOST_SHOWN = 60
_DECIMAL = re.compile(r"[0-9]{1,10}")
_OCTAL = re.compile(r"[0-7]{1,5}")


def problem(kind: str, name: str, value: str) -> tuple[str, str] | None:
    """Return the code and the sentence of what is wrong with the argument ``name`` of a ``kind``."""
    check = _CHECKS.get(name)
    message = check(kind, value) if check else None
    if message is not None:
        return codes.ENDPOINT_VALUE, message
    address = as_address(value) if name == "interface" else None
    return None if address is None else unbindable(address, value)


def shown(text: str) -> str:
    """Return ``text`` in quotes, as a sentence shows it: not more of it than fits."""
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")


def is_port(text: str) -> bool:
    """Tell whether ``text`` is a port's number."""
    return _DECIMAL.fullmatch(text) is not None and int(text) <= 65535


def _check_port(_: str, value: str) -> str | None:
    return None if is_port(value) else f"the port {shown(value)} is not a number from 0 to 65535"


def _check_backlog(_: str, value: str) -> str | None:
    good = _DECIMAL.fullmatch(value) and int(value) < 2**31
    return None if good else f"the backlog {shown(value)} is not a number"


def _check_interface(kind: str, value: str) -> str | None:
    if as_address(value) is not None:
        return None
    if kind == "asgid-tcp":
        return f"the interface {shown(value)} is not an IPv4 or IPv6 address"
    if not value or is_host_name(value):
        return None
    return f"the interface {shown(value)} is neither an address nor a host name"


def _check_path(_: str, value: str) -> str | None:
    if not value:
        return "the path is empty"
    if len(value.encode("utf-8", "surrogateescape")) > UNIX_PATH_BYTES:
        return f"the path is longer than the {UNIX_PATH_BYTES} bytes that a unix socket's may have"
    return None


def _check_mode(_: str, value: str) -> str | None:
    good = _OCTAL.fullmatch(value) and int(value, 8) <= 0o777
    return None if good else f"the mode {shown(value)} is not octal, from 0 to 0777"


def _check_flag(_: str, value: str) -> str | None:
    return None if value in {"0", "1"} else f"{shown(value)} is neither 0 nor 1"


def _check_number(_: str, value: str) -> str | None:
    good = _DECIMAL.fullmatch(value) and int(value) < 2**31
    return None if good else f"{shown(value)} is not a number"


def _check_domain(kind: str, value: str) -> str | None:
    if kind == "fd" or value in {"INET", "INET6", "UNIX"}:
        return None
    return f"the domain {shown(value)} is none of INET, INET6, UNIX"


def _check_name(_: str, value: str) -> str | None:
    good = value and len(value) <= 255 and value.isascii() and ":" not in value
    return None if good else f"the name {shown(value)} is not one that systemd gives to a descriptor"


_CHECKS: dict[str, Callable[[str, str], str | None]] = {
    "port": _check_port,
    "backlog": _check_backlog,
    "interface": _check_interface,
    "address": _check_path,
    "path": _check_path,
    "mode": _check_mode,
    "lockfile": _check_flag,
    "freebind": _check_flag,
    "fileno": _check_number,
    "index": _check_number,
    "domain": _check_domain,
    "name": _check_name,
}
