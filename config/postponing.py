"""Imports that other packages make and never use, or use much later."""

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
def put_off(name: str, *functions: str, needs: str = "") -> Iterator[None]:
    """Let an import of the module ``name`` give a stand-in meanwhile, unless it was imported before.

    ``functions`` of it, or classes that are only called, can be imported from the stand-in: the first call
    imports the module. Whatever else is asked of the stand-in imports it at once. Where the module ``needs``
    cannot be found the import is any other, and may fail. Not for use beside threads that import.
    """
    modules = sys.modules
    if name in modules or (needs and find_spec(needs) is None):
        yield
        return
    stand_in = modules[name] = _stand_in(name, functions)
    try:
        yield
    finally:
        if modules[name] is stand_in:
            del modules[name]


def _stand_in(name: str, functions: tuple[str, ...]) -> ModuleType:
    stand_in = ModuleType(name)

    def ask(attribute: str) -> Any:
        if attribute.startswith(
            "__"
        ):  # the import system's: __path__ would be of a package, and it is none yet
            raise AttributeError(f"module {name!r} has no attribute {attribute!r} yet")
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    def later(function: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            return ask(function)(*arguments, **options)

        return call

    vars(stand_in).update({function: later(function) for function in functions}, __getattr__=ask)
    return stand_in
