"""From a configuration to a daemon that serves: everything that happens before the event loop runs."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING

from asgid.config import Diagnostic
from asgid.config import plan as make_plan
from asgid.config.diagnostics import has_errors
from asgid.daemon.observe import journal, logs
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_err
from asgid.daemon.supervise import environment, process
from asgid.daemon.supervise.notify import Notifier
from asgid.daemon.supervise.sandbox import Sandbox, paths_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from asgid.config import Config, Plan
    from asgid.config.document import Document
    from asgid.daemon.asgi.application import Application
    from asgid.daemon.supervise.runtime import Runtime

    Refused = Callable[[Sequence[Diagnostic], Notifier], int]

logger = logging.getLogger("asgid")


def start(
    config: Config, known: Sequence[Diagnostic] = (), *, notes: Sequence[str] = (), debug: bool = False
) -> int:
    """Serve ``config`` until a signal ends it; return the exit status.

    ``known`` are findings about the file alone, and no errors: they are said with the others. ``notes`` are
    logged once the logs are set up; ``debug`` turns asyncio's debug mode on. What cannot be done is printed
    as diagnostics on standard error, all of it at once, and nothing is opened then.
    """
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415 - after the configuration is known good
    from asgid.daemon.supervise import live  # noqa: PLC0415

    host = LinuxHost()
    plan = process.with_pid_file(make_plan(config, host), os.environ)
    notifier = Notifier.of(os.environ)
    refused = partial(_refused, config.document, paths_of(config, plan))
    if plan.application.virtualenv is not None:
        from asgid.daemon.supervise import virtualenv  # noqa: PLC0415 - not without one

        if not virtualenv.entered(plan.application):
            found = virtualenv.enter(plan.application, sys.argv[1:])
            return refused([*found, *live.at_start(config, plan, host, known)], notifier)
    Notifier.forget(os.environ)
    logs.configure(plan.log)
    for note in notes:
        logger.info("%s", note)
    process.raise_open_files()
    problems = live.at_start(config, plan, host, known)
    if has_errors(problems):
        return refused(problems, notifier)
    say(problems)
    if plan.daemon.umask is not None:
        os.umask(plan.daemon.umask)
    from asgid.daemon import lean as _  # noqa: F401, PLC0415 - before whatever imports Twisted
    from asgid.daemon.supervise.runtime import Runtime  # noqa: PLC0415 - uvloop and Twisted

    make = partial(Runtime, plan, problems, notifier, in_full=config.document.in_full, debug=debug)
    return _run(plan, make, notifier, refused)


def _refused(
    document: Document, paths: Mapping[str, Path], found: Sequence[Diagnostic], notifier: Notifier
) -> int:
    found = Sandbox.here().explained(map(document.in_full, found), paths)
    say(found)
    notifier.failed(found)
    return 1


def _run(plan: Plan, make: Callable[[], Runtime], notifier: Notifier, refused: Refused) -> int:
    from asgid.daemon.supervise.runtime import Interrupted  # noqa: PLC0415 - uvloop and Twisted

    faulthandler.enable()  # a crash says where, and so does a process that systemd's watchdog aborts
    try:
        runtime = make()
        try:
            return _serve(plan, runtime, notifier, refused)
        finally:
            runtime.close()
    except Interrupted:
        logger.info("stopped before anything was served")
        return 0


def _serve(plan: Plan, runtime: Runtime, notifier: Notifier, refused: Refused) -> int:
    notifier.starting(plan.application.target)
    problem = environment.enter(plan.application) or runtime.open_access_log()
    if problem is None:
        gc.freeze()  # what is imported stays: the collector need not look at it
        gc.enable()  # it was off since the start; from here on it is the application's to say
        application = load(plan)
        if not isinstance(application, Diagnostic):
            logs.revive()
            return runtime.run(application)
        problem = application
    return refused([problem], notifier)


def load(plan: Plan) -> Application | Diagnostic:
    """Import the application. Where its own code raised, its traceback goes to standard error first."""
    from asgid.daemon.asgi.application import ApplicationError, load_application  # noqa: PLC0415

    spec = plan.application
    try:
        return load_application(spec.target, factory=spec.factory)
    except ApplicationError as error:
        from asgid.daemon.supervise.importing import not_imported  # noqa: PLC0415 - only a mistake pays for it

        if error.cause is not None:
            told = "".join(traceback.format_exception(error.cause))
            write_err(journal.marked(told, journal.PRIORITIES["error"]) if journal.is_read() else told)
        return not_imported(spec, str(error), error.help)
