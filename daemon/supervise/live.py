"""All that only this host can tell of a configuration: the start asks it, and ``asgid lint --live``."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from asgid.config import codes, endpoints
from asgid.config.diagnostics import Diagnostic, in_order
from asgid.config.loading import heard_of
from asgid.config.sockets import claim, path_of
from asgid.daemon.net import live_problems, privileges
from asgid.daemon.net.holders import Processes, Service
from asgid.daemon.net.live_unix import KERNELS_OWN, file_system
from asgid.daemon.supervise.process import is_something_else

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asgid.config import Config, Plan
    from asgid.config.document import Document
    from asgid.config.host import HostView
    from asgid.config.scan import Key
    from asgid.config.spec import ListenerSpec


def at_start(
    config: Config, plan: Plan, host: HostView, known: Iterable[Diagnostic] = ()
) -> list[Diagnostic]:
    """Return what this process, which is about to serve ``plan``, cannot do now. Changes nothing.

    ``known`` are findings about the file alone; they are returned with it, each mistake once.
    """
    found = [*plan.diagnostics, *live_problems(plan, host), *_around(config, plan)]
    return _together(config, known, found)


def by_hand(config: Config, plan: Plan, host: HostView, known: Iterable[Diagnostic] = ()) -> list[Diagnostic]:
    """Return what a start of ``plan`` by this user would meet. Changes nothing, but imports the application.

    What the service holds that runs already is not in the way. The application is imported in another
    process, where there is an environment for it. ``known`` is as for :func:`at_start`.
    """
    document = config.document
    file = None if document.is_command_line else Path(document.directory, Path(document.name).name)
    service = Service(file, plan.daemon.pid_file, Processes())
    found = [*plan.diagnostics, *live_problems(plan, host, by_hand=True, service=service)]
    found += [*_around(config, plan), *_pipe(plan), *_import(plan)]
    return _together(config, known, found)


def _together(config: Config, known: Iterable[Diagnostic], found: list[Diagnostic]) -> list[Diagnostic]:
    """Return all of it in order, each mistake once, without what the file asks not to hear of."""
    document = config.document
    kept = heard_of(document, (document.in_full(_at_its_key(document, each)) for each in found))
    answered = {codes.ENDPOINT_FOREIGN_KIND}  # Twisted has the kind, or that is an error
    if any(each.code == codes.APPLICATION_DIRECTORY for each in found):
        answered.add(codes.NO_DIRECTORY)
    return list(in_order([*(each for each in known if each.code not in answered), *kept]))


def _at_its_key(document: Document, found: Diagnostic) -> Diagnostic:
    """Return a conflict at the key of its listener, as the static rule has it; others as they are."""
    if found.code != codes.COLLISION or found.place.file != document.name or not document.text:
        return found
    key = tuple(found.key.split("."))  # a listener's name has no dots
    return document.at_key(found.code, key, found.message, found.help, severity=found.severity)


def _import(plan: Plan) -> list[Diagnostic]:
    from asgid.daemon.supervise import importing, virtualenv  # noqa: PLC0415 - not at the start

    command = virtualenv.command(plan.application)
    if isinstance(command, list):
        return command
    if plan.application.directory is not None and _cannot_enter(plan.application.directory):
        return []  # said already
    found = importing.problem(plan.application, command)
    return [] if found is None else [found]


def _around(config: Config, plan: Plan) -> Iterator[Diagnostic]:
    """Yield what is wrong around the listeners: files, and what the kernel limits."""
    directory = plan.application.directory
    if directory is not None and (number := _cannot_enter(directory)):
        message = f"the application's directory {directory} cannot be entered: {os.strerror(number)}"
        place, advice = plan.application.directory_place, "it is to be there, and this user may enter it"
        key = "application.directory"
        yield Diagnostic(codes.APPLICATION_DIRECTORY, "error", message, place, key, advice)
    pid_file = plan.daemon.pid_file
    if pid_file is not None and (why := _no_pid_file(pid_file)):
        message = f"the pid file {pid_file} cannot be written: {why}"
        advice = "its directory is to be there, and writable by this user"
        yield Diagnostic(
            codes.PID_FILE, "error", message, plan.daemon.pid_file_place, "daemon.pid_file", advice
        )
    access = plan.log.access
    if access not in {"", "-"} and (number := _cannot_write(Path(access), anew=False)):
        message = f"the access log {access} cannot be opened: {os.strerror(number)}"
        advice = "its directory is to be there, and this user may write the file"
        yield Diagnostic(codes.LOG_FILE, "error", message, plan.log.access_place, "log.access", advice)
    yield from _twice(plan)
    yield from _open_files(config)
    for listener in plan.listeners:
        yield from _backlogs(config, listener)


def _no_pid_file(path: Path) -> str:
    """Return why the pid file cannot be written, nothing where it can."""
    number = _cannot_write(path, anew=True)
    if not number and is_something_else(path):
        return "something is there that is no file"
    return os.strerror(number) if number else ""


def _twice(plan: Plan) -> Iterator[Diagnostic]:
    """Yield an error for each file that would be written where the service has another one."""
    taken: dict[tuple[str, str], str] = {}
    for listener in plan.listeners:
        for endpoint in listener.endpoints:
            path = path_of(claim(endpoints.parse(endpoint.text)))
            if path is not None:
                taken[_identity(Path(path))] = f"the socket of listener {listener.name}"
    if plan.log.access not in {"", "-"}:
        access = _identity(Path(plan.log.access))
        if access in taken:
            message = f"the access log {plan.log.access} is {taken[access]}"
            yield Diagnostic(codes.LOG_FILE, "error", message, plan.log.access_place, "log.access")
        taken[access] = "the access log"
    pid_file = plan.daemon.pid_file
    if pid_file is not None and _identity(pid_file) in taken:
        message = f"the pid file {pid_file} is {taken[_identity(pid_file)]}"
        yield Diagnostic(codes.PID_FILE, "error", message, plan.daemon.pid_file_place, "daemon.pid_file")


def _identity(path: Path) -> tuple[str, str]:
    """Return what tells a file from all others, also before it is there."""
    return os.path.realpath(path.parent), path.name


def _cannot_enter(directory: Path) -> int:
    """Return the errno that chdir(2) would fail with, 0 where it would not."""
    try:
        there = directory.stat()
    except OSError as error:
        return error.errno or errno.EIO
    if not directory.is_dir():
        return errno.ENOTDIR
    return 0 if there and os.access(directory, os.X_OK) else errno.EACCES


def _cannot_write(path: Path, *, anew: bool) -> int:
    """Return the errno that writing the file would fail with; ``anew``: another one takes its place."""
    try:
        there = path.stat()
    except FileNotFoundError:
        there = None
    except OSError as error:
        return error.errno or errno.EIO
    if path.is_dir():
        return errno.EISDIR
    if path.is_socket() and not anew:
        return errno.ENXIO
    if there is not None and not anew:
        if not os.access(path, os.W_OK):
            return _refusal(path)
        return _without_terminal(path) if there.st_rdev == _TERMINAL else 0
    folder = path.parent if anew else Path(os.path.realpath(path)).parent
    if number := _cannot_enter(folder):
        return number
    if not os.access(folder, os.W_OK | os.X_OK):
        return _refusal(folder)
    if file_system(folder.stat().st_dev) in KERNELS_OWN:
        return errno.EPERM
    if there is not None and not privileges.may_replace(path, path.lstat()):
        return errno.EPERM
    return 0


_TERMINAL = os.makedev(5, 0)
"""/dev/tty, the terminal of whoever opens it: a service has none."""


def _without_terminal(path: Path) -> int:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NOCTTY))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _pipe(plan: Plan) -> Iterator[Diagnostic]:
    """Yield an info where only the start shows whether somebody reads a pipe: trying would end its input."""
    access = plan.log.access
    if access not in {"", "-"} and not _cannot_write(Path(access), anew=False) and Path(access).is_fifo():
        message = f"the access log {access} is a pipe: it opens only while somebody reads it"
        yield Diagnostic(codes.LOG_FILE, "info", message, plan.log.access_place, "log.access")


def _refusal(path: Path) -> int:
    return errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES


def _open_files(config: Config) -> Iterator[Diagnostic]:
    """Yield a warning for each place whose ``limits.connections`` is more than may ever be open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # which the start raises the soft one to
    if hard == resource.RLIM_INFINITY:
        return
    told: set[Key] = set()
    for name, table in config.tables.listeners.items():
        own = table.limits is not None and "connections" in table.limits.model_fields_set
        limits = table.limits if own and table.limits is not None else config.tables.limits
        key: Key = ("listeners", name, "limits", "connections") if own else ("limits", "connections")
        if limits.connections <= hard or key in told:
            continue
        told.add(key)
        message = (
            f"limits.connections is {limits.connections}, and no more than {hard} files may be open here"
        )
        advice = "raise LimitNOFILE= in the unit (`ulimit -Hn`), or let fewer in"
        at = key if own or "connections" in config.tables.limits.model_fields_set else ("listeners", name)
        yield config.document.at_value(codes.OPEN_FILES_LOW, at, message, advice, severity="warning")


def _backlogs(config: Config, listener: ListenerSpec) -> Iterator[Diagnostic]:
    """Yield a warning for each backlog in the file that the kernel cuts (listen(2))."""
    longest = privileges.longest_backlog()
    table = config.tables.listeners[listener.name]
    if longest is None:
        return
    key: Key = ("listeners", listener.name, "backlog")
    if "backlog" in table.model_fields_set:
        if table.backlog > longest:
            yield config.document.at_value(
                codes.BACKLOG_CUT, key, *_cut(table.backlog, longest), severity="warning"
            )
        return
    for endpoint in listener.endpoints if listener.kind == "endpoint" else ():
        said = dict(endpoints.parse(endpoint.text).kwargs).get("backlog", "0")
        if said.isdecimal() and int(said) > longest:
            message, advice = _cut(int(said), longest)
            name = f"listeners.{listener.name}.endpoint"
            yield Diagnostic(codes.BACKLOG_CUT, "warning", message, endpoint.place, name, advice)


def _cut(backlog: int, longest: int) -> tuple[str, str]:
    message = f"the backlog {backlog} is cut to {longest} here (net.core.somaxconn)"
    return message, f"sysctl -w net.core.somaxconn={backlog}, or a smaller backlog"
