"""Prints what each hardening directive of the units forbids an application, tried one at a time (README.md).

    python tests/packages/each_directive.py FOLDER [bookworm|trixie]

FOLDER has the packages, as packaging/build leaves them. Needs root, and the roots that .ci/packages makes.
Ends with 1 where a directive makes no difference.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support import hardening
from support.packaged import booted, install, make_project


def main() -> int:
    folder, release = [*sys.argv[1:], "bookworm"][:2]
    os.environ["ASGID_PACKAGES"] = str(Path(folder).resolve())
    with booted(release) as machine:
        install(machine)
        make_project(machine)
        found = hardening.each_alone(machine)
    print(hardening.table(found))
    return any(not each.is_in_force and each.directive not in hardening.NOT_HERE for each in found)


if __name__ == "__main__":
    sys.exit(main())
