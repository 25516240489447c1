"""Where the other server listens, and the listeners that say the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from asgid.config import codes, writing
from asgid.config.addresses import as_address
from asgid.config.convert.draft import ConvertError
from asgid.config.endpoint_grammar import EndpointSyntaxError, quote, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgid.config.convert.draft import Draft, Said

BOTH: Final = "*"
_WILDCARDS4: Final = {"0.0.0.0", "", BOTH}
_NAMES: Final = {"tcp": "web", "unix": "local", "fd": "inherited", "endpoint": "endpoint"}


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its key, absolute paths; ``said`` asked for it."""

    certificate: str
    key: str
    said: Said


@dataclass(frozen=True, slots=True)
class Bind:
    """One place to listen. ``hosts`` are what a TCP one names, ``*`` every address of both families.

    ``dual``: an IPv6 wildcard takes IPv4 too, as it does where nobody says otherwise.
    """

    kind: str
    said: Said
    hosts: tuple[str, ...] = ()
    port: int = 0
    dual: bool = False
    path: str = ""
    mode: int = 0o666
    owner: str = ""
    group: str = ""
    fd: int = 0
    string: str = ""
    tls: Tls | None = None


def parse_bind(
    said: Said, text: str, *, empty: str = "0.0.0.0", mode: int = 0o666, prefixes: Sequence[str] = ("unix:",)
) -> Bind:
    """Return what Gunicorn and Hypercorn mean by HOST:PORT, HOST, unix:PATH or fd://N."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        if text.startswith(prefix):
            return Bind("unix", said, path=text.removeprefix(prefix), mode=mode)
    if text.startswith("fd://"):
        if not text[5:].isascii() or not text[5:].isdecimal() or len(text) > 14:
            raise said.wrong(f"{text:.60}: there is no number of a descriptor behind fd://")
        return Bind("fd", said, fd=int(text[5:]))
    host, number = _host_and_port(text.removeprefix("tcp://"))
    if number and not (number.isascii() and number.isdecimal() and int(number[:6]) <= 65535):
        raise said.wrong(f"{text:.60}: {number:.20} is no port")
    return Bind("tcp", said, (host or empty,), int(number) if number else 8000, dual=True)


def local_bind(
    said: Said,
    text: str,
    mode: int,
    tls: Tls | None,
    owner: tuple[str, str],
    prefixes: Sequence[str] = ("unix:",),
) -> Bind:
    """Return a bind as Gunicorn and Hypercorn make it: ``owner`` is a unix socket's user and group."""
    made = parse_bind(said, text, mode=mode, prefixes=prefixes)
    hosts = tuple("127.0.0.1" if each == "localhost" else each for each in made.hosts)
    user, group = owner if made.kind == "unix" else ("", "")
    return replace(made, hosts=hosts, dual=True, mode=mode, tls=tls, owner=user, group=group)


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    if as_address(text) is not None:  # an IPv6 address without brackets and port
        return text, ""
    host, _, number = text.rpartition(":") if ":" in text else (text, "", "")
    return host, number


@dataclass
class _Listeners:
    draft: Draft
    backlog: int | None
    only6: set[int] = field(default_factory=set)


def listen(draft: Draft, binds: Iterable[Bind], backlog: int | None = None) -> None:
    """Add a listener for each bind; ``backlog`` is written where it is said."""
    every = list(binds)
    state = _Listeners(draft, backlog, _wildcards4(every))
    for bind in every:
        values, comments = _MAKERS[bind.kind](state, bind)
        name = _free_name(draft, "secure" if bind.tls else _NAMES[bind.kind])
        if backlog is not None and "endpoint" not in values:
            values["backlog"] = max(1, backlog)
        for key, value in values.items():
            draft.put(("listeners", name, key), value)
        for key, said in comments:
            draft.comment(("listeners", name, key), said)


def _wildcards4(binds: Iterable[Bind]) -> set[int]:
    """Return the ports on which somebody has every IPv4 address."""
    found = {each.port for each in binds if each.kind == "tcp" and set(each.hosts) & _WILDCARDS4}
    for each in binds:
        if each.kind == "endpoint":
            number = _wildcard_port(each.string)
            if number is not None:
                found.add(number)
    return found


def _wildcard_port(string: str) -> int | None:
    """Return the port of a ``tcp:`` or ``ssl:`` string with every IPv4 address."""
    try:
        kind, *rest = tokenize(string)
    except EndpointSyntaxError:
        return None
    named = {each.key: each.value for each in rest if each.key}
    plain = [each.value for each in rest if each.key is None]
    number = named.get("port") or (plain[0] if plain else "")
    wide = named.get("interface", "") in _WILDCARDS4
    return int(number) if kind.value in {"tcp", "ssl"} and wide and number.isdecimal() else None


Made = tuple[dict[str, Any], list[tuple[str, str]]]


