"""The suite in a cache folder of its own, for it runs on Python 2.7 alone.

Run as a program this prints that Python's path, and fails where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "autobahntestsuite==25.10.1"
AGENT = "asgid"
WANTED = (
    "The Autobahn TestSuite needs CPython 2.7 or PyPy for Python 2.7.\n"
    "Looked for: the command in $AUTOBAHN_PYTHON; python2.7, pypy2.7, pypy2 and pypy on the PATH;\n"
    "versions/2.7.* and versions/pypy2.7-* in $PYENV_ROOT or ~/.pyenv.\n"
    "To get one: pyenv install 2.7.18; apt-get install pypy pypy-dev on Debian 11, or python2.7\n"
    "python2.7-dev on Ubuntu 22.04; or PyPy's own archive for Python 2.7, which runs where it is unpacked."
)
# The last ones for Python 2.7, run as they are, where it has no pip of its own.
_PIP = ("pip==20.3.4", "setuptools==44.1.1", "wheel==0.37.1")
# The folder is no virtual environment: its .pth files, of which zope is one, have to be read.
_RUN = (
    "import site, sys; site.addsitedir(sys.argv.pop(1)); "
    "from autobahntestsuite.wstest import run; sys.exit(run())"
)


class MissingError(Exception):
    """The suite cannot be had here; the message says why."""


def find_python() -> str:
    """Return a Python 2.7; raise :class:`MissingError` where there is none."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        os.environ.get("AUTOBAHN_PYTHON"),
        *(shutil.which(name) for name in ("python2.7", "pypy2.7", "pypy2", "pypy")),
        *sorted(map(str, versions.glob("2.7.*/bin/python"))),
        *sorted(map(str, versions.glob("pypy2.7-*/bin/pypy"))),
    ]
    for candidate in candidates:
        if candidate and _answers(candidate):
            return candidate
    raise MissingError(WANTED)


def _answers(python: str) -> bool:
    code = "import sys; sys.exit(sys.version_info[:2] != (2, 7))"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(python: str) -> Path:
    """Return the folder that the suite is installed in, installing it where it is not there yet."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kind = "pypy" if "pypy" in Path(python).name else "cpython"
    folder = base / "asgid-autobahn" / f"{PACKAGE.replace('==', '-')}-{kind}"
    done = folder / "complete"
    if done.exists():
        return folder
    print(f"Installing {PACKAGE} into {folder} ...", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    made = _pip(python, base, "install", "--target", folder, PACKAGE)
    if made.returncode:
        raise MissingError(f"{PACKAGE} could not be installed with {python}:\n{made.stderr[-2000:]}")
    done.touch()
    return folder


def _pip(python: str, base: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run pip on ``python``: its own, or one that this Python's pip brings into ``base``."""
    environment = dict(os.environ)
    own = subprocess.run([python, "-c", "import pip, setuptools"], capture_output=True, check=False)
    if own.returncode:
        brought = base / "asgid-autobahn" / "pip"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", brought, *_PIP]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            return made
        for wheel in brought.glob("*.whl"):  # pip builds nothing while it is an archive
            shutil.unpack_archive(wheel, brought / "unpacked", "zip")
        environment["PYTHONPATH"] = str(brought / "unpacked")
    command = [python, "-m", "pip", *words, "-q", "--disable-pip-version-check"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def run(python: str, folder: Path, port: int, cases: list[str], excluded: list[str], reports: Path) -> None:
    """Run the suite's fuzzing client against ``port``; the reports are in ``reports`` then."""
    spec = {
        "outdir": str(reports),
        "servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{port}"}],
        "cases": cases,
        "exclude-cases": excluded,
        "exclude-agent-cases": {},
    }
    path = reports / "spec.json"
    path.write_text(json.dumps(spec))
    said = reports / "wstest.log"
    with said.open("wb") as log:
        subprocess.run(
            [python, "-c", _RUN, folder, "--mode", "fuzzingclient", "--spec", path],
            cwd=reports,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if not (reports / "index.json").exists():
        raise MissingError("the suite did not come to its end:\n" + said.read_text(errors="replace")[-2000:])


def verdicts(reports: Path) -> dict[str, tuple[str, str]]:
    """Return for each case its verdict, and that on how the connection was closed."""
    found = json.loads((reports / "index.json").read_text())[AGENT]
    ordered = sorted(found, key=lambda case: [int(part) for part in case.split(".")])
    return {case: (found[case]["behavior"], found[case]["behaviorClose"]) for case in ordered}


if __name__ == "__main__":
    try:
        print(find_python())
    except MissingError as missing:
        sys.exit(str(missing))
