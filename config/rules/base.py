"""What a rule is: a code, how grave what it finds is, a title, and a page, which is its class's docstring."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from asgid.config.diagnostics import Severity

_KNOWN: dict[str, type[Rule]] = {}


class Rule:
    """One rule; what it finds is said where it is found, in the words of the case.

    ``weaker`` are the severities that a finding has in circumstances that the page names, below its usual
    one. A code stands for one rule for ever: two with the same raise ``ValueError``.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity]
    weaker: ClassVar[tuple[Severity, ...]]
    title: ClassVar[str]

    def __init_subclass__(
        cls, *, code: str, severity: Severity, title: str, weaker: tuple[Severity, ...] = ()
    ) -> None:
        cls.code, cls.severity, cls.weaker, cls.title = code, severity, weaker, title
        if code in _KNOWN:
            raise ValueError(f"{code} is {_KNOWN[code].__name__} already")
        _KNOWN[code] = cls

    @classmethod
    def page(cls) -> str:
        """Return the page in Markdown, without a headline."""
        return inspect.cleandoc(cls.__doc__ or "")


def known() -> dict[str, type[Rule]]:
    """Return the rules that are imported, by code and in order."""
    return dict(sorted(_KNOWN.items()))
