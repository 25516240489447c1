"""Web origins (RFC 6454): what a file may name, and the one form in which two of them are compared."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from asgid.config import codes
from asgid.config.addresses import as_address, is_host_name
from asgid.config.quantities import RefusedError, found

__all__ = ["SELF", "check_origin", "normal_origin"]

SELF = "self"
"""The origin that the request itself was made to."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"  # RFC 3986 3.1
_ORIGIN = re.compile(rf"({_SCHEME})://(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/?#@\\]+)(?::([0-9]{{1,5}}))?", re.ASCII)
_LONGER = re.compile(rf"(({_SCHEME})://(?:[^/?#@\s]*@)?([^/?#@\s]+))[/?#]?\S*")
_SITES = {"ws": "http", "wss": "https"}  # a page's own scheme, for that of its WebSocket


def normal_origin(text: str) -> str | None:
    """Return the serialisation of an origin (RFC 6454 6.2), which equal ones share; ``None``: it is none.

    Scheme and host in lower case, an IPv6 address in its shortest form, no port that is the scheme's default.
    """
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        return None
    scheme, host = parts[1].lower(), parts[2].lower()
    if host.startswith("["):
        address = as_address(host[1:-1])
        if not isinstance(address, IPv6Address):
            return None
        host = f"[{address.compressed}]"
    port = int(parts[3]) if parts[3] else None
    if port is not None and port > 65535:
        return None
    return f"{scheme}://{host}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{host}:{port}"


def check_origin(text: str) -> str:
    """Return an origin that a file names, in its normal form, or ``self``; raise ``RefusedError``."""
    if text == SELF:
        return text
    normal = normal_origin(text)
    if normal is None:
        raise RefusedError(codes.BAD_ORIGIN, f"{found(text)} is no origin", _advice(text))
    scheme, _, host = normal.partition("://")
    host = host if host.startswith("[") else host.partition(":")[0]
    if scheme in _SITES:
        site = normal.replace(scheme, _SITES[scheme], 1)
        message = f"{found(text)} is no origin of a page: that is where it was loaded from"
        raise RefusedError(codes.BAD_ORIGIN, message, f'write "{site}"')
    if "*" in host:
        message = f"{found(text)} has a wildcard, and each origin stands for itself alone"
        raise RefusedError(codes.BAD_ORIGIN, message, "name every host")
    if not host.isascii():
        raise RefusedError(codes.BAD_ORIGIN, f"{found(text)} is not in ASCII", _ascii_advice(normal, host))
    if not host.startswith("[") and as_address(host) is None and not is_host_name(host):
        raise RefusedError(codes.BAD_ORIGIN, f"{found(text)} has no host's name in it", _advice(text))
    return normal


def _advice(text: str) -> str:
    """Say what was probably meant by what is no origin."""
    if text == "*":
        return "to let in any, leave origins out"
    if text == "null":
        return "any site can make its pages say that; name the sites"
    longer = _LONGER.fullmatch(text)
    shorter = normal_origin(f"{longer[2]}://{longer[3]}") if longer else None
    if shorter is not None and shorter != text:
        return f'write "{shorter}", without path and user'
    guess = normal_origin(f"https://{text}")
    if "://" not in text and guess is not None and is_host_name(guess[8:].partition(":")[0]):
        return f'write "{guess}"'
    return 'write "self", or scheme, host and, where it is not the default, port: "https://example.org:8443"'


def _ascii_advice(normal: str, host: str) -> str:
    try:
        written = host.encode("idna").decode("ascii")
    except UnicodeError:
        return "write it as browsers send it"
    return f'write "{normal.replace(host, written, 1)}", as browsers send it'
