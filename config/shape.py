"""What a listener's keys say together: where it listens, in exactly one way, and with that way's keys alone.

These checks look at which keys are there and not at their values, so that they say their word in the same
run as the models, whatever else is wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from asgid.config import codes
from asgid.config.addresses import as_address
from asgid.config.document import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.scan import Key

Way = Literal["address", "interface", "unix", "systemd", "fd", "endpoint"]

WAYS: tuple[Way, ...] = ("address", "interface", "unix", "systemd", "fd", "endpoint")
"""The keys that say where a listener listens, each in its own way."""

BELONGS_TO: dict[str, tuple[str, ...]] = {
    "port": ("address", "interface"),
    "family": ("interface",),
    "bind_to_device": ("interface",),
    "freebind": ("address", "interface"),
    "wait": ("address", "interface"),
    "follow": ("interface",),
    "mode": ("unix",),
    "owner": ("unix",),
    "group": ("unix",),
    "backlog": ("address", "interface", "unix", "systemd", "fd"),
    "tls": ("address", "interface", "unix", "systemd", "fd"),
}
"""The keys that belong to some ways of listening only."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def check(
    document: Document, reported: AbstractSet[Key], meant: AbstractSet[Key], later: AbstractSet[Key]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with which keys are there.

    ``reported`` are the keys that a finding is about already, ``meant`` those that stand there misspelled:
    neither is found missing. ``later`` are those among the reported that are not available yet.
    """
    listeners = document.values.get("listeners")
    if listeners is None or listeners == {}:
        if ("listeners",) not in meant:
            advice = 'write a table for each, as in [listeners.public], address = "127.0.0.1", port = 8000'
            yield document.at_key(codes.NO_LISTENER, ("listeners",), "there is no listener", advice)
        return
    if not isinstance(listeners, dict):
        return
    for name, table in listeners.items():
        if isinstance(table, dict):
            yield from _check_name(document, name)
            yield from _Shape(document, ("listeners", name), table, reported, meant, later).check()


def _check_name(document: Document, name: str) -> Iterator[Diagnostic]:
    if not _NAME.fullmatch(name):
        usable = re.sub("[^A-Za-z0-9_-]+", "-", name).strip("-")[:50]
        usable = usable if re.match("[A-Za-z]", usable) else f"listener-{usable}".rstrip("-")
        yield document.at_key(
            codes.BAD_NAME,
            ("listeners", name),
            f"{dotted((name,))} is no listener's name: a letter, then up to 62 letters, digits, - and _",
            f"write [listeners.{usable}]",
        )


class _Shape:
    """One listener's keys."""

    def __init__(
        self,
        document: Document,
        key: Key,
        table: Mapping[str, Any],
        reported: AbstractSet[Key],
        meant: AbstractSet[Key],
        later: AbstractSet[Key],
    ) -> None:
        self.document = document
        self.key = key
        self.table = table
        self.reported = reported
        self.later = later
        self.present = {name for name in (*WAYS, *BELONGS_TO) if name in table or (*key, name) in meant}
        self.ways = [name for name in table if name in WAYS]
        self.meant_ways = [way for way in WAYS if way in self.present]

    def check(self) -> Iterator[Diagnostic]:
        """Yield what is wrong."""
        name = dotted(self.key)
        if not self.meant_ways:
            advice = "say it with address (and port), interface (and port), unix, systemd, fd or endpoint"
            yield self.document.at_key(
                codes.NOT_ONE_WAY, self.key, f"{name} does not say where it listens", advice
            )
            return
        if len(self.ways) > 1:
            said = " and ".join([", ".join(self.ways[:-1]), self.ways[-1]])
            yield self.document.at_key(
                codes.NOT_ONE_WAY,
                (*self.key, self.ways[1]),
                f"{name} says in {len(self.ways)} ways where it listens: {said}",
                "make a listener of each: they all serve the same application",
            )
        yield from self._strangers()
        yield from self._port()

    def _strangers(self) -> Iterator[Diagnostic]:
        for key, ways in BELONGS_TO.items():
            if (
                key in self.table
                and (*self.key, key) not in self.later
                and not set(ways) & set(self.meant_ways)
            ):
                way = self.meant_ways[0]
                yield self.document.at_key(
                    codes.KEY_OF_OTHER_KIND,
                    (*self.key, key),
                    f"{key} does not belong to a listener with {way}",
                    self._stranger_help(key, way, ways),
                )

    def _stranger_help(self, key: str, way: str, ways: tuple[str, ...]) -> str:
        if way == "endpoint" and key in {"port", "backlog", "mode", "freebind"}:
            return f"the endpoint string says it itself: {key}="
        return f"it belongs to {' and '.join([', '.join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)}"

    def _port(self) -> Iterator[Diagnostic]:
        way = self.meant_ways[0]
        if way not in {"address", "interface"} or "port" in self.present or len(self.meant_ways) > 1:
            return
        if _holds_a_port(self.table.get(way)):
            return  # which the finding about it says where to write
        yield self.document.at_key(
            codes.NO_PORT,
            (*self.key, "port"),
            f"{dotted(self.key)} has an {way} and no port",
            "write port = 8000",
        )


def _holds_a_port(value: object) -> bool:
    """Tell whether what should be an address or an interface has a port behind it, or is one."""
    if isinstance(value, list):
        return any(_holds_a_port(each) for each in value)
    if isinstance(value, str):
        return re.search(":[0-9]{1,5}$", value) is not None and as_address(value) is None
    return isinstance(value, int)
