"""What the probe application saw, for a test to wait for, and signals that a test gives it."""

from __future__ import annotations

import asyncio

_log: list[str] = []
_changed: asyncio.Condition | None = None


def _condition() -> asyncio.Condition:
    global _changed  # noqa: PLW0603 - made once, on the loop that serves
    if _changed is None:
        _changed = asyncio.Condition()
    return _changed


async def record(event: str) -> None:
    """Write an event down and wake whoever waits for it."""
    async with _condition():
        _log.append(event)
        _condition().notify_all()


async def wait(start: str) -> str:
    """Wait for an event that starts so, and return it."""
    async with _condition():
        await _condition().wait_for(lambda: any(event.startswith(start) for event in _log))
        return next(event for event in _log if event.startswith(start))


def seen() -> list[str]:
    """Every event so far."""
    return list(_log)
