"""What listeners say together, and with the defaults: collisions, exposure, whom to believe."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from asgid.config import codes, exposure, trust
from asgid.config.collisions import check_collisions, claims
from asgid.config.endpoint_check import interface_part
from asgid.config.endpoint_values import UNIX_PATH_BYTES
from asgid.config.endpoints import EndpointSyntaxError, parse
from asgid.config.resolve import absolute, apart, file_endpoints
from asgid.config.sockets import TcpClaim, takes_ipv4_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asgid.config.collisions import Entry
    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.models import Listener, Root
    from asgid.config.pruning import Known
    from asgid.config.shape import Way


def check(document: Document, root: Root, known: Known) -> Iterator[Diagnostic]:
    """Yield what is wrong between the tables of a file, of what is ``known`` of them.

    ``root`` holds the tables without what is not. A listener that says in several ways where it listens is
    looked at in each of them.
    """
    taken: dict[str, dict[Way, tuple[Entry, ...]]] = {}
    # What stands for an element of a list that is not known is left out.
    unknown = {(key[:3], document.place(key)) for key in known.unknown if len(key) == 4}
    for name, listener in root.listeners.items():
        taken[name] = {}
        for way, one in apart(listener):
            problem = _check_unix_path(document, name, one)
            if problem:
                yield problem
            else:
                found = claims(name, file_endpoints(document, name, one))
                key = ("listeners", name, way)
                taken[name][way] = tuple(each for each in found if (key, each.spec.place) not in unknown)
    claimed = [each for ways in taken.values() for entries in ways.values() for each in entries]
    yield from check_collisions(document, claimed)
    yield from _check_both_families(document, claimed, _unknown_wildcards(document, root, known))
    for name, listener in root.listeners.items():
        if ("listeners", name, "exposure") in known:
            yield from exposure.check(document, name, listener, taken[name])
    yield from trust.check(document, root, taken, known)


def _unknown_wildcards(document: Document, root: Root, known: Known) -> set[int | None]:
    """Return the ports on which what is not known may be the IPv4 wildcard; None among them: on any."""
    if not (known.unknown or known.broken):
        return set()
    found: set[int | None] = set()
    for name, listener in root.listeners.items():
        table = document.values["listeners"][name]
        if ("listeners", name, "endpoint") not in known:
            wrong = (text for text in _texts(table.get("endpoint")) if not _is_endpoint(text))
            found |= {int(digits) for text in wrong for digits in re.findall("[0-9]{1,5}", text)}
        addresses = set(listener.address or ())
        if ("listeners", name, "address") not in known:
            addresses |= set(_texts(table.get("address", "*")))  # it may be misspelled
        if any("0.0.0.0" in text or "*" in text for text in addresses):
            found.add(listener.port if ("listeners", name, "port") in known else None)
    return found


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str)]


def _is_endpoint(text: str) -> bool:
    try:
        parse(text)
    except EndpointSyntaxError:
        return False
    return True


def _check_unix_path(document: Document, name: str, listener: Listener) -> Diagnostic | None:
    """Check the path that a listener comes to: a relative one is right only together with its directory."""
    if listener.unix is None:
        return None
    path = absolute(document.directory, listener.unix)
    if len(os.fsencode(path)) > UNIX_PATH_BYTES:
        message = f"the path of a unix socket has at most {UNIX_PATH_BYTES} bytes, and {path} has more"
    elif not path.isprintable():
        message = "the path of a unix socket holds a character that cannot be shown"
    else:
        return None
    return document.at_value(codes.BAD_PATH, ("listeners", name, "unix"), message)


def _check_both_families(
    document: Document, claimed: Sequence[Entry], unknown: set[int | None]
) -> Iterator[Diagnostic]:
    """Find stock strings with ``::`` that take IPv4 as well, as no other listener has it on that port.

    On the ports that are ``unknown`` another may have it.
    """
    if document.is_command_line:
        return  # a line of Daphne's means what it always did
    wildcards = {each.claimed.port for each in claimed if takes_ipv4_wildcard(each.claimed)} | unknown
    if None in wildcards:
        return
    for name, spec, mine in claimed:
        if isinstance(mine, TcpClaim) and mine.dual and mine.port not in wildcards:
            if spec.text.startswith("tcp6:"):
                continue  # which is a finding of its own
            yield document.at_place(
                codes.ENDPOINT_BOTH_FAMILIES,
                ("listeners", name, "endpoint"),
                spec.place,
                f"a stock string with the interface :: takes every IPv4 address on port {mine.port} as well",
                f'for IPv6 alone write address = "::" and port = {mine.port}, for both address = "*"',
                severity="warning",
                part=interface_part(spec.text),
            )
