"""Gunicorn's command line, ``GUNICORN_CMD_ARGS``, and its Python file, which is read without being run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.config.convert import common, shared, sources
from asgid.config.convert.binds import clients_show_none, listen, local_bind, tls_of
from asgid.config.convert.draft import ConvertError, Said, on_command_line
from asgid.config.convert.options import (
    Later,
    LeftOut,
    Lost,
    Put,
    Words,
    count,
    duration,
    given,
    level,
    size,
    table,
    text,
)  # fmt: skip
from asgid.config.convert.uvicorn import trusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.draft import Draft, Settings

NAME: Final = "Gunicorn"
ABBREVIATIONS: Final = True
DEFAULT_FILE: Final = "gunicorn.conf.py"
_DIRTY: Final = Lost("asgid has no second kind of workers")
_HOOK: Final = Lost("asgid has no hooks", "what has to be done once belongs into the application's lifespan")
_SYSLOG: Final = Lost("the log goes to standard error", "StandardError=syslog, or the journal, in the unit")
_GOES: Final = LeftOut("it goes with --log-syslog")
_STRICT: Final = Lost("asgid takes no requests that are not as HTTP has them")
_SYNC: Final = LeftOut("it is for other kinds of workers")
_PASTE: Final = Lost("asgid reads no Paste files", "name the application")
_HOOKS: Final = (
    "child_exit", "nworkers_changed", "on_exit", "on_reload", "on_starting", "post_fork", "post_request",
    "post_worker_init", "pre_exec", "pre_fork", "pre_request", "when_ready", "worker_abort", "worker_exit",
    "worker_int", "ssl_context", "dirty_post_fork", "dirty_worker_exit", "dirty_worker_init",
    "on_dirty_starting",
)  # fmt: skip
OPTIONS: Final = table(
    given("config", "-c --config"),
    given("wsgi_app", ""),
    given("bind", "-b --bind", many=True),
    given("backlog", "--backlog"),
    given("workers", "-w --workers", shared.WORKERS),
    given("worker_class", "-k --worker-class"),
    given("threads", "--threads", _SYNC),
    given("worker_connections", "--worker-connections", Put("limits.connections", count)),
    given("max_requests", "--max-requests", shared.REQUESTS),
    given("max_requests_jitter", "--max-requests-jitter", LeftOut("it goes with --max-requests")),
    given("timeout", "-t --timeout", Lost(
        "nobody kills a process that hangs", "WatchdogSec= in the unit does: asgid answers the watchdog",
        unless=("30", "0"))),
    given("graceful_timeout", "--graceful-timeout", Put("timeouts.drain", duration)),
    given("keepalive", "--keep-alive"),
    given("asgi_loop", "--asgi-loop", LeftOut("asgid runs on uvloop")),
    given("asgi_lifespan", "--asgi-lifespan", Put("application.lifespan", text)),
    given(
        "asgi_disconnect_grace_period", "--asgi-disconnect-grace-period",
        Put("timeouts.application_close", duration),
    ),
    given("http_parser", "--http-parser", LeftOut("asgid parses with httptools")),
    given("websocket_max_message_size", "--websocket-max-message-size"),
    given("limit_request_line", "--limit-request-line", Put("limits.request_line", size)),
    given("limit_request_fields", "--limit-request-fields", Put("limits.header_count", count)),
    given(
        "limit_request_field_size", "--limit-request-field_size",
        Lost("limits.header_size is for all headers together"),
    ),
    given("reload", "--reload", shared.DEVELOPMENT, flag=True),
    given("reload_engine", "--reload-engine", shared.DEVELOPMENT),
    given("reload_extra_files", "--reload-extra-file", shared.DEVELOPMENT, many=True),
    given("spew", "--spew", shared.DEVELOPMENT, flag=True),
    given("check_config", "--check-config", LeftOut("asgid lint FILE checks a file"), flag=True),
    given("print_config", "--print-config", LeftOut("asgid show FILE NAME shows one"), flag=True),
    given("preload_app", "--preload", LeftOut("there is one process"), flag=True),
    given("sendfile", "--no-sendfile", LeftOut("files go by sendfile where they can"), flag=True),
    given("reuse_port", "--reuse-port", LeftOut("there is one process"), flag=True),
    given("chdir", "--chdir"),
    given("daemon", "-D --daemon", shared.IN_BACKGROUND, flag=True),
    given("raw_env", "-e --env", many=True),
    given("pidfile", "-p --pid"),
    given("worker_tmp_dir", "--worker-tmp-dir", LeftOut("there are no workers")),
    given("user", "-u --user", Later("daemon.user", "User= of the unit says it")),
    given("group", "-g --group", Later("daemon.group", "Group= of the unit says it")),
    given("umask", "-m --umask"),
    given("initgroups", "--initgroups", LeftOut("SupplementaryGroups= of the unit says it"), flag=True),
    given("tmp_upload_dir", "", LeftOut("bodies are not kept in files")),
    given("secure_scheme_headers", "", Lost("the scheme is X-Forwarded-Proto's")),
    given("forwarded_allow_ips", "--forwarded-allow-ips"),
    given("forwarder_headers", "--forwarder-headers", Lost("asgid takes forwarded headers alone")),
    given("pythonpath", "--pythonpath"),
    given("paste", "--paste --paster", _PASTE),
    given("raw_paste_global_conf", "--paste-global", _PASTE, many=True),
    given("proxy_protocol", "--proxy-protocol", const="auto"),
    given("proxy_allow_ips", "--proxy-allow-from"),
    given("protocol", "--protocol", Lost("asgid speaks HTTP", unless=("http",))),
    given("uwsgi_allow_ips", "--uwsgi-allow-from", LeftOut("it is for uWSGI's protocol")),
    given("root_path", "--root-path", Put("application.root_path", lambda said: text(said) or None)),
    given("permit_obsolete_folding", "--permit-obsolete-folding", _STRICT, flag=True),
    given("permit_unconventional_http_method", "--permit-unconventional-http-method", _STRICT, flag=True),
    given("permit_unconventional_http_version", "--permit-unconventional-http-version", _STRICT, flag=True),
    given("casefold_http_method", "--casefold-http-method", _STRICT, flag=True),
    given("strip_header_spaces", "--strip-header-spaces", _STRICT, flag=True),
    given("header_map", "--header-map", LeftOut("names with an underscore stay as they are")),
    given("accesslog", "--access-logfile"),
    given("access_log_format", "--access-logformat", shared.ACCESS_FORMAT),
    given("disable_redirect_access_to_syslog", "--disable-redirect-access-to-syslog", _GOES, flag=True),
    given("errorlog", "--error-logfile --log-file", shared.ERROR_LOG),
    given("loglevel", "--log-level", Put("log.level", level)),
    given("capture_output", "--capture-output", LeftOut("standard output stays what it is"), flag=True),
    given("logger_class", "--logger-class", shared.LOGGING),
    given("logconfig", "--log-config", shared.LOGGING),
    given("logconfig_dict", "", shared.LOGGING),
    given("logconfig_json", "--log-config-json", shared.LOGGING),
    given("syslog", "--log-syslog", _SYSLOG, flag=True),
    given("syslog_addr", "--log-syslog-to", _GOES),
    given("syslog_prefix", "--log-syslog-prefix", _GOES),
    given("syslog_facility", "--log-syslog-facility", _GOES),
    given(
        "enable_stdio_inheritance", "-R --enable-stdio-inheritance",
        LeftOut("standard output stays what it is"), flag=True,
    ),
    given("statsd_host", "--statsd-host", shared.STATSD),
    given("statsd_prefix", "--statsd-prefix", LeftOut("it goes with --statsd-host")),
    given("dogstatsd_tags", "--dogstatsd-tags", LeftOut("it goes with --statsd-host")),
    given("enable_backlog_metric", "--enable-backlog-metric", shared.STATSD, flag=True),
    given("proc_name", "-n --name", shared.PROCESS_NAME),
    given("default_proc_name", "", shared.PROCESS_NAME),
    given("keyfile", "--keyfile"),
    given("certfile", "--certfile"),
    given("ssl_version", "--ssl-version", shared.TLS_VERSION),
    given("cert_reqs", "--cert-reqs"),
    given("ca_certs", "--ca-certs"),
    given("suppress_ragged_eofs", "--suppress-ragged-eofs", _SYNC, flag=True),
    given("do_handshake_on_connect", "--do-handshake-on-connect", _SYNC, flag=True),
    given("ciphers", "--ciphers", shared.CIPHERS),
    given(
        "http_protocols", "--http-protocols",
        Later("listeners.http2", "HTTP/1.1 is spoken", unless=("h1", "['h1']")),
    ),
    given("http2_max_concurrent_streams", "--http2-max-concurrent-streams", shared.HTTP2),
    given("http2_initial_window_size", "--http2-initial-window-size", shared.HTTP2),
    given("http2_max_frame_size", "--http2-max-frame-size", shared.HTTP2),
    given("http2_max_header_list_size", "--http2-max-header-list-size", shared.HTTP2),
    given("http2_cleartext", "--http2-cleartext", shared.HTTP2),
    given("dirty_apps", "--dirty-app", _DIRTY, many=True),
    given("dirty_workers", "--dirty-workers", _DIRTY),
    given("dirty_timeout", "--dirty-timeout", _DIRTY),
    given("dirty_threads", "--dirty-threads", _DIRTY),
    given("dirty_graceful_timeout", "--dirty-graceful-timeout", _DIRTY),
    given("control_socket", "--control-socket", Later("daemon.control", "signals say the same")),
    given("control_socket_mode", "--control-socket-mode", LeftOut("it goes with --control-socket")),
    given("control_socket_disable", "--no-control-socket", LeftOut("there is none"), flag=True),
    *(given(name, "", _HOOK) for name in _HOOKS),
)  # fmt: skip


def read_files(draft: Draft, settings: Settings, environment: dict[str, str]) -> Settings:
    """Return all settings: the file's, over them GUNICORN_CMD_ARGS', over them the command line's."""
    found: Settings = {}
    extra = environment.pop("GUNICORN_CMD_ARGS", "")
    try:
        words = shlex.split(extra)
    except ValueError:
        raise ConvertError("GUNICORN_CMD_ARGS: a quote is not closed") from None
    from_variable, plain = Words(NAME, OPTIONS, abbreviations=True).read(words, "GUNICORN_CMD_ARGS")
    if plain:
        raise ConvertError(f"GUNICORN_CMD_ARGS holds options alone, and {plain[0]:.60} is none")
    for name, variable in (("workers", "WEB_CONCURRENCY"), ("forwarded_allow_ips", "FORWARDED_ALLOW_IPS")):
        if value := environment.pop(variable, ""):
            found[name] = Said(value, variable, on_command_line(variable))
    if number := environment.get("PORT"):
        found["bind"] = Said([f"0.0.0.0:{number}"], "PORT", on_command_line("PORT"))
    said = common.said_or(settings, "config") or common.said_or(from_variable, "config")
    if said is not None and text(said).startswith("python:"):
        draft.differs(said, f"{said.shown()} is a module, which is not run", "convert its settings by hand")
    elif said is not None:
        found |= sources.python_settings(draft, draft.path(text(said).removeprefix("file:")), OPTIONS)
    elif Path(draft.path(DEFAULT_FILE)).is_file():
        found |= sources.python_settings(draft, draft.path(DEFAULT_FILE), OPTIONS)
    return found | from_variable | settings


