"""From a file to a document: bytes, UTF-8, TOML, and the true place of a mistake in each."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.diagnostics import Diagnostic
from asgid.config.document import Document, dotted
from asgid.config.places import Place
from asgid.config.scan import ScanError, Scanner

if TYPE_CHECKING:
    import os

BOM = b"\xef\xbb\xbf"


def read(path: str | os.PathLike[str]) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Read and parse the file at ``path``. Never raises for what the file is."""
    name = str(path)
    try:
        directory = Path(path).absolute().parent
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        found = Diagnostic(
            codes.UNREADABLE,
            "error",
            f"the file cannot be read: {reason}",
            Place(name),
            help=_unreadable_help(error),
        )
        return Document(name, Path.cwd()), (found,)
    return from_bytes(name, directory, data)


def _unreadable_help(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "name a file that exists; `asgid lint FILE` checks one"
    if isinstance(error, PermissionError):
        return "let the user that asgid runs as read the file and its directories"
    if isinstance(error, IsADirectoryError):
        return "name the file itself, not its directory"
    return ""


def from_bytes(name: str, directory: Path, data: bytes) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Parse ``data``, the contents of the file ``name`` in ``directory``."""
    data = data.removeprefix(BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(name, directory, data, error)
    text = text.replace("\r\n", "\n")  # as tomllib does: lines and columns stay what they are
    document = Document(name, directory, text)
    if long := _LONG_KEY.search(text):
        start, end = long.span()
        message = "the key has more parts than anything of this language"
        return document, (document.at_offset(codes.SYNTAX, message, "", start, end),)
    if "\r" in text and "\n" not in text.strip("\r\n"):
        start = text.index("\r")
        message, advice = "not TOML: lines end with a carriage return alone", "save the file with LF or CRLF"
        return document, (document.at_offset(codes.SYNTAX, message, advice, start, start + 1),)
    try:
        values = tomllib.loads(text)
    except RecursionError:
        return document, (_too_deep(document),)
    except ValueError as error:
        return document, (_syntax(document, error),)
    return Document(name, directory, text, values), ()


_LONG_KEY = re.compile(
    r"""^[ \t]*\[{0,2}[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
    r"""(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')){1000,}""",
    re.MULTILINE,
)
"""A key of so many parts that the time and memory its tables take is what somebody is after."""


def _too_deep(document: Document) -> Diagnostic:
    """Return that arrays or inline tables are nested deeper than Python follows, at the outermost one."""
    scanner = Scanner(document.text)
    with suppress(ScanError, RecursionError):
        scanner.run()
    start = scanner.opened[0] if scanner.opened else scanner.value_start
    message = "arrays or inline tables are nested too deeply here"
    return document.at_offset(codes.SYNTAX, message, "", start, start + 1)


def _not_utf8(
    name: str, directory: Path, data: bytes, error: UnicodeDecodeError
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Say where the first byte stands that is no UTF-8; the line is shown with U+FFFD for what is not."""
    text = data[: error.start].decode("utf-8").replace("\r\n", "\n")
    rest = data[error.start :].split(b"\n", 1)[0].decode("utf-8", "replace")
    document = Document(name, directory, text + rest.removesuffix("\r"))
    offset = len(text)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        advice = "it looks like UTF-16: save it as UTF-8"
    else:
        advice = "save the file as UTF-8"
    message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} ({error.reason})"
    found = document.at_offset(codes.NOT_UTF8, message, advice, offset, offset + 1)
    return Document(name, directory), (found,)


_WORD = re.compile(r"[^\s\"'\[\]{}#,=]+")
_COORDINATES = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


def _syntax(document: Document, error: ValueError) -> Diagnostic:
    """Return where TOML goes wrong: tomllib's place, or where the mistake began when that is elsewhere."""
    message = str(error)
    offset = len(document.text)
    match = _COORDINATES.search(message)
    if match:
        message = message[: match.start()]
        if match[1]:
            offset = _offset(document, int(match[1]), int(match[2]))
    scanner = Scanner(document.text[: offset + 1])
    with suppress(ScanError, RecursionError):
        scanner.run()
    return _explain(document, scanner, message, offset, known=match is not None)


def _offset(document: Document, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = document.text.index("\n", start) + 1
    return start + column - 1


_REPEATS = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")


def _explain(document: Document, scanner: Scanner, message: str, offset: int, *, known: bool) -> Diagnostic:
    text = document.text
    if message.startswith(_REPEATS):
        return _repeated(document, scanner, offset)
    value = text[scanner.value_start : scanner.value_start + 3]
    cut = text[offset : offset + 1] in {"", "\n"}
    if (
        cut
        and value[:1] in {'"', "'"}
        and message.startswith(("Illegal character", "Expected", "Unterminated"))
    ):
        advice = "a string of one line ends on that line; one of several lines stands in three quotes"
        return document.at_offset(
            codes.SYNTAX, "the string is not closed", advice, scanner.value_start, scanner.value_start + 1
        )
    if offset >= len(text) and scanner.opened:
        start = scanner.opened[-1]
        kind = "array" if text[start] == "[" else "inline table"
        return document.at_offset(codes.SYNTAX, f"the {kind} is not closed", "", start, start + 1)
    bare = _bare_word(text, scanner.value_start, offset)
    if bare and message.startswith(("Expected newline", "Unclosed")):
        found = f"not TOML: {bare} is neither a number nor a date"
        start = scanner.value_start
        quoted = f'"{bare}"'
        return document.at_offset(codes.SYNTAX, found, _in_quotes(bare), start, start + len(bare), fix=quoted)
    if message.startswith("Invalid value") and (bare := _unquoted(text, offset, inside=bool(scanner.opened))):
        return _text(document, bare, offset, str(scanner.statement[-1]))
    line = text[scanner.value_start :].split("\n", 1)[0].split("#", 1)[0].rstrip()
    if message.startswith("Expected newline") and re.fullmatch(r"[\w.:/+-]+(?: [\w.:/+-]+)+", line):
        found = f"not TOML: {line} is neither a number nor a date"
        start = scanner.value_start
        return document.at_offset(
            codes.SYNTAX, found, _in_quotes(line), start, start + len(line), fix=f'"{line}"'
        )
    if message.startswith("Unclosed"):
        message = "a comma is missing, or the end of the list"
    if message.startswith("Unescaped"):
        offset = text.rindex("\\", 0, offset)
    if not known:  # a ValueError of int(), which takes no more than 4300 digits: tomllib gives no place
        offset = next(
            (span.start for span in scanner.map.values.values() if _is_refused(text[span.start : span.end])),
            scanner.value_start,
        )
    advice = _advice(text, message, offset)
    return document.at_offset(codes.SYNTAX, f"not TOML: {_lower(message)}", advice, offset, offset + 1)


def _is_refused(value: str) -> bool:
    try:
        tomllib.loads(f"v = {value}")
    except tomllib.TOMLDecodeError:
        return False
    except ValueError:
        return True
    return False


def _bare_word(text: str, start: int, offset: int) -> str:
    """Return the unquoted word from ``start``, where ``offset`` stands inside it and not at its start."""
    match = _WORD.match(text, start)
    return match[0] if match and start < offset < match.end() else ""


def _in_quotes(text: str) -> str:
    return f"text stands in quotes: {_quoted(text)}"


def _quoted(text: str) -> str:
    return f"'{text}'" if "\\" in text else f'"{text}"'


def _unquoted(text: str, offset: int, *, inside: bool) -> str:
    """Return the text at ``offset`` that lacks its quotes, where nothing but that can be wrong with it.

    ``inside`` a list or an inline table it is one word, else what stands up to a comment.
    """
    match = (_ELEMENT if inside else _VALUE).match(text, offset)
    return match[0] if match and match[0].isprintable() and match[0][0] != "=" else ""


_VALUE = re.compile(r"""[^\s"'\[\]{}#,]+(?:[ ][^\s"'\[\]{}#,=]+)*(?=[ \t]*(?:\n|\Z|\#))""")
_ELEMENT = re.compile(_WORD.pattern + r"(?=[ \t]*(?:[,\]}\n#]|\Z))")
"""A value without quotes from its beginning to its line's end; an = stands only in its first word."""

_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_NOTHING = frozenset({"none", "null", "nil", "undefined", "nan", "inf"})
_WORDS = {"lifespan": {"on", "off"}, "forwarded": {"none"}, "protocol": {"none"}, "client_auth": {"none"}}
"""Keys that take such a word as text."""


def _text(document: Document, bare: str, offset: int, key: str) -> Diagnostic:
    """Return that a value lacks its quotes, with the fix, but where it may have been meant as no text."""
    end, word = offset + len(bare), bare.lower()
    advice, fix = _in_quotes(bare), _quoted(bare)
    if bare not in _WORDS.get(key, ()):
        if word in _BOOLEANS:
            meant = _BOOLEANS[word]
            message = f"not TOML: {bare} is neither true nor false"
            return document.at_offset(codes.SYNTAX, message, f"write {meant}", offset, end, fix=meant)
        if word in _NOTHING:
            advice, fix = f"{advice}; for the default leave the key out", ""
    return document.at_offset(codes.SYNTAX, f"not TOML: {bare} has no quotes", advice, offset, end, fix=fix)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _repeated(document: Document, scanner: Scanner, offset: int) -> Diagnostic:
    key = dotted(scanner.statement)
    start = scanner.statement_start
    end = document.text.find("\n", start)
    end = len(document.text) if end < 0 else end
    first = scanner.repeated
    where = f"it stands on line {document.position(first.start)[0]} already" if first else ""
    is_header = document.text.startswith("[", start)
    message = f"the table [{key}] is there twice" if is_header else f"the key {key} is there twice"
    if first is None:
        message = f"{key} is something else already"
    width = offset if not is_header else end
    return document.at_offset(codes.SYNTAX, message, where, start, max(start + 1, min(width, end)))


def _advice(text: str, message: str, offset: int) -> str:
    if message.startswith("Unescaped '\\'"):
        return "in double quotes a backslash is written twice; in single quotes it stands for itself"
    if message.startswith("Invalid value"):
        rest = text[offset:].split("\n", 1)[0].split("#", 1)[0].strip().rstrip(",]}").strip()
        if rest.lower() in {"true", "false"}:
            return f"write {rest.lower()}"
        if rest.startswith("="):
            return "one = stands between a key and its value"
        if rest and rest[0] not in "\"'[{":
            return "text stands in quotes" if re.search("[\"']", rest) else _in_quotes(rest)
        if not rest:
            return "a value is missing after the ="
    if message.startswith("Invalid initial") and text[:offset].endswith(("{", ",")):
        return "an inline table stands on one line"
    if message.startswith("Expected '=' after a key"):
        return "a line is `key = value`, or a table's `[name]`"
    return ""
