"""Writes a file whole or not at all: beside it first, then over it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def replace_file(name: str, data: bytes) -> None:
    """Write ``data`` to the file ``name``, whose mode, owner and attributes stay; of a link, to its target.

    Whoever reads it meanwhile, and whoever looks after a crash or on a full disk, sees the old file or the
    new one. What cannot have another in its place is written as it stands: a device or pipe, one of several
    hard links, a file in a directory that is not this user's to write, another user's file. Raises
    ``OSError`` and ``ValueError`` (a name with a null character).
    """
    path = Path(os.path.realpath(name))
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    if old is not None and (not stat.S_ISREG(old.st_mode) or old.st_nlink > 1):
        path.write_bytes(data)
        return
    beside = path.with_name(f".asgid.{secrets.token_hex(8)}")  # short, however long that one's name is
    try:
        _write(beside, data, path, old)
        beside.replace(path)
    except PermissionError:
        if old is None:
            raise
        path.write_bytes(data)
    finally:
        with suppress(OSError):
            beside.unlink()


def _write(beside: Path, data: bytes, path: Path, old: os.stat_result | None) -> None:
    """Write a new file as ``old``, at ``path``, is: nobody may read more of it than of that."""
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600 if old else 0o644)
    with os.fdopen(number, "wb") as file:
        if old is not None:
            made = os.fstat(number)
            if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid):
                os.fchown(number, old.st_uid, old.st_gid)
            if not os.access(path, os.W_OK):  # a file that says that it is not to be changed
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            shutil.copystat(path, beside)
            os.utime(number)
        file.write(data)
        file.flush()
        os.fsync(number)
