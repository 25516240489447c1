"""One WebSocket in the application: ``receive`` and ``send`` (ASGI WebSocket specification 2.5).

An application that waits for a message is resumed where the message comes in, without a turn of the loop
between them: see :class:`Bell` and :class:`Carrier`.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import _enter_task, _leave_task  # documented for event loops
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from asgid.daemon.asgi.departure import is_departure
from asgid.daemon.asgi.http import ApplicationMistake
from asgid.daemon.seam import header_values

if TYPE_CHECKING:
    from asyncio import Future, Task
    from collections.abc import Callable, Generator
    from contextvars import Context

    from asgid.daemon.asgi.gateway import ASGIGateway
    from asgid.daemon.seam import Headers, RequestHead, WebSocketPort

log = logging.getLogger("asgid.application")

Event = dict[str, Any]
_NOTHING: Any = object()
_ENDED: Any = object()

# Where the WebSocket is, as its application sees it.
CONNECTING = 0  # neither accepted nor refused
DENYING = 1  # a response in place of the handshake has begun
OPEN = 2
CLOSED = 3  # by either side
_EXPECTED = {
    CONNECTING: "websocket.accept or websocket.close",
    DENYING: "websocket.http.response.body",
    OPEN: "websocket.send or websocket.close",
    CLOSED: "nothing: the WebSocket is closed",
}


class Bell(asyncio.Future["Event | None"]):
    """What an application that waits for a message waits for: a future, rung where there is one in the queue.

    Two kinds of waiters are resumed where the message comes in, not a turn of the loop later, unless a task
    is running: one task cannot run inside another. The cycle's own, which runs a :class:`Carrier`, goes on
    without the bell being rung at all: it is waited for again as soon as the application asks for the next
    message. Any other task that waits first takes its step inside :meth:`hand`.
    """

    __slots__ = ("_loop_of_bell", "_step", "context", "waited_for")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._loop_of_bell = loop
        self.waited_for = False
        self._step: Callable[[Any], object] | None = None
        self.context: Context | None = None  # of the task that waits first

    def __await__(self) -> Generator[Any, Any, Event | None]:
        """Wait; return the event that was handed over, ``None`` where there is one in the queue."""
        if not self.done():
            self.waited_for = self._asyncio_future_blocking = True  # the latter tells a task to wait
            event: Event | None = yield self
            self.waited_for = False
            if event is not None:
                return event
        return self.result()

    __iter__ = __await__  # as a future's own

    def add_done_callback(self, fn: Callable[[Any], object], *, context: Context | None = None) -> None:
        """Keep the first callback that has a context, which is a task's; the rest are any future's."""
        if self._step is None and context is not None and not self.done():
            self._step = fn
            self.context = context
        else:
            super().add_done_callback(fn, context=context)

    def remove_done_callback(self, fn: Callable[[Any], object], /) -> int:
        """Forget a callback; return how often it was there."""
        if self._step is not None and self._step == fn:
            self._step = None
            return 1 + super().remove_done_callback(fn)
        return super().remove_done_callback(fn)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel, as any future."""
        if not super().cancel(msg):
            return False
        step, self._step = self._step, None
        if step is not None:
            self._loop_of_bell.call_soon(step, self, context=self.context)
        return True

    def hand(self, event: Event | None) -> bool:
        """Resume the task that waits, here and now, with ``event``; return whether that could be."""
        step = self._step
        if step is None or self.done() or asyncio.current_task(self._loop_of_bell) is not None:
            return False
        self._step = None
        self.set_result(event)
        self.context.run(step, self)  # type: ignore[union-attr] # set with the step
        return True

    def ring(self) -> None:
        """Resume who waits, on the next turn of the loop."""
        if not self.done():
            self.set_result(None)
            step, self._step = self._step, None
            if step is not None:
                self._loop_of_bell.call_soon(step, self, context=self.context)


