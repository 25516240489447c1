"""One HTTP request in the application: ``receive`` and ``send`` (ASGI HTTP specification 2.5)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar

from asgid.daemon.asgi import extensions
from asgid.daemon.asgi.departure import is_departure
from asgid.daemon.seam import Gone, release

if TYPE_CHECKING:
    from asyncio import Future, Task
    from collections.abc import Awaitable, Callable

    from asgid.daemon.asgi.gateway import ASGIGateway
    from asgid.daemon.seam import Headers, RequestHead, ResponseSink

log = logging.getLogger("asgid.application")

Event = dict[str, Any]

# What the response waits for.
START = 0  # http.response.start
BODY = 1  # http.response.body
COMPLETE = 2  # nothing: it is complete, or failed
BODY_THEN_TRAILERS = 3  # http.response.body, whose end is not the response's
TRAILERS = 4  # http.response.trailers
FILE = 5  # nothing until the file is sent
_EXPECTED = {
    START: "http.response.start",
    BODY: "http.response.body",
    COMPLETE: "nothing: the response is complete",
    BODY_THEN_TRAILERS: "http.response.body",
    TRAILERS: "http.response.trailers",
    FILE: "nothing before the file is sent",
}
_WRITING = (START, BODY, BODY_THEN_TRAILERS)

_NOBODY: tuple[Future[None], ...] = ()
_TOLD = -1  # in place of how many bytes wait: none come any more, http.disconnect was delivered
_HIGH_BYTES = 64 * 1024  # of the body that wait for the application, before reading stops


class ApplicationMistake(Exception):  # noqa: N818 - it is what it says
    """The application broke the specification; the text says how."""


class HTTPCycle:
    """Implements :class:`asgid.daemon.seam.RequestSink` for one request: its application's two callables."""

    __slots__ = (
        "_body", "_complete", "_gateway", "_gone", "_head", "_held", "_pieces", "_response", "_size",
        "_state",
        "_trailers", "_waiters", "task",
    )  # fmt: skip

    def __init__(
        self, gateway: ASGIGateway, head: RequestHead, response: ResponseSink, body: bytes, complete: bool
    ) -> None:
        self._gateway = gateway
        self._head = head  # for the log
        self._response = response
        self._body = body  # what to deliver next
        self._pieces: list[bytes] | None = None  # what came after it
        self._size = len(body)
        self._complete: bool | None = complete  # None: the end was delivered
        self._gone: Gone | None = None
        self._held = False
        self._state = START
        self._waiters = _NOBODY  # receive calls that wait
        self.task: Task[None] | None = None

    # What the wire calls.

    def body(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._body or self._pieces:
            if self._pieces is None:
                self._pieces = []
            self._pieces.append(data)
        else:
            self._body = data
        self._size += len(data)
        if self._waiters:
            self._wake()
        elif self._size >= _HIGH_BYTES and not self._held:
            self._held = True
            self._response.hold()

    def end(self) -> None:
        """Take note that the body is complete."""
        self._complete = True
        self._wake()

    def gone(self, reason: Gone) -> None:
        """Take note that the client has gone."""
        self._gone = reason
        if reason is not Gone.HALF_CLOSED:
            self._body = b""
            self._pieces = None
        self._wake()
        task = self.task
        if task is None:
            return
        if reason is Gone.TIMED_OUT or reason is Gone.CUT:
            self._state = COMPLETE
            task.cancel()
        else:
            self._gateway.close_later(self)

    @property
    def taken(self) -> int:
        """How many bytes of the response's body the client has taken."""
        return self._response.taken

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, _NOBODY
        release(waiters)

    # What the application calls.

    async def receive(self) -> Event:
        """Return the next event of this request."""
        while True:
            if self._body or self._complete:
                return self._next_piece()
            if self._gone is not None or self._state == COMPLETE:
                self._size = _TOLD
                return {"type": "http.disconnect"}
            if self._complete is False:
                self._held = False
                self._response.read()
                if self._body or self._complete:
                    continue
            waiter = self._gateway.loop.create_future()
            # Those who gave up are let go: Starlette looks for a disconnect by a receive that it cancels.
            self._waiters = (*(one for one in self._waiters if not one.done()), waiter)
            await waiter

    def _next_piece(self) -> Event:
        body = self._body
        self._body = b""
        if self._pieces:
            body += b"".join(self._pieces)
            self._pieces = None
        self._size = 0
        more = not self._complete
        if not more:
            self._complete = None
        elif self._held and self._gone is None and self._state != COMPLETE:
            self._held = False
            self._response.read()
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, event: Event) -> None:
        """Take an event of the response."""
        try:
            kind = event["type"]
        except (KeyError, TypeError):
            raise ApplicationMistake("sent an event without a type") from None
        state = self._state
        if state == BODY and kind == "http.response.body":
            data = event.get("body", b"")
            more = event.get("more_body", False)
            if type(data) is not bytes:
                data = _as_bytes(data)
            if self._gone is not None and self._gone is not Gone.HALF_CLOSED:
                raise ConnectionResetError(f"the client has gone: {self._gone.value}")
            if not more:
                self._state = COMPLETE
            try:
                wait = self._response.body(data, bool(more))
            except ValueError as error:
                self._state = BODY
                raise ApplicationMistake(str(error)) from None
            if wait is not None:
                await wait
            elif not more and self._waiters:
                self._wake()
        elif state == START and kind == "http.response.start":
            self._start(event)
        elif self._gone is not None and self._gone is not Gone.HALF_CLOSED:
            raise ConnectionResetError(f"the client has gone: {self._gone.value}")
        else:
            handler = self._EXTENSIONS.get((state, kind)) if type(kind) is str else None
            if handler is None:
                raise ApplicationMistake(f"sent {kind!r} where the response expects {_EXPECTED[state]}")
            try:
                await handler(self, event)
            except (ValueError, TypeError) as error:
                raise ApplicationMistake(f"{kind}: {error}") from None

    def _start(self, event: Event) -> None:
        status = event.get("status")
        if type(status) is not int:
            try:
                status = int(status)  # type: ignore[arg-type] # http.HTTPStatus among them
            except (TypeError, ValueError):
                raise ApplicationMistake(f"http.response.start has the status {status!r}") from None
        if not 200 <= status <= 999:
            raise ApplicationMistake(f"http.response.start has the status {status}")
        trailers = "trailers" in event and bool(event["trailers"])
        if self._gone is None or self._gone is Gone.HALF_CLOSED:
            try:
                self._response.start(status, event.get("headers", ()), trailers)
            except (ValueError, TypeError) as error:
                raise ApplicationMistake(f"http.response.start: {error}") from None
        self._state = BODY
        if trailers:
            self._trailers: Headers = []
            self._state = BODY_THEN_TRAILERS

    # The application's other events: the extensions.

    async def _body_before_trailers(self, event: Event) -> None:
        wait = self._response.body(_as_bytes(event.get("body", b"")), True)
        if not event.get("more_body", False):
            self._state = TRAILERS
        if wait is not None:
            await wait

    async def _take_trailers(self, event: Event) -> None:
        trailers = [*self._trailers, *event.get("headers", ())]
        if event.get("more_trailers", False):
            self._trailers = trailers
            return
        self._response.trailers(trailers)
        self._state = COMPLETE
        self._wake()

    async def _hint(self, event: Event) -> None:
        wait = self._response.hint(extensions.links(event))
        if wait is not None:
            await wait

    async def _send_path(self, event: Event) -> None:
        await self._send_file(extensions.opened(event), more=False)

    async def _send_given_file(self, event: Event) -> None:
        await self._send_file(extensions.given(event), more=bool(event.get("more_body", False)))

    async def _send_file(self, part: extensions.Part, *, more: bool) -> None:
        state = self._state
        self._state = FILE
        last = not more and state == BODY
        try:
            sent = await self._response.send_file(part.descriptor, part.offset, part.count, not last)
        finally:
            part.close()
        if self._state == FILE:  # else it was ended meanwhile
            self._state = COMPLETE if last else state if more else TRAILERS
        part.sent(sent)
        if last:
            self._wake()

    _EXTENSIONS: ClassVar[dict[tuple[int, str], Callable[[HTTPCycle, Event], Awaitable[None]]]] = {
        (BODY_THEN_TRAILERS, "http.response.body"): _body_before_trailers,
        (TRAILERS, extensions.TRAILERS): _take_trailers,
        **dict.fromkeys(((state, extensions.EARLY_HINT) for state in _WRITING), _hint),
        **dict.fromkeys(((state, extensions.PATHSEND) for state in _WRITING[1:]), _send_path),
        **dict.fromkeys(((state, extensions.ZEROCOPYSEND) for state in _WRITING[1:]), _send_given_file),
    }

    # The application's coroutine.

    async def run(self, application: Any, scope: dict[str, Any]) -> None:
        """Run the application on this request and see that the client gets an answer. Never raises."""
        try:
            await application(scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._fail("was cancelled", departure=self._gone is not None)  # the gateway has said so
        except ApplicationMistake as error:
            self._fail(str(error), mistake=True)
        except BaseException as error:  # SystemExit of an application ends a request, not the server
            if isinstance(error, GeneratorExit) and not self._gateway.loop.is_running():
                raise  # this coroutine is closed, with the loop: nobody is there to answer
            gone = self._gone is not None
            departure = (gone or self._size == _TOLD) and is_departure(error, gone=gone)
            self._fail(f"raised {type(error).__name__}", error, departure=departure)
        else:
            if self._state != COMPLETE:
                self._fail(
                    "returned without a response"
                    if self._state == START
                    else "returned before its response was complete",
                    departure=self._size == _TOLD,  # as Django does then
                )
        finally:
            self._state = COMPLETE
            if self.task is not None:
                self._gateway.ended(self)

    def _fail(
        self,
        what: str,
        error: BaseException | None = None,
        *,
        mistake: bool = False,
        departure: bool = False,
    ) -> None:
        """Log what the application did, and answer for it."""
        unanswered = self._state != COMPLETE
        gone = self._gone is not None and self._gone is not Gone.HALF_CLOSED
        if departure:
            log.debug(
                "listener %s: the client had gone: the application %s: %s %s",
                self._gateway.name, what, self._head.method, self._head.target.decode("latin-1"),
            )  # fmt: skip
        elif not gone or error is not None or mistake:
            log.error(
                "listener %s: the application %s: %s %s",
                self._gateway.name, what if not mistake else "made a mistake: " + what, self._head.method,
                self._head.target.decode("latin-1"), exc_info=error,
            )  # fmt: skip
        self._state = COMPLETE
        if unanswered and not gone:
            # A request whose client ended its side inside the body never became whole (RFC 9112 8).
            self._response.fail(400 if departure and self._complete is False else 500)


def _as_bytes(data: Any) -> bytes:
    """Return a body given as another kind of buffer as bytes."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise ApplicationMistake(f"http.response.body has a body of type {type(data).__name__}, not bytes")
