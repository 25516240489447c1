"""What every step of a build shares: where things are, the commit's time, and how a command is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The distribution's Python, by the name of its program."""

LOCKED = ("--require-hashes", "--only-binary=:all:")
"""How pip installs what is locked: those files and no others, and none that runs code to be built."""

KEPT = ("PIP_", "SSL_", "HTTP", "http")
"""Of the builder's own variables, those that say how packages are reached."""


class BuildError(Exception):
    """Something that a build needs is not as it should be; the message says what to do."""


@dataclass(frozen=True)
class Context:
    """One build.

    ``epoch`` is the time that everything in it gets, in seconds (SOURCE_DATE_EPOCH); ``wheels`` is where the
    locked files are downloaded to.
    """

    tree: Path
    out: Path
    work: Path
    epoch: int
    wheels: Path

    @cached_property
    def version(self) -> str:
        """The version of asgid."""
        text = (self.tree / "pyproject.toml").read_text(encoding="utf-8")
        found = re.search(r'^version = "([^"]+)"', text, re.MULTILINE)
        if found is None:
            raise BuildError("pyproject.toml has no version")
        return found[1]

    @cached_property
    def tools(self) -> Path:
        """The Python of a virtual environment with the locked build tools; made when first asked for."""
        place = self.work / "tools"
        self.run([sys.executable, "-m", "venv", place])
        python = place / "bin" / "python"
        locked = self.tree / "packaging" / "lock" / "tools.lock"
        self._fetch(python, locked)
        self.run([python, "-m", "pip", "install", "-q", *self.offline, "-r", locked])
        return python

    @cached_property
    def report(self) -> Path:
        """What pip says that it would install of the locked packages, with each one's file and metadata."""
        report = self.work / "report.json"
        self.fetch()
        words = ["--dry-run", "--ignore-installed", "--report", report]
        self.run([self.tools, "-m", "pip", "install", "-q", *self.offline, *words, "-r", self.lock])
        return report

    def fetch(self) -> None:
        """See to it that the locked packages are there, for :attr:`offline`."""
        self._fetch(self.tools, self.lock)

    @property
    def offline(self) -> list[object]:
        """What has pip take the locked files, which were fetched already, and no others."""
        return [*LOCKED, "--no-index", "--find-links", self.wheels]

    def _fetch(self, python: Path, locked: Path) -> None:
        """Download what is locked and not in the folder of wheels yet, which other builds may use as well."""
        with (self.wheels / ".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            try:
                words = ["--dry-run", "--ignore-installed", *self.offline]
                self.run([python, "-m", "pip", "install", "-q", *words, "-r", locked])
            except BuildError:
                self.run([python, "-m", "pip", "download", "-q", *LOCKED, "-d", self.wheels, "-r", locked])

    @property
    def lock(self) -> Path:
        """The lock of what asgid needs at run time."""
        return self.tree / "packaging" / "lock" / "requirements.lock"

    @cached_property
    def environment(self) -> dict[str, str]:
        """The environment of every command: whoever builds, wherever and whenever, gives the same."""
        kept = {
            name: text
            for name, text in os.environ.items()
            if name.startswith(("PIP_", "SSL_", "http", "HTTP"))
        }
        return kept | {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": os.environ.get("HOME", "/"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "SOURCE_DATE_EPOCH": str(self.epoch),
            "PYTHONHASHSEED": "0",
        }

    def run(self, command: Sequence[object], cwd: Path | None = None, **more: str) -> str:
        """Run a command and return its output. Raises :class:`BuildError`, with all that it said."""
        words = [str(word) for word in command]
        environment: Mapping[str, str] = self.environment | more
        done = subprocess.run(
            words, cwd=cwd or self.work, env=environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise BuildError(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def epoch_of(tree: Path) -> int:
    """Return SOURCE_DATE_EPOCH, or the time of the commit. Raises :class:`BuildError` without either."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if said.isdecimal():
        return int(said)
    command = ["git", "-c", "safe.directory=*", "-C", str(tree), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError("git cannot tell the commit's time\n  = help: set SOURCE_DATE_EPOCH") from error
    return int(done.stdout)
