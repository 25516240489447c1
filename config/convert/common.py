"""What several servers share: the application, whom to believe, what none of them limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgid.config import codes
from asgid.config.addresses import as_network
from asgid.config.convert.draft import ConvertError
from asgid.config.convert.options import size, text
from asgid.config.fields import header_value, own_header_name
from asgid.config.fields import target as check_target
from asgid.config.quantities import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from asgid.config.convert.draft import Draft, Said, Settings
    from asgid.config.spec import Place

EVERYBODY: Final = ("0.0.0.0/0", "::/0", "unix")


def application(draft: Draft, words: Sequence[str], place: Place, *, attribute: str = "") -> None:
    """Set the target. ``attribute`` is what the server takes where none is named."""
    if not words:
        raise ConvertError(
            f"{draft.server}: there is no application among the words", "give module:attribute"
        )
    if len(words) > 1:
        raise ConvertError(f"{draft.server} takes one application, and {words[1]:.60} is another word")
    target = words[0]
    if ":" not in target and attribute:
        target = f"{target}:{attribute}"
    module, colon, rest = target.partition(":")
    if rest.endswith(")") and "(" in rest:
        name, _, arguments = rest.partition("(")
        target = f"{module}:{name}"
        draft.put("application.factory", True)
        if arguments.strip(") "):
            draft.differs(
                place,
                f"{words[0]}: a factory is called without arguments",
                "write a function that gives them",
            )
    try:
        check_target(target)
    except RefusedError as error:
        raise ConvertError(
            f"{draft.server}: {words[0]:.60} is no module{colon or ':'}attribute", error.help
        ) from None
    values = draft.values.setdefault("application", {})
    draft.values["application"] = {"target": target, **values}


def not_asgi(draft: Draft, message: str, place: Place) -> None:
    """Say that what was served was no ASGI application."""
    draft.comment("application.target", message)
    draft.differs(place, message, "name the ASGI application: in Django mysite.asgi:application")


def directory(draft: Draft, path: str, *, assumed: bool) -> None:
    """Set the application's directory, behind the target."""
    values = draft.values["application"]
    rest = {name: value for name, value in values.items() if name not in {"target", "directory"}}
    draft.values["application"] = {"target": values["target"], "directory": path, **rest}
    if assumed:
        question = f"is it the one that {draft.server} is started in?"
        draft.comment("application.directory", f"the directory that asgid convert was run in: {question}")


def believe(draft: Draft, trusted: Iterable[str], *comments: str) -> None:
    """Ask for forwarded headers of the ``trusted``."""
    draft.put("proxy.forwarded", "x-forwarded", *comments)
    draft.put("proxy.trusted", list(dict.fromkeys(trusted)))


def forwarded_comment(server: str) -> str:
    """Return what a file's forwarded headers are that another server's are not."""
    return (
        f"takes X-Forwarded-Host and X-Forwarded-Prefix as well, which {server} does not: the proxy has to "
        "set or delete them"
    )


def peers(draft: Draft, said: Said | None, default: str) -> list[str]:
    """Return a list of trusted peers, ``*`` being everybody; what is neither is reported and left out."""
    raw = default if said is None else said.value
    words = [str(each).strip() for each in (raw if isinstance(raw, (list, tuple)) else str(raw).split(","))]
    found: list[str] = []
    for word in words:
        network = as_network(word)
        if word == "*":
            found += EVERYBODY
        elif network is not None:
            found.append(shown(network))
        elif word and said is not None:
            draft.lost(said, f"{word:.60} is neither a network nor an address")
    return list(dict.fromkeys(found))


def shown(network: IPv4Network | IPv6Network) -> str:
    """Return a network, and one address without its ``/32`` or ``/128``."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def limits(draft: Draft) -> None:
    """Write out the limit that none of the other servers has, and that is felt first."""
    draft.put(
        "limits.body_size",
        "100MB",
        f"{draft.server} has no limit; this is asgid's default. It has to be above the largest upload "
        "(0: no limit)",
    )


def drain(draft: Draft, why: str) -> None:
    """Write out how long a stop may take."""
    draft.put("timeouts.drain", "30s", why)


def root_path_goes_before(draft: Draft, said: Said | None) -> None:
    """Say what Uvicorn does with a root path, and asgid does not."""
    if said is None or not said.value:
        return
    message = f"{draft.server} puts it before the path of every request; asgid leaves the path as it came"
    draft.comment("application.root_path", f"{message}: let the proxy pass the whole path on")
    draft.find(
        codes.CONVERT_DIFFERS, "warning", said, f"{said.shown()}: {message}", "let the proxy pass it on"
    )


def header(draft: Draft, said: Said, written: str) -> dict[str, str]:
    """Return one ``Name:Value`` as a header that can be added; what cannot be is reported."""
    name, colon, value = written.partition(":")
    if not colon:
        raise said.wrong(f"{written:.60} is no Name:Value")
    name, value = name.strip(), value.strip()
    if name.lower() == "server":
        draft.put("daemon.server_header", value)
        return {}
    try:
        own_header_name(name)
        header_value(value)
    except RefusedError as error:
        draft.lost(said, error.message, error.help)
        return {}
    return {name: value}


def add_headers(draft: Draft, headers: dict[str, str]) -> None:
    """Add headers to every listener there is."""
    for listener in draft.values.get("listeners", {}).values():
        if headers:
            listener["headers"] = dict(headers)


def message_size(draft: Draft, said: Said | None) -> None:
    """Set the limit of a WebSocket message, which is a frame's too; 16 MiB where nothing is said."""
    limit = "16MiB" if said is None else size(said)
    draft.put("websocket.message_size", limit)
    if said is None:
        draft.comment("websocket.message_size", f"{draft.server}'s default; asgid's is 1MiB")
    draft.put("websocket.frame_size", limit)


def access_log(draft: Draft, said: Said | None) -> None:
    """Set where the access log goes: nowhere, unless that is said."""
    path = "" if said is None else text(said)
    draft.put("log.access", path if path in {"", "-"} else draft.path(path))


def pid_file(draft: Draft, said: Said | None) -> None:
    """Set the pid file, where there is one."""
    if said is not None:
        draft.put("daemon.pid_file", draft.path(text(said)))


def said_or(settings: Settings, name: str) -> Said | None:
    """Return a setting that was given and says something."""
    said = settings.get(name)
    return None if said is None or said.value in (None, "") else said
