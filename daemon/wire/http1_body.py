"""The bodies of requests: read, held while the application is slow, thrown away when nobody wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.wire.http1_chunked import ChunkedDecoder
from asgid.daemon.wire.http1_ends import BODY, DISCARDING, WAITING, Ends
from asgid.daemon.wire.http1_head import BadRequest
from asgid.daemon.wire.http1_response import NEVER

if TYPE_CHECKING:
    from asgid.daemon.wire.http1_head import Framing


class Bodies(Ends):
    """Reads the body of the request under way, by Content-Length or chunked (RFC 9112 6)."""

    __slots__ = ()

    def _body_begins(self, framing: Framing) -> bytes:
        """Take what came of a body with its head. Raises :class:`BadRequest`."""
        limits = self._factory.limits
        ahead, self._ahead = self._ahead, b""
        self._expect = framing.expect_continue and not ahead
        if framing.chunked:
            self._chunked = ChunkedDecoder(limits.header_bytes)
            self._rest = 0
            self._state = BODY
            body = self._decode(ahead) if ahead else b""
            if self._state == BODY and not self._expect:
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
            return body
        length = framing.content_length
        if limits.body_bytes and length > limits.body_bytes:
            raise BadRequest(413, f"a body of {length} bytes")
        body = ahead[:length]
        self._rest = length - len(body)
        if self._rest:
            self._state = BODY
            if not self._expect:  # else the client waits to be told to go on
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
        else:
            self._ahead = ahead[length:]
            self._expect = False
            if framing.plain:
                self._factory.parser.pass_body(body)
        return body

    def _decode(self, data: bytes) -> bytes:
        """Decode a piece of a chunked body. Raises :class:`BadRequest`."""
        decoder = self._chunked
        assert decoder is not None  # noqa: S101 - for the type checker
        self._expect = False
        turns = self._factory.turns
        body = decoder.feed(data, turns.lines)
        self._rest += len(body)
        limit = self._factory.limits.body_bytes
        if limit and self._rest > limit:
            raise BadRequest(413, f"a body of more than {limit} bytes")
        if decoder.done:
            self._ahead = decoder.rest
            self._chunked = None
            self._rest = 0
            self._state = WAITING
        elif decoder.more and not decoder.scheduled:
            decoder.scheduled = True
            self._pause_reading()
            turns.look()
            turns.defer(self)
        return body

    def _decode_on(self, decoder: ChunkedDecoder) -> None:
        """Go on with what came of a chunked body, after everybody else had a turn; then read on."""
        decoder.scheduled = False
        if self._chunked is not decoder:
            return  # it was refused, or nobody wants it any more
        if self._state == BODY:
            self._take_body(b"")
        elif self._state == DISCARDING:
            self._discard(b"")
        if decoder.scheduled:
            return
        if self._state == BODY and not decoder.held:
            self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
            self._resume_reading()
        elif self._state in (WAITING, DISCARDING):
            self._resume_reading()

    def _take_body(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        self._expect = False
        if self._chunked is not None:
            try:
                body = self._decode(data)
            except BadRequest as refusal:
                self._refuse(refusal)
                return
        else:
            body = data[: self._rest]
            self._rest -= len(body)
            if not self._rest:
                self._ahead = data[len(body) :]
                self._state = WAITING
        sink = self._sink
        if sink is None:
            return
        if self._state == WAITING:
            self._read_deadline = NEVER
            if body:
                sink.body(body)
            sink.end()
        else:
            if not self._reading_paused:
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
            if body:
                sink.body(body)

    def _discard(self, data: bytes) -> None:
        """Throw away what nobody wants, so that the next request can be found."""
        if self._chunked is not None:
            try:
                self._decode(data)
            except BadRequest:
                self._abort()
                return
            done = self._state == WAITING
        else:
            self._ahead = data[self._rest :]
            self._rest -= min(self._rest, len(data))
            done = not self._rest
        self._to_read -= len(data)
        if done:
            self._next(self._factory.clock())
        elif self._to_read < 0:
            self._linger()

    def read(self) -> None:
        """Go on reading the body (:meth:`asgid.daemon.seam.ResponseSink.read`)."""
        if self._expect and self._state == BODY:
            self._expect = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked is not None:
            self._chunked.held = False
        if self._reading_paused and not (self._chunked is not None and self._chunked.scheduled):
            self._resume_reading()
        if self._read_deadline == NEVER and self._state == BODY:  # the body was held, or its client not told
            self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)

    def hold(self) -> None:
        """Stop reading the body (:meth:`asgid.daemon.seam.ResponseSink.hold`)."""
        if self._state == BODY:
            if self._chunked is not None:
                self._chunked.held = True
            self._pause_reading()
            self._read_deadline = NEVER  # it is the application that is slow, not the client
