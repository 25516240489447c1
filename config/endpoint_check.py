r"""What the arguments of each kind of endpoint must be, and how a string that fails them should read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes
from asgid.config.addresses import as_address, is_host_name, unbindable
from asgid.config.endpoint_grammar import (
    Endpoint,
    EndpointSyntaxError,
    Token,
    quote,
    quote_positional,
    tokenize,
)

if TYPE_CHECKING:
    from collections.abc import Callable

UNIX_PATH_BYTES = 107
"""The longest path of a unix socket on Linux (unix(7)): sun_path holds 108 bytes, the last one is NUL."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]*")
_IPV6_KINDS = frozenset({"tcp", "ssl", "tcp6", "tls", "asgid-tcp"})
_DECIMAL = re.compile(r"[0-9]{1,10}")
_OCTAL = re.compile(r"[0-7]{1,5}")


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


class _FaultError(Exception):
    """What is wrong with an argument. ``where`` is its position, its keyword, or None: all of it."""

    def __init__(self, where: int | str | None, message: str, code: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message
        self.code = code


def checked(text: str) -> Endpoint:
    """Read and check ``text``. See :func:`asgid.config.endpoints.parse`."""
    try:
        return _checked(text)
    except EndpointSyntaxError as error:
        if not error.suggestion or _is_endpoint(error.suggestion):
            raise
        refused = error
    # What it suggests has a mistake of its own: half an answer would be a wrong one.
    raise EndpointSyntaxError(refused.message, code=refused.code, offset=refused.offset)


def _is_endpoint(text: str) -> bool:
    try:
        _checked(text)
    except EndpointSyntaxError:
        return False
    return True


def _checked(text: str) -> Endpoint:
    for offset, character in enumerate(text):
        if ord(character) < 0x20 or ord(character) == 0x7F:
            raise EndpointSyntaxError(
                "an endpoint string holds a control character", code=codes.ENDPOINT_GRAMMAR, offset=offset
            )
    tokens = list(tokenize(text))
    _check_kind(text, tokens[0])
    args = tuple(token.value for token in tokens[1:] if token.key is None)
    kwargs = tuple((token.key, token.value) for token in tokens[1:] if token.key is not None)
    endpoint = Endpoint(tokens[0].value, args, kwargs)
    if _swallowed_address(kwargs, args):
        _refuse_unescaped_ipv6(text, endpoint.kind)
    try:
        _check_keywords(kwargs)
        if endpoint.kind == "haproxy":
            _check_wrapped(endpoint)
        else:
            bind_or_fault(endpoint)
    except _FaultError as fault:
        raise _explained(text, tokens, fault) from None
    return endpoint


def bind(endpoint: Endpoint) -> dict[str, str]:
    """Return the arguments of ``endpoint`` by name. Raises :class:`EndpointSyntaxError`."""
    try:
        return bind_or_fault(endpoint)
    except _FaultError as fault:
        raise EndpointSyntaxError(fault.message, code=fault.code) from None


def bind_or_fault(endpoint: Endpoint) -> dict[str, str]:
    """Bind and check the arguments; a kind that is not in the table gives an empty dict."""
    signature = SIGNATURES.get(endpoint.kind)
    if signature is None:
        return {}
    bound: dict[str, str] = {}
    for index, value in enumerate(endpoint.args):
        if index >= len(signature.names):
            raise _FaultError(index, _too_many(endpoint.kind, signature), codes.ENDPOINT_KEYWORD)
        bound[signature.names[index]] = value
    for key, value in endpoint.kwargs:
        if key not in signature.names:
            raise _FaultError(key, _unknown(endpoint.kind, key, signature), codes.ENDPOINT_KEYWORD)
        if key in bound:
            raise _FaultError(
                key, f"{key} is given twice, once by its place and once by name", codes.ENDPOINT_KEYWORD
            )
        bound[key] = value
    for name in signature.required:
        if name not in bound:
            raise _FaultError(None, f"{endpoint.kind}: needs {name}=", codes.ENDPOINT_MISSING)
    _check_values(endpoint, signature, bound)
    return bound


def _check_values(endpoint: Endpoint, signature: Signature, bound: dict[str, str]) -> None:
    for name, value in bound.items():
        check = _CHECKS.get(name)
        problem = check(endpoint.kind, value) if check else None
        found = (codes.ENDPOINT_VALUE, problem) if problem else None
        if name == "interface" and found is None:
            address = as_address(value)
            found = None if address is None else unbindable(address, value)
        if found:
            position = signature.names.index(name)
            where = position if position < len(endpoint.args) else name
            raise _FaultError(where, found[1], found[0])
    if endpoint.kind == "systemd" and ("index" in bound) == ("name" in bound):
        raise _FaultError(None, "systemd: needs either name= or index=", codes.ENDPOINT_MISSING)


def _too_many(kind: str, signature: Signature) -> str:
    if not signature.names:
        return f"{kind}: takes no arguments"
    return f"{kind}: takes at most {len(signature.names)} arguments ({', '.join(signature.names)})"


def _unknown(kind: str, key: str, signature: Signature) -> str:
    known = ", ".join(signature.names) or "none"
    return f"{kind}: has no keyword {key!r}; it has {known}"


def _check_keywords(kwargs: tuple[tuple[str, str], ...]) -> None:
    seen: set[str] = set()
    for key, _ in kwargs:
        if not key:
            raise _FaultError(key, "a '=' stands without a keyword before it", codes.ENDPOINT_GRAMMAR)
        if key in seen:
            raise _FaultError(key, f"the keyword {key!r} is given twice", codes.ENDPOINT_KEYWORD)
        seen.add(key)


def _check_kind(text: str, first: Token) -> None:
    if first.key is None and _KIND.fullmatch(first.value) and not _is_bare_host(text):
        kind = first.value
        if kind not in SIGNATURES and kind.lower() in SIGNATURES:
            suggestion = kind.lower() + text[len(kind) :]
            raise EndpointSyntaxError(
                f"the kind {kind!r} is written in lower case", code=codes.ENDPOINT_KIND, suggestion=suggestion
            )
        _check_near_kind(text, kind)
        return
    raise EndpointSyntaxError(
        "an endpoint string starts with its kind, as in tcp:8000" if text else "the endpoint string is empty",
        code=codes.ENDPOINT_KIND,
        suggestion=_guess(text),
        certain=False,
        advice="" if _guess(text) else "for example tcp:8000:interface=127.0.0.1 or unix:/run/app.sock",
    )


def _check_near_kind(text: str, kind: str) -> None:
    """Refuse a kind that is a slip of the fingers away from a known one; any other may be a plugin's."""
    if kind in SIGNATURES or kind == "haproxy":
        return
    near = sorted((slips(kind.lower(), known), known) for known in (*SIGNATURES, "haproxy"))
    best, known = near[0]
    if best > (1 if len(kind) <= 3 else 2):
        return
    raise EndpointSyntaxError(
        f"there is no kind {kind!r}; {known!r} is one",
        code=codes.ENDPOINT_UNKNOWN_KIND,
        suggestion=known + text[len(kind) :],
        certain=best == 1 and near[1][0] > 1,
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
    if _is_port(text) or (not host and _is_port(port)):
        return f"tcp:{port}"
    bare = host.strip("[]").replace("\\", "")
    if _is_port(port) and (as_address(bare) is not None or is_host_name(bare)):
        return f"tcp:{port}:interface={quote(bare)}"
    return ""


def _escaped(path: str) -> str:
    return path if "\\" in path else quote_positional(path)


def _is_port(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None and int(text) <= 65535


def _check_wrapped(endpoint: Endpoint) -> None:
    """Check the string that ``haproxy:`` wraps, which is all that follows it."""
    if not endpoint.args:
        raise _FaultError(None, "haproxy: is followed by another endpoint string", codes.ENDPOINT_MISSING)
    inner = Endpoint(endpoint.args[0], endpoint.args[1:], endpoint.kwargs)
    try:
        bind_or_fault(inner)
    except _FaultError as fault:
        where = fault.where + 1 if isinstance(fault.where, int) else fault.where
        raise _FaultError(where, fault.message, fault.code) from None


def _explained(text: str, tokens: list[Token], fault: _FaultError) -> EndpointSyntaxError:
    """Return the fault as an error; an unescaped IPv6 address, which causes all kinds of them, goes first."""
    _refuse_unescaped_ipv6(text, tokens[0].value)
    offset = _offset(text, tokens, fault)
    named = [token for token in tokens[1:] if token.key == fault.where]
    if fault.code == codes.ENDPOINT_KEYWORD and named and not str(fault.where).isidentifier():
        equals = named[-1].value_start - 1
        return EndpointSyntaxError(
            f"an = makes a keyword of what stands before it, and {fault.where!r} is none",
            code=fault.code,
            offset=equals,
            suggestion=f"{text[:equals]}\\{text[equals:]}",
        )
    return EndpointSyntaxError(fault.message, code=fault.code, offset=offset)


def _swallowed_address(kwargs: tuple[tuple[str, str], ...], args: tuple[str, ...]) -> bool:
    """Tell whether ``interface=::1`` may have become other arguments without a fault, as in ``ssl:``."""
    return "" in args and any(key == "interface" for key, _ in kwargs)


def _refuse_unescaped_ipv6(text: str, kind: str) -> None:
    found = _unescaped_ipv6(text, kind)
    if found:
        offset, address, suggestion = found
        raise EndpointSyntaxError(
            f"the colons of the IPv6 address {address} are not escaped",
            code=codes.ENDPOINT_UNESCAPED,
            offset=offset,
            suggestion=suggestion,
        )


def _offset(text: str, tokens: list[Token], fault: _FaultError) -> int:
    if isinstance(fault.where, int):
        positional = [token for token in tokens[1:] if token.key is None]
        return positional[fault.where].start
    if isinstance(fault.where, str):
        named = [token for token in tokens[1:] if token.key == fault.where]
        token = named[-1]
        of_value = fault.code not in {codes.ENDPOINT_KEYWORD, codes.ENDPOINT_GRAMMAR}
        return token.value_start if of_value else token.start
    return len(text) if fault.code == codes.ENDPOINT_MISSING else 0


_INTERFACE = re.compile(r"interface=(?P<address>.*?)(?=:[A-Za-z]+=|$)")
_POSITIONAL = re.compile(r"(?P<port>[0-9]{1,5}):(?P<address>[^=]*?)(?=:[A-Za-z]+=|$)")
_REVERSED = re.compile(r"(?P<address>\[[^\]=]*\]):(?P<port>[0-9]{1,5})(?=:|$)")


def _unescaped_ipv6(text: str, kind: str) -> tuple[int, str, str] | None:
    """Return where an unescaped or bracketed IPv6 address stands, the address, and the string set right."""
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
    suggestion = text[: match.start()] + corrected + text[match.end() :]
    return match.start("address"), bare, suggestion


def _check_port(_: str, value: str) -> str | None:
    return None if _is_port(value) else f"the port {value!r} is not a number from 0 to 65535"


def _check_backlog(_: str, value: str) -> str | None:
    good = _DECIMAL.fullmatch(value) and int(value) < 2**31
    return None if good else f"the backlog {value!r} is not a number"


def _check_interface(kind: str, value: str) -> str | None:
    if as_address(value) is not None:
        return None
    if kind == "asgid-tcp":
        return f"the interface {value!r} is not an IPv4 or IPv6 address"
    if not value or is_host_name(value):
        return None
    return f"the interface {value!r} is neither an address nor a host name"


def _check_path(_: str, value: str) -> str | None:
    if not value:
        return "the path is empty"
    if len(value.encode("utf-8", "surrogateescape")) > UNIX_PATH_BYTES:
        return f"the path is longer than the {UNIX_PATH_BYTES} bytes that a unix socket's may have"
    return None


def _check_mode(_: str, value: str) -> str | None:
    good = _OCTAL.fullmatch(value) and int(value, 8) <= 0o777
    return None if good else f"the mode {value!r} is not octal, from 0 to 0777"


def _check_flag(_: str, value: str) -> str | None:
    return None if value in {"0", "1"} else f"{value!r} is neither 0 nor 1"


def _check_number(_: str, value: str) -> str | None:
    good = _DECIMAL.fullmatch(value) and int(value) < 2**31
    return None if good else f"{value!r} is not a number"


def _check_domain(kind: str, value: str) -> str | None:
    if kind == "fd" or value in {"INET", "INET6", "UNIX"}:
        return None
    return f"the domain {value!r} is none of INET, INET6, UNIX"


def _check_name(_: str, value: str) -> str | None:
    good = value and len(value) <= 255 and value.isascii() and ":" not in value
    return None if good else f"the name {value!r} is not one that systemd gives to a descriptor"


_CHECKS: dict[str, Callable[[str, str], str | None]] = {
    "port": _check_port,
    "backlog": _check_backlog,
    "interface": _check_interface,
    "address": _check_path,
    "path": _check_path,
    "mode": _check_mode,
    "lockfile": _check_flag,
    "freebind": _check_flag,
    "fileno": _check_number,
    "index": _check_number,
    "domain": _check_domain,
    "name": _check_name,
}
