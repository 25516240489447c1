"""The command line. Everything is imported by the command that needs it, and only there.

Only this package turns what happened into an exit status: 0, 1, 2, 78, 130 and 143 (see :mod:`.status`).
"""

from __future__ import annotations

import gc
import sys

from asgid.daemon.observe.streams import OutputError, ensure_open, write_err, write_out

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command that ``arguments`` (``sys.argv`` without its first) say; return the exit status."""
    try:
        ensure_open()
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except OutputError as error:
        write_err(f"asgid: standard output cannot be written: {error}\n")
        return 1
    except KeyboardInterrupt:  # before there is a daemon, which has handlers of its own
        return 130


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        from asgid.daemon import __version__  # noqa: PLC0415 - and nothing else

        write_out(f"asgid {__version__}\n")
        return 0
    gc.disable()  # what is imported stays: a tenth of the start would go into looking for garbage in it
    from asgid.daemon.cli.commands import run  # noqa: PLC0415 - not for the version

    return run(words)
