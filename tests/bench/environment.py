"""The peers' own virtual environment, made once in a cache folder outside the tree."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = (
    "daphne",
    "uvicorn[standard]",
    "hypercorn[uvloop]",
    "granian[uvloop]",
    "gunicorn[fast]",
    "picows",
)
NAMES = ("daphne", "uvicorn", "hypercorn", "granian", "gunicorn")


def cache_folder() -> Path:
    """Where the environment is kept: ``$XDG_CACHE_HOME/asgid-bench``, one for each Python and packages."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    what = f"{sys.base_prefix} {sys.version_info[:3]} {PACKAGES}"
    return base / "asgid-bench" / hashlib.sha256(what.encode()).hexdigest()[:12]


def make() -> Path:
    """Return the environment's ``bin`` folder, making it where it is not there yet."""
    folder = cache_folder()
    done = folder / "complete"
    if not done.exists():
        print(f"Installing the peers into {folder} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [
                folder / "bin" / "python",
                "-m",
                "pip",
                "install",
                "-qqq",
                "--disable-pip-version-check",
                *PACKAGES,
            ],
            check=True,
        )
        done.touch()
    return folder / "bin"


def versions(python: Path, names: tuple[str, ...]) -> dict[str, str]:
    """What is installed of ``names`` in the environment of ``python``."""
    code = "import sys, importlib.metadata as m; print(*(m.version(n) for n in sys.argv[1:]))"
    done = subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True)
    return dict(zip(names, done.stdout.split(), strict=True))
