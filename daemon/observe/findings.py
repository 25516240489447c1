"""Findings on standard error, in the one shape that they have everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.observe.streams import write_err

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgid.config import Diagnostic


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings on standard error; where that is the journal, each with its priority."""
    found = tuple(diagnostics)
    if not found:
        return
    from asgid.config import render_text  # noqa: PLC0415 - a clean file needs none of it
    from asgid.daemon.observe import journal  # noqa: PLC0415 - it imports logging

    if journal.is_read():
        text = "".join(
            journal.marked(render_text([each]), journal.PRIORITIES[each.severity]) for each in found
        )
    else:
        text = render_text(found)
    write_err(text)
