"""What single values say that serves, and hardly as meant; and the same thing twice in a list.

These look at the values as they stand, so that they say their word in the same run as the models, whatever
else is wrong with the table; what a model refuses is not looked at twice.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from asgid.config import codes
from asgid.config.addresses import as_address, as_network, is_documentation
from asgid.config.document import dotted
from asgid.config.endpoint_check import SIGNATURES, by_name, unwrapped
from asgid.config.endpoint_grammar import tokenize
from asgid.config.endpoint_values import problem, shown
from asgid.config.endpoints import EndpointSyntaxError, parse
from asgid.config.fields import toml_string
from asgid.config.origins import normal_origin
from asgid.config.quantities import RefusedError, found, mode
from asgid.config.resolve import absolute, element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.endpoint_grammar import Token
    from asgid.config.scan import Key

_LONGEST_SHOWN = 200
"""The longest endpoint string, in characters, that a help shows as a whole."""

OTHERS_WRITE = 0o002
"""The permission that lets everyone connect to a unix socket (unix(7))."""


def check(document: Document) -> Iterator[Diagnostic]:
    """Yield what single values say that is hardly meant."""
    values = document.values
    yield from _application(document)
    yield from _trusted(document, ("proxy", "trusted"))
    yield from _repeated(document, ("websocket", "origins"), _origin)
    yield from _repeated(document, ("lint", "ignore"), str.upper)
    listeners = values.get("listeners")
    if not isinstance(listeners, dict):
        return
    for name, table in listeners.items():
        if isinstance(table, dict):
            yield from _listener(document, ("listeners", name), table)
    yield from _required(document, listeners)


def _listener(document: Document, key: Key, table: dict[str, Any]) -> Iterator[Diagnostic]:
    yield from _repeated(document, (*key, "address"), _address)
    for where, text in _strings(document, (*key, "address")):
        yield from _documentation(document, where, text)
    yield from _port_zero(document, key, table)
    yield from _repeated(document, (*key, "endpoint"), str)
    for where, text in _strings(document, (*key, "endpoint")):
        yield from _endpoint(document, where, text)
    if isinstance(table.get("unix"), str) and "mode" in table:
        try:
            bits = mode(table["mode"])
        except RefusedError:
            bits = 0
        if bits & OTHERS_WRITE:
            yield _open_to_all(document, (*key, "mode"), bits)
    yield from _headers(document, (*key, "headers"))
    yield from _trusted(document, (*key, "proxy", "trusted"))
    yield from _repeated(document, (*key, "websocket", "origins"), _origin)


def _application(document: Document) -> Iterator[Diagnostic]:
    key: Key = ("application", "directory")
    directory = _value(document, key)
    if not isinstance(directory, str) or not directory or "\0" in directory or document.is_command_line:
        return
    path = absolute(document.directory, directory)
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib's raises for what may not be looked at
        what = "is no directory" if os.path.exists(path) else "is not there"  # noqa: PTH110
        yield document.at_value(
            codes.NO_DIRECTORY,
            key,
            f"the application's directory {path} {what}",
            "the application is imported from there; a relative path is relative to the file's own directory",
            severity="warning",
        )


def _documentation(document: Document, key: Key, text: str) -> Iterator[Diagnostic]:
    address = as_address(text)
    if address is not None and is_documentation(address) and "%" not in text:  # refused with a zone
        yield _for_documentation(document, key, text)


def _for_documentation(
    document: Document, key: Key, text: str, part: tuple[int, int] | None = None
) -> Diagnostic:
    return document.at_value(
        codes.DOCUMENTATION_ADDRESS,
        key,
        f"{text} is an address for documentation, which no host has",
        "write an address of this host's own",
        severity="warning",
        part=part,
    )


def _port_zero(document: Document, key: Key, table: dict[str, Any]) -> Iterator[Diagnostic]:
    port = table.get("port")
    given = table.get("address")
    listed = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    count = sum(2 if each == "*" else 1 for each in listed)
    if port == 0 and type(port) is int and count > 1:
        yield port_zero(document, key, count)


def port_zero(document: Document, key: Key, count: int) -> Diagnostic:
    """Return the finding that a listener with several addresses asks for a port of the system's choice."""
    return document.at_value(
        codes.PORT_ZERO_SEVERAL,
        (*key, "port"),
        f"{dotted(key)} has {count} addresses, and with port 0 each gets a port of its own",
        "write a port, or one address",
        severity="warning",
    )


