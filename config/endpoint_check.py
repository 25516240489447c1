r"""What the arguments of each kind of endpoint must be, and how a string that fails them should read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes
from asgid.config.addresses import as_address, is_host_name
from asgid.config.endpoint_grammar import (
    Endpoint,
    EndpointSyntaxError,
    Token,
    quote,
    quote_positional,
    tokenize,
)
from asgid.config.endpoint_values import is_port, problem, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]*")
_IPV6_KINDS = frozenset({"tcp", "ssl", "tcp6", "tls", "asgid-tcp"})
_LONGEST_NEAR = 20
"""More letters than any kind that is two letters from a known one."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DECIMAL = re.compile(r"[0-9]{1,10}")


class Signature(NamedTuple):
    """The arguments of one kind in positional order, and which of them must be there."""

    names: tuple[str, ...]
    required: tuple[str, ...] = ()


SIGNATURES: dict[str, Signature] = {
    "tcp": Signature(("port", "interface", "backlog"), ("port",)),
    "tcp6": Signature(("port", "backlog", "interface"), ("port",)),
    "ssl": Signature(
        (
            "port",
            "privateKey",
            "certKey",
            "sslmethod",
            "interface",
            "backlog",
            "extraCertChain",
            "dhParameters",
        ),
        ("port",),
    ),
    "tls": Signature(("path", "port", "backlog", "interface"), ("path",)),
    "unix": Signature(("address", "mode", "backlog", "lockfile"), ("address",)),
    "systemd": Signature(("domain", "index", "name"), ("domain",)),
    "stdio": Signature(()),
    "asgid-tcp": Signature(("port", "interface", "backlog", "device", "freebind"), ("port", "interface")),
    "asgid-unix": Signature(("path", "mode", "owner", "group", "backlog"), ("path",)),
    "asgid-systemd": Signature(("name", "backlog"), ("name",)),
    "fd": Signature(("fileno", "domain", "backlog"), ("fileno",)),
}
"""Stock Twisted's kinds as ``twisted.internet.endpoints`` defines them, then asgid's own."""


def checked(text: str) -> Endpoint:
    """Read and check ``text``. See :func:`asgid.config.endpoints.parse`."""
    found = _faults(text)
    if found:
        first, *others = found
        first.others = tuple(others)
        raise first
    kind, *arguments = tokenize(text)
    args = tuple(token.value for token in arguments if token.key is None)
    return Endpoint(
        kind.value, args, tuple((each.key, each.value) for each in arguments if each.key is not None)
    )


def bind(endpoint: Endpoint) -> dict[str, str]:
    """Return the arguments of ``endpoint`` by name; those of a kind that is not in the table are none.

    Raises :class:`EndpointSyntaxError`.
    """
    signature = SIGNATURES.get(endpoint.kind)
    if signature is None:
        return {}
    tokens = [Token(0, None, value, 0, 0) for value in endpoint.args]
    tokens += [Token(0, key, value, 0, 0) for key, value in endpoint.kwargs]
    for fault in _faults_of_arguments(Token(0, None, endpoint.kind, 0, 0), tokens):
        raise fault
    return dict(zip(signature.names, endpoint.args, strict=False)) | dict(endpoint.kwargs)


def by_name(kind: str, tokens: Iterable[Token]) -> Iterator[tuple[str, Token]]:
    """Yield the name and the token of each argument of a kind that is in the table."""
    names = iter(SIGNATURES[kind].names if kind in SIGNATURES else ())
    for token in tokens:
        name = next(names, None) if token.key is None else token.key
        if name is not None:
            yield name, token


def unwrapped(text: str) -> tuple[Token, list[Token]]:
    """Return the kind and the arguments of a string; of ``haproxy:`` what it wraps.

    Raises :class:`EndpointSyntaxError` for a backslash at its end.
    """
    kind, *arguments = tokenize(text)
    if kind.value == "haproxy":
        kind = next((token for token in arguments if token.key is None), kind)
        arguments = [token for token in arguments if token is not kind]
    return kind, arguments


def interface_part(text: str) -> tuple[int, int] | None:
    """Return from where up to where the interface of a string goes; None where it has none."""
    kind, arguments = unwrapped(text)
    found = dict(by_name(kind.value, arguments)).get("interface")
    return None if found is None else found.written


