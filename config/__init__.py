"""The configuration language: documents, models, diagnostics, endpoint strings and the plan.

>>> loaded = load("listeners.toml")                       # doctest: +SKIP
>>> plan(loaded.config, host)                             # doctest: +SKIP

Importing this package is cheap: what it offers is imported when it is first asked for, and pydantic only when
something is validated.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgid.config.diagnostics import Diagnostic, render_json, render_text
    from asgid.config.document import Document
    from asgid.config.host import HostView
    from asgid.config.loading import Config, Loaded, load, load_values
    from asgid.config.planning import plan
    from asgid.config.spec import ListenerSpec, Place, Plan

__all__ = [
    "Config",
    "Diagnostic",
    "Document",
    "HostView",
    "ListenerSpec",
    "Loaded",
    "Place",
    "Plan",
    "load",
    "load_values",
    "plan",
    "render_json",
    "render_text",
]

_HOMES = {
    "Config": "loading",
    "Diagnostic": "diagnostics",
    "Document": "document",
    "HostView": "host",
    "ListenerSpec": "spec",
    "Loaded": "loading",
    "Place": "places",
    "Plan": "spec",
    "load": "loading",
    "load_values": "loading",
    "plan": "planning",
    "render_json": "diagnostics",
    "render_text": "diagnostics",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