def convert(draft: Draft, settings: Settings, words: Sequence[str]) -> None:
    """Convert what :data:`OPTIONS` leaves to this module."""
    if not words and (said := common.said_or(settings, "wsgi_app")) is not None:
        words = [text(said)]
    place = on_command_line(" ".join(words[:1]))
    common.application(draft, words, place, attribute="application")
    uvicorn = _worker_class(draft, settings)
    on_unix = _listen(draft, settings)
    _tls_rest(draft, settings)
    _environment(draft, settings)
    said = settings.get("keepalive")
    draft.put("timeouts.keep_alive", "2s" if said is None else duration(said))
    common.message_size(draft, settings.get("websocket_max_message_size"))
    if not uvicorn:
        draft.put("websocket.ping_interval", "0s", f"{NAME} sends none; asgid's default is 20s")
    common.access_log(draft, common.said_or(settings, "accesslog"))
    common.pid_file(draft, common.said_or(settings, "pidfile"))
    _proxy(draft, settings, on_unix=on_unix, uvicorn=uvicorn)
    common.limits(draft)


def _worker_class(draft: Draft, settings: Settings) -> bool:
    """Say where the workers served no ASGI; tell whether they were Uvicorn's."""
    said = settings.get("worker_class")
    kind = "sync" if said is None else str(said.value)
    if "uvicorn" in kind.lower():
        return True
    if kind != "asgi":
        place = on_command_line("-k") if said is None else said.place
        common.not_asgi(draft, f"Gunicorn's {kind:.40} workers served this as WSGI; asgid serves ASGI", place)
    return False


