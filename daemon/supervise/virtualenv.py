"""``[application] virtualenv``: asgid starts itself again with that environment's Python.

The environment's packages come first, asgid's own last, so that the application runs with the versions it was
installed with. Mixing its site-packages into this interpreter would give it ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import asgid
from asgid.config import Diagnostic
from asgid.config.codes import DEPENDENCY_TOO_OLD, VIRTUALENV_UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.spec import ApplicationSpec
    from asgid.daemon.supervise.closure import Closure

_KEY: Final = "application.virtualenv"
_LEAST: Final = (3, 11)
_PROBE: Final = (
    "import json, sys; "
    "found = [sys.version_info[:2], sys.implementation.cache_tag, sys.prefix, sys.path[1:]]; "
    "json.dump(found, sys.stdout)"
)
_PROBE_S: Final = 30


def entered(spec: ApplicationSpec) -> bool:
    """Tell whether this process runs with the environment's Python already, or has none to run with."""
    if spec.virtualenv is None:
        return True
    try:
        return spec.virtualenv.samefile(sys.prefix)
    except OSError:
        return False


def enter(spec: ApplicationSpec, arguments: Sequence[str]) -> list[Diagnostic]:
    """Execute asgid again with the environment's Python and ``arguments``; return why that cannot be.

    Does not return where it can. The process keeps its id and its descriptors. The application's variables
    are set already, so that a PYTHONPATH among them works.
    """
    found = command(spec)
    if isinstance(found, tuple):
        _execute([*found, "asgid.daemon.cli", *arguments], os.environ | dict(spec.environment))
    return found


def command(spec: ApplicationSpec) -> tuple[str, ...] | list[Diagnostic]:
    """Return what stands before a module's name and its arguments to run it with the environment's Python.

    A list of findings says why that cannot be. Where there is no environment to enter it is this Python.
    """
    if entered(spec):
        return _command(Path(sys.executable), [])
    environment = os.environ | dict(spec.environment)
    python = (spec.virtualenv or Path()) / "bin" / "python"
    try:
        version, cache_tag, prefix, path = _probe(python, environment)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) else "it does not run"
        return [_unusable(spec, f"{python}: {detail}", f"make one: python3 -m venv {spec.virtualenv}")]
    if not Path(prefix).exists() or not Path(prefix).samefile(spec.virtualenv or Path()):
        return [_unusable(spec, f"its Python belongs to {prefix}", f"name {prefix}, or make it anew")]
    if tuple(version) < _LEAST:
        text = ".".join(map(str, version))
        return [_unusable(spec, f"it has Python {text}", "asgid needs Python 3.11 or later: make it anew")]
    from asgid.daemon.supervise.closure import Closure  # noqa: PLC0415 - importlib.metadata and packaging

    closure = Closure(path)
    found = _findings(spec, closure, cache_tag)
    return found or _command(python, [str(dist.locate_file("")) for dist in closure.own])


def _probe(python: Path, environment: dict[str, str]) -> Any:
    run = [str(python), "-c", _PROBE]
    done = subprocess.run(  # noqa: S603 - the administrator's own Python
        run, env=environment, capture_output=True, timeout=_PROBE_S, check=True, stdin=subprocess.DEVNULL
    )
    return json.loads(done.stdout)


def _findings(spec: ApplicationSpec, closure: Closure, cache_tag: str) -> list[Diagnostic]:
    pip = f"{spec.virtualenv}/bin/pip install"
    found = []
    for miss in closure.misses:
        side = "the virtual environment" if miss.theirs else "asgid"
        has = f"{side} has {miss.found or 'none'}"
        message = f"{miss.needed_by} needs {miss.package} {miss.needed}, and {has}"
        found.append(_diagnostic(spec, DEPENDENCY_TOO_OLD, message, f"{pip} '{miss.package}{miss.needed}'"))
    for split in closure.splits():
        message = (
            f"{split.there} {split.version} is the virtual environment's, but {split.absent} is not there: "
            "the two come from one side"
        )
        found.append(_diagnostic(spec, DEPENDENCY_TOO_OLD, message, f"{pip} {split.absent}"))
    compiled = closure.compiled()
    if cache_tag != sys.implementation.cache_tag and compiled:
        own = f"asgid's own {', '.join(compiled)} are for {sys.implementation.cache_tag}"
        words = f"it runs {cache_tag}, and {own}"
        found.append(_unusable(spec, words, f"{pip} {' '.join(compiled)}"))
    return found


def _execute(words: list[str], environment: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(words[0], words, environment)  # noqa: S606 - no shell is wanted


def _command(python: Path, own: Sequence[str]) -> tuple[str, ...]:
    root = str(Path(str(asgid.__file__)).parent.parent)
    script = str(Path(__file__).with_name("bootstrap.py"))
    return (str(python), "-P", script, os.pathsep.join(dict.fromkeys([root, *own])))


def _unusable(spec: ApplicationSpec, why: str, advice: str) -> Diagnostic:
    message = f"the virtual environment {spec.virtualenv} cannot be used: {why}"
    return _diagnostic(spec, VIRTUALENV_UNUSABLE, message, advice)


def _diagnostic(spec: ApplicationSpec, code: str, message: str, advice: str) -> Diagnostic:
    return Diagnostic(code, "error", message, spec.virtualenv_place, _KEY, advice)
