"""The lifespan protocol (ASGI lifespan 2.0): one start-up and one shutdown for each process, with state.

The application runs in one task for the whole life of the process. What it puts into ``scope["state"]`` while
starting up is what each request gets a copy of.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from asgid.daemon.asgi.application import Application

logger = logging.getLogger("asgid.lifespan")

STARTUP = "lifespan.startup"
SHUTDOWN = "lifespan.shutdown"


class LifespanError(Exception):
    """The application said, or showed, that it cannot start. ``cause`` is what it raised, where it raised."""

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class _Stage(enum.Enum):
    STARTING = "it was starting up"
    STARTED = "it was running"
    STOPPING = "it was shutting down"
    OVER = "it had shut down"


class Lifespan:
    """One application's lifespan. :attr:`state` is the dictionary that requests get copies of.

    With ``auto`` an application that does not know the protocol (it raises or returns before it has answered)
    is served without it, as the specification asks; with ``on`` that is a failure; with ``off`` the
    application is never asked.
    """

    def __init__(self, application: Application, mode: Literal["auto", "on", "off"] = "auto") -> None:
        self.state: dict[str, Any] = {}
        self.application = application
        self._mode = mode
        self._stage = _Stage.STARTING
        self._task: asyncio.Task[None] | None = None
        self._asked = False
        self._answer: asyncio.Future[str | None] | None = None
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @property
    def supported(self) -> bool:
        """Whether the application has started up and waits for its shutdown."""
        return self._stage is _Stage.STARTED and self._task is not None and not self._task.done()

    async def startup(self) -> None:
        """Start the application up. Raises :class:`LifespanError` where it failed."""
        if self._mode == "off":
            return
        error = await self._exchange(STARTUP)
        if error is None:
            self._stage = _Stage.STARTED
            return
        self._stage = _Stage.OVER
        await self._end()
        if isinstance(error, _Refused):
            raise LifespanError(error.message or "the application gave no reason", self._raised())
        if self._mode == "on":
            raise LifespanError(error.message, self._raised())
        self._say_unsupported(error)

    async def shutdown(self) -> None:
        """Shut down what has started up. A failure is logged and no more: the process ends anyway."""
        task = self._task
        if task is None or self._stage is not _Stage.STARTED:
            return
        if task.done():
            self._stage = _Stage.OVER
            self._raised()  # it was logged when it happened
            return
        error = await self._exchange(SHUTDOWN)
        self._stage = _Stage.OVER
        await self._end()
        raised = self._raised()
        if isinstance(error, _Refused):
            why = error.message or "it gave no reason"
            logger.error("the application's shutdown failed: %s", why, exc_info=raised)
        elif error is not None:
            logger.error("the application's shutdown failed: %s", error.message, exc_info=raised)
        elif raised is not None:
            logger.error("the application raised an exception after its shutdown", exc_info=raised)

    def abandon(self) -> None:
        """Cancel the application's lifespan task; nothing is waited for."""
        self._stage = _Stage.OVER
        if self._task is not None:
            self._task.cancel()

    async def _exchange(self, event: str) -> _Silent | None:
        """Send ``event`` and wait for its answer; the task's end without one is an answer too."""
        loop = asyncio.get_running_loop()
        answer = self._answer = loop.create_future()
        if event == SHUTDOWN:
            self._stage = _Stage.STOPPING
        self._events.put_nowait({"type": event})
        if self._task is None:
            self._task = loop.create_task(self._run(), name="asgid lifespan")
        task = self._task
        await asyncio.wait([answer, task], return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            message = answer.result()
            return None if message is None else _Refused(message)
        error = self._raised()
        if error is None:
            return _Silent(f"the application returned without an answer to {event}")
        return _Silent(f"the application raised {_summary(error)} instead of an answer to {event}")

    async def _run(self) -> None:
        scope: dict[str, Any] = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self.application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            raise
        except (SystemExit, KeyboardInterrupt) as error:
            raise _ExitedError(_summary(error)) from error  # past the task it would end the event loop
        except Exception:
            if self._stage is _Stage.STARTED:
                logger.exception("the application's lifespan ended with an exception")
            raise
        if self._stage is _Stage.STARTED:
            logger.warning("the application's lifespan ended before its shutdown was asked for")

    async def _receive(self) -> dict[str, Any]:
        self._asked = True
        return await self._events.get()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        kind = message["type"]
        expected = SHUTDOWN if self._stage is _Stage.STOPPING else STARTUP
        if self._stage in {_Stage.STARTED, _Stage.OVER} or self._answer is None or self._answer.done():
            raise RuntimeError(f"the application sent {kind!r} while {self._stage.value}: nothing was asked")
        if kind == f"{expected}.complete":
            self._answer.set_result(None)
            if expected == STARTUP:
                self._stage = _Stage.STARTED
        elif kind == f"{expected}.failed":
            self._answer.set_result(str(message.get("message", "")))
        else:
            raise RuntimeError(
                f"the application sent {kind!r} in answer to {expected}; it may send {expected}.complete or "
                f"{expected}.failed"
            )

    def _raised(self) -> BaseException | None:
        task = self._task
        if task is None or not task.done() or task.cancelled():
            return None
        error = task.exception()
        return error.__cause__ if isinstance(error, _ExitedError) else error

    async def _end(self) -> None:
        """Let the task finish after its last answer."""
        if self._task is None:
            return
        done, _ = await asyncio.wait([self._task], timeout=_AFTERMATH_S)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_AFTERMATH_S)
        with contextlib.suppress(asyncio.CancelledError, asyncio.InvalidStateError):
            self._task.exception()

    def _say_unsupported(self, error: _Silent) -> None:
        cause = self._raised()
        if self._asked and cause is not None:
            logger.warning(
                '%s: it is served without lifespan (lifespan = "on" makes this a failed start)',
                error.message,
                exc_info=cause,
            )
        else:
            logger.info("the application has no lifespan: %s", error.message)


class _Silent:
    """No answer came."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class _Refused(_Silent):
    """The application answered that it failed."""

    __slots__ = ()


class _ExitedError(Exception):
    """The application called ``sys.exit``."""


_AFTERMATH_S = 1.0


def _summary(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__
