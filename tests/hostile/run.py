"""The hostile clients in their long form, against the real asgid: ``python tests/hostile/run.py``.

Prints for each attack what another client saw of it that polled all the while, the largest pause of the loop,
and the proportional set size before, during and after. Exits with 1 where a client was left alone, or memory,
a task, a descriptor or a connection was left behind. ``--short`` is what the tests run, ``--only WORD`` the
attacks that have WORD in their name. Needs slowhttptest (Debian) and 10,000 open files.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hostile.cases import Case, cases
from hostile.judging import judge

from support.victim import Victim


def suffer(case: Case) -> list[str]:
    """Let a victim of its own suffer one attack, print what was seen, and return what is wrong."""
    with tempfile.TemporaryDirectory(prefix="asgid-hostile-") as folder:
        victim = Victim(Path(folder), open_files=case.open_files, rest=case.rest)
        try:
            seen = victim.suffer(case.name, case.attack)
            print(seen, flush=True)
            victim.stop()
            return judge(seen, case)
        except AssertionError as error:
            return [str(error)]
        finally:
            victim.server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="", metavar="WORD")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wrong = 0
    for case in cases(long=not arguments.short):
        if arguments.only in case.name:
            for what in suffer(case):
                wrong += 1
                print(f"wrong: {case.name}: {what}", flush=True)
    print("nothing is left behind" if not wrong else f"{wrong} things are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
