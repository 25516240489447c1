"""The process around the supervisor: the reactor, the signals, the access log, and the way to the end.

The end is certain. The first SIGTERM or SIGINT arms a watchdog thread with the drain's length; whatever
blocks then (a loop that the application keeps busy, a thread that the interpreter waits for) ends with the
process, and so does code in C from which the main thread never returns (it has to let go of the interpreter's
lock). A second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asgid.config import Diagnostic
from asgid.config.codes import LOG_FILE
from asgid.config.diagnostics import has_errors
from asgid.daemon import __version__
from asgid.daemon.observe import logs
from asgid.daemon.observe.access import AccessLog
from asgid.daemon.observe.findings import say
from asgid.daemon.supervise import process
from asgid.daemon.supervise.notify import Heartbeat, Notifier
from asgid.daemon.supervise.signals import AGAIN_S, Signals
from asgid.daemon.supervise.supervisor import Supervisor
from asgid.daemon.supervise.watchdog import Watchdog
from asgid.daemon.wire import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.defer import Deferred

    from asgid.config import Plan
    from asgid.config.spec import EndpointSpec
    from asgid.daemon.asgi.application import Application
    from asgid.daemon.supervise.listener import Factory, Gateway, Listener, Port
    from asgid.daemon.wire import Turns

logger = logging.getLogger("asgid")

_SLACK_S: Final = 1.0  # what a stop may take beyond its deadlines, for what they bound to end in order
_PRELOAD_S: Final = 0.2  # after the start: the first answers do not share the interpreter with an import
_SHUTDOWN_S: Final = 5.0  # what the application's shutdown is given, however long the drain took


class Interrupted(BaseException):
    """A signal came before there was anything to drain."""


class Runtime:
    """One daemon's process. Makes and installs the reactor; use it once.

    What was ``said`` about the host already is not said again when a listener that is not required fails.
    ``in_full`` gives a finding the text of the file that its place is in.
    """

    def __init__(
        self,
        plan: Plan,
        said: Iterable[Diagnostic] = (),
        notifier: Notifier | None = None,
        *,
        in_full: Callable[[Diagnostic], Diagnostic] = lambda found: found,
        debug: bool = False,
    ) -> None:
        from asgid.daemon.net import install  # noqa: PLC0415 - installs nothing before it is called

        self.plan = plan
        self._in_full = in_full
        self._said = {(each.code, each.place) for each in said}
        self.reactor: Any = install()
        self.loop: asyncio.AbstractEventLoop = self.reactor.loop
        logs.route_twisted()
        self.loop.set_exception_handler(logs.unhandled)
        self.loop.set_debug(debug)
        self._notifier = notifier or Notifier()
        self._heartbeat = Heartbeat(self._notifier, self.loop.call_later)
        _size_executor(self.loop)
        self._access: AccessLog | None = None
        self._supervisor: Supervisor | None = None
        self._turns: Turns | None = None  # the loop's, which all listeners share
        self._stop = asyncio.Event()
        self._stop_deadline = 0.0
        self._status = 0
        self._again: signal.Signals | None = None
        self._watchdog = Watchdog(self._expired, self._heard)
        self._heard_stop_at: float | None = None
        self._signals = Signals(stop=self._on_stop, at_once=self._on_second, hang_up=self._on_hang_up)
        self._signals.install()
        self._watchdog.listen()

    def open_access_log(self) -> Diagnostic | None:
        """Open the access log, where one is wanted. Returns a diagnostic where that fails."""
        path = self.plan.log.access
        if not path:
            return None
        try:
            self._access = AccessLog(path, call_later=self.loop.call_later)
        except OSError as error:
            message = f"the access log {path} cannot be opened: {error.strerror}"
            hint = "its directory is to be there, and this user may write the file"
            return Diagnostic(LOG_FILE, "error", message, self.plan.log.access_place, "log.access", hint)
        return None

    def run(self, application: Application) -> int:
        """Serve until a signal; return the exit status. Raises :class:`Interrupted` where one came before."""
        if self._signals.stopping:
            raise Interrupted  # it was raised before, and something in the application's import caught it
        self._signals.install()  # the application may have set its own while it was imported
        maker = partial(self._make, application)
        self._supervisor = Supervisor(
            self.plan, application, opener=self._open, maker=maker, watch=self.reactor.watch_transports
        )
        main = self.loop.create_task(self._main(self._supervisor), name="asgid supervisor")
        self.reactor.run(installSignalHandlers=False)
        if main.done() and not main.cancelled():
            main.result()
        return self._status

    def close(self) -> None:
        """Write what is held back. The watchdog stays until the process has gone."""
        if self._access is not None:
            self._access.close()
            self._access = None
        logs.flush()
        if self._signals.stopping:
            self._watchdog.until(max(self._stop_deadline, time.monotonic() + _SLACK_S))

    async def _main(self, supervisor: Supervisor) -> None:
        self._watchdog.listen()  # the loop listens too since it runs
        self._heartbeat.start()
        try:
            if await self._started(supervisor):
                supervisor.serve()
                self._begin_serving(supervisor)
                await self._stop.wait()
                await self._stopped(supervisor)
        except Exception:
            logger.critical("the supervisor failed", exc_info=True)
            self._status = 1
        finally:
            self.reactor.stop()

    async def _started(self, supervisor: Supervisor) -> bool:
        """Start, or give up where a signal comes meanwhile; tell whether there is something to serve."""
        starting = self.loop.create_task(supervisor.start(), name="asgid start")
        stopping = self.loop.create_task(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            supervisor.lifespan.abandon()
            await supervisor.unwind()
            return False
        stopping.cancel()
        found = [self._in_full(each) for each in starting.result()]
        say(each for each in found if (each.code, each.place) not in self._said)
        if has_errors(found):
            self._notifier.failed(found)
            self._status = 1
            return False
        return True

    def _begin_serving(self, supervisor: Supervisor) -> None:
        self._notifier.ready(f"Serving {self.plan.application.target} on {supervisor.served()}")
        logger.info(
            "asgid %s serves %s (process %d, Python %s%s)",
            __version__, self.plan.application.target, os.getpid(), sys.version.partition(" ")[0],
            "" if compiled.scan else ", nothing compiled",
        )  # fmt: skip
        gc.freeze()
        self.loop.call_later(_PRELOAD_S, _import_the_rest)

    async def _stopped(self, supervisor: Supervisor) -> None:
        await supervisor.stop()
        remaining = self._stop_deadline - time.monotonic()
        timeout_s = max(remaining, min(_SHUTDOWN_S, max(1.0, supervisor.drain_s)))
        self._watchdog.until(time.monotonic() + timeout_s + _SLACK_S)
        await supervisor.shut_down(timeout_s)
        logger.info("stopped")

    # What signals call: on the main thread, between two bytecodes of whatever runs there, and for a second
    # signal also on the watchdog's. Nothing is logged from here: a stream that is being written to can't be
    # entered a second time.

    def _on_stop(self, number: signal.Signals) -> None:
        if self._supervisor is None:
            raise Interrupted
        self._stop_deadline = time.monotonic() + self._supervisor.drain_s
        self._watchdog.until(self._stop_deadline + _SLACK_S)
        self.loop.call_soon_threadsafe(self._begin_stop, number)

    def _on_second(self, number: signal.Signals) -> None:
        self._again = number
        self._watchdog.until(time.monotonic())

    def _on_hang_up(self) -> None:
        self.loop.call_soon_threadsafe(self._reopen)

    # What these have put on the loop.

    def _begin_stop(self, number: signal.Signals) -> None:
        logger.info("%s: stopping", number.name)
        if self._supervisor is not None:
            most_s = self._supervisor.drain_s + _SHUTDOWN_S + 2 * _SLACK_S
            self._notifier.stopping(f"Stopping; open: {self._supervisor.left()}", most_s)
        self._stop.set()

    def _reopen(self) -> None:
        if self._access is not None:
            self._access.reopen()
        logger.info("SIGHUP: the log files are reopened; reload is not available yet, restart for that")

    # What the watchdog calls, on its own thread.

    def _heard(self, number: int) -> None:
        """See to it that a stop comes to its end where the main thread never comes back to Python."""
        if not self._signals.stops(number):
            return
        now = time.monotonic()
        if self._heard_stop_at is None:
            self._heard_stop_at = now
            drain_s = _SHUTDOWN_S if self._supervisor is None else self._supervisor.drain_s
            self._watchdog.until(now + drain_s + _SLACK_S)
        elif now - self._heard_stop_at >= AGAIN_S:
            self._on_second(signal.Signals(number))

    def _expired(self) -> None:
        # A third thread writes: whoever is stuck may hold the lock of a log handler.
        last_words = threading.Thread(target=self._say_last, name="asgid end", daemon=True)
        last_words.start()
        last_words.join(_SLACK_S)
        os._exit(self._status if self._again is None else 128 + self._again)

    def _say_last(self) -> None:
        if self._again is not None:
            logger.warning("%s again: ended at once", self._again.name)
        else:
            left = self._supervisor.left() if self._supervisor is not None else "nothing"
            logger.warning("the drain is over, and something does not end: it is cut (%s)", left)
            frames = sys._current_frames()  # noqa: SLF001 - documented
            for thread in threading.enumerate():
                if not thread.daemon and thread.ident in frames:
                    at = traceback.extract_stack(frames[thread.ident], limit=1)[-1]
                    where = f"{at.filename}:{at.lineno}, in {at.name}"
                    logger.warning("thread %s is at %s", thread.name, where)
        if self._access is not None:
            self._access.flush()
        logs.flush()

    # What the supervisor builds listeners from.

    def _open(self, endpoint: EndpointSpec, factory: Factory) -> Deferred[Port]:
        from asgid.daemon.net import open_endpoint  # noqa: PLC0415 - lazily defined there

        opened = open_endpoint(self.reactor, endpoint.text, ipv6_only=endpoint.ipv6_only)
        found: Deferred[Port] = opened.listen(factory)
        return found

    def _make(
        self, application: Application, listener: Listener, state: dict[str, Any]
    ) -> tuple[Factory, Gateway]:
        from asgid.daemon.asgi import ASGIGateway  # noqa: PLC0415 - lazily defined there
        from asgid.daemon.wire import ConnectionFactory, Turns  # noqa: PLC0415

        if self._turns is None:
            self._turns = Turns(time.monotonic, self.loop.call_soon, time.thread_time)
        gateway = ASGIGateway(application, listener.spec, loop=self.loop, state=state)
        factory = ConnectionFactory(
            listener.spec,
            gateway,
            clock=time.monotonic,
            call_soon=self.loop.call_soon,
            server_header=self.plan.daemon.server_header,
            date_header=self.plan.daemon.date_header,
            observe=self._access,
            on_full=listener.pause,
            on_room=listener.resume,
            turns=self._turns,
        )
        return factory, gateway


def _size_executor(loop: asyncio.AbstractEventLoop) -> None:
    """Size the loop's thread pool by ASGI_THREADS, as Daphne does."""
    threads = os.environ.get("ASGI_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        loop.set_default_executor(ThreadPoolExecutor(max_workers=int(threads)))


def _import_the_rest() -> None:
    """Do what the start need not wait for, off the loop: Autobahn alone would block it for half a second."""
    threading.Thread(target=_preload, name="asgid imports", daemon=True).start()


def _preload() -> None:
    process.keep_freed_memory()
    with suppress(
        OSError, ImportError
    ):  # no descriptor is left: whoever needs it imports it, or says why not
        from asgid.daemon.asgi import websocket as _  # noqa: F401, PLC0415
        from asgid.daemon.wire.websocket_shared import preload  # noqa: PLC0415

        preload()
    gc.freeze()  # what is imported stays: the collector need not look at it again
