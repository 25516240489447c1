"""What a systemd unit hides from the daemon, said where it bites: which directive, and what to write."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asgid.config import Config, Diagnostic, Plan

HOMES: Final = ("/home", "/root", "/run/user")
"""What ``ProtectHome=`` hides (systemd.exec(5))."""


class Sandbox:
    """The unit that this process runs in: ``unit`` is its name, '' for a process that no unit started."""

    def __init__(self, unit: str, mounts: Iterable[str]) -> None:
        self.unit = unit
        self._mounts = frozenset(mounts)

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ, proc: Path = Path("/proc/self")) -> Sandbox:
        """Return this process's own."""
        if not environment.get("INVOCATION_ID"):
            return cls("", ())
        try:
            group = (proc / "cgroup").read_text(encoding="utf-8").strip().rpartition("/")[2]
            lines = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return cls("", ())
        mounts = (line.split(" ")[4] for line in lines)  # proc_pid_mountinfo(5): the mount point
        return cls(group if group.endswith((".service", ".scope")) else "", mounts)

    def hint(self, path: Path) -> str:
        """Return what to write into the unit so that ``path`` can be used, '' where the unit is not why."""
        home = next((each for each in HOMES if path.is_relative_to(each)), None)
        if not self.unit:
            return ""
        if home in self._mounts and not _is_seen(path):
            return f"the unit hides {home} (ProtectHome=): {self._drop_in('ProtectHome=read-only')}"
        folder = path if path.is_dir() else path.parent
        if _is_read_only(folder):
            return f"the unit makes {folder} read-only: {self._drop_in(f'ReadWritePaths={folder}')}"
        return ""

    def explained(self, found: Iterable[Diagnostic], paths: Mapping[str, Path]) -> list[Diagnostic]:
        """Return findings, with the unit's part in them as their help; ``paths`` has what each key names."""
        return [self._explained(each, paths.get(each.key)) for each in found]

    def _explained(self, found: Diagnostic, path: Path | None) -> Diagnostic:
        advice = self.hint(path) if path is not None else ""
        return found._replace(help=advice) if advice else found

    def _drop_in(self, line: str) -> str:
        return f'systemctl edit {self.unit}, and below [Service] write "{line}"'


def paths_of(config: Config, plan: Plan) -> dict[str, Path]:
    """Return the paths that a configuration names, by the keys that findings about them have."""
    application = config.tables.application
    found: dict[str, Path | str | None] = {
        "application.directory": plan.application.directory,
        "application.virtualenv": plan.application.virtualenv,
        "application.environment_file": application.environment_file,
        "daemon.pid_file": plan.daemon.pid_file,
        "log.access": plan.log.access if plan.log.access not in {"", "-"} else None,
    }
    found |= {f"listeners.{name}.unix": each.unix for name, each in config.tables.listeners.items()}
    here = config.document.directory
    return {key: here / path for key, path in found.items() if path is not None}


def _is_seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError as error:
        return error.errno == errno.EROFS
