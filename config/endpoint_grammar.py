r"""The grammar of endpoint strings: arguments separated by ``:``, ``=`` for keywords, a backslash to escape.

It is that of ``twisted.internet.endpoints.serverFromString``, character for character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes

if TYPE_CHECKING:
    from collections.abc import Iterator


class EndpointSyntaxError(ValueError):
    """A string that is no endpoint.

    ``offset`` (0-based) is where in the string; ``suggestion`` is a string that would do, or empty;
    it is ``certain`` where nothing else could have been meant. ``help`` says in words what to do; ``code`` is
    from :mod:`asgid.config.codes`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        offset: int = 0,
        suggestion: str = "",
        advice: str = "",
        certain: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.offset = offset
        self.suggestion = suggestion
        self.certain = certain
        self.help = advice or (f"write {suggestion}" if suggestion else "")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint string, taken apart: its kind, its positional arguments and its keywords, unescaped."""

    kind: str
    args: tuple[str, ...] = ()
    kwargs: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [quote_positional(self.kind), *map(quote_positional, self.args)]
        parts += [f"{quote_positional(key)}={quote(value)}" for key, value in self.kwargs]
        return ":".join(parts)


class Token(NamedTuple):
    """One argument of a string: where it starts, its keyword (None: positional) and its value, unescaped."""

    start: int
    key: str | None
    value: str
    value_start: int


def quote(value: str) -> str:
    r"""Return ``value`` as a keyword's value: ``\`` and ``:`` escaped, as ``quoteStringArgument`` does."""
    return value.replace("\\", "\\\\").replace(":", "\\:")


def quote_positional(value: str) -> str:
    """Return ``value`` as a positional argument or a keyword's name, where ``=`` must be escaped too."""
    return quote(value).replace("=", "\\=")


def tokenize(text: str) -> Iterator[Token]:
    """Take ``text`` apart as Twisted does. Raises :class:`EndpointSyntaxError` for a trailing backslash."""
    start = value_start = position = 0
    key: str | None = None
    current: list[str] = []
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
            if position == len(text):
                raise EndpointSyntaxError(
                    "the string ends in a backslash",
                    code=codes.ENDPOINT_GRAMMAR,
                    offset=position - 1,
                    advice="a backslash escapes the next character; a backslash itself is written \\\\",
                )
            current.append(text[position])
        elif character == ":":
            yield Token(start, key, "".join(current), value_start)
            start = value_start = position + 1
            key, current = None, []
        elif character == "=" and key is None:
            key, current = "".join(current), []
            value_start = position + 1
        else:
            current.append(character)
        position += 1
    yield Token(start, key, "".join(current), value_start)
