"""Starts every listener of a plan, and stops them: all of it on the event loop's thread.

Signals, exit statuses and the event loop itself are :mod:`asgid.daemon.supervise.runtime`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from asgid.config import Diagnostic
from asgid.config.codes import LIFESPAN_FAILED, OPEN_FILES_LOW, PID_FILE
from asgid.config.diagnostics import has_errors
from asgid.daemon.asgi.lifespan import Lifespan, LifespanError
from asgid.daemon.net.live import nothing_serves
from asgid.daemon.observe.escape import visible
from asgid.daemon.observe.streams import write_err
from asgid.daemon.supervise.crowd import Crowd
from asgid.daemon.supervise.drain import drain
from asgid.daemon.supervise.listener import Listener
from asgid.daemon.supervise.open_files import OpenFiles
from asgid.daemon.supervise.process import PidFile, give_freed_memory_back
from asgid.daemon.supervise.states import State
from asgid.daemon.supervise.sweeper import Sweeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.defer import Deferred

    from asgid.config import Plan
    from asgid.config.spec import EndpointSpec
    from asgid.daemon.asgi.application import Application
    from asgid.daemon.supervise.listener import Factory, Gateway, Port
    from asgid.daemon.supervise.open_files import Watch
    from asgid.daemon.supervise.sweeper import Swept

    Opener = Callable[[EndpointSpec, Factory], Deferred[Port]]
    Maker = Callable[[Listener, dict[str, Any]], tuple[Factory, Gateway]]

logger = logging.getLogger("asgid")


class Supervisor:
    """Owns a plan's listeners, the application's lifespan and the pid file.

    ``opener`` opens one endpoint string for a factory; ``maker`` makes what serves a listener, given the
    state that the application's start-up left. ``watch`` is given a number of connections and what to call
    when there are so many; it returns how many there are.
    """

    def __init__(
        self, plan: Plan, application: Application, *, opener: Opener, maker: Maker, watch: Watch
    ) -> None:
        self.plan = plan
        self.listeners = [Listener(spec) for spec in plan.listeners]
        self.lifespan = Lifespan(application, plan.application.lifespan)
        self._opener = opener
        self._maker = maker
        self._watch = watch
        self._sweeper: Sweeper | None = None
        path = plan.daemon.pid_file
        self._pid_file = PidFile(path) if path is not None else None

    @property
    def drain_s(self) -> float:
        """How long a stop may take until connections are cut: the longest drain of the listeners."""
        return max((each.spec.timeouts.drain_s for each in self.listeners), default=0.0)

    async def start(self) -> list[Diagnostic]:
        """Start the application up and open every listener; where that serves, return only warnings.

        With an error among the findings nothing is left open, and the application has been shut down again.
        """
        try:
            await self.lifespan.startup()
        except LifespanError as error:
            return [self._lifespan_failed(error)]
        found = await self._open_all()
        if not has_errors(found) and not self._bound():
            found.append(nothing_serves(self.plan))
        if not has_errors(found):
            found += self._write_pid_file()
        if has_errors(found):
            await self.unwind()
        return found

    def serve(self) -> None:
        """Let what is bound serve, and log a line for each."""
        bound = self._bound()
        for listener in bound:
            listener.serve()
        loop = asyncio.get_running_loop()
        open_files = OpenFiles(bound, watch=self._watch, call_later=loop.call_later, clock=time.monotonic)
        open_files.sweep(time.monotonic())
        crowd = Crowd([listener.factory.connections for listener in bound], give_freed_memory_back)
        swept: list[Swept] = [*(listener.factory for listener in bound), open_files, crowd]
        self._sweeper = Sweeper(swept, call_later=loop.call_later, clock=time.monotonic)
        self._sweeper.start()

    async def unwind(self) -> None:
        """Close what :meth:`start` has opened, without a drain, and shut the application down."""
        for listener in self._bound():
            await listener.stop()
            listener.cut()
            listener.finished()
        await self.lifespan.shutdown()
        self._end()

    async def stop(self) -> None:
        """Stop accepting and drain; return when nothing is left, or everything that was left is cut."""
        stopping = self._serving()
        for listener in stopping:
            await listener.stop()
        await drain(stopping)

    async def shut_down(self, timeout_s: float) -> None:
        """Shut the application down, for at most ``timeout_s``, and take the pid file away."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.lifespan.shutdown()
        except TimeoutError:
            logger.warning("the application's shutdown did not end within %g s: it was cut", timeout_s)
            self.lifespan.abandon()
        self._end()

    def left(self) -> str:
        """Return what still runs, for a log: connections and applications of each listener."""
        busy = [f"{each.name}: {each.busy}" for each in self.listeners if each.busy]
        return ", ".join(busy) or "no connection"

    def served(self) -> str:
        """Return what is listened on, for a status: each listener's addresses, and what is missing."""
        serving = [f"{each.name} ({', '.join(each.addresses())})" for each in self._serving()]
        failed = [each.name for each in self.listeners if each.state is State.FAILED]
        return ", ".join(serving) + (f"; not on {', '.join(failed)}" if failed else "")

    def _bound(self) -> list[Listener]:
        return [each for each in self.listeners if each.state is State.BOUND]

    def _serving(self) -> list[Listener]:
        return [each for each in self.listeners if each.state in {State.BOUND, State.SERVING}]

    def _end(self) -> None:
        if self._sweeper is not None:
            self._sweeper.stop()
        if self._pid_file is not None:
            self._pid_file.remove()

    async def _open_all(self) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        for listener in self.listeners:
            if listener.spec.problems:  # warnings, or nothing would be opened: they have been told
                listener.fail()
                continue
            listener.prepare(*self._maker(listener, self.lifespan.state))
            failures = await listener.open(self._opener)
            low = [each for each in failures if each.code == OPEN_FILES_LOW]
            found += low[:1] or failures
            if low:  # it is the process's limit: the rest would fail for the same reason
                break
        return found

    def _write_pid_file(self) -> list[Diagnostic]:
        if self._pid_file is None:
            return []
        try:
            self._pid_file.write()
        except OSError as error:
            message = f"the pid file {self._pid_file.path} cannot be written: {error.strerror}"
            place = self.plan.daemon.pid_file_place
            hint = "its directory is to be there, and writable by this user"
            return [Diagnostic(PID_FILE, "error", message, place, "daemon.pid_file", hint)]
        return []

    def _lifespan_failed(self, error: LifespanError) -> Diagnostic:
        if error.cause is not None:
            logger.error("the application failed to start", exc_info=error.cause)
        told = (str(error).strip() or "it gave no reason").splitlines()
        if len(told) > 1:  # a traceback as often as not, whose last line is the summary
            whole = "".join(f"  {visible(line)}\n" for line in told)
            write_err(f"the application told why it does not start:\n{whole}")
        return Diagnostic(
            code=LIFESPAN_FAILED,
            severity="error",
            message=f"{self.plan.application.target} did not start: {told[-1]}",
            place=self.plan.application.place,
            key="application.target",
            help='its lifespan.startup failed; with lifespan = "off" it is not asked to start up',
        )
