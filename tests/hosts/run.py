"""Random configurations on random hosts, for as long as is wanted: ``tests/hosts/run.py --seconds 3600``.

Needs root, for a network namespace. Every case has a number, from which it is drawn again:
``--first 1234 --count 1``. What is wrong is printed with its host and its file; a line of counts is the last.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hosts import cases
from support.namespaces import Namespace


def main() -> int:
    """Make the namespace, and run this again inside of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--count", type=int, default=sys.maxsize, help="so many cases at most")
    parser.add_argument("--seconds", type=float, default=3600.0, help="no more than come in this time")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.first, options.count, options.seconds)
    with Namespace(f"asgid-{uuid.uuid4().hex[:8]}") as made:
        made.wire()
        command = [*made.prefix, sys.executable, *sys.argv, "--inside"]
        return subprocess.run(command, check=False).returncode


def inside(first: int, count: int, seconds: float) -> int:
    """Run cases; return 1 where one was wrong."""
    cases.preload()
    deadline = time.monotonic() + seconds
    ahead = iter(range(first, first + count))

    def numbers() -> int | None:
        return next(ahead, None) if time.monotonic() < deadline else None

    return min(1, cases.run(numbers))


if __name__ == "__main__":
    sys.exit(main())
