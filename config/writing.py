"""Values as a file writes them: durations and sizes with the unit that makes them short."""

from __future__ import annotations

import json
import re
from decimal import Decimal

_BARE = re.compile("[A-Za-z0-9_-]+")
_SIZES = (
    ("GiB", 1024**3), ("GB", 1000**3), ("MiB", 1024**2), ("MB", 1000**2), ("KiB", 1024), ("kB", 1000),
)  # fmt: skip


def duration(seconds: float) -> str:
    """Return seconds as in ``"250ms"``, ``"90s"``, ``"24h"``; read back they are the same."""
    whole = int(seconds)
    if seconds == whole:
        return f"{whole // 3600}h" if whole and whole % 3600 == 0 else f"{whole}s"
    milliseconds = round(seconds * 1000)
    if milliseconds and milliseconds * 0.001 == seconds:
        return f"{milliseconds}ms"
    return f"{Decimal(repr(seconds)):f}s"


def size(count: int) -> str:
    """Return bytes as in ``"8KiB"``, ``"100MB"``; read back they are the same."""
    for unit, each in _SIZES:
        if count and count % each == 0:
            return f"{count // each}{unit}"
    return f"{count}B"


def mode(bits: int) -> str:
    """Return permissions as in ``"0660"``."""
    return f"{bits:04o}"


def string(text: str) -> str:
    """Return text as a basic string of TOML, in double quotes."""
    # JSON's escapes are TOML's too (TOML 1.0, String), but that TOML wants U+007F escaped as well.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """Return a key as TOML writes it: bare where it can be."""
    return name if _BARE.fullmatch(name) else string(name)
