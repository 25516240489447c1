"""Running an application's coroutine: its first step at once, the rest by an ordinary task.

A request that is answered without waiting, which most are, then costs no turn of the loop. Each runs in a
fresh :mod:`contextvars` context. From Python 3.12 on the standard library does this (``eager_start``). On
3.11 :class:`Driver` does, and keeps ``asyncio.current_task()`` one real task from the first step to the last,
so that ``asyncio.timeout``, task groups and anyio work inside the first step.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from asyncio import _enter_task, _leave_task  # documented for event loops
from collections.abc import Coroutine
from sys import getrefcount
from typing import TYPE_CHECKING, Any
from weakref import getweakrefcount

if TYPE_CHECKING:
    from collections.abc import Generator

_NOTHING: Any = object()


class _Hub(Coroutine[Any, Any, None]):
    """What a spare task runs: nothing, until a coroutine that waits is left to it."""

    __slots__ = ("_coroutine", "_ended", "_parked", "_waits_for")

    def __init__(self) -> None:
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._waits_for: Any = _NOTHING  # what the coroutine yielded in its first step
        self._parked: asyncio.Future[None] | None = None
        self._ended = False

    def take(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        """Go on with a coroutine that waits."""
        self._coroutine = coroutine
        self._waits_for = waits_for
        self._wake()

    def end(self) -> None:
        """Let the task end."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._parked is not None and not self._parked.done():
            self._parked.set_result(None)

    def send(self, value: Any) -> Any:
        """Take a step (Coroutine)."""
        coroutine = self._coroutine
        if coroutine is None:
            if self._ended:
                raise StopIteration
            self._parked = asyncio.get_running_loop().create_future()
            return next(self._parked.__await__())
        if self._waits_for is not _NOTHING:
            waits_for, self._waits_for = self._waits_for, _NOTHING
            return waits_for
        return coroutine.send(value)

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:  # noqa: ARG002
        """Take a step with an exception, a cancellation mostly (Coroutine)."""
        coroutine = self._coroutine
        if coroutine is None:
            raise error
        if self._waits_for is not _NOTHING:
            # Asked for before the task waited: it reaches what the coroutine waits for, as in any task.
            waits_for, self._waits_for = self._waits_for, _NOTHING
            if isinstance(error, asyncio.CancelledError) and waits_for is not None and waits_for.cancel():
                return waits_for
        return coroutine.throw(error)

    def close(self) -> None:
        """End the coroutine (Coroutine)."""
        if self._coroutine is not None:
            self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise TypeError("only a task runs this")


class _Spare(asyncio.Task[None]):
    """A task that is current while a coroutine takes its first step, and goes on with it if it waits.

    If it does not wait, the task serves the next coroutine, unless the application has touched the task: then
    it ends as the task of that one coroutine, callbacks and all.
    """

    touched = False

    def cancel(self, msg: Any = None) -> bool:
        self.touched = True
        return super().cancel(msg)

    def add_done_callback(self, fn: Any, *, context: contextvars.Context | None = None) -> None:
        self.touched = True
        super().add_done_callback(fn, context=context)

    def set_name(self, value: object) -> None:
        self.touched = True
        super().set_name(value)


class Driver:
    """Drives coroutines on one event loop, each in a copy of the context in which the driver was made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._base = contextvars.copy_context()
        self._inherited = tuple(self._base.items())
        self._spare: _Spare | None = None
        self._hub = _Hub()
        self._context = self._base
        self._references = self._weak_references = 0
        if sys.version_info >= (3, 12):
            self.drive = self._drive_eagerly  # type: ignore[method-assign]

    def drive(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run ``coroutine`` until it first waits; return the task that goes on with it, ``None`` if it ended.

        The coroutine must not raise. To be called on the loop's thread while the loop runs.
        """
        loop = self._loop
        task = self._spare
        if task is None:
            task = self._renew()
        try:
            _enter_task(loop, task)
        except RuntimeError:  # inside a step of another task
            return asyncio.Task(coroutine, loop=loop, context=self._base.copy())
        try:
            waits_for = self._context.run(coroutine.send, None)
        except StopIteration:
            _leave_task(loop, task)
        except BaseException:
            _leave_task(loop, task)
            self._retire()
            raise
        else:
            _leave_task(loop, task)
            self._spare = None
            self._hub.take(coroutine, waits_for)
            return task
        if (
            task.touched
            or getrefcount(task) > self._references
            or getweakrefcount(task) > self._weak_references
            or len(self._context) != len(self._base)
            or (self._inherited and self._has_set())
        ):
            self._retire()
        return None

    def _has_set(self) -> bool:
        """Whether the context has other values than at first; by identity, as equal ones may change later."""
        context = self._context
        return any(context[variable] is not value for variable, value in self._inherited)

    def _renew(self) -> _Spare:
        self._hub = _Hub()
        self._context = self._base.copy()
        task = self._spare = _Spare(self._hub, loop=self._loop, context=self._context)
        self._references = getrefcount(task)
        self._weak_references = getweakrefcount(task)
        return task

    def _retire(self) -> None:
        """Let the spare task end: it was more than a stand-in."""
        self._spare = None
        self._hub.end()

    def _drive_eagerly(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Do the same with the standard library's means (Python 3.12)."""
        context = self._base.copy()
        task = asyncio.Task(coroutine, loop=self._loop, context=context, eager_start=True)  # type: ignore[call-arg]
        return None if task.done() else task

    def close(self) -> None:
        """Let the spare task end with the loop."""
        if self._spare is not None:
            self._retire()