def _listen(draft: Draft, settings: Settings) -> bool:
    """Add the listeners; tell whether all of them are unix sockets."""
    tls = tls_of(draft, common.said_or(settings, "certfile"), common.said_or(settings, "keyfile"))
    umask = settings.get("umask")
    mode = 0o666 & ~_umask(umask)
    said = settings.get("bind") or Said("127.0.0.1:8000", "", on_command_line(""))
    value = said.value
    several = value if isinstance(value, (list, tuple)) else str(value).split(",")
    owner = _name(settings, "user"), _name(settings, "group")
    prefixes = ("unix:", "unix://")
    binds = [local_bind(said, str(each).strip(), mode, tls, owner, prefixes=prefixes) for each in several]
    backlog = settings.get("backlog")
    listen(draft, binds, None if backlog is None else count(backlog))
    return bool(binds) and all(each.kind == "unix" for each in binds)


def _umask(said: Said | None) -> int:
    if said is None:
        return 0
    word = str(said.value)
    try:
        bits = said.value if isinstance(said.value, int) else int(word, 8 if word.startswith("0") else 0)
    except ValueError:
        bits = -1
    if not 0 <= bits <= 0o777:
        raise said.wrong(f"{word:.40} is no file mode")
    return int(bits)


def _name(settings: Settings, name: str) -> str:
    said = common.said_or(settings, name)
    return "" if said is None else str(said.value)


