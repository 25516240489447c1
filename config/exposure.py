"""Who can reach a listener, against what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import Reach, is_documentation
from asgid.config.collisions import Entry
from asgid.config.document import dotted
from asgid.config.shape import Way
from asgid.config.sockets import TcpClaim, path_of, reach_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.models import Listener
    from asgid.config.places import Place
    from asgid.config.scan import Key
    from asgid.config.sockets import Claim


Ways = Mapping[Way, Sequence[Entry]]
"""What a listener takes, for each way in which it says where it listens. One that is right has one."""


def check(document: Document, name: str, listener: Listener, ways: Ways) -> Iterator[Diagnostic]:
    """Yield what is wrong with who can reach one listener. An interface's addresses only the host knows."""
    if listener.exposure is None:
        for way, entries in ways.items():
            yield from _check_undeclared(document, ("listeners", name, way), entries)
    elif listener.exposure != "public":
        yield from _check_declared(document, name, listener, ways)


def _check_declared(document: Document, name: str, listener: Listener, ways: Ways) -> Iterator[Diagnostic]:
    declared = Reach[str(listener.exposure).upper()]
    for way, claimed in [(way, each.claimed) for way, entries in ways.items() for each in entries]:
        actual = reach_of(claimed)
        if actual is None:
            yield document.at_value(
                codes.EXPOSURE_UNKNOWN,
                ("listeners", name, "exposure"),
                f"listeners.{name} is declared {declared.name.lower()}; its {way} cannot tell",
                "leave exposure out: it is checked for addresses, interfaces and unix sockets",
            )
            return
        if actual > declared and claimed is not None:
            yield wider(document, name, declared, actual, claimed)
            return


def wider(document: Document, name: str, declared: Reach, actual: Reach, claimed: Claim) -> Diagnostic:
    """Return the finding that a listener can be reached from farther than it says."""
    what = claimed.address if isinstance(claimed, TcpClaim) else path_of(claimed) or claimed
    return document.at_value(
        codes.WIDER_THAN_DECLARED,
        ("listeners", name, "exposure"),
        f"listeners.{name} is declared {declared.name.lower()}, and {what} is {actual.name.lower()}",
        f'listen on a narrower address, or write exposure = "{actual.name.lower()}"',
    )


def _check_undeclared(document: Document, key: Key, entries: Sequence[Entry]) -> Iterator[Diagnostic]:
    """Find that anybody may reach a listener that does not say so: once, at the first such address."""
    if document.is_command_line:
        return  # which has no word for exposure
    public = [(each.spec.place, taken) for each in entries if (taken := public_claim(each.claimed))]
    if public:
        place, taken = public[0]
        versions = {each.address.version for other, each in public if other == place}
        both = len(versions) > 1 or taken.dual
        yield undeclared(document, key, place, taken, both=both)


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


def public_claim(claimed: Claim | None) -> TcpClaim | None:
    """Return a claim that anybody may reach. Addresses for documentation, on no host, are not."""
    if not isinstance(claimed, TcpClaim) or is_documentation(claimed.address):
        return None
    return claimed if reach_of(claimed) is Reach.PUBLIC else None
