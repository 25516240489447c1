"""Daphne's command line: what asgid's own flags make of it, as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgid.config import codes, writing
from asgid.config.convert import common
from asgid.config.convert.binds import Bind, listen
from asgid.config.convert.draft import ConvertError, Said, on_command_line
from asgid.config.convert.options import (
    OWN,
    Put,
    count,
    duration,
    given,
    number,
    port,
    size,
    table,
    text,
    whole,
)  # fmt: skip
from asgid.config.endpoints import EndpointSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.draft import Draft, Settings

NAME: Final = "Daphne"
ABBREVIATIONS: Final = True
OPTIONS: Final = table(
    given("port", "-p --port", OWN),
    given("host", "-b --bind", OWN),
    given("websocket_timeout", "--websocket_timeout", OWN),
    given("websocket_connect_timeout", "--websocket_connect_timeout", OWN),
    given("unix_socket", "-u --unix-socket", OWN),
    given("file_descriptor", "--fd", OWN),
    given("socket_strings", "-e --endpoint", OWN, many=True),
    given("verbosity", "-v --verbosity", OWN),
    given("http_timeout", "-t --http-timeout", Put("timeouts.application", duration)),
    given("access_log", "--access-log", OWN),
    given("log_fmt", "--log-fmt", Put("log.pattern", text)),
    given("ping_interval", "--ping-interval", Put("websocket.ping_interval", duration)),
    given("ping_timeout", "--ping-timeout", OWN),
    given("websocket_max_message_size", "--websocket-max-message-size", Put("websocket.message_size", size)),
    given("websocket_max_frame_size", "--websocket-max-frame-size", Put("websocket.frame_size", size)),
    given("application_close_timeout", "--application-close-timeout", OWN),
    given("root_path", "--root-path", Put("application.root_path", text)),
    given("proxy_headers", "--proxy-headers", OWN, flag=True),
    given("proxy_headers_host", "--proxy-headers-host", OWN),
    given("proxy_headers_port", "--proxy-headers-port", OWN),
    given("server_name", "-s --server-name", Put("daemon.server_header", text)),
    given("no_server_name", "--no-server-name", OWN, flag=True),
)
_LEVELS: Final = ("warning", "info", "debug", "debug")
_AT_ONCE: Final = "1ms"  # what Daphne's 0 means where the file's 0 means no limit


def convert(draft: Draft, settings: Settings, words: Sequence[str]) -> None:
    """Convert what :data:`OPTIONS` leaves to this module."""
    common.application(draft, words, on_command_line(" ".join(words[:1])))
    _listen(draft, settings)
    _limits(draft, settings)
    _log(draft, settings)
    _proxy(draft, settings)
    if "no_server_name" in settings:
        draft.put("daemon.server_header", "")
    common.limits(draft)


def _listen(draft: Draft, settings: Settings) -> None:
    host, number_ = common.said_or(settings, "host"), settings.get("port")
    strings = settings.get("socket_strings")
    others: list[Bind] = []
    if (said := common.said_or(settings, "unix_socket")) is not None:
        others.append(Bind("unix", said, path=text(said)))
    if (said := settings.get("file_descriptor")) is not None:
        others.append(Bind("fd", said, fd=count(said)))
    if strings is not None:
        others += [_endpoint(draft, strings, each) for each in strings.value]
    binds = others
    asked = host or number_
    if asked is not None or not others:
        name = text(host).strip("[]") if host is not None else "127.0.0.1"
        name = "127.0.0.1" if name == "localhost" else name  # as the system looks it up for IPv4
        at = 8000 if number_ is None else port(number_)
        binds = [Bind("tcp", asked or _nobody(settings), (name,), at, dual=True), *others]
    listen(draft, binds)


def _endpoint(draft: Draft, said: Said, string: str) -> Bind:
    try:
        parse(string)
    except EndpointSyntaxError as error:
        draft.refuse(said, f"{said.name} {string:.80}: {error.message}", error.help)
    return Bind("endpoint", said, string=string)


def _nobody(settings: Settings) -> Said:
    return next(iter(settings.values()), Said("", "", on_command_line("")))


def _limits(draft: Draft, settings: Settings) -> None:
    life = settings.get("websocket_timeout")
    draft.put("websocket.lifetime", _seconds(life) if life is not None else "24h")
    if life is None:
        draft.comment("websocket.lifetime", "Daphne's default; asgid's is none (0)")
    if (said := settings.get("websocket_connect_timeout")) is not None:
        draft.put("websocket.connect_timeout", _seconds(said))
    if (said := settings.get("application_close_timeout")) is not None:
        draft.put("timeouts.application_close", _seconds(said))
    patience = settings.get("ping_timeout")
    if draft.get("websocket.ping_interval") != "0s":
        draft.put("websocket.ping_timeout", "30s" if patience is None else duration(patience))
    elif patience is not None:
        draft.left_out(patience, "no pings are sent")


def _seconds(said: Said) -> str:
    """Return a time whose -1 is no limit and whose 0 is at once."""
    value = number(said)
    return "0s" if value < 0 else writing.duration(round(value, 3)) if value else _AT_ONCE


def _log(draft: Draft, settings: Settings) -> None:
    said = settings.get("verbosity")
    verbosity = 1 if said is None else whole(said)
    if said is not None:
        if not 0 <= verbosity < len(_LEVELS):
            raise said.wrong(f"is 0 to 3, not {verbosity}")
        draft.put("log.level", _LEVELS[verbosity])
        if verbosity == len(_LEVELS) - 1:
            draft.lost(said, "asyncio's debug mode is the flag's alone; the file says level = debug", "")
    access = common.said_or(settings, "access_log")
    if access is not None:
        common.access_log(draft, access)
    elif verbosity == 0:
        draft.put("log.access", "")


def _proxy(draft: Draft, settings: Settings) -> None:
    asked = settings.get("proxy_headers")
    for name, key in (("proxy_headers_host", "host_header"), ("proxy_headers_port", "port_header")):
        said = common.said_or(settings, name)
        if said is None:
            continue
        if asked is None:
            raise ConvertError(f"{NAME}: {said.name} needs --proxy-headers")
        draft.put(f"proxy.{key}", text(said))
    if asked is None:
        return
    common.believe(draft, ("127.0.0.0/8", "::1/128", "unix"), common.forwarded_comment(NAME))
    draft.comment("proxy.trusted", "Daphne believes everybody. Name the proxies' own addresses")
    message = "--proxy-headers: Daphne believes everybody; here loopback and unix sockets are believed"
    draft.find(codes.CONVERT_DIFFERS, "warning", asked, message, "name the proxies in proxy.trusted")
