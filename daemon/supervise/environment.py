"""Puts the process into the application's surroundings: its environment variables and its directory."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from asgid.config import Diagnostic
from asgid.config.codes import APPLICATION_DIRECTORY

if TYPE_CHECKING:
    from asgid.config.spec import ApplicationSpec


def enter(spec: ApplicationSpec) -> Diagnostic | None:
    """Set the variables, change into the directory and put it first on ``sys.path``.

    The current directory is what a command line without a directory of its own means. Returns a diagnostic
    where the directory cannot be entered. A PYTHONPATH among the variables comes after the directory, as
    where Python begins with it.
    """
    os.environ.update(spec.environment)
    if "TZ" in spec.environment:
        time.tzset()
    if spec.directory is not None:
        try:
            os.chdir(spec.directory)
        except OSError as error:
            return Diagnostic(
                code=APPLICATION_DIRECTORY,
                severity="error",
                message=f"the application's directory {spec.directory} cannot be entered: {error.strerror}",
                place=spec.directory_place,
                key="application.directory",
                help="it is to be there, and this user may enter it",
            )
    first = str(spec.directory or Path.cwd())
    if sys.path[:1] != [first]:
        sys.path.insert(0, first)
    more = spec.environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [each for each in dict.fromkeys(more) if each and each not in sys.path]
    return None
