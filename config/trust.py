"""Whom a listener believes about its clients, and whether anybody who connects there can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asgid.config import codes
from asgid.config.addresses import as_network
from asgid.config.endpoint_check import slips
from asgid.config.endpoints import parse
from asgid.config.exposure import public_claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.exposure import Ways
    from asgid.config.models import Listener, Root
    from asgid.config.pruning import Known
    from asgid.config.scan import Key
    from asgid.config.sockets import TcpClaim

_NOBODY_ELSE = "nobody is trusted to send"
_NAME_THEM = 'name the proxies: trusted = ["10.0.0.5", "unix"]'
_MOST_NAMED = 8
_MOST_PEERS = 8
_FIRST = {"ssl": "TLS", "haproxy": "a PROXY header of its own"}


def check(document: Document, root: Root, resolved: Mapping[str, Ways], known: Known) -> Iterator[Diagnostic]:
    """Yield what is wrong with whom listeners believe, as far as that is ``known``."""
    if known.unnamed:
        return  # the table of which not even the name is known may be [proxy]
    said: set[Key] = set()
    peers: dict[Key, _Peers | None] = {}
    for name, listener in root.listeners.items():
        table = _Table(document, root, name, listener, known, peers)
        if table.forwarded and table.keys["forwarded"] not in said:
            found = _forwarded(document, table, resolved[name])
            if found is not None:
                said.add(table.keys["forwarded"])  # of the table for all listeners once, and not for each
                yield found
        if table.protocol:
            yield from _protocol(document, table, resolved[name])
    if not document.values.get("listeners") and ("listeners",) in known and not known.partial:
        yield from _without_listeners(document, root, known)


class _Peers(NamedTuple):
    """Who is trusted, ``unix`` apart. ``unix`` is None where that cannot be told."""

    others: tuple[str, ...]
    unix: bool | None
    everyone: bool

    @property
    def nobody(self) -> bool:
        return not self.others and self.unix is False


class _Table:
    """What ``[proxy]`` comes to for one listener, and where each of its keys is said.

    ``forwarded`` and ``protocol`` are empty where they are none, or not known. ``peers`` are those of the
    lists that have been looked at: many listeners may share a long one.
    """

    def __init__(
        self,
        document: Document,
        root: Root,
        name: str,
        listener: Listener,
        known: Known,
        peers: dict[Key, _Peers | None],
    ) -> None:
        self.name = name
        self.keys: dict[str, Key] = {}
        self._tables = {True: listener.proxy, False: root.proxy}
        self._known = known
        self._document = document
        self._peers = peers
        for key in ("forwarded", "protocol", "trusted"):
            own: Key = ("listeners", name, "proxy", key)
            written = listener.proxy is not None and key in listener.proxy.model_fields_set
            self.keys[key] = own if written or own not in known else ("proxy", key)
        self.forwarded = self._asked("forwarded")
        self.protocol = self._asked("protocol")

    def _asked(self, key: str) -> bool:
        return self.keys[key] in self._known and self._value(key) != "none"

    def _value(self, key: str) -> Any:
        return getattr(self._tables[len(self.keys[key]) == 4], key)

    @property
    def ways(self) -> Mapping[str, Any]:
        """The listener as it is written, whatever is wrong with its values."""
        table: Mapping[str, Any] = self._document.values["listeners"][self.name]
        return table

    def trusted(self) -> _Peers | None:
        """Return who is trusted, or None where that is not known."""
        key = self.keys["trusted"]
        if key not in self._peers:
            is_known = key in self._known
            self._peers[key] = (
                _peers(self._value("trusted")) if is_known else _peers_as_written(self._document, key)
            )
        return self._peers[key]


def _peers(trusted: Sequence[str]) -> _Peers:
    others = tuple(each for each in trusted if each != "unix")
    return _Peers(others, "unix" in trusted, is_everyone(others))


def _peers_as_written(document: Document, key: Key) -> _Peers | None:
    """Return who is trusted where something in the list is wrong: it is none of the others all the same."""
    value: Any = document.values
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    bad = [each for each in listed if each != "unix" and as_network(each, strict=False) is None]
    doubtful = set(filter(_may_mean_unix, bad))
    others = tuple(_normal(each) for each in listed if each != "unix" and each not in doubtful)
    unix = True if "unix" in listed else None if doubtful else False
    return _Peers(others, unix, is_everyone(others))


def _normal(text: str) -> str:
    network = as_network(text, strict=False)
    return text if network is None else str(network)


def _may_mean_unix(text: str) -> bool:
    return "unix" in text.lower() or "/" in text or slips(text.lower()[:12], "unix") <= 2


def _forwarded(document: Document, table: _Table, ways: Ways) -> Diagnostic | None:
    trusted = table.trusted()
    if trusted is None:
        return None
    key = table.keys["forwarded"]
    if trusted.nobody:
        return _forwarded_of_nobody(document, key)
    entries = (each for entries in ways.values() for each in entries)
    public = next((taken for each in entries if (taken := public_claim(each.claimed))), None)
    if document.is_command_line or public is None or not trusted.others or trusted.everyone:
        return None  # trust of everyone is a finding of its own
    return document.at_value(
        codes.FORWARDED_ON_PUBLIC,
        key,
        f"listeners.{table.name} is on {_shown(public)}, which anybody can reach, and believes forwarded "
        f"headers of {_some(trusted.others)}",
        "give the proxy a listener of its own, on an address or a unix socket that others do not reach",
        severity="warning",
    )


def _some(names: Sequence[str]) -> str:
    """Return names as a sentence has them: of many the first ones, for a list is where it stands."""
    first = ", ".join(names[:_MOST_NAMED])
    return f"{first} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else first


def _listed(peers: Sequence[str]) -> str:
    more = len(peers) - _MOST_PEERS
    return ", ".join(peers[:_MOST_PEERS]) + (f" and {more} more" if more > 0 else "")


def _shown(taken: TcpClaim) -> str:
    return str(taken) if taken.port else str(taken.address)  # 0 stands for a port that is not known, too


def _forwarded_of_nobody(document: Document, key: Key) -> Diagnostic:
    message = f"forwarded headers are asked for, and {_NOBODY_ELSE} them"
    return document.at_value(codes.FORWARDED_WITHOUT_TRUSTED, key, message, _NAME_THEM)


def _protocol_of_nobody(document: Document, key: Key) -> Diagnostic:
    message = f"the PROXY protocol is asked for, and {_NOBODY_ELSE} it"
    return document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, _NAME_THEM)


def is_everyone(trusted: Sequence[str]) -> bool:
    """Tell whether a network among ``trusted`` is everyone of its family."""
    return any(each.endswith("/0") for each in trusted)


def _protocol(document: Document, table: _Table, ways: Ways) -> Iterator[Diagnostic]:
    trusted, key = table.trusted(), table.keys["protocol"]
    who = f"listeners.{table.name}"
    if trusted is not None and trusted.nobody:
        yield _protocol_of_nobody(document, key)
    elif trusted is not None and "unix" in table.ways and trusted.unix is False:
        message = f'{who} is a unix socket with the PROXY protocol, and "unix" is not trusted'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, 'add "unix" to trusted')
    elif (
        trusted is not None
        and not trusted.others
        and trusted.unix
        and ("address" in table.ways or "interface" in table.ways)
    ):
        message = f'{who} has the PROXY protocol, and only "unix" is trusted, which it is not'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, _NAME_THEM)
    for entry in ways.get("endpoint", ()):
        kind = parse(entry.spec.text).kind
        if kind in _FIRST:
            yield document.at_place(
                codes.PROTOCOL_NOT_FIRST,
                ("listeners", table.name, "endpoint"),
                entry.spec.place,
                f"{kind}: reads {_FIRST[kind]} first, and the PROXY protocol stands before that",
                f'write protocol = "none" in [listeners.{table.name}.proxy], or another endpoint',
                part=(0, len(kind)),
            )


def _without_listeners(document: Document, root: Root, known: Known) -> Iterator[Diagnostic]:
    """Find that nobody is trusted, in a file that has no listener yet."""
    if ("proxy", "trusted") not in known or root.proxy.trusted:
        return
    if ("proxy", "forwarded") in known and root.proxy.forwarded != "none":
        yield _forwarded_of_nobody(document, ("proxy", "forwarded"))
    if ("proxy", "protocol") in known and root.proxy.protocol != "none":
        yield _protocol_of_nobody(document, ("proxy", "protocol"))