def _required(document: Document, listeners: dict[str, Any]) -> Iterator[Diagnostic]:
    if all(isinstance(each, dict) and each.get("required") is False for each in listeners.values()):
        for name in listeners:
            yield document.at_value(
                codes.NOTHING_REQUIRED,
                ("listeners", name, "required"),
                "no listener is required: any one that opens is enough for the service to count as started",
                "leave required out for the listener that the service is there for",
                severity="warning",
            )


def _open_to_all(
    document: Document, key: Key, bits: int, said: str = "", part: tuple[int, int] | None = None
) -> Diagnostic:
    return document.at_value(
        codes.SOCKET_OPEN_TO_ALL,
        key,
        f"mode {bits:04o}{said} lets every user and service of this host connect",
        'mode "0660" and a group that the proxy is in let only those connect that should',
        severity="warning",
        part=part,
    )


def _trusted(document: Document, key: Key) -> Iterator[Diagnostic]:
    if document.is_command_line:
        return
    yield from _repeated(document, key, _network)
    for where, text in _strings(document, key):
        network = as_network(text, strict=False)
        if network is None:
            continue
        if network.prefixlen == 0:
            yield document.at_value(
                codes.TRUST_OF_EVERYONE,
                where,
                f"{text} is everyone: any client can say who it is, and is believed",
                "name the proxies alone",
                severity="warning",
            )
        elif as_network(text) is None:
            yield document.at_value(
                codes.HOST_BITS,
                where,
                f"{text} has bits beyond its mask: it is {network}",
                f'write "{network}", or "{text.partition("/")[0]}" for that address alone',
                severity="warning",
                fix=f'"{network}"',
            )


def _repeated(document: Document, key: Key, normal: Callable[[str], object]) -> Iterator[Diagnostic]:
    """Find what is in a list twice, however it is spelled."""
    seen: dict[object, str] = {}
    for where, text in _strings(document, key):
        same = normal(text)
        first = seen.setdefault(same, text)
        if first is not text:
            as_ = "" if first == text else f", as {found(first)[11:]}"
            message = f"{found(text)[11:]} is in {dotted(key)} twice{as_}"
            yield document.at_value(codes.REPEATED, where, message, "leave one of them out")


def _headers(document: Document, key: Key) -> Iterator[Diagnostic]:
    """Find headers that are there twice, for names are compared without regard to case."""
    table = _value(document, key)
    seen: dict[str, str] = {}
    for name in table if isinstance(table, dict) else ():
        other = seen.setdefault(name.lower(), name)
        if other != name:
            message = f"the header {name} is there twice, as {other} too"
            yield document.at_key(codes.BAD_HEADER, (*key, name), message, "leave one of them out")


def _address(text: str) -> object:
    return as_address(text) or text


def _network(text: str) -> object:
    return as_network(text, strict=False) or text


def _origin(text: str) -> object:
    return normal_origin(text) or text


def _strings(document: Document, key: Key) -> Iterator[tuple[Key, str]]:
    """Yield the strings of what may be written as one of them or as a list."""
    value = _value(document, key)
    for index, each in enumerate(
        [value] if isinstance(value, str) else value if isinstance(value, list) else []
    ):
        if isinstance(each, str):
            yield element(document, key, index), each