def _tls_rest(draft: Draft, settings: Settings) -> None:
    reqs = settings.get("cert_reqs")
    asked = reqs if reqs is not None and str(reqs.value).strip() not in {"0", "CERT_NONE"} else None
    clients_show_none(draft, asked, common.said_or(settings, "ca_certs"))


def _environment(draft: Draft, settings: Settings) -> None:
    said = settings.get("raw_env")
    several: Any = (
        [] if said is None else said.value if isinstance(said.value, (list, tuple)) else [said.value]
    )
    for each in several:
        name, equals, value = str(each).partition("=")
        if not equals or not name:
            raise ConvertError(f"{said.name if said else ''} {each!s:.60} is no NAME=VALUE")
        draft.put(("application", "environment", name), value)
    if (said := common.said_or(settings, "pythonpath")) is not None:
        draft.lost(
            said,
            "asgid puts application.directory alone on sys.path",
            "PYTHONPATH= in the unit, or one directory",
        )


def _proxy(draft: Draft, settings: Settings, *, on_unix: bool, uvicorn: bool) -> None:
    said = settings.get("proxy_protocol")
    word = "off" if said is None else str(said.value).lower()
    version = {"auto": "any", "true": "any", "v1": "v1", "v2": "v2", "off": "none", "false": "none"}.get(word)
    if version is None:
        raise ConvertError(f"{NAME}: --proxy-protocol is off, v1, v2 or auto, not {word:.40}")
    if version == "none":
        if (allowed := settings.get("proxy_allow_ips")) is not None:
            draft.left_out(allowed, "it goes with --proxy-protocol")
        if uvicorn:
            trusted(draft, settings, on_unix=on_unix)
            return
        peers = common.peers(draft, settings.get("forwarded_allow_ips"), "127.0.0.1,::1")
        common.believe(draft, [*peers, *(["unix"] if on_unix else [])], common.forwarded_comment(NAME))
        why = "the client is X-Forwarded-For's then; Gunicorn takes the scheme alone"
        draft.comment("proxy.forwarded", why)
        return
    draft.put("proxy.protocol", version)
    peers = common.peers(draft, settings.get("proxy_allow_ips"), "127.0.0.1,::1")
    draft.put("proxy.trusted", [*peers, "unix"] if on_unix and "unix" not in peers else peers)
