"""Autobahn, where it is needed: handshakes, control frames, closing, and every frame of an unusual kind.

Between two frames, outside a message and before anything was closed, an uncompressed WebSocket has no state
of its own, and one Autobahn protocol at rest is as good as another. So an idle connection keeps none: an
:class:`Engine` is lent to a connection for as long as it is in the middle of something, and given back.

This module imports Autobahn, which takes a while; the rest of the wire imports it where it is first needed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket import xormasker

if TYPE_CHECKING:
    from autobahn.websocket.types import ConnectionRequest
    from twisted.internet.defer import Deferred

    from asgid.config.spec import WebSocketOptions
    from asgid.daemon.wire.websocket_frames import Unmask

__all__ = ["Engine", "EngineUser", "Engines", "unmasker"]

# Compiled or not, as Autobahn was installed.
_create_xor_masker: Any = xormasker.create_xor_masker  # type: ignore[attr-defined]

_BLOCK_BYTES = 4096
_BAD_GATEWAY = 1014  # registered after Autobahn's list was written (IANA's registry of RFC 6455 7.4)
_STANDS_FOR_IT = 1013  # in what is Autobahn's
_KEPT = 32  # engines at rest that are kept for the next frame that needs one

# A handshake that any engine can be opened by; its answer is not sent.
_OPENING = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def unmasker() -> Unmask:
    """Return what unmasks long payloads: Autobahn's C functions themselves, where its masker has them.

    A masker is made for each frame, and the making alone takes four times as long as unmasking 16 KiB.
    """
    masker = _create_xor_masker(bytes(4), 1 << 16)
    try:
        lib, of_buffer = masker.lib, masker.ffi.from_buffer
        return partial(_unmask, lib.nvx_xormask_new, lib.nvx_xormask_process, lib.nvx_xormask_free, of_buffer)
    except AttributeError:
        return _unmask_by_masker


def _unmask(
    new: Any, process: Any, free: Any, of_buffer: Any, mask: bytes, data: bytes | memoryview
) -> bytearray:
    payload = bytearray(data)
    state = new(mask)
    process(state, of_buffer(payload), len(payload))
    free(state)
    return payload


def _unmask_by_masker(mask: bytes, data: bytes | memoryview) -> bytes:
    return bytes(_create_xor_masker(mask, len(data)).process(bytes(data)))


class EngineUser(Protocol):
    """What an engine reports to."""

    def engine_opening(self) -> Deferred[str | None]:
        """Take note that the handshake is valid; the result fires with its subprotocol."""

    def engine_refusal(self, status: int, why: str) -> None:
        """Take note that the handshake is not valid."""

    def engine_write(self, data: bytes) -> None:
        """Write ``data``."""

    def engine_message(self, data: bytes, is_text: bool) -> None:
        """Take a message."""

    def engine_ping(self, payload: bytes) -> None:
        """Take a ping, to be answered by a pong."""

    def engine_dropped(self) -> None:
        """Take note that Autobahn is through with the connection: the closing handshake is complete."""


class _Quiet:
    """A logger that says nothing: what is worth a line, the connection says itself."""

    def nothing(self, *_args: object, **_fields: object) -> None:
        """Say nothing."""

    trace = debug = info = warn = error = critical = failure = nothing


class _Nowhere:
    """The transport of an engine: nothing, for the engine's user writes and closes."""

    disconnecting = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Do nothing: the listener's sockets have it set."""

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Do nothing: the connection is the producer."""

    def unregisterProducer(self) -> None:
        """Do nothing."""


class Engine(WebSocketServerProtocol):
    """One Autobahn server protocol, fed and heard by its ``user``, never by a transport."""

    # An option that is set already is not copied from the factory: Engines sets all of them on a class, which
    # keeps thirty references out of each instance and a printed table of them out of each start.
    CONFIG_ATTRS: ClassVar[list[str]] = []  # type: ignore[misc] # not annotated as one there
    log = _Quiet()

    user: EngineUser | None = None
    prefix = b""  # status line and headers to write in place of Autobahn's status line
    last_word = b""  # the close frame of a connection that was failed, which its user writes
    later_code = 0  # of the client's close frame, where Autobahn does not know it

    def onConnect(self, _request: ConnectionRequest) -> Any:
        """Let the user decide on a handshake that is valid."""
        return None if self.user is None else self.user.engine_opening()

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        """Refuse a handshake; a version that is not spoken is 426 (RFC 6455 4.2.2, RFC 9110 15.5.22)."""
        self.state = self.STATE_CLOSED
        if self.user is not None:
            self.user.engine_refusal(426 if responseHeaders else code, reason)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: ARG002
        """Give the user what is to be written; a handshake's answer begins as the user wants."""
        if self.prefix:
            data = self.prefix + data[data.index(b"\r\n") + 2 :]
            self.prefix = b""
        if self.failedByMe:
            self.last_word = data
        elif self.user is not None:
            self.user.engine_write(data)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool | None:
        """Take a close frame; 1014 is as valid as its neighbours."""
        if code == _BAD_GATEWAY:
            self.later_code, code = code, _STANDS_FOR_IT
        return super().onCloseFrame(code, reasonRaw)  # type: ignore[arg-type]

    def sendCloseFrame(self, code: Any = None, reasonUtf8: Any = None, isReply: bool = False) -> None:
        """Send a close frame: a reply has the client's code."""
        if isReply and self.later_code:
            code = self.later_code
        super().sendCloseFrame(code, reasonUtf8, isReply)

    def onMessageFrameData(self, payload: bytes) -> None:
        """Keep a piece of a fragment."""
        if not self.failedByMe:
            _keep(self.frame_data, payload)

    def onMessageFrame(self, payload: Any) -> None:
        """Keep the pieces of a fragment."""
        if not self.failedByMe:
            for piece in payload:
                _keep(self.message_data, piece)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Give the user a message."""
        if self.user is not None:
            self.user.engine_message(payload, not isBinary)

    def onPing(self, payload: bytes) -> None:
        """Give the user a ping."""
        if self.user is not None:
            self.user.engine_ping(payload)

    def dropConnection(self, abort: bool = False) -> None:  # noqa: ARG002
        """Tell the user that this is over; it decides how the connection is closed."""
        if self.state != self.STATE_CLOSED:
            self.state = self.STATE_CLOSED
            if self.later_code:
                self.remoteCloseCode = self.later_code
            if self.user is not None:
                self.user.engine_dropped()

    def shake(self, head: bytes) -> None:
        """Take a request's head: the handshake."""
        self.data = head
        self.processHandshake()

    def feed(self, data: bytes) -> None:
        """Take one frame, its head whole, or a piece of the payload of one that has begun."""
        self.data = data
        while self.processData():
            if self.failedByMe or self.state == self.STATE_CLOSED:
                break
        if self.failedByMe:
            self.data = b""

    @property
    def resting(self) -> bool:
        """Whether nothing is under way, so that the engine may serve another connection."""
        return (
            self.state == self.STATE_OPEN
            and self.current_frame is None
            and not self.inside_message
            and not self.data
            and not self.failedByMe
        )