def _value(document: Document, key: Key) -> Any:
    value: Any = document.values
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _endpoint(document: Document, key: Key, text: str) -> Iterator[Diagnostic]:
    """Find what an endpoint string does that it does not seem to do, whatever else is wrong with it."""
    wrong = _faults(text)
    try:
        first, *_ = tokenize(text)
        kind, arguments = unwrapped(text)
    except EndpointSyntaxError:
        return
    yield from _backslashes(document, key, text)
    if wrong & {codes.ENDPOINT_KIND, codes.ENDPOINT_UNKNOWN_KIND}:
        return
    if first.value in _DEPRECATED:
        yield from _deprecated(document, key, first.value, first.whole)
    if kind.value not in SIGNATURES and kind.value != "haproxy":
        yield _foreign(document, key, kind)
    named = dict(by_name(kind.value, arguments))
    address = as_address(named["interface"].value) if "interface" in named else None
    if address is not None and is_documentation(address) and "%" not in named["interface"].value:
        yield _for_documentation(document, key, str(address), named["interface"].written)
    if kind.value in {"unix", "asgid-unix"} and not document.is_command_line:
        yield from _mode(document, key, kind, named, certain=codes.ENDPOINT_KEYWORD not in wrong)


def _faults(text: str) -> set[str]:
    """Return the codes of what is found about an endpoint string already."""
    try:
        parse(text)
    except EndpointSyntaxError as error:
        return {error.code, *(each.code for each in error.others)}
    return set()


def _mode(
    document: Document, key: Key, kind: Token, named: Mapping[str, Token], *, certain: bool
) -> Iterator[Diagnostic]:
    """Find a mode that lets everyone connect; where not ``certain`` that none is said, another may be."""
    said = named.get("mode")
    if said is None:
        if kind.value == "unix" and certain:
            because = ", which unix: has where it says none,"
            yield _open_to_all(document, key, 0o666, because, kind.whole)
    elif problem(kind.value, "mode", said.value) is None and int(said.value, 8) & OTHERS_WRITE:
        yield _open_to_all(document, key, int(said.value, 8), part=said.written)


def _deprecated(document: Document, key: Key, kind: str, part: tuple[int, int]) -> Iterator[Diagnostic]:
    message, advice = _DEPRECATED[kind]
    yield document.at_value(
        codes.ENDPOINT_DEPRECATED, key, f"{kind}: {message}", advice, severity="warning", part=part
    )


def _foreign(document: Document, key: Key, kind: Token) -> Diagnostic:
    return document.at_value(
        codes.ENDPOINT_FOREIGN_KIND,
        key,
        f"{shown(kind.value)[1:-1]}: is no kind of Twisted's own or of asgid's: a plugin has to bring it",
        "asgid lint --live asks Twisted for it",
        severity="warning",
        part=kind.whole,
    )


_DEPRECATED = {
    "haproxy": (
        "fails on a PROXY header that arrives in pieces, and takes everybody's",
        'write the endpoint without it, and proxy = { protocol = "any", trusted = [...] }',
    ),
    "tcp6": (
        "is an old kind, and its wildcard takes IPv4 as well",
        'write address = "::" and port, or tcp: with an IPv6 interface',
    ),
}
"""Kinds that work and have a better one in their place: what is wrong with each, and what to write."""


def _backslashes(document: Document, key: Key, text: str) -> Iterator[Diagnostic]:
    """Find backslashes that escape nothing, and are dropped: in a path they were hardly meant so."""
    position = 0
    while (position := text.find("\\", position)) >= 0:
        escaped = text[position + 1 : position + 2]
        if escaped not in {"\\", ":", "="}:
            advice = "write two for a backslash, or leave it out"
            if len(text) <= _LONGEST_SHOWN:
                kept = toml_string(text[:position] + "\\\\" + text[position + 1 :])
                advice = f"write {kept} for a backslash, or leave it out"
            yield document.at_value(
                codes.ENDPOINT_BACKSLASH,
                key,
                f"the backslash before {escaped!r} is dropped: it escapes :, = and \\ alone",
                advice,
                severity="warning",
                part=(position, position + 1),
            )
        position += 2