def _faults(text: str) -> list[EndpointSyntaxError]:
    """Return all that is wrong with ``text``, in its order, but nothing that only follows from something."""
    found = [
        EndpointSyntaxError(
            "an endpoint string holds a control character", code=codes.ENDPOINT_GRAMMAR, part=match.span()
        )
        for match in _CONTROL.finditer(text)
    ]
    try:
        kind, *arguments = tokenize(text)
    except EndpointSyntaxError as error:
        kind, *arguments = tokenize(text[:-1])
        found.append(error)
    others = _faults_of_kind(text, kind) or _faults_behind(text, kind, arguments)
    if found:  # what these say to write would hold those
        others = [
            _without_suggestion(each) for each in others if not any(_overlap(each, one) for one in found)
        ]
    return sorted([*found, *others], key=lambda each: each.part or (0, 0))


def _overlap(one: EndpointSyntaxError, other: EndpointSyntaxError) -> bool:
    if one.part is None or other.part is None:
        return True
    return one.part[0] < other.part[1] and other.part[0] < one.part[1]


def _without_suggestion(fault: EndpointSyntaxError) -> EndpointSyntaxError:
    if not fault.suggestion:
        return fault
    return EndpointSyntaxError(fault.message, code=fault.code, part=fault.part)


def _with_others(text: str, fault: EndpointSyntaxError) -> list[EndpointSyntaxError]:
    """Return ``fault``, and what is wrong with the string that it suggests.

    A suggestion that has a mistake of its own is none: half an answer would be a wrong one.
    """
    if not fault.suggestion:
        return [fault]
    others = _faults(fault.suggestion)
    if not others:
        return [fault]
    moved = _Moved(text, fault.suggestion)
    same = [_at(each, moved.back(each.part)) for each in others]
    return [_without_suggestion(fault), *(same if fault.certain else [])]


def _at(fault: EndpointSyntaxError, part: tuple[int, int] | None) -> EndpointSyntaxError:
    return EndpointSyntaxError(
        fault.message,
        code=fault.code,
        part=part,
        suggestion=fault.suggestion,
        advice=fault.help,
        certain=fault.certain,
    )


