"""Forwarded headers: whose word is taken on where a request came from.

Only a peer in ``proxy.trusted`` is believed, and of ``X-Forwarded-For`` the right-most entry that no trusted
proxy wrote. What other peers send under these names is removed, so that no application believes it.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from asgid.daemon.seam import header_values

if TYPE_CHECKING:
    from asgid.config.spec import Proxy
    from asgid.daemon.seam import Headers

log = logging.getLogger("asgid.application")

_PROTO = b"x-forwarded-proto"
_ROOT_PATH = b"daphne-root-path"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Forwarding:
    """The forwarded headers of one listener, as ``[proxy]`` has them."""

    def __init__(self, name: str, proxy: Proxy) -> None:
        self._name = name
        self._said = False
        self._unix = "unix" in proxy.trusted
        self._networks: list[_Network] = [
            ipaddress.ip_network(text, strict=False) for text in proxy.trusted if text != "unix"
        ]
        self._host_header = proxy.host_header
        self._port_header = proxy.port_header
        self._removed = frozenset((proxy.host_header, proxy.port_header, _PROTO))

    def apply(self, scope: dict[str, Any]) -> None:
        """Set ``client``, ``scheme`` and ``root_path`` from a trusted peer's headers; remove another peer's.

        Daphne-Root-Path of a peer that is not trusted is a header like any other.
        """
        headers: Headers = scope["headers"]
        client = scope["client"]
        if not (self._unix if client is None else self._trusts(client[0])):
            scope["headers"] = kept = [header for header in headers if header[0] not in self._removed]
            if len(kept) < len(headers) and not self._said:
                self._said = True
                log.warning(
                    "listener %s: forwarded headers of %s were removed, as those of every peer that is not "
                    "trusted; this is said once",
                    self._name,
                    client[0] if client else "a unix socket",
                )
            return
        address = self._client(headers)
        if address is not None:
            ports = header_values(headers, self._port_header)
            port = ports[-1].decode("latin-1").strip() if ports else ""
            known = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536
            scope["client"] = (address, int(port) if known else 0)
        schemes = header_values(headers, _PROTO)
        if schemes:
            scheme = schemes[-1].decode("latin-1").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https", "ws", "wss"}:
                scope["scheme"] = scheme.replace("ws", "http")
        roots = header_values(headers, _ROOT_PATH)
        if roots:
            scope["root_path"] = unquote(roots[-1].decode("latin-1"))
            scope["headers"] = [header for header in headers if header[0] != _ROOT_PATH]

    def _client(self, headers: Headers) -> str | None:
        """Return the right-most address that no trusted proxy wrote; the left-most where all are trusted."""
        text = b",".join(header_values(headers, self._host_header)).decode("latin-1")
        found = None
        for entry in reversed(text.split(",")):
            address = _address(entry.strip())
            if address is None:
                break  # nothing to the left of what is no address can be relied on
            found = address
            if not self._trusts(address):
                break
        return found

    def _trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _address(entry: str) -> str | None:
    """Return the address in an entry of X-Forwarded-For, which may have a port; ``None`` where it is none."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
