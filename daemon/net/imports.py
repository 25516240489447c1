"""Imports that other modules make and never use, or use much later."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
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


@contextmanager
def put_off(name: str, needs: str, *functions: str) -> Iterator[None]:
    """Let an import of the module ``name`` give a stand-in meanwhile, unless it was imported before.

    The stand-in has ``functions``, or classes that are only called: the first call imports the module. Where
    ``needs`` cannot be found the import is any other, and may fail. Not for use beside threads that import.
    """
    modules = sys.modules
    if name in modules or find_spec(needs) is None:
        yield
        return
    stand_in = ModuleType(name)
    for function in functions:
        setattr(stand_in, function, _later(name, function))
    modules[name] = stand_in
    try:
        yield
    finally:
        del modules[name]


def _later(name: str, function: str) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(import_module(name), function)(*arguments, **options)

    return call
