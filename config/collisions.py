"""Which listeners want the same socket: each port's addresses are looked up, not compared with each other."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes
from asgid.config.diagnostics import where
from asgid.config.document import dotted
from asgid.config.endpoints import parse
from asgid.config.shape import WAYS
from asgid.config.sockets import Claim, TcpClaim, claim, collide, takes_ipv4_wildcard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asgid.config.addresses import Address
    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.places import EndpointSpec
    from asgid.config.scan import Key


class Entry(NamedTuple):
    """What one endpoint of a listener takes."""

    name: str
    spec: EndpointSpec
    claimed: Claim


def claims(resolved: Mapping[str, Iterable[EndpointSpec]]) -> list[Entry]:
    """Return what each endpoint takes, in order, for those whose strings tell."""
    found = []
    for name, specs in resolved.items():
        for spec in specs:
            claimed = claim(parse(spec.text))
            if claimed is not None:
                found.append(Entry(name, spec, claimed))
    return found


def check_collisions(document: Document, claimed: Iterable[Entry]) -> Iterator[Diagnostic]:
    """Yield a finding for each endpoint that wants what an earlier one has.

    The same address twice in one list is the list's mistake, and no finding of this.
    """
    entries = list(claimed)
    wildcards = {each.claimed.port for each in entries if takes_ipv4_wildcard(each.claimed)}
    taken: dict[object, _Taken] = {}
    for entry in entries:
        mine = entry.claimed
        slot = mine.port if isinstance(mine, TcpClaim) else mine
        earlier = taken.setdefault(slot, _Taken())
        only6 = isinstance(mine, TcpClaim) and mine.port in wildcards
        other = earlier.in_the_way_of(mine, ipv6_only=only6)
        earlier.add(entry)
        if other is not None and (other.name, other.claimed) != (entry.name, mine):
            yield _collision(document, entry, other)


class _Taken:
    """Who has a port, or another thing that only one can have."""

    def __init__(self) -> None:
        self.others: list[Entry] = []
        self.at: dict[Address, list[Entry]] = {}
        self.wide: dict[int, list[Entry]] = {}
        self.of_version: dict[int, list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        mine = entry.claimed
        if not isinstance(mine, TcpClaim):
            self.others.append(entry)
            return
        self.at.setdefault(mine.address, []).append(entry)
        self.of_version.setdefault(mine.address.version, []).append(entry)
        if mine.address.is_unspecified:
            self.wide.setdefault(mine.address.version, []).append(entry)

    def in_the_way_of(self, mine: Claim, *, ipv6_only: bool) -> Entry | None:
        """Return the first that cannot be had together with ``mine``. Few are looked at."""
        if not isinstance(mine, TcpClaim):
            return self.others[0] if self.others else None
        version = mine.address.version
        near: list[list[Entry]] = [self.at.get(mine.address, []), self.wide.get(version, [])]
        if mine.address.is_unspecified:
            near.append(self.of_version.get(version, []))
        if version == 4:
            near.append(self.wide.get(6, []))  # a stock string's, which takes IPv4 as well
        elif mine.dual:
            near.append(self.of_version.get(4, []))
        return next((each for each in chain(*near) if collide(mine, each.claimed, ipv6_only=ipv6_only)), None)


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
