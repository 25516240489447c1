"""Where something stands, and an endpoint string with its place: all of the plan that a lint needs.

They stand apart from :mod:`asgid.config.spec`, for making its classes costs a lint some of its time.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands: a file (or "command line") and a 1-based line and column, in characters."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("command line")
"""The place of what nobody has written anywhere."""


class EndpointSpec(NamedTuple):
    """One endpoint string of a listener, as ``asgid endpoints`` prints it.

    ``ipv6_only`` is for stock ``tcp:`` and ``ssl:`` strings with an IPv6 wildcard alone: true when another
    endpoint of the plan has the IPv4 wildcard on that port, so that this one must not take IPv4 too.
    """

    text: str
    place: Place
    ipv6_only: bool = False
