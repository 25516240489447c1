"""Limits and timeouts that contradict each other, among the values that the file itself sets.

A default contradicts nothing: who writes one of two values cannot be blamed for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asgid.config import codes
from asgid.config.document import dotted
from asgid.config.quantities import RefusedError, duration, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.scan import Key


class _Pair(NamedTuple):
    """Two keys, and when they contradict each other: ``{0}`` and ``{1}`` in the sentence are their values."""

    code: str
    one: tuple[str, str]
    other: tuple[str, str]
    read: Callable[[Any], Any]
    wrong: Callable[[Any, Any], bool]
    message: str
    advice: str


def _plain(value: object) -> object:
    return value


def _above(one: float, other: float) -> bool:
    """Tell whether ``one`` is above ``other``, where neither is zero: no limit."""
    return one > other > 0


def _given_and_off(one: float, other: float) -> bool:
    return one > 0 and not other


_DRAIN = ("timeouts", "drain")
_PAIRS = (
    _Pair(
        codes.TIMEOUT_ABOVE_DRAIN, ("timeouts", "request_body"), _DRAIN, duration, _above,
        "request_body is {0}, and at a stop everything is cut after {1}: drain",
        "let drain be the longest of them, so that a slow upload may end",
    ),
    _Pair(
        codes.TIMEOUT_ABOVE_DRAIN, ("timeouts", "response_write"), _DRAIN, duration, _above,
        "response_write is {0}, and at a stop everything is cut after {1}: drain",
        "let drain be the longest of them, so that a slow download may end",
    ),
    _Pair(
        codes.TIMEOUT_ABOVE_DRAIN, ("timeouts", "application"), _DRAIN, duration, _above,
        "application is {0}, and at a stop everything is cut after {1}: drain",
        "let drain be the longest of them, so that a long request may end",
    ),
    _Pair(
        codes.FRAME_ABOVE_MESSAGE, ("websocket", "frame_size"), ("websocket", "message_size"), size, _above,
        "frame_size is {0}, and no message may have more than {1}: message_size",
        "a message has one frame at least, so that frame_size is message_size at most",
    ),
    _Pair(
        codes.PING_TIMEOUT_WITHOUT_PINGS, ("websocket", "ping_timeout"), ("websocket", "ping_interval"),
        duration, _given_and_off,
        "ping_timeout is {0}, and with ping_interval {1} no ping is sent that could be answered",
        "leave ping_timeout out, or write a ping_interval",
    ),
    _Pair(
        codes.THRESHOLD_WITHOUT_COMPRESSION, ("websocket", "compression_threshold"),
        ("websocket", "compression"), _plain, lambda _, compression: compression is False,
        "compression_threshold is {0}, and with compression {1} no message is compressed",
        "leave compression_threshold out",
    ),
    _Pair(
        codes.PINGS_BEYOND_LIFETIME, ("websocket", "ping_interval"), ("websocket", "lifetime"),
        duration, _above,
        "ping_interval is {0}, and no connection lives longer than {1}: no ping is ever sent",
        "write a shorter ping_interval, or 0 for no pings",
    ),
    _Pair(
        codes.CONCURRENCY_ABOVE_CONNECTIONS, ("limits", "concurrency"), ("limits", "connections"),
        _plain, lambda one, other: isinstance(one, int) and isinstance(other, int) and _above(one, other),
        "concurrency is {0}, and no more than {1} connections have a request each: connections",
        "write a concurrency below connections, or leave it out",
    ),
)  # fmt: skip


def check(document: Document) -> Iterator[Diagnostic]:
    """Yield each contradiction once: for all listeners where both values are, else in the listener."""
    listeners = document.values.get("listeners")
    listeners = listeners if isinstance(listeners, dict) else {}
    for pair in _PAIRS:
        yield from _at(document, pair, ((*pair.one,), (*pair.other,)), listeners)


def _at(
    document: Document, pair: _Pair, general: tuple[Key, Key], listeners: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    everywhere = not listeners
    for name, listener in listeners.items():
        own: list[Key] = [("listeners", name, *key) for key in general]
        found = [_is_there(document, key) for key in own]
        if not any(found):
            everywhere = everywhere or isinstance(listener, dict)
            continue
        keys = [mine if there else key for mine, there, key in zip(own, found, general, strict=True)]
        yield from _contradiction(document, pair, keys[0], keys[1], at=own[found.index(True)])
    if everywhere:
        yield from _contradiction(document, pair, *general, at=general[0])


def _contradiction(document: Document, pair: _Pair, one: Key, other: Key, *, at: Key) -> Iterator[Diagnostic]:
    if not _is_there(document, one) or not _is_there(document, other):
        return
    try:
        wrong = pair.wrong(pair.read(_value(document, one)), pair.read(_value(document, other)))
    except RefusedError:
        return  # a finding of its own
    if wrong:
        message = pair.message.format(document.written(one), document.written(other))
        second = other if at == one else one
        line = document.place(second).line
        advice = f"{dotted(second)} is on line {line}; {pair.advice}"
        yield document.at_value(pair.code, at, message, advice, severity="warning")


def _is_there(document: Document, key: Key) -> bool:
    return _value(document, key) is not None


def _value(document: Document, key: Key) -> Any:
    value: Any = document.values
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value
