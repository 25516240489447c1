"""Imports that other modules make and never use."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def left_out(name: str) -> Iterator[None]:
    """Let an import of the module ``name`` fail meanwhile, unless it was imported before.

    Afterwards it can be imported as ever. Not for use beside threads that import.
    """
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None  # which makes ``import`` raise ModuleNotFoundError (Python reference, 5.3.1)
    try:
        yield
    finally:
        del modules[name]
