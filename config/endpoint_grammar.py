r"""The grammar of endpoint strings: arguments separated by ``:``, ``=`` for keywords, a backslash to escape.

It is that of ``twisted.internet.endpoints.serverFromString``, character for character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asgid.config import codes

if TYPE_CHECKING:
    from collections.abc import Iterator


class EndpointSyntaxError(ValueError):
    """A string that is no endpoint.

    ``part`` is from where up to where in the string, 0-based; None for all of it. ``suggestion`` is a string
    that would do, or empty; it is ``certain`` where nothing else could have been meant. ``help`` says what to
    do, in words; ``code`` is from :mod:`asgid.config.codes`. ``others`` are what else is wrong there.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        part: tuple[int, int] | None = None,
        suggestion: str = "",
        advice: str = "",
        certain: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.part = part
        self.suggestion = suggestion
        self.certain = certain
        self.help = advice or (f"write {suggestion}" if suggestion else "")
        self.others: tuple[EndpointSyntaxError, ...] = ()


class Endpoint(NamedTuple):
    """One endpoint string, taken apart: its kind, its positional arguments and its keywords, unescaped."""

    kind: str
    args: tuple[str, ...] = ()
    kwargs: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        parts = [quote_positional(self.kind), *map(quote_positional, self.args)]
        parts += [f"{quote_positional(key)}={quote(value)}" for key, value in self.kwargs]
        return ":".join(parts)


class Token(NamedTuple):
    """One argument of a string: where it is, its keyword (None: positional) and its value, unescaped.

    Both begin at ``start`` where there is no keyword; neither holds the colon behind ``end``.
    """

    start: int
    key: str | None
    value: str
    value_start: int
    end: int

    @property
    def whole(self) -> tuple[int, int]:
        """From where up to where the argument goes; of an empty one the colon before it."""
        return (self.start, self.end) if self.end > self.start else (max(self.start - 1, 0), self.end)

    @property
    def name(self) -> tuple[int, int]:
        """From where up to where its keyword goes."""
        return self.start, self.value_start - 1

    @property
    def written(self) -> tuple[int, int]:
        """From where up to where its value goes; the argument where that is empty."""
        return (self.value_start, self.end) if self.end > self.value_start else self.whole


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
                    part=(position - 1, position),
                    advice="a backslash escapes the next character; a backslash itself is written \\\\",
                )
            current.append(text[position])
        elif character == ":":
            yield Token(start, key, "".join(current), value_start, position)
            start = value_start = position + 1
            key, current = None, []
        elif character == "=" and key is None:
            key, current = "".join(current), []
            value_start = position + 1
        else:
            current.append(character)
        position += 1
    yield Token(start, key, "".join(current), value_start, position)
