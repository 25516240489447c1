"""What a daemon sets about its own process: umask, open files, freed memory, and the pid file."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgid.config import Plan


def with_pid_file(plan: Plan, environment: Mapping[str, str]) -> Plan:
    """Return the plan with a pid file in the unit's RuntimeDirectory= (systemd.exec(5)), if it names none."""
    directory = Path(environment.get("RUNTIME_DIRECTORY", "").partition(":")[0])
    if plan.daemon.pid_file is not None or not directory.is_absolute():
        return plan
    return plan._replace(daemon=plan.daemon._replace(pid_file=directory / "asgid.pid"))


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one (setrlimit(2)), and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # some containers forbid it: the soft limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft


_KEPT_BYTES: Final = 16 * 1024 * 1024
_MMAP_BYTES: Final = 1024 * 1024  # the largest piece that is read at once, and what it becomes, is below it
_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3


def keep_freed_memory(environment: Mapping[str, str] = os.environ) -> None:
    """Let the C library keep up to 16 MiB that is free, in place of 128 KiB to 512 KiB (mallopt(3)).

    What is read comes in pieces of 256 KB. They were given back to the kernel after each request, and taken
    again for the next, zeroed page by page: half of what a body of 1 MiB cost. Who has set GLIBC_TUNABLES or
    a MALLOC_ variable has decided, and other C libraries have no such thing.
    """
    if _is_decided(environment):
        return
    import ctypes  # noqa: PLC0415 - 5 ms, which the start need not wait for

    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_freed_memory_back(environment: Mapping[str, str] = os.environ) -> None:
    """Let the C library give what is free back to the kernel (malloc_trim(3)): a millisecond for 10 MiB.

    It does so by itself at the end of its heap only, and above what :func:`keep_freed_memory` lets it keep.
    """
    if _is_decided(environment):
        return
    import ctypes  # noqa: PLC0415 - keep_freed_memory has imported it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _is_decided(environment: Mapping[str, str]) -> bool:
    return any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in environment)


def is_something_else(path: Path) -> bool:
    """Tell whether what is at ``path`` is no file that a pid file may replace: a device, a pipe, a socket."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode))


class PidFile:
    """A file that holds this process's id from :meth:`write` to :meth:`remove`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = ""

    def write(self) -> None:
        """Write the file in one step, in place of an old one. Raises :class:`OSError`.

        Root could put it in the place of a device as well, and /dev/null would be gone for the whole host.
        """
        if is_something_else(self.path):
            raise FileExistsError(errno.EEXIST, "something is there that is no file", str(self.path))
        text = f"{os.getpid()}\n"
        new = self.path.with_name(f".asgid.{os.getpid()}")  # short, however long that one's name is
        try:
            new.write_text(text, encoding="ascii")
            new.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._written = text

    def remove(self) -> None:
        """Remove the file, unless another process has put its own id there meanwhile."""
        with contextlib.suppress(OSError, ValueError):
            if self._written and self.path.read_text(encoding="ascii") == self._written:
                self.path.unlink()
        self._written = ""
