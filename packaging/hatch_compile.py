# ruff: noqa: INP001 - a script for hatchling, not a package
"""Compiles the wheel's C files, ``daemon/wire/_*.c``; hatchling runs this (see pyproject.toml).

Where there is no C compiler or no ``Python.h`` the wheel is made without them, and asgid runs in Python
alone. ``ASGID_PURE=1`` leaves them out everywhere; with ``ASGID_PURE=0`` it is an error where they cannot be
compiled. ``CC`` and ``CFLAGS`` are heeded. The same source, compiler and flags give the same bytes.

An editable install has the results beside the sources.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "daemon/wire/_*.c"
SUFFIX = ".abi3.so"
FLAGS = (
    "-std=c11", "-O2", "-g0", "-fPIC", "-shared", "-fvisibility=hidden", "-fstack-protector-strong",
    "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-Wall", "-Wextra", "-Wl,-z,relro,-z,now,-s",
)  # fmt: skip


class CannotCompileError(Exception):
    """There is no compiled half; the text says why."""


class CompileHook(BuildHookInterface[Any]):
    """Puts the compiled files into the wheel, and says in its tag what they run on."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before hatchling collects the files."""
        wish = os.environ.get("ASGID_PURE", "")
        root = Path(self.root)
        sources = sorted(path.relative_to(root) for path in root.glob(SOURCES))
        built: dict[Path, Path] = {}  # by the source
        if wish != "1":
            self._folder = tempfile.TemporaryDirectory(prefix="asgid-compile-")
            try:
                built = compiled(root, sources, Path(self._folder.name))
            except CannotCompileError as why:
                if wish == "0":
                    raise
                self.app.display_warning(f"{SOURCES} is left out: {why}")
        if version == "editable":
            for source in sources:
                put_beside(root / source.with_suffix(SUFFIX), built.get(source))
        elif built:
            for source, result in built.items():
                build_data["force_include"][str(result)] = f"asgid/{source.with_suffix(SUFFIX)}"
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Clean up."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def compiled(root: Path, sources: list[Path], folder: Path) -> dict[Path, Path]:
    """Compile into ``folder`` and return the file of each source. Raises :class:`CannotCompileError`."""
    if sys.platform != "linux" or platform.python_implementation() != "CPython":
        raise CannotCompileError("it is tried for CPython on Linux alone")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise CannotCompileError("a Python without the GIL has no stable ABI")
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        command = ["cc"]
        if shutil.which("cc") is None:
            raise CannotCompileError("there is no C compiler")
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").exists():
        raise CannotCompileError(f"there is no Python.h in {include}")
    command += [*FLAGS, *shlex.split(os.environ.get("CFLAGS", "")), f"-I{include}"]
    results = {source: folder / source.with_suffix(SUFFIX).name for source in sources}
    for source, result in results.items():
        each = [*command, "-o", str(result), str(source)]
        done = subprocess.run(each, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CannotCompileError(f"{shlex.join(each)} failed:\n{done.stderr}")
    return results


def put_beside(place: Path, built: Path | None) -> None:
    """Put what was built beside its source; take away what an earlier installation put there."""
    place.unlink(missing_ok=True)
    if built is not None:
        shutil.copyfile(built, place)


def platform_tag() -> str:
    """Return the platform's part of the wheel's tag, as in ``linux_x86_64``."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
