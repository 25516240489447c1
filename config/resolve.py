"""From a listener's table to its endpoint strings, as far as the file alone tells: all but interfaces."""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from asgid.config import endpoints
from asgid.config.models import Table
from asgid.config.places import EndpointSpec
from asgid.config.shape import WAYS, Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asgid.config.document import Document
    from asgid.config.endpoints import Endpoint
    from asgid.config.models import Listener
    from asgid.config.scan import Key

T = TypeVar("T", bound=Table)


def kind_of(listener: Listener) -> Way:
    """Return the way in which ``listener`` listens."""
    return next(way for way in WAYS if getattr(listener, way) is not None)


def apart(listener: Listener) -> Iterator[tuple[Way, Listener]]:
    """Yield each way in which ``listener`` listens, and a listener that has that way alone.

    One that is right by itself has one; this is for those that say it in no way, or in several.
    """
    ways = [way for way in WAYS if getattr(listener, way) is not None]
    for way in ways:
        others: dict[str, Any] = {other: None for other in ways if other != way}
        yield way, listener.model_copy(update=others) if others else listener


def merged(defaults: T, own: T | None) -> T:
    """Return ``defaults`` with the keys that ``own`` names taken from it."""
    if own is None:
        return defaults
    return defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def absolute(directory: Path, path: str) -> str:
    """Return ``path`` as an absolute path, relative ones being relative to ``directory``."""
    return os.path.normpath(directory / path)


def address_endpoint(listener: Listener, address: str, device: str = "") -> Endpoint:
    """Return the endpoint for one literal address: stock ``tcp:`` where stock Twisted opens the same."""
    port = listener.port or 0
    if address == "::" or device or listener.freebind:
        return endpoints.asgid_tcp(port, address, listener.backlog, device=device, freebind=listener.freebind)
    return endpoints.tcp(port, address, listener.backlog)


class Resolved(NamedTuple):
    """An endpoint that a file asks for: as text with its place, and taken apart."""

    spec: EndpointSpec
    endpoint: Endpoint


def file_endpoints(document: Document, name: str, listener: Listener) -> tuple[Resolved, ...]:
    """Return the endpoints of ``listener``; none for an interface, which only the host can resolve."""
    key: Key = ("listeners", name)
    explicit_backlog = listener.backlog if "backlog" in listener.model_fields_set else None
    match kind_of(listener):
        case "address":
            return _address_endpoints(document, key, listener)
        case "endpoint":
            return tuple(
                Resolved(
                    EndpointSpec(text, document.place(element(document, (*key, "endpoint"), index))),
                    endpoints.parse(text),
                )
                for index, text in enumerate(listener.endpoint or ())
            )
        case "unix":
            made = endpoints.asgid_unix(
                absolute(document.directory, listener.unix or ""),
                listener.mode,
                listener.backlog,
                owner=listener.owner or "",
                group=listener.group or "",
            )
        case "systemd":
            made = endpoints.asgid_systemd(listener.systemd or "", explicit_backlog)
        case "fd":
            made = endpoints.fd(listener.fd or 0, explicit_backlog)
        case "interface":
            return ()
    return (Resolved(EndpointSpec(str(made), document.place((*key, kind_of(listener)))), made),)


def _address_endpoints(document: Document, key: Key, listener: Listener) -> tuple[Resolved, ...]:
    found = []
    for index, address in enumerate(listener.address or ()):
        place = document.place(element(document, (*key, "address"), index))
        literal = ("0.0.0.0", "::") if address == "*" else (str(ip_address(address)),)
        made = [address_endpoint(listener, each) for each in literal]
        found += [Resolved(EndpointSpec(str(each), place), each) for each in made]
    return tuple(found)


def element(document: Document, key: Key, index: int) -> Key:
    """Return the key of one element of what may be written as one string."""
    return (*key, index) if (*key, index) in document.source.values else key
