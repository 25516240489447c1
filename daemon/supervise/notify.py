"""What systemd is told of the daemon (sd_notify(3), sd_watchdog_enabled(3)); nothing where nobody asks.

The heartbeat comes from the event loop, so that a loop that an application blocks is noticed, killed and
started again. The process keeps its id, under a virtual environment's Python too, so MAINPID is never sent.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from asgid.config import Diagnostic

_STATUS_BYTES: Final = 2000  # the manager reads 4096 bytes at most, and `systemctl status` shows one line
_BARRIER_S: Final = 1.0
_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Sends states to the manager's socket, ``address``: a path, an abstract one behind ``@``, '' for nobody.

    ``watchdog_s`` is how often the manager wants to hear of us, in seconds; 0 where it does not.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s if address else 0.0

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Notifier:
        """Return what an environment asks for."""
        address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
        known = address[:1] in {"/", "@"} and len(address) > 1
        watchdog_s = int(usec) / 1e6 if mine and usec.isascii() and usec.isdecimal() else 0.0
        return cls(address if known else "", watchdog_s)

    @staticmethod
    def forget(environment: MutableMapping[str, str]) -> None:
        """Take the variables away: the application's own processes do not speak for the service."""
        for name in _VARIABLES:
            environment.pop(name, None)

    def starting(self, target: str) -> None:
        """Say that the application is being started."""
        self._send(f"STATUS=Starting {target}")

    def ready(self, status: str) -> None:
        """Say that everything serves."""
        self._send("READY=1", f"STATUS={_shortened(status)}")

    def stopping(self, status: str, timeout_s: float) -> None:
        """Say that the stop has begun, and that it may take ``timeout_s`` seconds."""
        usec = int(timeout_s * 1e6)
        self._send("STOPPING=1", f"STATUS={_shortened(status)}", f"EXTEND_TIMEOUT_USEC={usec}")

    def alive(self) -> None:
        """Tell the watchdog that we are."""
        self._send("WATCHDOG=1")

    def failed(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Say why the start has failed, and wait until it is heard: who has ended is not asked any more."""
        errors = [each for each in diagnostics if each.severity == "error"]
        if not errors or not self._address:
            return
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._send(f"STATUS={_shortened(str(errors[0]) + more)}")
        self._wait()

    def _send(self, *states: str, descriptor: int = -1) -> None:
        if not self._address:
            return
        import socket  # noqa: PLC0415 - for those who are asked

        message = "\n".join(states).encode("utf-8", "replace")
        passed: list[tuple[int, int, bytes]] = []
        if descriptor >= 0:
            passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor.to_bytes(4, sys.byteorder))]
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.setblocking(False)  # a manager that does not read its socket does not hold the loop
            ours.sendmsg([message], passed, 0, self._address)

    def _wait(self) -> None:
        """Wait until the manager has handled what it was sent (sd_notify_barrier(3)), or for a second."""
        reader, writer = os.pipe()
        try:
            self._send("BARRIER=1", descriptor=writer)
            os.close(writer)
            heard = select.poll()
            heard.register(reader, 0)
            heard.poll(_BARRIER_S * 1000)
        finally:
            os.close(reader)


class Heartbeat:
    """Tells the watchdog that the loop turns, twice in each of its intervals, until :meth:`stop`."""

    def __init__(self, notifier: Notifier, call_later: Callable[[float, Callable[[], None]], object]) -> None:
        self._notifier = notifier
        self._call_later = call_later
        self._stopped = False

    def start(self) -> None:
        """Begin now, where the manager asks for it."""
        if self._notifier.watchdog_s:
            self._beat()

    def stop(self) -> None:
        """Beat no more."""
        self._stopped = True

    def _beat(self) -> None:
        if not self._stopped:
            self._notifier.alive()
            self._call_later(self._notifier.watchdog_s / 2, self._beat)


def _shortened(status: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in status).split())
    data = line.encode("utf-8", "replace")
    if len(data) <= _STATUS_BYTES:
        return line
    return data[:_STATUS_BYTES].decode("utf-8", "ignore") + "..."
