"""One named listener: its state, its ports, its connections and the application's side of it."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from asgid.config import Diagnostic
from asgid.config.codes import LISTENER_FAILED, OPEN_FILES_LOW
from asgid.daemon.seldom import Seldom
from asgid.daemon.supervise import open_files
from asgid.daemon.supervise.states import Event, State, advance

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from asgid.config.spec import EndpointSpec, ListenerSpec
    from asgid.daemon.seam import Connection, Counters

logger = logging.getLogger("asgid")

_SAY_AGAIN_S: Final = 60.0


class Port(Protocol):
    """An open endpoint: one socket, or a group of several."""

    def addresses(self) -> list[str]:
        """Return what is really bound."""

    def pause_accepting(self) -> None:
        """Leave new connections in the backlog."""

    def resume_accepting(self) -> None:
        """Accept again."""

    def stopListening(self) -> Deferred[Any] | None:
        """Close the sockets."""


class Factory(Protocol):
    """The connections of one listener, as the supervisor sees them."""

    connections: set[Connection]
    counters: Counters

    @property
    def sweep_interval_s(self) -> float:
        """How often to sweep, in seconds."""

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed."""

    def idle(self) -> list[tuple[int, float, Connection]]:
        """Return the connections that wait: for what, since when (see ``Connection.idleness``), and which."""

    def drain(self) -> None:
        """Let every connection finish what is under way."""

    def cut(self) -> int:
        """Close every connection; return how many there were."""


class Gateway(Protocol):
    """The application's side of one listener, as the supervisor sees it."""

    @property
    def running(self) -> int:
        """How many requests and WebSockets are in the application now."""

    def cut_all(self) -> int:
        """Cancel every application that runs; return how many there were."""

    def close(self) -> None:
        """Begin nothing any more: no connection is left."""


class Listener:
    """A listener from its plan to its end: :meth:`prepare`, :meth:`open`, :meth:`serve`, :meth:`stop`."""

    def __init__(self, spec: ListenerSpec) -> None:
        self.spec = spec
        self.state = State.NEW
        self.ports: list[tuple[EndpointSpec, Port]] = []
        self._factory: Factory | None = None
        self._gateway: Gateway | None = None
        self._paused = Seldom(time.monotonic, _SAY_AGAIN_S)
        self._full = False  # limits.connections is reached
        self._held = False  # the process runs short of descriptors

    @property
    def name(self) -> str:
        """The listener's name."""
        return self.spec.name

    @property
    def factory(self) -> Factory:
        """What makes its connections. Raises :class:`RuntimeError` before :meth:`prepare`."""
        if self._factory is None:
            raise RuntimeError(f"listener {self.name} has nothing to serve with yet")
        return self._factory

    @property
    def busy(self) -> int:
        """How many connections it has, or how many applications still run, whichever is more."""
        connections = len(self._factory.connections) if self._factory is not None else 0
        return max(connections, self._gateway.running if self._gateway is not None else 0)

    def prepare(self, factory: Factory, gateway: Gateway) -> None:
        """Take what serves this listener's connections."""
        self._factory, self._gateway = factory, gateway

    async def open(self, opener: Callable[[EndpointSpec, Factory], Deferred[Port]]) -> list[Diagnostic]:
        """Open every endpoint; where one fails, close the others again and return why, one for each."""
        loop = asyncio.get_running_loop()
        failures = []
        for endpoint in self.spec.endpoints:
            try:
                port = await opener(endpoint, self.factory).asFuture(loop)
            except Exception as error:  # noqa: BLE001 - a foreign endpoint plugin may raise anything
                failures.append(self._failure(endpoint, error))
            else:
                self.ports.append((endpoint, port))
        if failures or not self.ports:
            await self._close_ports()
            self._take(Event.REFUSED)
        else:
            self._take(Event.OPENED)
        return failures

    def fail(self) -> None:
        """Take note that this listener cannot be opened, without a try."""
        self._take(Event.REFUSED)

    def serve(self) -> None:
        """Go from bound to serving, and log where."""
        self._take(Event.SERVE)
        for endpoint, port in self.ports:
            logger.info("listener %s: %s at %s", self.name, endpoint.text, ", ".join(port.addresses()))

    def addresses(self) -> list[str]:
        """Return what is really bound."""
        return [address for _, port in self.ports for address in port.addresses()]

    def pause(self) -> None:
        """Stop accepting for now: the limit of connections is reached. It is said once a minute at most."""
        if self._paused.again():
            limit = self.spec.limits.connections
            logger.warning("listener %s: limits.connections (%d) is reached: new ones wait", self.name, limit)
        self._full = True
        self._accept_or_not()

    def resume(self) -> None:
        """Accept again: there is room within the limit of connections."""
        self._full = False
        self._accept_or_not()

    def hold(self, held: bool) -> None:
        """Stop accepting while the process runs short of descriptors, or go on."""
        self._held = held
        self._accept_or_not()

    def _accept_or_not(self) -> None:
        for _, port in self.ports:
            if self._full or self._held:
                port.pause_accepting()
            elif self.state is State.SERVING:
                with suppress(OSError):  # no descriptor is left: who watches them tries again
                    port.resume_accepting()

    async def stop(self) -> None:
        """Close the sockets and let the connections drain; then :meth:`finished` and :meth:`cut` end it."""
        self._take(Event.STOP)
        await self._close_ports()
        if self.state is State.DRAINING and self._factory is not None:
            self._factory.drain()

    def finished(self) -> None:
        """Take note that nothing is left of a draining listener."""
        if self.state is State.DRAINING:
            self._take(Event.EMPTY)
            if self._gateway is not None:
                self._gateway.close()

    def cut(self) -> tuple[int, int]:
        """Close what is left; return how many connections and how many running applications that was."""
        applications = self._gateway.cut_all() if self._gateway is not None else 0
        connections = self._factory.cut() if self._factory is not None else 0
        return connections, applications

    def _take(self, event: Event) -> None:
        self.state = advance(self.state, event)

    async def _close_ports(self) -> None:
        ports, self.ports = self.ports, []
        for endpoint, port in ports:
            try:
                closing = port.stopListening()
                if closing is not None:
                    await closing.asFuture(asyncio.get_running_loop())
            except Exception:
                logger.exception("listener %s: %s did not close", self.name, endpoint.text)

    def _failure(self, endpoint: EndpointSpec, error: Exception) -> Diagnostic:
        if open_files.exhausted(error):
            limit = open_files.limit()
            message = f"listener {self.name} did not open: the limit of open files ({limit}) is reached"
            key = f"listeners.{self.name}"
            return Diagnostic(OPEN_FILES_LOW, "error", message, endpoint.place, key, open_files.HELP)
        words = str(error).strip() or type(error).__name__
        return Diagnostic(
            code=str(getattr(error, "code", "") or LISTENER_FAILED),
            severity="error" if self.spec.required else "warning",
            message=f"listener {self.name} did not open: {endpoint.text}: {words}",
            place=endpoint.place,
            key=f"listeners.{self.name}",
            help=str(getattr(error, "help", "") or ""),
        )