class _Moved:
    """Where what stands in a text that was changed in one place stood before."""

    def __init__(self, text: str, changed: str) -> None:
        shorter = min(len(text), len(changed))
        self._same = next((i for i in range(shorter) if text[i] != changed[i]), shorter)
        rest = range(shorter - self._same)
        behind = next((i for i in rest if text[-1 - i] != changed[-1 - i]), len(rest))
        self._end, self._changed_end = len(text) - behind, len(changed) - behind
        self._grown = len(text) - len(changed)

    def back(self, part: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return where ``part`` of the changed text stood; of the change itself all of it."""
        if part is None:
            return None
        start, end = part
        return (
            start if start <= self._same else max(self._same, start + self._grown),
            end if end <= self._same else end + self._grown if end >= self._changed_end else self._end,
        )


def _faults_behind(text: str, kind: Token, arguments: list[Token]) -> list[EndpointSyntaxError]:
    """Return what is wrong with the arguments; an unescaped IPv6 address explains all kinds of it."""
    found = list(_faults_of_arguments(kind, arguments))
    if found or _swallowed_address(arguments):
        unescaped = _unescaped_ipv6(text, kind.value)
        if unescaped is not None:
            return _with_others(text, unescaped)
    traps = [token.value_start - 1 for token in arguments if found and _is_no_keyword(kind.value, token)]
    if not traps:
        return found
    ends = [*traps[1:], len(text)]
    escaped = text[: traps[0]] + "".join(f"\\{text[a:b]}" for a, b in zip(traps, ends, strict=True))
    one, *more = (_trap(text, equals) for equals in traps)
    one.suggestion, one.help = escaped, f"write {escaped}"
    return [*_with_others(text, one), *more] if len(traps) == 1 else [one, *more]


def _trap(text: str, equals: int) -> EndpointSyntaxError:
    before = shown(text[max(text.rfind(":", 0, equals) + 1, 0) : equals])
    message = f"an = makes a keyword of what stands before it, and {before} is none"
    return EndpointSyntaxError(message, code=codes.ENDPOINT_KEYWORD, part=(equals, equals + 1))


def _is_no_keyword(kind: str, token: Token) -> bool:
    known = kind in SIGNATURES or kind == "haproxy"
    return known and bool(token.key) and not str(token.key).isidentifier()


def _swallowed_address(arguments: list[Token]) -> bool:
    """Tell whether ``interface=::1`` may have become other arguments without a fault, as in ``ssl:``."""
    there = {token.key for token in arguments}
    return "interface" in there and any(token.key is None and not token.value for token in arguments)


def _faults_of_arguments(kind: Token, tokens: list[Token]) -> Iterator[EndpointSyntaxError]:
    yield from _faults_of_keywords(tokens)
    if kind.value == "haproxy":
        # All that follows it is another endpoint string.
        wrapped = next((token for token in tokens if token.key is None), None)
        if wrapped is None:
            message = "haproxy: is followed by another endpoint string"
            yield EndpointSyntaxError(message, code=codes.ENDPOINT_MISSING, part=kind.written)
            return
        kind, tokens = wrapped, [token for token in tokens if token is not wrapped]
    signature = SIGNATURES.get(kind.value)
    if signature is not None:
        yield from _faults_of_known(kind, tokens, signature)


def _faults_of_keywords(tokens: list[Token]) -> Iterator[EndpointSyntaxError]:
    seen: set[str | None] = {None}
    for token in tokens:
        if token.key == "":
            message = "a '=' stands without a keyword before it"
            part = (token.start, token.value_start)
            yield EndpointSyntaxError(message, code=codes.ENDPOINT_GRAMMAR, part=part)
        elif token.key is not None and token.key in seen:
            message = f"the keyword {shown(token.key)} is given twice"
            yield EndpointSyntaxError(message, code=codes.ENDPOINT_KEYWORD, part=token.whole)
        seen.add(token.key)


def _faults_of_known(kind: Token, tokens: list[Token], signature: Signature) -> Iterator[EndpointSyntaxError]:
    """Yield what is wrong with the arguments of a kind that is in the table."""
    positional = [token for token in tokens if token.key is None]
    bound = dict(zip(signature.names, positional, strict=False))
    for token in positional[len(signature.names) :][:1]:
        message = _too_many(kind.value, signature)
        yield EndpointSyntaxError(message, code=codes.ENDPOINT_KEYWORD, part=token.whole)
    unknown: dict[str, Token] = {}
    named: set[str] = set()
    for token in tokens:
        key = token.key
        if not key or key in named:
            continue
        named.add(key)
        if key not in signature.names:
            unknown[key] = token
            message = _unknown(kind.value, key, signature)
            yield EndpointSyntaxError(message, code=codes.ENDPOINT_KEYWORD, part=token.name)
        elif key in bound:
            message = f"{key} is given twice, once by its place and once by name"
            yield EndpointSyntaxError(message, code=codes.ENDPOINT_KEYWORD, part=token.whole)
        else:
            bound[key] = token
    yield from _faults_of_missing(kind, signature, bound, unknown.values())
    for name, token in bound.items():
        found = problem(kind.value, name, token.value)
        if found is not None:
            yield EndpointSyntaxError(found[1], code=found[0], part=token.written)


def _faults_of_missing(
    kind: Token, signature: Signature, bound: Mapping[str, Token], unknown: Iterable[Token]
) -> Iterator[EndpointSyntaxError]:
    """Yield what must be there and is not, unless it may stand there under a name that is not known."""

    def missing(name: str) -> bool:
        stand_ins = (token for token in unknown if problem(kind.value, name, token.value) is None)
        return name not in bound and next(stand_ins, None) is None

    for name in filter(missing, signature.required):
        message = f"{kind.value}: needs {name}="
        yield EndpointSyntaxError(message, code=codes.ENDPOINT_MISSING, part=kind.written)
    neither = missing("index") and missing("name")
    if kind.value == "systemd" and (neither or ("index" in bound and "name" in bound)):
        message = "systemd: needs either name= or index="
        yield EndpointSyntaxError(message, code=codes.ENDPOINT_MISSING, part=kind.written)


def _too_many(kind: str, signature: Signature) -> str:
    if not signature.names:
        return f"{kind}: takes no arguments"
    return f"{kind}: takes at most {len(signature.names)} arguments ({', '.join(signature.names)})"


def _unknown(kind: str, key: str, signature: Signature) -> str:
    known = ", ".join(signature.names) or "none"
    return f"{kind}: has no keyword {shown(key)}; it has {known}"


def _faults_of_kind(text: str, first: Token) -> list[EndpointSyntaxError]:
    """Return what is wrong with the kind, and with the rest where the kind that was meant is certain."""
    kind = first.value
    if first.key is not None or not _KIND.fullmatch(kind) or _is_bare_host(text):
        message = "an endpoint string starts with its kind, as in tcp:8000"
        guess = _guess(text)
        return [
            EndpointSyntaxError(
                message if text else "the endpoint string is empty",
                code=codes.ENDPOINT_KIND,
                part=(0, len(text)) if text else None,
                suggestion=guess if guess and not _faults(guess) else "",
                certain=False,
                advice="" if guess else "for example tcp:8000:interface=127.0.0.1 or unix:/run/app.sock",
            )
        ]
    if kind not in SIGNATURES and kind.lower() in SIGNATURES:
        message = f"the kind {shown(kind)} is written in lower case"
        meant = kind.lower() + text[first.end :]
        return _with_others(
            text,
            EndpointSyntaxError(message, code=codes.ENDPOINT_KIND, part=first.whole, suggestion=meant),
        )
    return _faults_of_near_kind(text, first)


def _faults_of_near_kind(text: str, first: Token) -> list[EndpointSyntaxError]:
    """Refuse a kind that is a slip of the fingers away from a known one; any other may be a plugin's."""
    kind = first.value
    if kind in SIGNATURES or kind == "haproxy":
        return []
    if len(kind) > _LONGEST_NEAR:
        return []
    near = sorted((slips(kind.lower(), known), known) for known in (*SIGNATURES, "haproxy"))
    best, known = near[0]
    if best > (1 if len(kind) <= 3 else 2):
        return []
    return _with_others(
        text,
        EndpointSyntaxError(
            f"there is no kind {shown(kind)}; {known!r} is one",
            code=codes.ENDPOINT_UNKNOWN_KIND,
            part=first.whole,
            suggestion=known + text[first.end :],
            certain=best == 1 and near[1][0] > 1,
        ),
    )


def slips(one: str, other: str) -> int:
    """Return how many letters are missing, too many, wrong or swapped with the next (the OSA distance)."""
    rows = [list(range(len(other) + 1))]
    for i, mine in enumerate(one, 1):
        row = [i]
        for j, theirs in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (mine != theirs))
            if i > 1 and j > 1 and mine == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _is_bare_host(text: str) -> bool:
    """Tell whether ``text`` is ``localhost:8000``, which would be a kind with one argument."""
    host, _, port = text.partition(":")
    return bool(_DECIMAL.fullmatch(port)) and (host == "localhost" or "." in host)


