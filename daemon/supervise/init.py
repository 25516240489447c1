"""Process 1 of a container: a small init that reaps orphans and passes signals on.

The kernel hands every orphan to process 1 and expects it to be waited for. A server that waited for "any
child" would take the exit statuses that its application's own subprocesses are waited for by. So process 1
forks before anything is imported: the child is the daemon, and the parent does nothing but this.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

_NOT_PASSED_ON: Final = frozenset(
    {
        signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP,
        signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT,
        signal.SIGTRAP, signal.SIGSYS,
    }
)  # fmt: skip


def fork_under_init() -> None:
    """Return in a child; the calling process, process 1, reaps and passes signals on until that child ends.

    It ends with the child's exit status, or with 128 and the number of the signal that ended the child.
    """
    watched = set(signal.valid_signals()) - (_NOT_PASSED_ON - {signal.SIGCHLD})
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = os.fork()
    if child == 0:
        _own_process_group()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for name in ("LISTEN_PID", "WATCHDOG_PID"):  # what was meant for this process is the daemon's
            if os.environ.get(name) == str(os.getppid()):
                os.environ[name] = str(os.getpid())
        return
    os._exit(_watch(child, watched))


def _own_process_group() -> None:
    """Leave the init's process group, or a Ctrl-C would come twice: passed on, and from the terminal."""
    os.setpgid(0, 0)
    if os.isatty(0):
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a background group may not do this otherwise
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, before)


def _watch(child: int, watched: set[signal.Signals] | set[int]) -> int:
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
            continue
        status = _reap(child)
        if status is not None:
            return status


def _reap(child: int) -> int | None:
    """Wait for everything that has ended; return the exit status of ``child`` where it was among it."""
    ended = None
    while True:
        try:
            pid, raw = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        if pid == child:
            code = os.waitstatus_to_exitcode(raw)
            ended = 128 - code if code < 0 else code
