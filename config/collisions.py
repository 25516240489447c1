"""Which listeners want the same socket: each port's addresses are looked up, not compared with each other."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes
from asgid.config.diagnostics import where
from asgid.config.document import dotted
from asgid.config.shape import WAYS
from asgid.config.sockets import Claim, TcpClaim, claim, is_wildcard, takes_ipv4_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.places import EndpointSpec
    from asgid.config.resolve import Resolved
    from asgid.config.scan import Key


class Entry(NamedTuple):
    """What one endpoint of a listener takes; ``claimed`` is None where its string does not tell."""

    name: str
    spec: EndpointSpec
    claimed: Claim | None


def claims(name: str, resolved: Iterable[Resolved]) -> tuple[Entry, ...]:
    """Return what each endpoint of a listener takes."""
    return tuple(Entry(name, spec, claim(endpoint)) for spec, endpoint in resolved)


def check_collisions(document: Document, claimed: Iterable[Entry]) -> Iterator[Diagnostic]:
    """Yield a finding for each endpoint that wants what an earlier one has.

    The same address twice in one list is the list's mistake, and no finding of this.
    """
    entries = list(claimed)
    wildcards = {each.claimed.port for each in entries if takes_ipv4_wildcard(each.claimed)}
    single: dict[Claim, Entry] = {}
    ports: dict[int, _Port] = {}
    for entry in entries:
        mine = entry.claimed
        if isinstance(mine, TcpClaim):
            if mine.port == 0:
                continue  # each gets another one
            port = ports.setdefault(mine.port, _Port(ipv6_only=mine.port in wildcards))
            other = port.in_the_way_of(mine)
            port.add(entry, mine)
        elif mine is not None:
            other = single.get(mine)
            single.setdefault(mine, entry)
        else:
            continue
        if other is not None and (other.name, other.claimed) != (entry.name, mine):
            yield _collision(document, entry, other)


class _First:
    """Of sockets that take packets for the same addresses the first for each device, empty: for all."""

    def __init__(self) -> None:
        self.of_device: dict[str, tuple[int, Entry]] = {}

    def add(self, entry: Entry, device: str) -> None:
        self.of_device.setdefault(device, (len(self.of_device), entry))

    def beside(self, device: str) -> Entry | None:
        """Return the first that a socket for ``device`` cannot be had beside."""
        if not device:
            return next((entry for _, entry in self.of_device.values()), None)
        found = [self.of_device[each] for each in ("", device) if each in self.of_device]
        return min(found)[1] if found else None


class _Port:
    """Who has a port, looked up by what is in another one's way, as :func:`sockets.collide` tells it.

    ``ipv6_only``: no ``::`` takes IPv4 as well.
    """

    def __init__(self, *, ipv6_only: bool) -> None:
        self.ipv6_only = ipv6_only
        self.groups: defaultdict[object, _First] = defaultdict(_First)

    def add(self, entry: Entry, mine: TcpClaim) -> None:
        version = mine.address.version
        groups: list[object] = [mine.address, ("any", version)]
        if is_wildcard(mine.address):
            groups.append(("wildcard", version))
        if mine.dual:
            groups.append("dual")
        for each in groups:
            self.groups[each].add(entry, mine.device)

    def in_the_way_of(self, mine: TcpClaim) -> Entry | None:
        """Return the first that cannot be had together with ``mine``."""
        version = mine.address.version
        near: list[object] = [mine.address, ("wildcard", version)]
        if is_wildcard(mine.address):
            near.append(("any", version))
        if not self.ipv6_only and version == 4:
            near.append("dual")
        elif not self.ipv6_only and mine.dual:
            near.append(("any", 4))
        found = (self.groups[each].beside(mine.device) for each in near if each in self.groups)
        return next((each for each in found if each is not None), None)


def _collision(document: Document, one: Entry, other: Entry) -> Diagnostic:
    who, whose = dotted(("listeners", one.name)), dotted(("listeners", other.name))
    mine, theirs = one.claimed, other.claimed
    line = f" (line {other.spec.place.line})" if document.text else ""
    if one.name == other.name and str(mine) == str(theirs):
        message = f"{who} listens on {mine} twice"
    elif one.name == other.name:
        message = f"{who} listens on {mine}, which it takes with {theirs} already"
    elif str(mine) == str(theirs):
        message = f"{who} listens on {mine}, as {whose}{line} does"
    else:
        message = f"{who} listens on {mine}, which {whose}{line} takes with {theirs}"
    advice = f"the other one is at {where(other.spec.place)}"
    return document.at_key(codes.COLLISION, _way(document, one), message, advice)


def _way(document: Document, one: Entry) -> Key:
    """Return the key that says where an endpoint is: of several ways the last that begins before it."""
    table = document.values["listeners"][one.name]
    ways: list[Key] = [("listeners", one.name, key) for key in WAYS if key in table]
    if len(ways) == 1:
        return ways[0]
    there = one.spec.place
    starts = [(place.line, place.column, key) for key in ways for place in [document.place(key)]]
    return max(each for each in starts if each[:2] <= (there.line, there.column))[2]
