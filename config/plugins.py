"""Keeps pydantic's plugins away from the models of the configuration: they are the application's business."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "PYDANTIC_DISABLE_PLUGINS"


@contextmanager
def without_plugins() -> Iterator[None]:
    """Let pydantic build models without looking for plugins, which reads every distribution (4 ms and up).

    It asks this variable each time it builds a model, and remembers nothing of having been told not to look:
    models that are built later, the application's, have their plugins. The environment is as it was after.
    """
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "__all__"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
