"""What the virtual environment's Python runs: asgid itself, its packages last on the path.

Run as a script with ``-P``; the first argument is asgid's own folders (the first of them holds asgid), joined
by the path separator, the second one the module whose ``main`` is run, and the rest is its command line.
Nothing is imported before the path is set.
"""

from __future__ import annotations

import importlib
import os
import sys


def take_over() -> int:
    """Set the path, and run the command line; return the exit status."""
    folders, module = sys.argv.pop(1).split(os.pathsep), sys.argv.pop(1)
    # asgid is the one that was started, whatever asgid the environment may have; all else is the
    # environment's, where it has it.
    sys.path.insert(0, folders[0])
    importlib.import_module("asgid")
    del sys.path[0]
    sys.path.extend(folder for folder in folders if folder not in sys.path)
    sys.argv[0] = "asgid"
    status = importlib.import_module(module).main()
    return int(status)


if __name__ == "__main__":
    sys.exit(take_over())
