"""What of the wire is compiled (``_scan.c``): a function, or None where it has to be done in Python.

There is nothing where there was no C compiler when asgid was installed, and where ``ASGID_PURE=1`` asks for
that.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Headers

    Scan = Callable[[bytes, int], tuple[str, bytes, Headers, bytes, int, bool] | None]
    Render = Callable[[object], tuple[bytes, int, int] | None]

scan: Scan | None = None
render: Render | None = None
if os.environ.get("ASGID_PURE") != "1":
    with contextlib.suppress(ImportError):
        from asgid.daemon.wire._scan import render as render  # noqa: PLC0414 - they take the place of None
        from asgid.daemon.wire._scan import scan as scan  # noqa: PLC0414
