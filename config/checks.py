"""What listeners say together, and with the defaults: collisions, exposure, whom to believe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from asgid.config import codes, exposure
from asgid.config.collisions import check_collisions, claims
from asgid.config.endpoint_check import UNIX_PATH_BYTES
from asgid.config.resolve import absolute, file_endpoints
from asgid.config.sockets import TcpClaim, takes_ipv4_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from asgid.config.collisions import Entry
    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.models import Listener, Root
    from asgid.config.places import EndpointSpec


def check(
    document: Document, root: Root, listeners: Mapping[str, Listener], uncertain: AbstractSet[str]
) -> Iterator[Diagnostic]:
    """Yield what is wrong between the tables of a file whose tables are each right by themselves.

    Of the ``uncertain`` listeners, whose ``proxy`` has errors, it is not asked whom they believe.
    """
    resolved: dict[str, tuple[EndpointSpec, ...]] = {}
    for name, listener in listeners.items():
        problem = _check_unix_path(document, name, listener)
        if problem:
            yield problem
        else:
            resolved[name] = file_endpoints(document, name, listener)
    claimed = claims(resolved)
    yield from check_collisions(document, claimed)
    yield from _check_both_families(document, claimed)
    for name, listener in listeners.items():
        yield from exposure.check(document, name, listener, resolved.get(name, ()))
    yield from exposure.check_proxies(document, root, listeners, resolved, uncertain)


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


def _check_both_families(document: Document, claimed: Sequence[Entry]) -> Iterator[Diagnostic]:
    """Find stock strings with ``::`` that take IPv4 as well, as no other listener has it on that port."""
    if document.is_command_line:
        return  # a line of Daphne's means what it always did
    wildcards = {each.claimed.port for each in claimed if takes_ipv4_wildcard(each.claimed)}
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
            )