class Carrier(Coroutine[Any, Any, None]):
    """What a cycle's task runs: the application's coroutine, which :meth:`hand` can resume without the task.

    While the application does nothing but answer messages and wait for the next one, its task goes on waiting
    for one and the same :class:`Bell`, and takes no step. It is the current task all the same. As soon as the
    coroutine waits for anything else, or ends, the task takes it from there.
    """

    __slots__ = ("_coroutine", "_left", "_outcome", "_resume", "waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._resume = coroutine.send
        self.waits_for: Any = None  # what the coroutine waits for
        self._left: Any = _NOTHING  # what it waits for, and the task does not know yet; or it has ended
        self._outcome: BaseException | None = None  # how it has ended

    def hand(self, bell: Bell, event: Event, loop: asyncio.AbstractEventLoop, task: Task[None]) -> bool:
        """Resume the coroutine, which waits for ``bell``, with ``event``; return whether that could be."""
        if self._left is not _NOTHING or bell.done():
            return False
        try:
            _enter_task(loop, task)
        except RuntimeError:  # inside a step of a task
            return False
        try:
            waits_for = bell.context.run(self._resume, event)  # type: ignore[union-attr] # the task waits for it
        except BaseException as outcome:  # noqa: BLE001 - which the task is to have: StopIteration mostly
            self._outcome = outcome
            waits_for = _ENDED
        _leave_task(loop, task)
        self.waits_for = waits_for
        if waits_for is not bell or bell.done():
            self._left = waits_for
            bell.hand(None)  # unless it was rung, or cancelled: the task's step is scheduled then
        return True

    def send(self, value: Any) -> Any:
        """Take a step (Coroutine)."""
        left = self._left
        if left is not _NOTHING:
            self._left = _NOTHING
            if left is _ENDED:
                raise self._outcome or StopIteration
            return left
        self.waits_for = waits_for = self._resume(value)
        return waits_for

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:  # noqa: ARG002
        """Take a step with an exception, a cancellation mostly (Coroutine)."""
        left, self._left = self._left, _NOTHING
        if left is _ENDED:
            raise self._outcome or StopIteration
        if isinstance(error, asyncio.CancelledError) and left not in (_NOTHING, None) and left.cancel():
            return left  # asked for before the task waited: it reaches what is waited for, as in any task
        self.waits_for = waits_for = self._coroutine.throw(error)
        return waits_for

    def close(self) -> None:
        """End the coroutine (Coroutine)."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise TypeError("only a task runs this")

    def __getattr__(self, name: str) -> Any:
        """Return what a task's representation and its stack are made of (``cr_code``, ``cr_frame``)."""
        return getattr(self._coroutine, name)


class WebSocketCycle:
    """Implements :class:`asgid.daemon.seam.WebSocketSink`, and the application's two callables."""

    __slots__ = (
        "_bell", "_carrier", "_connect", "_denial", "_gateway", "_gone", "_head", "_held", "_limit", "_loop",
        "_owes", "_port", "_queue", "_settled", "_state", "task",
    )  # fmt: skip
    taken = 0  # once it is closed nothing is sent

    def __init__(self, gateway: ASGIGateway, head: RequestHead, port: WebSocketPort) -> None:
        self._gateway = gateway
        self._loop = gateway.loop
        self._head = head
        self._port = port
        self._limit = gateway.spec.websocket.queue
        self._state = CONNECTING
        self._connect = True  # websocket.connect is to be delivered
        self._gone: tuple[int, str] | None = None  # the client has gone: close code and reason
        self._denial: tuple[int, Headers, list[bytes]] | None = None
        self._queue: deque[Event] | None = None
        self._held = False
        self._owes = False  # the application has taken a message, and has not asked for another yet
        self._settled: Callable[[], None] | None = None  # to be called when it has
        self._bell: Bell | None = None
        self._carrier: Carrier | None = None
        self.task: Task[None] | None = None

    @classmethod
    def begin(cls, gateway: ASGIGateway, head: RequestHead, port: WebSocketPort) -> WebSocketCycle:
        """Start the application on a handshake that is valid, in a task of its own."""
        cycle = cls(gateway, head, port)
        offered = b",".join(header_values(head.headers, b"sec-websocket-protocol"))
        names = [name.strip() for name in offered.decode("latin-1").split(",")]
        scope = gateway.scopes.websocket(head, [name for name in names if name])
        objection = "" if gateway.origins is None else gateway.origins.objection(scope)
        if objection:
            cycle.reject(objection)
            return cycle
        cycle._carrier = carrier = Carrier(cycle.run(gateway.application, scope))
        cycle.task = gateway.loop.create_task(carrier)
        gateway.cycles.add(cycle)
        return cycle

    def reject(self, objection: str) -> None:
        """Refuse the client; the application sees nothing of it."""
        self._refuse({}, objection)

    # What the wire calls.

    def message(self, data: str | bytes) -> None:
        """Take a message (:meth:`asgid.daemon.seam.WebSocketSink.message`)."""
        event: Event = {"type": "websocket.receive", "text" if type(data) is str else "bytes": data}
        queue = self._queue
        bell = self._bell
        if not queue and bell is not None:
            self._owes = True
            carrier = self._carrier
            if carrier is not None and carrier.waits_for is bell:
                if carrier.hand(bell, event, self._loop, self.task):  # type: ignore[arg-type] # there is one
                    return
            elif bell.hand(event):
                return
        if queue is None:
            self._queue = queue = deque((event,))
        else:
            queue.append(event)
        if bell is not None:
            bell.ring()
        if not self._held and len(queue) >= self._limit:
            self._held = True
            self._port.hold()

    def settle(self, go_on: Callable[[], None]) -> bool:
        """Tell whether all is answered (:meth:`asgid.daemon.seam.WebSocketSink.settle`)."""
        if not self._owes and not self._queue:
            return True
        self._settled = go_on
        return False

    def gone(self, code: int, reason: str) -> None:
        """Take note that this is closed (:meth:`asgid.daemon.seam.WebSocketSink.gone`)."""
        self._state = CLOSED
        self._gone = code, reason
        if self._bell is not None:
            self._bell.ring()
        if self in self._gateway.cycles:
            self._gateway.close_later(self)

    def expired(self) -> None:
        """Take note that the client was refused (:meth:`asgid.daemon.seam.WebSocketSink.expired`)."""
        self.gone(1006, "neither accepted nor refused in time")

    # What the application calls.

    async def receive(self) -> Event:
        """Return the next event of this WebSocket."""
        if self._connect:
            self._connect = False
            return {"type": "websocket.connect"}
        while True:
            queue = self._queue
            if queue:
                event = queue.popleft()
                self._owes = True
                if self._held and len(queue) <= self._limit >> 1 and self._gone is None:
                    self._held = False
                    self._port.read()
                return event
            if self._gone is not None:
                code, reason = self._gone
                return {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._queue = None
            self._owes = False
            if self._settled is not None:
                settled, self._settled = self._settled, None
                settled()
                continue
            bell = self._bell
            if bell is None or bell.done():
                self._bell = bell = Bell(self._loop)
            elif bell.waited_for:
                await asyncio.shield(bell)  # a second receive beside the first
                continue
            handed = await bell
            if handed is not None:
                return handed

    async def send(self, event: Event) -> None:
        """Take an event. Raises OSError where the WebSocket is closed."""
        try:
            kind = event["type"]
        except (KeyError, TypeError):
            raise ApplicationMistake("sent an event without a type") from None
        if self._state == OPEN and kind == "websocket.send":
            text, data = event.get("text"), event.get("bytes")
            if data is None and type(text) is str:
                wait = self._port.send(text)
            elif text is None and type(data) is bytes:
                wait = self._port.send(data)
            else:
                wait = self._port.send(_payload(text, data))
            if wait is not None:
                await wait
            return
        handler = _TABLE[self._state].get(kind) if type(kind) is str else None
        if handler is None:
            if self._state == CLOSED:
                raise ConnectionResetError("the WebSocket is closed")
            raise ApplicationMistake(f"sent {kind!r} where the WebSocket expects {_EXPECTED[self._state]}")
        wait = handler(self, event)
        if wait is not None:
            await wait

    def _accept(self, event: Event) -> None:
        subprotocol = event.get("subprotocol")
        if subprotocol is not None and not isinstance(subprotocol, str):
            raise ApplicationMistake(
                f"websocket.accept has a subprotocol of type {type(subprotocol).__name__}"
            )
        try:
            self._port.accept(subprotocol, event.get("headers") or [])
        except (ValueError, TypeError) as error:
            raise ApplicationMistake(f"websocket.accept: {error}") from None
        self._state = OPEN
        self._gateway.accepted.add(self)

    def _refuse(self, _event: Event, objection: str = "") -> None:
        self._state = CLOSED
        content = [(b"content-type", b"text/plain; charset=utf-8")]
        self._port.refuse(403, content, b"403 Forbidden\n", objection)

    def _deny(self, event: Event) -> None:
        status = event.get("status")
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise ApplicationMistake(f"websocket.http.response.start has the status {status!r}")
        self._denial = int(status), event.get("headers") or [], []
        self._state = DENYING

    def _deny_body(self, event: Event) -> None:
        data = event.get("body", b"")
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ApplicationMistake(f"websocket.http.response.body has a body of type {type(data).__name__}")
        if self._denial is None:
            return
        status, headers, pieces = self._denial
        pieces.append(bytes(data))
        if event.get("more_body", False):
            return
        try:
            self._port.refuse(status, headers, b"".join(pieces))
        except (ValueError, TypeError) as error:
            raise ApplicationMistake(f"websocket.http.response.start: {error}") from None
        self._state = CLOSED

    def _close_by(self, event: Event) -> None:
        code = event.get("code")
        reason = event.get("reason") or ""
        if code is None:
            code = 1000
        if not isinstance(code, int) or not isinstance(reason, str):
            raise ApplicationMistake(f"websocket.close has the code {code!r} and the reason {reason!r}")
        try:
            self._port.close(int(code), reason)
        except ValueError as error:
            raise ApplicationMistake(f"websocket.close: {error}") from None
        self._state = CLOSED

    # The application's coroutine.

    async def run(self, application: Any, scope: dict[str, Any]) -> None:
        """Run the application on this WebSocket and see that it is closed after it. Never raises."""
        try:
            await application(scope, self.receive, self.send)
        except asyncio.CancelledError:
            if self._gone is None:  # else it was the gateway, which has said so
                self._fail("was cancelled", None)
        except GeneratorExit:
            raise
        except ApplicationMistake as error:
            self._fail(f"made a mistake: {error}", None)
        except BaseException as error:  # noqa: BLE001 - SystemExit of an application ends a WebSocket, not the server
            if self._gone is not None and is_departure(error):
                log.debug("listener %s: a WebSocket's client had gone: %r", self._gateway.name, error)
            else:
                self._fail(f"raised {type(error).__name__}", error)
        else:
            if self._state == OPEN:
                self._end(1000)
            elif self._state != CLOSED:
                self._fail("returned without accepting or refusing", None)
        finally:
            self._state = CLOSED
            self._bell = self._carrier = self._settled = None
            self._queue = None
            self._gateway.ended(self)

    def _fail(self, what: str, error: BaseException | None) -> None:
        """Log what the application did, and close for it: 500 before the handshake, 1011 after it."""
        log.error(
            "listener %s: the application %s: WebSocket %s",
            self._gateway.name, what, self._head.target.decode("latin-1"), exc_info=error,
        )  # fmt: skip
        self._end(1011)

    def _end(self, code: int) -> None:
        state, self._state = self._state, CLOSED
        try:
            if state == OPEN:
                self._port.close(code, "")
            elif state != CLOSED:
                content = [(b"content-type", b"text/plain; charset=utf-8")]
                self._port.refuse(500, content, b"500 Internal Server Error\n")
        except OSError:
            log.debug("listener %s: the client had gone", self._gateway.name)


_TABLE: dict[int, dict[str, Callable[[WebSocketCycle, Event], Future[None] | None]]] = {
    CONNECTING: {
        "websocket.accept": WebSocketCycle._accept,  # noqa: SLF001 - the table of its own class
        "websocket.close": WebSocketCycle._refuse,  # noqa: SLF001
        "websocket.http.response.start": WebSocketCycle._deny,  # noqa: SLF001
    },
    DENYING: {"websocket.http.response.body": WebSocketCycle._deny_body},  # noqa: SLF001
    OPEN: {
        "websocket.close": WebSocketCycle._close_by,  # noqa: SLF001
    },
    CLOSED: {},
}


def _payload(text: Any, data: Any) -> str | bytes:
    """Return the one payload of a websocket.send whose types are not the usual ones."""
    if (text is None) == (data is None):
        raise ApplicationMistake("websocket.send needs either text or bytes")
    if isinstance(text, str):
        return str(text)
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    kind, value = ("bytes", data) if text is None else ("text", text)
    raise ApplicationMistake(f"websocket.send has {kind} of type {type(value).__name__}")
