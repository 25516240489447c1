"""What listeners say together, and with the defaults: collisions, exposure, whom to believe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import Reach
from asgid.config.diagnostics import where
from asgid.config.document import dotted
from asgid.config.endpoint_check import UNIX_PATH_BYTES
from asgid.config.endpoints import parse
from asgid.config.resolve import absolute, file_endpoints, kind_of, merged
from asgid.config.sockets import Claim, PathClaim, TcpClaim, claim, collide, reach_of, takes_ipv4_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.models import Listener, Root
    from asgid.config.scan import Key
    from asgid.config.spec import EndpointSpec

Claims = list[tuple[str, "EndpointSpec", Claim]]


def check(document: Document, root: Root, listeners: Mapping[str, Listener]) -> Iterator[Diagnostic]:
    """Yield what is wrong between the tables of a file whose tables are each right by themselves."""
    resolved: dict[str, tuple[EndpointSpec, ...]] = {}
    for name, listener in listeners.items():
        problem = _check_unix_path(document, name, listener)
        if problem:
            yield problem
        else:
            resolved[name] = file_endpoints(document, name, listener)
    yield from check_collisions(document, claims(resolved))
    for name, listener in listeners.items():
        yield from _check_exposure(document, name, listener, resolved.get(name, ()))
        yield from _check_forwarded(document, name, root, listener)
        yield from _check_protocol(document, name, root, listener)


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


def claims(resolved: Mapping[str, Iterable[EndpointSpec]]) -> Claims:
    """Return what each endpoint takes, in order, for those whose strings tell."""
    found: Claims = []
    for name, specs in resolved.items():
        for spec in specs:
            claimed = claim(parse(spec.text))
            if claimed is not None:
                found.append((name, spec, claimed))
    return found


def check_collisions(document: Document, claimed: Claims) -> Iterator[Diagnostic]:
    """Yield a finding for each endpoint that wants what an earlier one has."""
    wildcards = {each.port for _, _, each in claimed if takes_ipv4_wildcard(each)}
    by_port: dict[object, Claims] = {}
    for entry in claimed:
        mine = entry[2]
        slot = mine.port if isinstance(mine, TcpClaim) else mine
        earlier = by_port.setdefault(slot, [])
        for other_name, other_spec, other in earlier:
            only6 = isinstance(mine, TcpClaim) and mine.port in wildcards
            if collide(mine, other, ipv6_only=only6):
                yield _collision(document, entry, (other_name, other_spec, other))
                break
        earlier.append(entry)


def _collision(
    document: Document, one: tuple[str, EndpointSpec, Claim], other: tuple[str, EndpointSpec, Claim]
) -> Diagnostic:
    name, spec, mine = one
    other_name, other_spec, theirs = other
    who = f"{dotted(('listeners', name))}"
    if name == other_name:
        message = f"{who} listens on {mine} twice"
    elif str(mine) == str(theirs):
        message = f"{who} listens on {mine}, as {dotted(('listeners', other_name))} does"
    else:
        message = f"{who} listens on {mine}, which {dotted(('listeners', other_name))} takes with {theirs}"
    advice = f"the other one is at {where(other_spec.place)}"
    return document.at_place(codes.COLLISION, _key_at(document, name), spec.place, message, advice)


def _key_at(document: Document, name: str) -> Key:
    table = document.values["listeners"][name]
    way = next(key for key in ("address", "interface", "unix", "systemd", "fd", "endpoint") if key in table)
    return ("listeners", name, way)


def _check_exposure(
    document: Document, name: str, listener: Listener, specs: Sequence[EndpointSpec]
) -> Iterator[Diagnostic]:
    if listener.exposure in {None, "public"} or kind_of(listener) == "interface":
        return
    declared = Reach[str(listener.exposure).upper()]
    for spec in specs:
        claimed = claim(parse(spec.text))
        actual = reach_of(claimed)
        if actual is None:
            yield document.at_value(
                codes.EXPOSURE_UNKNOWN,
                ("listeners", name, "exposure"),
                f"listeners.{name} is declared {declared.name.lower()}; its {kind_of(listener)} cannot tell",
                "leave exposure out: it is checked for addresses, interfaces and unix sockets",
            )
            return
        if actual > declared and claimed is not None:
            yield wider(document, name, declared, actual, claimed)
            return


def wider(document: Document, name: str, declared: Reach, actual: Reach, claimed: Claim) -> Diagnostic:
    """Return the finding that a listener can be reached from farther than it says."""
    what = (
        claimed.path
        if isinstance(claimed, PathClaim)
        else claimed.address
        if isinstance(claimed, TcpClaim)
        else claimed
    )
    return document.at_value(
        codes.WIDER_THAN_DECLARED,
        ("listeners", name, "exposure"),
        f"listeners.{name} is declared {declared.name.lower()}, and {what} is {actual.name.lower()}",
        f'listen on a narrower address, or write exposure = "{actual.name.lower()}"',
    )


def _check_forwarded(document: Document, name: str, root: Root, listener: Listener) -> Iterator[Diagnostic]:
    proxy = merged(root.proxy, listener.proxy)
    if proxy.forwarded == "none" or proxy.trusted:
        return
    yield document.at_value(
        codes.FORWARDED_WITHOUT_TRUSTED,
        _proxy_key(name, listener, "forwarded"),
        "forwarded headers are asked for, and nobody is trusted to send them",
        'name the proxies: trusted = ["10.0.0.5", "unix"]',
    )


def _check_protocol(document: Document, name: str, root: Root, listener: Listener) -> Iterator[Diagnostic]:
    proxy = merged(root.proxy, listener.proxy)
    if proxy.protocol == "none":
        return
    key = _proxy_key(name, listener, "protocol")
    advice = 'name the proxies: trusted = ["10.0.0.5", "unix"]'
    if not proxy.trusted:
        message = "the PROXY protocol is asked for, and nobody is trusted to send it"
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, advice)
    elif listener.unix is not None and "unix" not in proxy.trusted:
        message = f'listeners.{name} is a unix socket with the PROXY protocol, and "unix" is not trusted'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, 'add "unix" to trusted')
    elif (listener.address or listener.interface) and set(proxy.trusted) == {"unix"}:
        message = f'listeners.{name} has the PROXY protocol, and only "unix" is trusted, which it is not'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, advice)
    for text in listener.endpoint or ():
        kind = parse(text).kind
        if kind in _FIRST:
            yield document.at_value(
                codes.PROTOCOL_NOT_FIRST,
                ("listeners", name, "endpoint"),
                f"{kind}: reads {_FIRST[kind]} first, and the PROXY protocol stands before that",
                f'write protocol = "none" in [listeners.{name}.proxy], or another endpoint',
            )


_FIRST = {"ssl": "TLS", "haproxy": "a PROXY header of its own"}


def _proxy_key(name: str, listener: Listener, key: str) -> Key:
    """Return where ``key`` of ``[proxy]`` is said for a listener."""
    own = listener.proxy is not None and key in listener.proxy.model_fields_set
    return ("listeners", name, "proxy", key) if own else ("proxy", key)
