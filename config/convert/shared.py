"""What becomes of settings that several servers have: one sentence for all of them."""

from __future__ import annotations

from typing import Final

from asgid.config.convert.options import Later, LeftOut, Lost

ACCESS_FORMAT: Final = Lost("the access log has one format")
CIPHERS: Final = Lost("an endpoint string has no list of ciphers")
DEVELOPMENT: Final = LeftOut("it is for development")
ERROR_LOG: Final = Lost("the log goes to standard error", "StandardError= in the unit", unless=("-",))
HTTP2: Final = LeftOut("asgid has no HTTP/2 yet")
IN_BACKGROUND: Final = LeftOut("systemd starts asgid in the background")
KEY_PASSWORD: Final = Lost(
    "an endpoint string has no password", "take a key without one, readable by asgid alone"
)
LOGGING: Final = Lost("the application's own logging configuration is left alone")
PROCESS_NAME: Final = LeftOut("the process is called asgid")
REQUESTS: Final = Lost(
    "asgid does not end after a number of requests",
    "where memory grows: RuntimeMaxSec= or MemoryMax= in the unit",
    unless=("0",),
)
STATSD: Final = Lost("asgid sends nothing to statsd")
TLS_VERSION: Final = LeftOut("TLS 1.2 and later are spoken")
VERSION: Final = LeftOut("it prints a version")
WORKERS: Final = Later("daemon.workers", "asgid serves in one process", unless=("1",))