def _tcp(state: _Listeners, bind: Bind) -> Made:
    if bind.tls is not None:
        return _secure(state, bind, bind.tls)
    comments = []
    addresses = []
    for host in bind.hosts:
        bare = host.strip("[]")
        parsed = as_address(bare)
        if bare == BOTH:
            addresses.append(BOTH)
        elif parsed is None:
            return _by_name(state, bind, bare)
        elif parsed.version == 6 and parsed.ipv4_mapped is not None:
            comments.append(("address", f"{bare} is this IPv4 address"))
            addresses.append(str(parsed.ipv4_mapped))
        elif str(parsed) == "::" and bind.dual and bind.port not in state.only6:
            comments.append(("address", f'{state.draft.server} takes IPv4 too on ::; IPv6 alone is "::"'))
            addresses.append(BOTH)
        else:
            addresses.append(str(parsed))
    address = addresses[0] if len(addresses) == 1 else addresses
    return {"address": address, "port": bind.port}, comments


def _by_name(state: _Listeners, bind: Bind, name: str) -> Made:
    """Keep a host's name: the string lets the system look it up at start, as the other server does."""
    string = f"tcp:port={bind.port}:interface={quote(name)}:backlog={state.backlog or 2048}"
    why = f"{name} is looked up at each start, in IPv4; to be sure, name the address and the port"
    state.draft.find(codes.CONVERT_DIFFERS, "info", bind.said, f"{bind.said.shown()}: {why}")
    return {"endpoint": string}, [("endpoint", why)]


def _secure(state: _Listeners, bind: Bind, tls: Tls) -> Made:
    """TLS: Twisted's own string does it today, a ``tls`` table will."""
    strings = []
    for host in bind.hosts:
        bare = host.strip("[]")
        wide = "::" if bare == BOTH else bare
        strings.append(
            f"ssl:port={bind.port}:interface={quote(wide)}:privateKey={quote(tls.key)}"
            f":certKey={quote(tls.certificate)}:backlog={max(1, state.backlog or 2048)}"
        )
    comment = (
        "certKey is read up to its first certificate: put the others of a chain into a file of their own "
        "and add extraCertChain=FILE"
    )
    comments = [("endpoint", comment)]
    if "::" in bind.hosts and not bind.dual:
        wider = f"{state.draft.server} takes IPv6 alone on ::; this string takes IPv4 too"
        state.draft.differs(bind.said, f"{bind.said.shown()}: {wider}", "name the addresses that are meant")
        comments.append(("endpoint", wider))
    message = f"{tls.said.shown()}: of a chain only the first certificate is sent"
    state.draft.differs(
        tls.said, message, "add extraCertChain=FILE to the endpoint, FILE being the rest of the chain"
    )
    return {"endpoint": strings[0] if len(strings) == 1 else strings}, comments


def _unix(state: _Listeners, bind: Bind) -> Made:
    path = bind.path
    if path.startswith(("\0", "@")):
        state.draft.refuse(
            bind.said, f"{bind.said.shown()}: a unix socket has a path, not an abstract name", "name a path"
        )
    values: dict[str, Any] = {"unix": state.draft.path(path), "mode": writing.mode(bind.mode)}
    if bind.owner:
        values["owner"] = bind.owner
    if bind.group:
        values["group"] = bind.group
    if bind.tls is not None:
        state.draft.lost(bind.tls.said, "a unix socket has no TLS")
    if bind.mode & 0o006 == 0o006:
        comment = f"as {state.draft.server}: every user of this host; 0660 and a group let in the proxy alone"
        return values, [("mode", comment)]
    return values, []


def _fd(state: _Listeners, bind: Bind) -> Made:
    if bind.fd >= 2**31:
        raise ConvertError(f"{bind.said.shown()}: there is no such descriptor")
    if bind.tls is not None:
        message = f"{bind.tls.said.shown()}: an inherited descriptor has no TLS yet"
        state.draft.refuse(bind.tls.said, message, "listen on the address itself")
    comment = "a socket of systemd's is better taken by its name: systemd = NAME (FileDescriptorName=)"
    return {"fd": bind.fd}, [("fd", comment)] if bind.fd == 3 else []


def _endpoint(_: _Listeners, bind: Bind) -> Made:
    return {"endpoint": bind.string}, []


_MAKERS: Final = {"tcp": _tcp, "unix": _unix, "fd": _fd, "endpoint": _endpoint}


def _free_name(draft: Draft, name: str) -> str:
    taken = draft.values.setdefault("listeners", {})
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def tls_of(draft: Draft, certificate: Said | None, key: Said | None) -> Tls | None:
    """Return the certificate and the key that were named; a key may stand in the certificate's file."""
    if certificate is None or not certificate.value:
        if key is not None and key.value:
            draft.lost(key, "there is no certificate")
        return None
    own = key if key is not None and key.value else certificate
    return Tls(draft.path(str(certificate.value)), draft.path(str(own.value)), certificate)


def clients_show_none(draft: Draft, asked: Said | None, authorities: Said | None) -> None:
    """Refuse what would let in clients that were kept out: those without a certificate, which were asked."""
    if asked is not None:
        draft.refuse(
            asked,
            f"{asked.shown()}: clients must show a certificate, and asgid cannot ask for one yet",
            "let a proxy in front of it ask; without the option the rest converts",
        )
    elif authorities is not None:
        draft.left_out(authorities, "no client is asked for a certificate")
