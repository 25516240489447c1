"""Values as a file writes them: durations and sizes with the unit that makes them short."""

from __future__ import annotations

_SIZES = (
    ("GiB", 1024**3), ("GB", 1000**3), ("MiB", 1024**2), ("MB", 1000**2), ("KiB", 1024), ("kB", 1000),
)  # fmt: skip


def duration(seconds: float) -> str:
    """Return seconds as in ``"250ms"``, ``"90s"``, ``"24h"``; read back they are the same."""
    milliseconds = round(seconds * 1000)
    if milliseconds % 1000 and milliseconds / 1000 == seconds:
        return f"{milliseconds}ms"
    if seconds != int(seconds):
        return f"{seconds:f}".rstrip("0") + "s"
    whole = int(seconds)
    if whole >= 3600 and whole % 3600 == 0:
        return f"{whole // 3600}h"
    return f"{whole}s"


def size(count: int) -> str:
    """Return bytes as in ``"8KiB"``, ``"100MB"``; read back they are the same."""
    for unit, each in _SIZES:
        if count and count % each == 0:
            return f"{count // each}{unit}"
    return f"{count}B"


def mode(bits: int) -> str:
    """Return permissions as in ``"0660"``."""
    return f"{bits:04o}"
