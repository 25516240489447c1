"""Escapes what a client or an application could use to forge lines of a log, or to speak to a terminal."""

from __future__ import annotations

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROL[ord("\n")] = "\\n"
_CONTROL[ord("\r")] = "\\r"
_CONTROL[ord("\t")] = "\\t"
_CONTROL[0x2028] = "\\u2028"
_CONTROL[0x2029] = "\\u2029"

_QUOTED = {**_CONTROL, **{code: f"\\x{code:02x}" for code in range(160, 256)}}
_QUOTED[ord('"')] = '\\"'
_QUOTED[ord("\\")] = "\\\\"


def visible(text: str) -> str:
    r"""Return ``text`` on one line: control characters, and Unicode's line ends, as ``\xNN`` and the like."""
    return text if text.isprintable() else text.translate(_CONTROL)


def quoted(value: bytes) -> str:
    r"""Return bytes from a client as they may stand between double quotes: ASCII, the rest as ``\xNN``.

    Quotes and backslashes are escaped with a backslash, as Apache and nginx do.
    """
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.translate(_QUOTED)
