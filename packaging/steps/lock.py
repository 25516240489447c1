"""Renew the locks: ``packaging/build lock``. uv resolves for every Python that asgid supports at once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UV = "uv==0.13.9"
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--upgrade",
    "--quiet",
    "--custom-compile-command=packaging/build lock",
)


def renew(tree: Path) -> None:
    """Write ``packaging/lock/*.lock`` anew, with the newest versions that fit. Raises CalledProcessError."""
    locks = tree / "packaging" / "lock"
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([sys.executable, "-m", "venv", work], check=True)
        subprocess.run([f"{work}/bin/pip", "install", "-q", UV], check=True)
        for source, target in (("pyproject.toml", "requirements"), ("packaging/lock/tools.in", "tools")):
            command = [f"{work}/bin/uv", "pip", "compile", *OPTIONS, source, "-o", locks / f"{target}.lock"]
            subprocess.run(command, check=True, cwd=tree, stdout=subprocess.DEVNULL)
