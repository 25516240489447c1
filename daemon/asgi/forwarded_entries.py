"""The entries of X-Forwarded-For and the elements of Forwarded (RFC 7239 4), read from the right.

Each proxy adds on the right, so what stands there is the nearest one's word, and whatever a client has put
before it must not change how it is read: a quote that the client never closes, say. So the ends of elements
are looked for from the right, and what is left of a malformed entry is not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from asgid.daemon.trust import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# token "=" ( token / quoted-string ). Some proxies leave the quotes of for=192.0.2.1:80 out: ":" and brackets
# are taken in a token, where they cannot mean anything else.
_PAIR = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)="
    r"([!#$%&'*+.^_`|~0-9A-Za-z:\[\]-]+"
    r"|\"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*\")"
)
_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")
_HIDDEN = re.compile(r"(?:unknown|_[A-Za-z0-9._-]+)(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?", re.IGNORECASE)
_HIDDEN_PORT = re.compile(r":_[A-Za-z0-9._-]+$")


class Entry(NamedTuple):
    """What one proxy wrote about whom it heard."""

    text: str
    host: str | None = None  # None: it is not told (or a unix socket)
    port: int | None = None
    unix: bool = False
    proto: str = ""
    by_host: str = ""


def port(text: str) -> int | None:
    """Return a port number, None where ``text`` is none."""
    known = text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536
    return int(text) if known else None


def simple(lines: Sequence[str]) -> Iterator[Entry | None]:
    """Yield the entries of X-Forwarded-For from the right; None for one that is no address, the last then.

    An address may have a port, which Azure's gateways add. nginx names its own unix sockets ``unix:``.
    """
    for line in reversed(lines):
        for part in reversed(line.split(",")):
            entry = _simple(part.strip(" \t"))
            yield entry
            if entry is None:
                return


def _simple(text: str) -> Entry | None:
    if text == "unix:":
        return Entry(text, unix=True)
    if text.count(":") > 1 and not text.startswith("["):
        host = _address(text)
        return None if host is None else Entry(text, host)
    return _node(text, text)


def _node(node: str, text: str) -> Entry | None:
    match = _NODE.fullmatch(node)
    if match is None:
        return None
    bracketed, plain, digits = match.groups()
    if bracketed is not None and ":" not in bracketed:
        return None
    host = _address(bracketed or plain)
    number = None if digits is None else port(digits)
    if host is None or (number is None and digits is not None):
        return None
    return Entry(text, host, number)


def _address(text: str) -> str | None:
    """Return the address that ``text`` is, in its usual form; None where it is none, or has a zone."""
    address = packed(text)
    return None if address is None else unpacked(address)


def elements(lines: Sequence[str]) -> Iterator[Entry | None]:
    """Yield the elements of Forwarded from the right; None for a malformed one, the last then.

    Empty elements of the list are passed over (RFC 9110 5.6.1).
    """
    for line in reversed(lines):
        for part in _parts(line):
            text = part.strip(" \t")
            if not text:
                continue
            entry = _element(text)
            yield entry
            if entry is None:
                return


def _parts(line: str) -> Iterator[str]:
    """Yield what stands between the commas outside of quotes, from the right."""
    end = len(line)
    quoted = False
    comma, quote = line.rfind(","), line.rfind('"')
    while comma >= 0:
        if quote > comma:
            before = quote - 1
            while before >= 0 and line[before] == "\\":
                before -= 1
            quoted ^= (quote - before) % 2 == 1  # else it is escaped (RFC 9110 5.6.4)
            quote = line.rfind('"', 0, quote)
            continue
        if not quoted:
            yield line[comma + 1 : end]
            end = comma
        comma = line.rfind(",", 0, comma)
    yield line[:end]


def _element(text: str) -> Entry | None:
    """Return one element; None where it is malformed or has a parameter twice (RFC 7239 4)."""
    said: dict[str, str] = {}
    at = 0
    while True:
        pair = _PAIR.match(text, at)
        if pair is not None:
            name, value = pair[1].lower(), pair[2]
            if name in said:
                return None
            said[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value
            at = pair.end()
        while at < len(text) and text[at] in " \t":
            at += 1
        if at == len(text):
            break
        if text[at] != ";":
            return None
        at += 1
        while at < len(text) and text[at] in " \t":
            at += 1
    node = said.get("for", "unknown")
    entry = Entry(text) if _HIDDEN.fullmatch(node) else _node(_HIDDEN_PORT.sub("", node), text)
    if entry is None:
        return None
    return entry._replace(proto=said.get("proto", ""), by_host=said.get("host", ""))
