"""Finds out whether the application can be imported: in a process of its own, in its own environment.

Importing runs the application's code, and only that tells whether it can be: so it is done, without serving
anything. What it prints goes nowhere, how long it takes is bounded, and what it leaves running is ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.config.codes import APPLICATION_NOT_IMPORTED, IMPORT_TOO_LONG
from asgid.config.diagnostics import Diagnostic
from asgid.config.spec import ApplicationSpec, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_S: Final = 30.0
_NOT_ITS: Final = frozenset({"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC"})
"""Variables that are meant for the service itself."""


def not_imported(spec: ApplicationSpec, why: str, advice: str) -> Diagnostic:
    """Return the finding that the application cannot be imported."""
    message = f"the application {spec.target} cannot be imported: {why}"
    return Diagnostic(APPLICATION_NOT_IMPORTED, "error", message, spec.place, "application.target", advice)


def problem(
    spec: ApplicationSpec, command: Sequence[str], patience_s: float = PATIENCE_S
) -> Diagnostic | None:
    """Return why the application cannot be imported, None where it can.

    ``command`` is what stands before a module's name to run it (see ``virtualenv.command``). As at the start,
    another environment's Python begins with the application's variables, and this one is given them later: a
    PYTHONHOME among them is of no account then.
    """
    from asgid.daemon.supervise.virtualenv import entered  # noqa: PLC0415 - not in the other process

    reader, writer = os.pipe()
    words = [*command, __name__, _packed(spec), str(writer)]
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_ITS}
    if not entered(spec):
        kept |= dict(spec.environment)
    try:
        process = subprocess.Popen(  # noqa: S603 - the administrator's own Python and application
            words, env=kept, pass_fds=(writer,), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:  # too many variables, or no process left
        os.close(reader)
        return not_imported(spec, f"no process could be started for it: {error.strerror}", "")
    finally:
        os.close(writer)
    with open(reader, "rb", buffering=0) as answers:  # noqa: PTH123 - a descriptor
        try:
            answer = _line(answers.fileno(), time.monotonic() + patience_s)
        finally:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
    return _finding(spec, answer, status, patience_s)


def _finding(
    spec: ApplicationSpec, answer: bytes | None, status: int, patience_s: float
) -> Diagnostic | None:
    if answer is None:
        message = f"the import of {spec.target} did not end within {patience_s:g} s"
        advice = "the start waits for it; what takes long belongs into the lifespan's start-up"
        return Diagnostic(IMPORT_TOO_LONG, "warning", message, spec.place, "application.target", advice)
    if not answer.endswith(b"\n"):
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return not_imported(spec, f"the import ended the process ({how})", "it is to return")
    told = json.loads(answer)
    return not_imported(spec, told["message"], told["help"]) if told else None


def _line(descriptor: int, deadline: float) -> bytes | None:
    """Return what comes up to a newline or the end, None where neither comes before ``deadline``."""
    found = b""
    while not found.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        data = os.read(descriptor, 65536)
        if not data:
            break
        found += data
    return found


def _packed(spec: ApplicationSpec) -> str:
    directory = None if spec.directory is None else str(spec.directory)
    given = {"target": spec.target, "directory": directory, "factory": spec.factory}
    return json.dumps(given | {"environment": dict(spec.environment)})


# What follows is run in the other process.


@dataclass(frozen=True)
class _Told:
    message: str
    help: str


def _try(given: dict[str, Any]) -> _Told | None:
    from asgid.daemon.asgi.application import ApplicationError, load_application  # noqa: PLC0415
    from asgid.daemon.supervise import environment  # noqa: PLC0415

    directory = None if given["directory"] is None else Path(str(given["directory"]))
    target = str(given["target"])
    spec = ApplicationSpec(target, Place(""), directory=directory, environment=given["environment"])
    refused = environment.enter(spec)
    if refused is not None:
        return _Told(refused.message, refused.help)
    try:
        load_application(target, factory=bool(given["factory"]))
    except ApplicationError as error:
        return _Told(str(error), error.help)
    return None


def main() -> int:
    """Try it, and say on the descriptor that is named what came of it; ends the process."""
    given, descriptor = json.loads(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    del sys.argv[1:]
    told = _try(given)
    answer = {} if told is None else {"message": told.message, "help": told.help}
    os.write(descriptor, json.dumps(answer).encode() + b"\n")
    os._exit(0)  # whatever threads it has
