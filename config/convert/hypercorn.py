"""Hypercorn's command line, and its configuration file: TOML, or Python that is read without being run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgid.config.convert import common, shared, sources
from asgid.config.convert.binds import clients_show_none, listen, local_bind, tls_of
from asgid.config.convert.draft import ConvertError, Said, on_command_line
from asgid.config.convert.options import (
    Later,
    LeftOut,
    Lost,
    Put,
    count,
    duration,
    given,
    level,
    size,
    table,
    text,
    truth,
    whole,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.draft import Draft, Settings

NAME: Final = "Hypercorn"
ABBREVIATIONS: Final = True
_WSGI: Final = LeftOut("it is for WSGI")
_LIFESPAN: Final = Lost("the application may take as long as it wants to start and to stop")
_CLASS: Final = Lost("asgid has its own logging")
_NAMES: Final = (
    given("config", "-c --config"),
    given("accesslog", "--access-logfile --access-log"),
    given("access_log_format", "--access-logformat", shared.ACCESS_FORMAT),
    given("backlog", "--backlog"),
    given("bind", "-b --bind", many=True),
    given("ca_certs", "--ca-certs"),
    given("certfile", "--certfile"),
    given("cert_reqs", "--cert-reqs"),
    given("ciphers", "--ciphers", shared.CIPHERS),
    given("daemon", "-D --daemon", shared.IN_BACKGROUND, flag=True),
    given("debug", "--debug", shared.DEVELOPMENT, flag=True),
    given("errorlog", "--error-logfile --log-file --error-log", shared.ERROR_LOG),
    given("graceful_timeout", "--graceful-timeout"),
    given("read_timeout", "--read-timeout", Put("timeouts.request_body", duration)),
    given("max_requests", "--max-requests", shared.REQUESTS),
    given("max_requests_jitter", "--max-requests-jitter", LeftOut("it goes with --max-requests")),
    given("group", "-g --group"),
    given("worker_class", "-k --worker-class"),
    given("keep_alive_timeout", "--keep-alive"),
    given("keyfile", "--keyfile"),
    given("keyfile_password", "--keyfile-password", shared.KEY_PASSWORD),
    given("insecure_bind", "--insecure-bind", many=True),
    given("logconfig", "--log-config", shared.LOGGING),
    given("loglevel", "--log-level", Put("log.level", level)),
    given("pid_path", "-p --pid"),
    given("quic_bind", "--quic-bind", Lost("asgid has no HTTP/3"), many=True),
    given("use_reloader", "--reload", shared.DEVELOPMENT, flag=True),
    given(
        "root_path", "--root-path",
        Put("application.root_path", lambda said: text(said).rstrip("/") or None),
    ),
    given(
        "server_names", "--server-name",
        Lost("requests to other hosts are served too", "let the proxy or the application check the host"),
        many=True,
    ),
    given("statsd_host", "--statsd-host", shared.STATSD),
    given("statsd_prefix", "--statsd-prefix", LeftOut("it goes with --statsd-host")),
    given("umask", "-m --umask"),
    given("user", "-u --user"),
    given("verify_mode", "--verify-mode"),
    given("websocket_ping_interval", "--websocket-ping-interval"),
    given("workers", "-w --workers", shared.WORKERS),
)  # fmt: skip
_FILE_ALONE: Final = (
    given("alpn_protocols", "", shared.HTTP2),
    given("alt_svc_headers", ""),
    given("application_path", "", LeftOut("the command line names the application")),
    given("dogstatsd_tags", "", LeftOut("it goes with statsd_host")),
    given("h11_max_incomplete_size", "", Put("limits.header_size", size)),
    given("h11_pass_raw_headers", "", Lost("header names are lower-cased, as ASGI has them")),
    given("h2_max_concurrent_streams", "", shared.HTTP2),
    given("h2_max_header_list_size", "", shared.HTTP2),
    given("h2_max_inbound_frame_size", "", shared.HTTP2),
    given("include_date_header", "", Put("daemon.date_header", lambda said: None if truth(said) else False)),
    given("include_server_header", "", Put("daemon.server_header", lambda said: None if truth(said) else "")),
    given("keep_alive_max_requests", "", LeftOut("a connection has as many requests as it wants")),
    given("logconfig_dict", "", shared.LOGGING),
    given("logger_class", "", _CLASS),
    given("max_app_queue_size", "", Put("websocket.queue", lambda said: max(1, count(said)))),
    given("shutdown_timeout", "", _LIFESPAN),
    given("ssl_handshake_timeout", "", Later("timeouts.tls_handshake", "it is 10 s")),
    given("startup_timeout", "", _LIFESPAN),
    given("verify_flags", ""),
    given("websocket_max_message_size", ""),
    given("wsgi_max_body_size", "", _WSGI),
)
OPTIONS: Final = table(*_NAMES, *_FILE_ALONE)


def read_files(draft: Draft, settings: Settings) -> Settings:
    """Return the settings with those of the configuration file under them. Raises :class:`ConvertError`."""
    said = common.said_or(settings, "config")
    if said is None:
        return settings
    where = text(said)
    if where.startswith("python:"):
        draft.differs(said, f"{said.shown()} is a module, which is not run", "convert its settings by hand")
        return settings
    if where.startswith("file:"):
        found = sources.python_settings(draft, draft.path(where.removeprefix("file:")), OPTIONS)
    else:
        found = sources.toml_settings(draft, draft.path(where), OPTIONS)
    return found | settings


def convert(draft: Draft, settings: Settings, words: Sequence[str]) -> None:
    """Convert what :data:`OPTIONS` leaves to this module."""
    mode, *rest = words[0].split(":") if words and words[0].count(":") == 2 else ("",)
    place = on_command_line(" ".join(words[:1]))
    common.application(draft, [":".join(rest), *words[1:]] if rest else words, place, attribute="app")
    if mode == "wsgi":
        common.not_asgi(draft, "Hypercorn served this as WSGI; asgid serves ASGI", place)
    elif mode and mode != "asgi":
        raise ConvertError(f"{NAME}: {words[0]:.60} begins with neither asgi: nor wsgi:")
    if (said := settings.get("worker_class")) is not None:
        if str(said.value) == "trio":
            message = "Hypercorn ran this on trio; asgid runs it on asyncio (uvloop)"
            draft.comment("application.target", message)
            draft.differs(said, message, "an application that imports trio itself cannot be served")
        else:
            draft.left_out(said, "asgid runs on uvloop")
    _listen(draft, settings)
    _verify(draft, settings)
    _rest(draft, settings)
    common.limits(draft)


def _texts(settings: Settings, name: str) -> list[tuple[Said, str]]:
    """Return what a setting that may be one text or several says."""
    said = settings.get(name)
    if said is None:
        return []
    several = said.value if isinstance(said.value, (list, tuple)) else [said.value]
    return [(said, text(Said(each, said.name, said.place))) for each in several]


def _listen(draft: Draft, settings: Settings) -> None:
    tls = tls_of(draft, common.said_or(settings, "certfile"), common.said_or(settings, "keyfile"))
    umask = settings.get("umask")
    mode = 0o666 & ~(draft.umask if umask is None else count(umask) & 0o777)
    user, group = settings.get("user"), settings.get("group")
    owner = (str(whole(user)), str(whole(group))) if user is not None and group is not None else ("", "")
    nobody = Said("127.0.0.1:8000", "", on_command_line(""))
    binds = [
        local_bind(said, each, mode, tls, owner)
        for said, each in _texts(settings, "bind") or [(nobody, "127.0.0.1:8000")]
    ]
    for said, each in _texts(settings, "insecure_bind"):
        if tls is None:
            draft.left_out(said, "Hypercorn opens it only beside TLS")
        else:
            binds.append(local_bind(said, each, mode, None, owner))
    backlog = settings.get("backlog")
    listen(draft, binds, None if backlog is None else count(backlog))


def _verify(draft: Draft, settings: Settings) -> None:
    said = [settings[name] for name in ("verify_mode", "cert_reqs", "verify_flags") if name in settings]
    asked = (each for each in said if str(each.value) not in {"CERT_NONE", "0", "None", "VERIFY_DEFAULT"})
    clients_show_none(draft, next(asked, None), common.said_or(settings, "ca_certs"))


def _rest(draft: Draft, settings: Settings) -> None:
    times: tuple[tuple[str, str, str], ...] = (
        ("keep_alive_timeout", "timeouts.keep_alive", "5s"),
        ("graceful_timeout", "timeouts.drain", "3s"),
    )
    for name, key, default in times:
        said = settings.get(name)
        draft.put(key, default if said is None else duration(said))
    common.message_size(draft, settings.get("websocket_max_message_size"))
    pings = settings.get("websocket_ping_interval")
    draft.put("websocket.ping_interval", "0s" if pings is None else duration(pings))
    if pings is None:
        draft.comment("websocket.ping_interval", "Hypercorn sends none; asgid's default is 20s")
    else:
        draft.put("websocket.ping_timeout", "0s", "Hypercorn waits for no answer; asgid's default is 20s")
    common.access_log(draft, common.said_or(settings, "accesslog"))
    common.pid_file(draft, common.said_or(settings, "pid_path"))
    headers: dict[str, Any] = {}
    for said, each in _texts(settings, "alt_svc_headers"):
        headers |= common.header(draft, said, f"alt-svc:{each}")
    common.add_headers(draft, headers)
