"""8xx: what this host cannot do now; `asgid lint --live` and the start find them."""

from __future__ import annotations

from asgid.config.rules.this_host import addresses, application, kernel, passed, ports, unix_sockets

__all__ = ["addresses", "application", "kernel", "passed", "ports", "unix_sockets"]
