"""Granian's command line and its variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asgid.config import writing
from asgid.config.convert import common, shared
from asgid.config.convert.binds import Bind, clients_show_none, listen, tls_of
from asgid.config.convert.draft import Said, on_command_line
from asgid.config.convert.options import (
    Later,
    LeftOut,
    Lost,
    Put,
    count,
    given,
    level,
    port,
    table,
    text,
    truth,
    unless_empty,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.draft import Draft, Settings

NAME: Final = "Granian"
ABBREVIATIONS: Final = False
_RUNTIME: Final = LeftOut("asgid runs on uvloop, in one thread")
_WORKERS: Final = LeftOut("there are no workers: systemd starts a process again that ends")
_STATIC: Final = Lost("asgid serves no files itself", "let the proxy or the application serve them")
_METRICS: Final = LeftOut("it goes with --metrics")
_MEMORY: Final = Lost(
    "asgid does not end when it has grown or is old", "MemoryMax= and RuntimeMaxSec= in the unit"
)
OPTIONS: Final = table(
    given("host", "--host"),
    given("port", "--port"),
    given("uds", "--uds"),
    given("uds_permissions", "--uds-permissions"),
    given("interface", "--interface"),
    given("http", "--http"),
    given("websockets", "--ws / --no-ws"),
    given("workers", "--workers", shared.WORKERS),
    given("blocking_threads", "--blocking-threads", _RUNTIME),
    given("blocking_threads_idle_timeout", "--blocking-threads-idle-timeout", _RUNTIME),
    given("runtime_threads", "--runtime-threads", _RUNTIME),
    given("runtime_blocking_threads", "--runtime-blocking-threads", _RUNTIME),
    given("runtime_mode", "--runtime-mode", _RUNTIME),
    given("loop", "--loop", _RUNTIME),
    given("task_impl", "--task-impl", _RUNTIME),
    given("backlog", "--backlog"),
    given("backpressure", "--backpressure", Put("limits.connections", count)),
    given("http1_buffer_size", "--http1-buffer-size", LeftOut("buffers have a size of their own")),
    given(
        "http1_header_read_timeout", "--http1-header-read-timeout",
        Put("timeouts.request_head", lambda said: writing.duration(count(said) / 1000)),
    ),
    given("http1_keep_alive", "--http1-keep-alive / --no-http1-keep-alive",
          Put("timeouts.keep_alive", lambda said: None if truth(said) else "0s")),
    given("http1_pipeline_flush", "--http1-pipeline-flush / --no-http1-pipeline-flush",
          LeftOut("pipelined responses are gathered")),
    given("http2_adaptive_window", "--http2-adaptive-window / --no-http2-adaptive-window", shared.HTTP2),
    given("http2_initial_connection_window_size", "--http2-initial-connection-window-size", shared.HTTP2),
    given("http2_initial_stream_window_size", "--http2-initial-stream-window-size", shared.HTTP2),
    given("http2_keep_alive_interval", "--http2-keep-alive-interval", shared.HTTP2),
    given("http2_keep_alive_timeout", "--http2-keep-alive-timeout", shared.HTTP2),
    given("http2_max_concurrent_streams", "--http2-max-concurrent-streams", shared.HTTP2),
    given("http2_max_frame_size", "--http2-max-frame-size", shared.HTTP2),
    given("http2_max_headers_size", "--http2-max-headers-size", shared.HTTP2),
    given("http2_max_send_buffer_size", "--http2-max-send-buffer-size", shared.HTTP2),
    given("log_enabled", "--log / --no-log"),
    given("log_level", "--log-level", Put("log.level", level)),
    given("log_config", "--log-config", shared.LOGGING),
    given("log_access_enabled", "--access-log / --no-access-log"),
    given("log_access_fmt", "--access-log-fmt", shared.ACCESS_FORMAT),
    given("ssl_certificate", "--ssl-certificate"),
    given("ssl_keyfile", "--ssl-keyfile"),
    given("ssl_keyfile_password", "--ssl-keyfile-password", shared.KEY_PASSWORD),
    given("ssl_protocol_min", "--ssl-protocol-min", Lost("TLS 1.2 is spoken too", unless=("tls1.2",))),
    given("ssl_ca", "--ssl-ca"),
    given("ssl_crl", "--ssl-crl", LeftOut("no client is asked for a certificate"), many=True),
    given("ssl_client_verify", "--ssl-client-verify / --no-ssl-client-verify"),
    given("url_path_prefix", "--url-path-prefix", Put("application.root_path", unless_empty)),
    given("respawn_failed_workers", "--respawn-failed-workers / --no-respawn-failed-workers", _WORKERS),
    given("respawn_interval", "--respawn-interval", _WORKERS),
    given("rss_sample_interval", "--rss-sample-interval", LeftOut("it goes with --workers-max-rss")),
    given("rss_samples", "--rss-samples", LeftOut("it goes with --workers-max-rss")),
    given("workers_lifetime", "--workers-lifetime", _MEMORY),
    given("workers_max_rss", "--workers-max-rss", _MEMORY),
    given("workers_kill_timeout", "--workers-kill-timeout"),
    given(
        "factory", "--factory / --no-factory",
        Put("application.factory", lambda said: truth(said) or None),
    ),
    given("working_dir", "--working-dir"),
    given("env_files", "--env-files", many=True),
    given("static_path_route", "--static-path-route", LeftOut("it goes with --static-path-mount"), many=True),
    given("static_path_mount", "--static-path-mount", _STATIC, many=True),
    given(
        "static_path_dir_to_file", "--static-path-dir-to-file",
        LeftOut("it goes with --static-path-mount"),
    ),
    given("static_path_expires", "--static-path-expires", LeftOut("it goes with --static-path-mount")),
    given("metrics_enabled", "--metrics / --no-metrics", Later("admin.listener", "there are no metrics yet")),
    given("metrics_scrape_interval", "--metrics-scrape-interval", _METRICS),
    given("metrics_address", "--metrics-address", _METRICS),
    given("metrics_port", "--metrics-port", _METRICS),
    given("reload", "--reload / --no-reload", shared.DEVELOPMENT),
    given("reload_paths", "--reload-paths", shared.DEVELOPMENT, many=True),
    given("reload_ignore_dirs", "--reload-ignore-dirs", shared.DEVELOPMENT, many=True),
    given("reload_ignore_patterns", "--reload-ignore-patterns", shared.DEVELOPMENT, many=True),
    given("reload_ignore_paths", "--reload-ignore-paths", shared.DEVELOPMENT, many=True),
    given("reload_tick", "--reload-tick", shared.DEVELOPMENT),
    given("reload_ignore_worker_failure", "--reload-ignore-worker-failure / "
          "--no-reload-ignore-worker-failure", shared.DEVELOPMENT),
    given("process_name", "--process-name", shared.PROCESS_NAME),
    given("pid_file", "--pid-file"),
    given("version", "--version", shared.VERSION, flag=True),
)  # fmt: skip
_UNITS_S: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def convert(draft: Draft, settings: Settings, words: Sequence[str]) -> None:
    """Convert what :data:`OPTIONS` leaves to this module."""
    common.application(draft, words, on_command_line(" ".join(words[:1])), attribute="app")
    interface = settings.get("interface")
    if interface is None or interface.value not in {"asgi", "asginl"}:
        kind = "RSGI" if interface is None else str(interface.value).upper()
        place = on_command_line("--interface") if interface is None else interface.place
        common.not_asgi(draft, f"Granian served this as {kind:.10}; asgid serves ASGI", place)
    elif interface.value == "asginl":
        draft.put("application.lifespan", "off")
    _listen(draft, settings)
    _off_and_on(draft, settings)
    if (said := settings.get("workers_kill_timeout")) is not None:
        draft.put("timeouts.drain", writing.duration(_duration(said)))
    common.pid_file(draft, common.said_or(settings, "pid_file"))
    if (said := settings.get("env_files")) is not None:
        environment_files(draft, said, [str(each) for each in said.value])
    if (said := common.said_or(settings, "url_path_prefix")) is not None:
        draft.comment(
            "application.root_path", "the path of a request has to begin with it: asgid leaves it as it came"
        )
    draft.put(
        "websocket.message_size", "64MiB", "Granian's limits, which no option changes; asgid's are 1MiB"
    )
    draft.put("websocket.frame_size", "16MiB")
    draft.put("websocket.ping_interval", "0s", "Granian sends none; asgid's default is 20s")
    common.limits(draft)


def environment_files(draft: Draft, said: Said, paths: Sequence[str]) -> None:
    """Set the environment file: the first of several."""
    comment = "systemd's grammar: no export, no ${...}"
    draft.put("application.environment_file", draft.path(paths[0]), comment)
    for each in paths[1:]:
        draft.lost(Said(each, said.name, said.place), "one environment file is read", "put them into one")


def _duration(said: Said) -> float:
    """Return seconds of ``90`` or ``1h30m``."""
    word = str(said.value)
    parts = re.fullmatch(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", word, re.ASCII)
    if re.fullmatch("[0-9]{1,9}", word):
        return int(word)
    if parts is None or not word:
        raise said.wrong(f"{word:.40} is no duration")
    return sum(int(each or 0) * unit for each, unit in zip(parts.groups(), _UNITS_S.values(), strict=True))


def _listen(draft: Draft, settings: Settings) -> None:
    tls = tls_of(draft, common.said_or(settings, "ssl_certificate"), common.said_or(settings, "ssl_keyfile"))
    verify = settings.get("ssl_client_verify")
    asked = verify if verify is not None and truth(verify) else None
    clients_show_none(draft, asked, common.said_or(settings, "ssl_ca"))
    backlog = settings.get("backlog")
    queue = None if backlog is None else count(backlog)
    uds = common.said_or(settings, "uds")
    mode = settings.get("uds_permissions")
    if uds is not None:
        bits = 0o666 & ~draft.umask if mode is None else _mode(mode)
        listen(draft, [Bind("unix", uds, path=text(uds), mode=bits, tls=tls)], queue)
        return
    host, at = common.said_or(settings, "host"), settings.get("port")
    name = "127.0.0.1" if host is None else text(host)
    said = host or at or Said("", "", on_command_line(""))
    number = 8000 if at is None else port(at)
    name = "127.0.0.1" if name == "localhost" else name
    listen(draft, [Bind("tcp", said, (name,), number, dual=True, tls=tls)], queue)


def _mode(said: Said) -> int:
    word = str(said.value)
    try:
        bits = int(word, 8 if word.startswith("0") else 10)
    except ValueError:
        bits = -1
    if not 0 <= bits <= 0o777:
        raise said.wrong(f"{word:.40} is no file mode")
    return bits


def _off_and_on(draft: Draft, settings: Settings) -> None:
    if (said := settings.get("websockets")) is not None and not truth(said):
        draft.lost(said, "asgid always speaks WebSocket; an application that does not accept refuses it")
    if (said := settings.get("http")) is not None:
        if said.value == "2":
            draft.later(said, "listeners.http2", "HTTP/1.1 is spoken; let a proxy speak HTTP/2")
        elif said.value == "auto":
            draft.left_out(said, "HTTP/1.1 is spoken")
    if (said := settings.get("log_enabled")) is not None and not truth(said):
        draft.put("log.level", "critical", "Granian logged nothing (--no-log)")
    said = settings.get("log_access_enabled")
    draft.put("log.access", "-" if said is not None and truth(said) else "")
