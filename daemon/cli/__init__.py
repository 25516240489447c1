"""The command line. Everything is imported by the command that needs it, and only there.

Only this package turns what happened into an exit status: 0, 1, 2, 78, 130 and 143 (see :mod:`.status`).
"""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command that ``arguments`` (``sys.argv`` without its first) say; return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        from asgid.daemon import __version__  # noqa: PLC0415 - and nothing else

        sys.stdout.write(f"asgid {__version__}\n")
        return 0
    gc.disable()  # what is imported stays: a tenth of the start would go into looking for garbage in it
    from asgid.daemon.cli.commands import run  # noqa: PLC0415 - not for the version

    return run(words)
