"""From a configuration to a daemon that serves: everything that happens before the event loop runs."""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING

from asgid.config import Diagnostic, render_text
from asgid.config import plan as make_plan
from asgid.config.codes import APPLICATION_NOT_IMPORTED
from asgid.config.diagnostics import has_errors
from asgid.daemon.observe import logs
from asgid.daemon.observe.streams import write_err
from asgid.daemon.supervise import environment, process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgid.config import Config, Plan
    from asgid.daemon.asgi.application import Application
    from asgid.daemon.supervise.runtime import Runtime

logger = logging.getLogger("asgid")


def start(config: Config, *, notes: Sequence[str] = (), debug: bool = False) -> int:
    """Serve ``config`` until a signal ends it; return the exit status.

    ``notes`` are logged once the logs are set up; ``debug`` turns asyncio's debug mode on. What cannot be
    done is printed as diagnostics on standard error, all of it at once, and nothing is opened then.
    """
    from asgid.daemon.net import LinuxHost, live_problems  # noqa: PLC0415 - after the configuration is known good

    host = LinuxHost()
    plan = make_plan(config, host)
    if plan.application.virtualenv is not None:
        from asgid.daemon.supervise import virtualenv  # noqa: PLC0415 - not without one

        if not virtualenv.entered(plan.application):
            say(virtualenv.enter(plan.application, sys.argv[1:]))
            return 1
    logs.configure(plan.log)
    for note in notes:
        logger.info("%s", note)
    process.raise_open_files()
    problems = list(dict.fromkeys([*plan.diagnostics, *live_problems(plan, host)]))
    say(problems)
    if has_errors(problems):
        return 1
    if plan.daemon.umask is not None:
        os.umask(plan.daemon.umask)
    return _run(plan, problems, debug=debug)


def say(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings on standard error."""
    text = render_text(diagnostics)
    if text:
        write_err(text)


def _run(plan: Plan, said: Sequence[Diagnostic], *, debug: bool) -> int:
    from asgid.daemon.supervise.runtime import Interrupted, Runtime  # noqa: PLC0415 - uvloop and Twisted

    try:
        runtime = Runtime(plan, said, debug=debug)
        try:
            return _serve(plan, runtime)
        finally:
            runtime.close()
    except Interrupted:
        logger.info("stopped before anything was served")
        return 0


def _serve(plan: Plan, runtime: Runtime) -> int:
    problem = environment.enter(plan.application) or runtime.open_access_log()
    if problem is None:
        gc.freeze()  # what is imported stays: the collector need not look at it
        gc.enable()  # it was off since the start; from here on it is the application's to say
        application = load(plan)
        if not isinstance(application, Diagnostic):
            logs.revive()
            return runtime.run(application)
        problem = application
    say([problem])
    return 1


def load(plan: Plan) -> Application | Diagnostic:
    """Import the application. Where its own code raised, its traceback goes to standard error first."""
    from asgid.daemon.asgi.application import ApplicationError, load_application  # noqa: PLC0415

    spec = plan.application
    try:
        return load_application(spec.target, factory=spec.factory)
    except ApplicationError as error:
        if error.cause is not None:
            write_err("".join(traceback.format_exception(error.cause)))
        return Diagnostic(
            code=APPLICATION_NOT_IMPORTED,
            severity="error",
            message=f"the application {spec.target} cannot be imported: {error}",
            place=spec.place,
            key="application.target",
            help=error.help,
        )
