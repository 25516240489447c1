"""Forwarded headers: whose word is taken on where a request came from.

Only a peer in ``proxy.trusted`` is believed; where a PROXY header came, that is the client it names. Of each
list the right-most entry counts that no trusted proxy wrote. An entry that is no address ends the search:
nothing left of it is believed, and the client is the last address that was.

What an application sees, where forwarded headers are asked for:

- From a peer that is not trusted: none of them. ``Forwarded``, ``X-Real-IP``, whatever begins with
  ``X-Forwarded-`` (authenticating proxies send X-Forwarded-User and such) and the headers that ``[proxy]``
  names are removed.
- From a trusted peer: what is believed. Lists begin with the entry that was taken, so an application that
  looks at the left-most one itself finds the same client; what is not believed is removed. Of the two
  families only the one that ``forwarded`` names stays: a proxy that writes one of them passes those of the
  other on as its client sent them. X-Forwarded-User, X-Real-IP and others are the proxy's own business.
- From anybody: no such header with an underscore for a hyphen (``X_Forwarded_For``), which CGI's naming, and
  Django's, cannot tell from the true one.

The host replaces Host, so that ``get_host`` of Django and ``url_for`` of Starlette come out right, and a
prefix becomes ``root_path`` and stands before the path, for the proxy that sends one has cut it off.
X-Forwarded-Port is Daphne's: the port of the client, where its entry has none of its own; the port of the
host stands in X-Forwarded-Host. Schemes, hosts and prefixes are single values; of several the right-most, the
nearest proxy's, counts. With Daphne's flags (``rewrites`` false) X-Forwarded-Host and -Prefix of a trusted
peer are not looked at and stay, as in Daphne: documented configurations of nginx set the first of them to the
name of a server block.

Daphne-Root-Path of a trusted peer becomes ``root_path`` as in Daphne, the path left alone, where it could be
a prefix: most proxies know nothing of that header, and pass on what their clients sent.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from asgid.daemon.asgi import forwarded_entries as entries
from asgid.daemon.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.config.spec import Proxy
    from asgid.daemon.asgi.forwarded_entries import Entry
    from asgid.daemon.seam import Address, Headers

log = logging.getLogger("asgid.application")

_FORWARDED = b"forwarded"
_PROTO = b"x-forwarded-proto"
_HOST = b"x-forwarded-host"
_PREFIX = b"x-forwarded-prefix"
_ROOT_PATH = b"daphne-root-path"
_FAMILY = b"x-forwarded-"
_REAL_IP = b"x-real-ip"

# A name or an address, and a port: what Django takes (RFC 9110 7.2 has more, which no proxy sends).
_HOST_VALUE = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX_VALUE = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+;=:@%-]+)+")  # segments of RFC 3986 3.3
# An empty segment would make another host of what follows in a redirect ("//evil.example").
_BAD_PREFIX = re.compile(r"//|\\|/\.\.?(?:/|$)")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Said(NamedTuple):
    """What the headers of a trusted peer come to; None where they say nothing of it."""

    client: Address | None = None
    scheme: str | None = None
    host: str | None = None
    prefix: str | None = None


class Forwarding:
    """The forwarded headers of one listener, as ``[proxy]`` has them."""

    def __init__(self, name: str, proxy: Proxy) -> None:
        self._name = name
        self._said = False
        self._trust = Trust(proxy.trusted)
        self._host_header = proxy.host_header
        self._port_header = proxy.port_header
        own = {proxy.host_header, proxy.port_header}
        self._removed = frozenset(name.replace(b"_", b"-") for name in (_FORWARDED, _REAL_IP, *own))
        self._listens: Callable[[dict[bytes, list[str]]], tuple[Said, dict[bytes, str]]] = self._x_forwarded
        if proxy.forwarded == "rfc7239":
            self._listens = self._rfc7239
            own = {b"x-forwarded-for", b"x-forwarded-port"}
        if proxy.rewrites:
            own |= {_HOST, _PREFIX}
        self._looked_at = frozenset({_FORWARDED, _PROTO, *own})

    def apply(self, scope: dict[str, Any]) -> None:
        """Set ``client``, ``scheme``, ``root_path``, path and Host from a trusted peer's headers.

        Daphne-Root-Path of a peer that is not trusted is a header like any other.
        """
        if self._trust.peer(scope["client"], scope.get("server")):
            self._believe(scope)
        else:
            self._remove(scope)

    def _remove(self, scope: dict[str, Any]) -> None:
        headers: Headers = scope["headers"]
        scope["headers"] = kept = [header for header in headers if not self._is_one(header[0])]
        if len(kept) < len(headers) and not self._said:
            self._said = True
            client = scope["client"]
            log.warning(
                "listener %s: forwarded headers of %s were removed, as those of every peer that is not "
                "trusted; this is said once",
                self._name,
                client[0] if client else "a unix socket",
            )

    def _is_one(self, name: bytes) -> bool:
        """Tell whether a header is one of those that only a trusted peer may send."""
        if b"_" in name:
            name = name.replace(b"_", b"-")
        return name.startswith(_FAMILY) or name in self._removed

    def _believe(self, scope: dict[str, Any]) -> None:
        looked_at = self._looked_at
        found: dict[bytes, list[str]] = {}
        kept: Headers = []
        root: bytes | None = None
        for header in scope["headers"]:
            name, value = header
            if name in looked_at:
                found.setdefault(name, []).append(value.decode("latin-1"))
            elif name == _ROOT_PATH:
                root = value
            elif b"_" not in name or not self._is_one(name):
                kept.append(header)
        if root is not None:
            meant = unquote(root.decode("latin-1"))
            if not meant or (meant[0] == "/" and _is_harmless(meant)):
                scope["root_path"] = meant
        if found:
            said, written = self._listens(found)
            kept += [(name, value.encode("latin-1")) for name, value in written.items()]
            _tell(scope, said, kept)
        scope["headers"] = kept

    def _x_forwarded(self, found: dict[bytes, list[str]]) -> tuple[Said, dict[bytes, str]]:
        """Return what X-Forwarded-* say, and what is left of them."""
        written: dict[bytes, str] = {}
        client: Address | None = None
        chain = self._believed(entries.simple(found.get(self._host_header, ())))
        known = [entry for entry in chain if entry.host is not None]
        if chain:
            written[self._host_header] = ", ".join(entry.text for entry in reversed(chain))
        port = _last(found, self._port_header)
        if port is not None and entries.port(port) is not None:
            written[self._port_header] = port
        if known:
            first = known[-1]
            client = (str(first.host), first.port or entries.port(port or "") or 0)
        scheme = (_last(found, _PROTO) or "").lower()
        if scheme in _SCHEMES:
            written[_PROTO] = scheme
        host = _last(found, _HOST)
        if host is not None and _HOST_VALUE.fullmatch(host):
            written[_HOST] = host
        prefix = (_last(found, _PREFIX) or "").rstrip("/")
        if _PREFIX_VALUE.fullmatch(prefix) and _is_harmless(unquote(prefix)):
            written[_PREFIX] = prefix
        said = Said(client, _SCHEMES.get(scheme), written.get(_HOST), written.get(_PREFIX))
        return said, written

    def _rfc7239(self, found: dict[bytes, list[str]]) -> tuple[Said, dict[bytes, str]]:
        """Return what Forwarded says, and what is left of it."""
        chain = self._believed(entries.elements(found.get(_FORWARDED, ())))
        if not chain:
            return Said(), {}
        known = [entry for entry in chain if entry.host is not None]
        client: Address | None = (str(known[-1].host), known[-1].port or 0) if known else None
        scheme = host = None
        for entry in reversed(chain):  # from the proxy that the client came to
            scheme = scheme or _SCHEMES.get(entry.proto.lower())
            host = host or (entry.by_host if _HOST_VALUE.fullmatch(entry.by_host) else None)
        text = ", ".join(entry.text for entry in reversed(chain))
        return Said(client, scheme, host), {_FORWARDED: text}

    def _believed(self, found: Any) -> list[Entry]:
        """Return the entries that are believed, the nearest proxy's first and the client's last."""
        believed: list[Entry] = []
        for entry in found:
            if entry is None:
                break
            believed.append(entry)
            trusted = self._trust.unix if entry.unix else entry.host and self._trust.address(entry.host)
            if not trusted:
                break
        return believed


def _is_harmless(prefix: str) -> bool:
    """Tell whether what is built of a decoded ``prefix``, a redirect say, stays on the host."""
    return prefix.isprintable() and not _BAD_PREFIX.search(prefix)


def _last(found: dict[bytes, list[str]], name: bytes) -> str | None:
    """Return the right-most value of a header."""
    values = found.get(name)
    return values[-1].rpartition(",")[2].strip() if values else None


def _tell(scope: dict[str, Any], said: Said, headers: Headers) -> None:
    """Write what was said into the scope, and the host into ``headers``."""
    if said.client is not None:
        scope["client"] = said.client
    if said.scheme is not None:
        scope["scheme"] = said.scheme
    if said.host is not None:
        host = (b"host", said.host.encode("ascii"))
        places = [place for place, header in enumerate(headers) if header[0] == b"host"]
        if places:
            headers[places[0]] = host
        else:
            headers.insert(0, host)
    if said.prefix is not None:
        prefix = unquote(said.prefix)
        scope["root_path"] = prefix
        if scope["path"] != "*":  # OPTIONS of the whole server
            scope["path"] = prefix + scope["path"]
            scope["raw_path"] = said.prefix.encode("ascii") + scope["raw_path"]
