"""Mixed traffic for as long as is wanted, against the real asgid: ``python tests/soak/run.py --minutes 20``.

Keep-alive, one request for a connection, bodies of both kinds, pipelining, slow readers, WebSockets with
messages of any size, and clients that leave at any point: by a FIN, a reset, or with one side closed. Every
answer is checked. Prints the anonymous memory at several points, and exits with 1 where an answer was
wrong, where a task, a descriptor or a connection is left, or where memory is not flat.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from soak.traffic import Traffic

from support.victim import Victim

POINTS = 5
GROWTH_KIB = 6 * 1024  # between the first point, when all kinds of traffic were there, and the last
REST = """\
[timeouts]
request_head = "5s"
request_body = "5s"
keep_alive = "5s"
response_write = "5s"
[log]
access = ""
"""


def soak(
    folder: Path, seconds: float, clients: int, pace_s: float, seed: int, looks: int = POINTS
) -> list[str]:
    """Run; return what is wrong at the end, nothing where all is well."""
    victim = Victim(folder, rest=REST)
    traffic = Traffic(victim.place, clients, pace_s, seed)
    points: list[int] = []
    try:
        for number in range(looks):
            traffic.run(seconds / looks)
            under = victim.state()
            victim.calm_down()
            points.append(victim.anonymous_kib())
            state = victim.state()
            print(
                f"{time.strftime('%H:%M:%S')} {number + 1} of {looks}: private {points[-1] / 1024:.2f} MiB, "
                f"{state['tasks']} tasks, {state['descriptors']} descriptors, "
                f"largest pause of the loop {under['pause_ms']:.1f} ms "
                f"({under['computed_ms']:.1f} ms computed); {traffic}",
                flush=True,
            )
        found = list(traffic.wrong)
        growth = points[-1] - points[0]
        if growth > GROWTH_KIB:
            found.append(f"memory has grown by {growth} KiB")
        victim.stop()
    except AssertionError as error:
        return [*traffic.wrong, str(error)]
    else:
        return found
    finally:
        victim.server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between two acts")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="asgid-soak-") as folder:
        found = soak(Path(folder), arguments.minutes * 60, arguments.clients, arguments.pace, arguments.seed)
    for each in found[:20]:
        print(f"wrong: {each}")
    print("nothing is left, and memory is flat" if not found else f"{len(found)} things are wrong")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
