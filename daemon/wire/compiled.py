"""What of the wire is compiled (``_scan.c``, ``_frames.c``): a function, or None where Python has to do it.

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
    TakeMessage = Callable[[bytes, int, int], tuple[str | bytes, int] | None]
    TakePacked = Callable[[bytes, int, int], tuple[bytes, int] | None]
    PutMessage = Callable[[object], bytes | None]

scan: Scan | None = None
render: Render | None = None
take_message: TakeMessage | None = None
take_packed: TakePacked | None = None
put_message: PutMessage | None = None
if os.environ.get("ASGID_PURE") != "1":
    with contextlib.suppress(ImportError):
        from asgid.daemon.wire._frames import put_message as put_message  # noqa: PLC0414 - in the place of None
        from asgid.daemon.wire._frames import take_message as take_message  # noqa: PLC0414
        from asgid.daemon.wire._frames import take_packed as take_packed  # noqa: PLC0414
        from asgid.daemon.wire._scan import render as render  # noqa: PLC0414
        from asgid.daemon.wire._scan import scan as scan  # noqa: PLC0414
