"""Who can reach a listener, against what it declares, and whom it believes about its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import Reach, is_documentation
from asgid.config.document import dotted
from asgid.config.endpoints import parse
from asgid.config.resolve import kind_of, merged
from asgid.config.sockets import PathClaim, TcpClaim, claim, reach_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.models import Listener, Proxy, Root
    from asgid.config.places import EndpointSpec, Place
    from asgid.config.scan import Key
    from asgid.config.sockets import Claim


def check(
    document: Document, name: str, listener: Listener, specs: Sequence[EndpointSpec]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with who can reach one listener. An interface's addresses only the host knows."""
    if listener.exposure is None:
        yield from _check_undeclared(document, name, listener, specs)
    elif listener.exposure != "public" and kind_of(listener) != "interface":
        yield from _check_declared(document, name, listener, specs)


def _check_declared(
    document: Document, name: str, listener: Listener, specs: Sequence[EndpointSpec]
) -> Iterator[Diagnostic]:
    declared = Reach[str(listener.exposure).upper()]
    for spec in specs:
        claimed = claim(parse(spec.text))
        actual = reach_of(claimed)
        if actual is None:
            yield document.at_value(
                codes.EXPOSURE_UNKNOWN,
                ("listeners", name, "exposure"),
                f"listeners.{name} is declared {declared.name.lower()}; its {kind_of(listener)} cannot tell",
                "leave exposure out: it is checked for addresses, interfaces and unix sockets",
            )
            return
        if actual > declared and claimed is not None:
            yield wider(document, name, declared, actual, claimed)
            return


def wider(document: Document, name: str, declared: Reach, actual: Reach, claimed: Claim) -> Diagnostic:
    """Return the finding that a listener can be reached from farther than it says."""
    what = (
        claimed.path
        if isinstance(claimed, PathClaim)
        else claimed.address
        if isinstance(claimed, TcpClaim)
        else claimed
    )
    return document.at_value(
        codes.WIDER_THAN_DECLARED,
        ("listeners", name, "exposure"),
        f"listeners.{name} is declared {declared.name.lower()}, and {what} is {actual.name.lower()}",
        f'listen on a narrower address, or write exposure = "{actual.name.lower()}"',
    )


def _check_undeclared(
    document: Document, name: str, listener: Listener, specs: Sequence[EndpointSpec]
) -> Iterator[Diagnostic]:
    """Find that anybody may reach a listener that does not say so: once, at the first such address."""
    if document.is_command_line:
        return  # which has no word for exposure
    public = [(spec, taken) for spec in specs if (taken := _public(claim(parse(spec.text))))]
    if public:
        spec, taken = public[0]
        versions = {each.address.version for other, each in public if other.place == spec.place}
        both = len(versions) > 1 or taken.dual
        key: Key = ("listeners", name, kind_of(listener))
        yield undeclared(document, key, spec.place, taken, both=both)


def undeclared(
    document: Document, key: Key, place: Place, taken: TcpClaim, *, both: bool = False
) -> Diagnostic:
    """Return the finding that anybody may reach a listener that does not say so; ``both``: IPv4 and IPv6."""
    who = dotted(key[:2])
    if taken.address.is_unspecified:
        family = "IPv4 or IPv6" if both else f"IPv{taken.address.version}"
        by = f"whoever reaches this host over {family}"
    else:
        by = f"the whole internet, for {taken.address} is public"
    message = f"{who} can be reached by {by}; nothing says that this is meant"
    advice = 'write exposure = "public" where it is, or listen on an address that fewer can reach'
    return document.at_place(codes.UNDECLARED_EXPOSURE, key, place, message, advice, severity="warning")


def _public(claimed: Claim | None) -> TcpClaim | None:
    """Return a claim that anybody may reach. Addresses for documentation, on no host, are not."""
    if not isinstance(claimed, TcpClaim) or is_documentation(claimed.address):
        return None
    return claimed if reach_of(claimed) is Reach.PUBLIC else None


def check_proxies(
    document: Document,
    root: Root,
    listeners: Mapping[str, Listener],
    resolved: Mapping[str, Sequence[EndpointSpec]],
    uncertain: AbstractSet[str],
) -> Iterator[Diagnostic]:
    """Yield what is wrong with whom listeners believe; ``uncertain`` are those whose tables have errors."""
    said: set[Key] = set()
    for name, listener in listeners.items():
        if name in uncertain:
            continue
        proxy = merged(root.proxy, listener.proxy)
        key = _proxy_key(name, listener, "forwarded")
        if proxy.forwarded != "none" and key not in said:
            found = _forwarded(document, key, name, proxy, resolved.get(name, ()))
            if found is not None:
                said.add(key)  # of the table for all listeners once, and not for each
                yield found
        yield from _check_protocol(document, name, listener, proxy)


def _forwarded(
    document: Document, key: Key, name: str, proxy: Proxy, specs: Sequence[EndpointSpec]
) -> Diagnostic | None:
    if not proxy.trusted:
        message = "forwarded headers are asked for, and nobody is trusted to send them"
        advice = 'name the proxies: trusted = ["10.0.0.5", "unix"]'
        return document.at_value(codes.FORWARDED_WITHOUT_TRUSTED, key, message, advice)
    believed = [each for each in proxy.trusted if each != "unix"]
    public = next((taken for spec in specs if (taken := _public(claim(parse(spec.text))))), None)
    if document.is_command_line or public is None or not believed or is_everyone(believed):
        return None  # trust of everyone is a finding of its own
    return document.at_value(
        codes.FORWARDED_ON_PUBLIC,
        key,
        f"listeners.{name} is on {public}, which anybody can reach, and believes forwarded headers of "
        f"{', '.join(believed)}",
        "give the proxy a listener of its own, on an address or a unix socket that others do not reach",
        severity="warning",
    )


def is_everyone(trusted: Sequence[str]) -> bool:
    """Tell whether a network among ``trusted`` is everyone of its family."""
    return any(each.endswith("/0") for each in trusted)


def _check_protocol(document: Document, name: str, listener: Listener, proxy: Proxy) -> Iterator[Diagnostic]:
    if proxy.protocol == "none":
        return
    key = _proxy_key(name, listener, "protocol")
    advice = 'name the proxies: trusted = ["10.0.0.5", "unix"]'
    if not proxy.trusted:
        message = "the PROXY protocol is asked for, and nobody is trusted to send it"
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, advice)
    elif listener.unix is not None and "unix" not in proxy.trusted:
        message = f'listeners.{name} is a unix socket with the PROXY protocol, and "unix" is not trusted'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, 'add "unix" to trusted')
    elif (listener.address or listener.interface) and set(proxy.trusted) == {"unix"}:
        message = f'listeners.{name} has the PROXY protocol, and only "unix" is trusted, which it is not'
        yield document.at_value(codes.PROTOCOL_WITHOUT_TRUSTED, key, message, advice)
    for text in listener.endpoint or ():
        kind = parse(text).kind
        if kind in _FIRST:
            yield document.at_value(
                codes.PROTOCOL_NOT_FIRST,
                ("listeners", name, "endpoint"),
                f"{kind}: reads {_FIRST[kind]} first, and the PROXY protocol stands before that",
                f'write protocol = "none" in [listeners.{name}.proxy], or another endpoint',
            )


_FIRST = {"ssl": "TLS", "haproxy": "a PROXY header of its own"}


def _proxy_key(name: str, listener: Listener, key: str) -> Key:
    """Return where ``key`` of ``[proxy]`` is said for a listener."""
    own = listener.proxy is not None and key in listener.proxy.model_fields_set
    return ("listeners", name, "proxy", key) if own else ("proxy", key)
