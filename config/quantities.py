"""Durations, sizes and modes as they are written, and what each of them comes to."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from asgid.config import codes

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)", re.ASCII)
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
LONGEST_S = 10.0 * 366 * 86400
LARGEST_BYTES = 2**60


class RefusedError(ValueError):
    """A value that is not accepted: a code, a sentence, and what to write instead (empty: nothing to say).

    ``message`` is a whole sentence, or goes on after the key's name where it begins with must, is or holds.
    ``part`` is from where up to where it is wrong, in characters of a string; None for all of it. ``written``
    is the whole value as it should read, empty where that is not known. ``fix`` is the TOML that can stand in
    the value's place without a decision: nothing else could have been meant. ``others`` are what else is
    wrong with the same value.
    """

    def __init__(
        self,
        code: str,
        message: str,
        advice: str = "",
        *,
        part: tuple[int, int] | None = None,
        written: str = "",
        fix: str = "",
        others: Sequence[RefusedError] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = advice
        self.part = part
        self.written = written
        self.fix = fix
        self.others = others


def written_character(character: str) -> str:
    """Return a character as TOML writes it between double quotes."""
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    number = ord(character)
    return "\\n" if character == "\n" else f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


def found(value: object) -> str:
    """Say what ``value`` is, in a file's own words: ``the string "8000"``, ``the number 5``, ``a table``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        shown = value if len(value) <= 60 else f"{value[:57]}..."
        return f'the string "{"".join(map(written_character, shown))}"'
    if isinstance(value, (int, float)):
        return f"the number {value!r:.60}"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    return "a date or time" if value is not None else "nothing"


def duration(value: object) -> float:
    """Return the seconds of ``"30s"``, ``"250ms"``, or a number of them. Raises :class:`RefusedError`."""
    advice = 'write it as in "30s", "250ms", "5m", "2h", or as a number of seconds'
    if isinstance(value, str):
        number, unit = _taken_apart(value, codes.BAD_DURATION, "a duration", advice)
        if unit not in SECONDS:
            advice, fix = _unit_advice(number, unit, "s")
            raise RefusedError(codes.BAD_DURATION, _no_unit("a duration", value, unit), advice, fix=fix)
        seconds = float(number) * SECONDS[unit]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = _as_float(value)
    else:
        raise RefusedError(codes.WRONG_TYPE, f"must be a duration, not {found(value)}", advice)
    if not 0 <= seconds <= LONGEST_S:
        raise RefusedError(codes.BAD_DURATION, f"{found(value)} is no duration from 0 to ten years", advice)
    return seconds


def size(value: object) -> int:
    """Return the bytes of ``"64KiB"``, ``"16MB"`` or a number of bytes. Raises :class:`RefusedError`."""
    advice = 'write it as in "64KiB", "16MB", or as a number of bytes'
    if isinstance(value, str):
        number, unit = _taken_apart(value, codes.BAD_SIZE, "a size", advice)
        if unit not in BYTES:
            raise RefusedError(codes.BAD_SIZE, _no_unit("a size", value, unit), _size_advice(number, unit))
        count = round(float(number) * BYTES[unit]) if "." in number else int(number[:40]) * BYTES[unit]
    elif isinstance(value, int) and not isinstance(value, bool):
        count = value
    else:
        raise RefusedError(codes.WRONG_TYPE, f"must be a size, not {found(value)}", advice)
    if not 0 <= count <= LARGEST_BYTES:
        raise RefusedError(codes.BAD_SIZE, f"{found(value)} is no size from 0 to 1 EiB", advice)
    return count


def mode(value: object) -> int:
    """Return the bits of ``"0660"``. Raises :class:`RefusedError`, for numbers too: TOML's are decimal."""
    if isinstance(value, str) and re.fullmatch("0?[0-7]{3}", value):
        return int(value, 8)
    if isinstance(value, str):
        raise RefusedError(
            codes.BAD_MODE,
            f"{found(value)} is no file mode from 0000 to 0777",
            'write it in octal, as in "0660"',
        )
    raise RefusedError(codes.BAD_MODE, f"must be a string, not {found(value)}")


def workers(value: object) -> int | str:
    """Return a number of processes, or ``auto``."""
    if value == "auto":
        return "auto"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise RefusedError(codes.BAD_VALUE, f'must be a number from 1 or "auto", not {found(value)}')


def _taken_apart(value: str, code: str, what: str, advice: str) -> tuple[str, str]:
    match = _QUANTITY.fullmatch(value)
    if match is None:
        raise RefusedError(code, f"{found(value)} is not {what}", advice)
    return match[1], match[2]


def _no_unit(what: str, value: str, unit: str) -> str:
    if unit:
        return f"{found(value)} is not {what}: there is no unit {unit!r}"
    return f"{found(value)} is not {what}: it has no unit"


def _unit_advice(number: str, unit: str, default: str) -> tuple[str, str]:
    """Return what to write, and the same as a fix where only the unit's spelling is wrong."""
    if not unit:
        return f'write "{number}{default}"', ""
    guess = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m"}
    guess |= {"minutes": "m", "hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "msec": "ms"}
    meant = guess.get(unit.lower(), unit.lower())
    if meant not in SECONDS:
        return "the units are ms, s, m, h and d", ""
    certain = unit.lower() in guess  # of M nobody knows whether it is minutes or months
    return f'write "{number}{meant}"', f'"{number}{meant}"' if certain else ""


def _size_advice(number: str, unit: str) -> str:
    if not unit:
        return f'write {number}, or a unit: "{number}KiB"'
    for known in ("B", "KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "TB"):
        if unit.lower() in {known.lower(), known.lower().removesuffix("b"), known.lower().removesuffix("ib")}:
            return f'write "{number}{known}"'
    return "the units are B, KB, MB, GB, TB and KiB, MiB, GiB, TiB"


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
