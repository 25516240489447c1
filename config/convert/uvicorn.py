"""Uvicorn's command line and its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgid.config.convert import common, shared
from asgid.config.convert.binds import BOTH, Bind, clients_show_none, listen, tls_of
from asgid.config.convert.draft import Said, on_command_line
from asgid.config.convert.options import (
    Later,
    LeftOut,
    Lost,
    Put,
    count,
    duration,
    given,
    level,
    port,
    size,
    table,
    text,
    truth,
    unless_empty,
    whole,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.draft import Draft, Settings

NAME: Final = "Uvicorn"
ABBREVIATIONS: Final = False
_LOOP: Final = LeftOut("asgid runs on uvloop and httptools")
_SINGLE: Final = LeftOut("there is one process")
OPTIONS: Final = table(
    given("host", "--host"),
    given("port", "--port"),
    given("uds", "--uds"),
    given("fd", "--fd"),
    given("reload", "--reload", shared.DEVELOPMENT, flag=True),
    given("reload_dirs", "--reload-dir", shared.DEVELOPMENT, many=True),
    given("reload_includes", "--reload-include", shared.DEVELOPMENT, many=True),
    given("reload_excludes", "--reload-exclude", shared.DEVELOPMENT, many=True),
    given("reload_delay", "--reload-delay", shared.DEVELOPMENT),
    given("workers", "--workers", shared.WORKERS),
    given("loop", "--loop", _LOOP),
    given("http", "--http", _LOOP),
    given(
        "http2", "--http2",
        Later("listeners.http2", "HTTP/1.1 is spoken; let a proxy speak HTTP/2"), flag=True,
    ),
    given("ws", "--ws"),
    given("ws_max_size", "--ws-max-size"),
    given("ws_max_queue", "--ws-max-queue", Put("websocket.queue", lambda said: max(1, count(said)))),
    given("ws_ping_interval", "--ws-ping-interval", Put("websocket.ping_interval", duration)),
    given("ws_ping_timeout", "--ws-ping-timeout", Put("websocket.ping_timeout", duration)),
    given("ws_per_message_deflate", "--ws-per-message-deflate", Put("websocket.compression", truth)),
    given("lifespan", "--lifespan", Put("application.lifespan", text)),
    given("interface", "--interface"),
    given("env_file", "--env-file"),
    given("log_config", "--log-config", shared.LOGGING),
    given("log_level", "--log-level", Put("log.level", level)),
    given(
        "access_log", "--access-log / --no-access-log",
        Put("log.access", lambda said: "-" if truth(said) else ""),
    ),
    given("use_colors", "--use-colors / --no-use-colors", LeftOut("logs have no colours")),
    given("proxy_headers", "--proxy-headers / --no-proxy-headers"),
    given(
        "server_header", "--server-header / --no-server-header",
        Put("daemon.server_header", lambda said: None if truth(said) else ""),
    ),
    given(
        "date_header", "--date-header / --no-date-header",
        Put("daemon.date_header", lambda said: None if truth(said) else False),
    ),
    given("forwarded_allow_ips", "--forwarded-allow-ips"),
    given("root_path", "--root-path", Put("application.root_path", unless_empty)),
    given("limit_concurrency", "--limit-concurrency", Put("limits.concurrency", count)),
    given("backlog", "--backlog"),
    given("limit_max_requests", "--limit-max-requests", shared.REQUESTS),
    given(
        "limit_max_requests_jitter", "--limit-max-requests-jitter",
        LeftOut("it goes with --limit-max-requests"),
    ),
    given("timeout_keep_alive", "--timeout-keep-alive"),
    given("timeout_graceful_shutdown", "--timeout-graceful-shutdown"),
    given("timeout_worker_healthcheck", "--timeout-worker-healthcheck", _SINGLE),
    given("ssl_keyfile", "--ssl-keyfile"),
    given("ssl_certfile", "--ssl-certfile"),
    given("ssl_keyfile_password", "--ssl-keyfile-password", shared.KEY_PASSWORD),
    given("ssl_version", "--ssl-version", shared.TLS_VERSION),
    given("ssl_cert_reqs", "--ssl-cert-reqs"),
    given("ssl_ca_certs", "--ssl-ca-certs"),
    given(
        "ssl_ciphers", "--ssl-ciphers",
        Lost("an endpoint string has no list of ciphers", unless=("TLSv1",)),
    ),
    given("headers", "--header", many=True),
    given("version", "--version", shared.VERSION, flag=True),
    given("app_dir", "--app-dir"),
    given(
        "h11_max_incomplete_event_size", "--h11-max-incomplete-event-size",
        Put("limits.header_size", size),
    ),
    given(
        "reset_contextvars", "--reset-contextvars",
        LeftOut("every request has a context of its own"), flag=True,
    ),
    given("factory", "--factory", Put("application.factory", lambda said: truth(said) or None), flag=True),
)  # fmt: skip


def convert(draft: Draft, settings: Settings, words: Sequence[str]) -> None:
    """Convert what :data:`OPTIONS` leaves to this module."""
    common.application(draft, words, on_command_line(" ".join(words[:1])), attribute="")
    if (said := settings.get("interface")) is not None and said.value == "wsgi":
        common.not_asgi(draft, "Uvicorn served this as WSGI; asgid serves ASGI", said.place)
    if (said := common.said_or(settings, "env_file")) is not None:
        draft.put(
            "application.environment_file", draft.path(text(said)), "systemd's grammar: no export, no ${...}"
        )
    on_unix = _listen(draft, settings)
    _tls_rest(draft, settings)
    _websocket(draft, settings)
    _times(draft, settings)
    common.root_path_goes_before(draft, settings.get("root_path"))
    trusted(draft, settings, on_unix=on_unix)
    headers: dict[str, str] = {}
    if (said := settings.get("headers")) is not None:
        for each in said.value:
            headers |= common.header(draft, said, each)
    common.add_headers(draft, headers)
    common.limits(draft)


def _listen(draft: Draft, settings: Settings) -> bool:
    """Add the listener; tell whether it is a unix socket."""
    tls = tls_of(draft, common.said_or(settings, "ssl_certfile"), common.said_or(settings, "ssl_keyfile"))
    backlog = settings.get("backlog")
    queue = None if backlog is None else count(backlog)
    if (said := settings.get("fd")) is not None:
        listen(draft, [Bind("fd", said, fd=count(said), tls=tls)], queue)
        return False
    if (said := common.said_or(settings, "uds")) is not None:
        listen(draft, [Bind("unix", said, path=text(said), tls=tls)], queue)
        return True
    host = settings.get("host")
    at = settings.get("port")
    name = "127.0.0.1" if host is None else text(host)
    workers = settings.get("workers")
    forks = (workers is not None and whole(workers) > 1) or "reload" in settings
    hosts: tuple[str, ...] = {"": (BOTH,), "localhost": ("127.0.0.1", "::1")}.get(name, (name,))
    said = host or at or Said("", "", on_command_line(""))
    dual = forks  # one process sets IPV6_V6ONLY, the sockets of several are made without
    listen(draft, [Bind("tcp", said, hosts, 8000 if at is None else port(at), dual=dual, tls=tls)], queue)
    if name == "localhost" and tls is None:
        question = (
            "does localhost mean both of them on that host (/etc/hosts)? Uvicorn listens on what it means"
        )
        draft.comment("listeners.web.address", question)
    return False


def _tls_rest(draft: Draft, settings: Settings) -> None:
    reqs = settings.get("ssl_cert_reqs")
    asked = reqs if reqs is not None and whole(reqs) > 0 else None
    clients_show_none(draft, asked, common.said_or(settings, "ssl_ca_certs"))


def _websocket(draft: Draft, settings: Settings) -> None:
    said = settings.get("ws")
    if said is not None and said.value == "none":
        draft.lost(said, "asgid always speaks WebSocket; an application that does not accept refuses it")
    elif said is not None:
        draft.left_out(said, "asgid has one implementation")
    common.message_size(draft, settings.get("ws_max_size"))


def _times(draft: Draft, settings: Settings) -> None:
    said = settings.get("timeout_keep_alive")
    draft.put("timeouts.keep_alive", "5s" if said is None else duration(said))
    grace = settings.get("timeout_graceful_shutdown")
    if grace is None:
        common.drain(draft, "Uvicorn waits without end for requests at a stop; asgid this long")
    else:
        draft.put("timeouts.drain", duration(grace))


def trusted(draft: Draft, settings: Settings, *, on_unix: bool) -> None:
    """Convert whom Uvicorn believes: loopback, where nothing is said."""
    asked = settings.get("proxy_headers")
    if asked is not None and not truth(asked):
        return
    said = settings.get("forwarded_allow_ips")
    found = common.peers(draft, said, "127.0.0.1,::1")
    everybody = common.EVERYBODY[0] in found
    if on_unix and not everybody:
        why = "Uvicorn believes no forwarded headers on a unix socket unless it believes everybody (*)"
        draft.remark("proxy", f'{why}; to believe the proxy: forwarded = "x-forwarded", trusted = ["unix"]')
        return
    if not found:
        return
    common.believe(draft, found, common.forwarded_comment(draft.server))
    if everybody and said is not None:
        draft.comment("proxy.trusted", "everybody, as said; name the proxies' own addresses")
        draft.differs(said, f"{said.shown()}: everybody is believed", "name the proxies in proxy.trusted")
