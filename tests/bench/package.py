"""What a start costs from the deb, against the same asgid in a virtual environment (``run.py --deb FILE``).

In a mount namespace of the run's own the deb lies where it is installed to, and the virtual environment
beside it, on the same file system; nothing of either is left. Needs root.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import alone
import peers

if TYPE_CHECKING:
    from pathlib import Path

    from measures import Bench

ENTERED = "ASGID_BENCH_DEB"
PYTHON = "/usr/bin/python3"  # the package's, by its interpreter's link
RUNS = 5  # of each, of which the least counts
TREE = peers.HERE.parent.parent

IN_PLACE = """
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/deb"
dpkg-deb -x "$0" "$work/deb"
for place in lib bin; do
    mkdir "$work/$place" "$work/$place.work"
    options=upperdir=$work/$place,workdir=$work/$place.work
    mount -t overlay overlay -o "lowerdir=/usr/$place,$options" "/usr/$place"
done
rm -rf /usr/lib/asgid
cp -a "$work/deb/usr/lib/asgid" /usr/lib/
cp -a "$work/deb/usr/bin/asgid" /usr/bin/
rm -r "$work/deb"
exec "$@"
"""


def enter(deb: Path) -> None:
    """Begin the run again in a mount namespace that has the deb; there, make the virtual environment."""
    if ENTERED not in os.environ:
        _execute(deb)
    pip = [peers.VIRTUALENV / "bin" / "pip", "install", "-qqq", "--disable-pip-version-check", "--no-deps"]
    lock = TREE / "packaging" / "lock" / "requirements.lock"
    for command in (
        [PYTHON, "-m", "venv", peers.VIRTUALENV],
        [*pip, "--require-hashes", "-r", lock],
        [*pip, TREE],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _execute(deb: Path) -> NoReturn:
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", IN_PLACE, str(deb.resolve())]
    os.execvpe(command[0], [*command, sys.executable, *sys.argv], os.environ | {ENTERED: "1"})


_turns = itertools.count()


def serving(_name: str, bench: Bench) -> float:
    """How many times as long the first answer of the package takes as the virtual environment's."""
    return _compared("package", "virtualenv", lambda name: _first_answer(name, bench))


def version(_name: str, bench: Bench) -> float:
    """How many times as long ``asgid --version`` of the package takes as ``python3 -c pass``."""
    commands = {"package": [str(peers.PACKAGE), "--version"], "python": [PYTHON, "-c", "pass"]}
    return _compared("package", "python", lambda name: alone.took(commands[name], bench))


def _compared(one: str, other: str, measure) -> float:
    """The least of several by turns: what runs second finds more in the caches, so each is second in turn."""
    found = {one: [], other: []}
    for _ in range(RUNS):
        for name in (one, other) if next(_turns) % 2 else (other, one):
            found[name].append(measure(name))
    return min(found[one]) / min(found[other])


def _first_answer(name: str, bench: Bench) -> float:
    with bench.serving(name, "hello") as server:
        return server.first_answer_s