def _guess(text: str) -> str:
    """Return the endpoint string that was probably meant by a port, an address or a path; or nothing."""
    if text.startswith("/"):
        return f"unix:{_escaped(text)}"
    host, _, port = text.rpartition(":")
    if is_port(text) or (not host and is_port(port)):
        return f"tcp:{port}"
    bare = host.strip("[]").replace("\\", "")
    if is_port(port) and (as_address(bare) is not None or is_host_name(bare)):
        return f"tcp:{port}:interface={quote(bare)}"
    return ""


def _escaped(path: str) -> str:
    return path if "\\" in path else quote_positional(path)


_INTERFACE = re.compile(r"interface=(?P<address>.*?)(?=:[A-Za-z]+=|$)")
_POSITIONAL = re.compile(r"(?P<port>[0-9]{1,5}):(?P<address>[^=]*?)(?=:[A-Za-z]+=|$)")
_REVERSED = re.compile(r"(?P<address>\[[^\]=]*\]):(?P<port>[0-9]{1,5})(?=:|$)")


def _unescaped_ipv6(text: str, kind: str) -> EndpointSyntaxError | None:
    """Return that an IPv6 address is not escaped, or in brackets, with the string set right."""
    start = len(kind) + 1
    if kind not in _IPV6_KINDS or text[: start - 1] != kind:
        return None
    match = _INTERFACE.search(text, start)
    if match is None:
        match = _REVERSED.match(text, start) or _POSITIONAL.match(text, start)
    if match is None:
        return None
    bare = match["address"].replace("\\", "").removeprefix("[").removesuffix("]")
    address = as_address(bare)
    if address is None or address.version != 6 or match["address"] == quote(bare):
        return None
    corrected = f"interface={quote(bare)}"
    if "port" in match.re.groupindex:
        corrected = f"{match['port']}:{corrected}"
    return EndpointSyntaxError(
        f"the colons of the IPv6 address {bare} are not escaped",
        code=codes.ENDPOINT_UNESCAPED,
        part=match.span("address"),
        suggestion=text[: match.start()] + corrected + text[match.end() :],
    )