def _keep(pieces: list[bytes], piece: bytes) -> None:
    """Keep a piece of a message.

    Each in the list costs 40 bytes beside its own, and no limit bounds how many there are: of an empty one
    nothing is kept, and short ones are joined.
    """
    if pieces and len(pieces[-1]) < _BLOCK_BYTES:
        pieces[-1] += piece
    elif piece:
        pieces.append(piece)


class Engines:
    """The engines of one listener."""

    def __init__(self, options: WebSocketOptions) -> None:
        factory = WebSocketServerFactory(server="", reactor=object())  # type: ignore[no-untyped-call]
        factory.setProtocolOptions(  # type: ignore[no-untyped-call]
            versions=[13],
            webStatus=False,
            maxFramePayloadSize=options.frame_bytes,
            maxMessagePayloadSize=options.message_bytes,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=0,  # all three timeouts are the sweep's
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            allowNullOrigin=True,
        )
        values = {name: getattr(factory, name) for name in WebSocketServerProtocol.CONFIG_ATTRS}
        accept = staticmethod(values.pop("perMessageCompressionAccept"))
        self._kind = type("Engine", (Engine,), {**values, "perMessageCompressionAccept": accept})
        self._factory = factory
        self._resting: list[Engine] = []

    def new(self, user: EngineUser) -> Engine:
        """Return an engine that waits for its user's handshake."""
        engine = self._make()
        engine.user = user
        return engine

    def lend(self, user: EngineUser) -> Engine:
        """Return an engine whose WebSocket is open."""
        if self._resting:
            engine = self._resting.pop()
        else:
            engine = self._make()
            engine.shake(_OPENING)
        engine.user = user
        return engine

    def give_back(self, engine: Engine) -> None:
        """Take an engine that is at rest."""
        engine.user = None
        if len(self._resting) < _KEPT:
            self._resting.append(engine)

    def _make(self) -> Engine:
        engine: Engine = self._kind()
        engine.factory = self._factory
        engine.makeConnection(_Nowhere())  # type: ignore[no-untyped-call]
        return engine
