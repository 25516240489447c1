"""How much memory a process holds."""

from __future__ import annotations

import re
from pathlib import Path

MEBIBYTE = 1024 * 1024


def resident_kib(pid: int) -> int:
    """The resident set of a process, in KiB (proc_pid_status(5))."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])
