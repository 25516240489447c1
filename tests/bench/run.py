"""The benchmark: asgid and its peers in one run, in turn, several rounds interleaved.

    python tests/bench/run.py [--quick] [--rounds N] [--only CASE]... [--servers NAME,...] [--deb FILE]
        [--output FILE]

The server is pinned to one core and the load to another. Needs wrk and taskset; makes itself an environment
for the peers in a cache folder. asgid is the command beside the Python that runs this. Exits 1 where a
hostile request got through, 2 where something that is needed is not there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import environment
import load
import package
import refusals
import report
from cases import CASES, Case
from measures import Bench, Rate
from peers import SERVERS
from process import Cores, NotServingError

QUICK_ROUNDS, QUICK_S = 2, 3
ROUNDS, SECONDS = 5, 5


def main() -> int:
    arguments = _arguments()
    cores = _cores()
    if cores is None or not shutil.which("wrk") or not shutil.which("taskset"):
        print("This needs two cores, wrk (apt-get install wrk) and taskset (util-linux).", file=sys.stderr)
        return 2
    if arguments.deb:
        package.enter(arguments.deb)
    bench = Bench(environment.make(), cores, arguments.seconds)
    os.sched_setaffinity(0, {cores.load})
    _raise_descriptor_limit()
    if "asgid" in arguments.servers and not _all_refused(bench):
        return 1
    rows = _rows(arguments)
    results = report.Results(arguments.servers)
    for number in range(1, arguments.rounds + 1):
        for case, key in rows:
            _measure(results, case, key, bench, f"round {number} of {arguments.rounds}")
    text = report.render(results, rows, _versions(bench.tools, arguments.servers))
    print(text)
    if arguments.output:
        report.keep(arguments.output, text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [case.key for case in CASES]
    parser.add_argument("--quick", action="store_true", help="the first case alone, in about a minute")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=int, metavar="S", help="how long each load lasts")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="CASE", help=f"one of {', '.join(names)}"
    )
    parser.add_argument(
        "--servers", type=lambda text: text.split(","), default=list(SERVERS), metavar="NAME,..."
    )
    parser.add_argument("--logs", choices=("off", "on", "both"), default="both", help="access logs; = both")
    parser.add_argument(
        "--deb", type=Path, metavar="FILE", help="measure this package, too, made of this tree (needs root)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table there, too")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    arguments.seconds = arguments.seconds or (QUICK_S if arguments.quick else SECONDS)
    asked = [case.key for case in CASES if case.of_package and case.key in (arguments.only or ())]
    if asked and not arguments.deb:
        parser.error(f"{', '.join(asked)}: --deb says which package")
    if unknown := set(arguments.servers) - set(SERVERS):
        parser.error(f"unknown servers: {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    return arguments


def _rows(arguments: argparse.Namespace) -> list[tuple[Case, str]]:
    if arguments.quick:
        return [(CASES[0], CASES[0].key)]
    chosen = [
        case
        for case in CASES
        if (not arguments.only or case.key in arguments.only) and (arguments.deb or not case.of_package)
    ]
    quiet = [(case, case.key) for case in chosen if arguments.logs != "on"]
    return quiet + [
        (case, case.key + "+log") for case in chosen if arguments.logs != "off" and case.logs_requests
    ]


def _cores() -> Cores | None:
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(server=allowed[0], load=allowed[-1]) if len(allowed) > 1 else None


def _raise_descriptor_limit() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _all_refused(bench: Bench) -> bool:
    """Whether asgid, run as for the timings, refuses every hostile request."""
    found = []
    for application in ("hello", "echo"):
        with bench.serving("asgid", application) as server:
            found += [f"{application}: {what}" for what in refusals.let_through(server.port, application)]
    count = len(refusals.REQUESTS)
    if found:
        print("asgid let hostile requests through; nothing is timed:", *found, sep="\n  ", file=sys.stderr)
    else:
        print(f"asgid refused {count} of {count} hostile requests.", file=sys.stderr)
    return not found


def _measure(results: report.Results, case: Case, key: str, bench: Bench, round_: str) -> None:
    bench = replace(bench, access_log=key.endswith("+log"))
    for name in results.servers:
        if case.asgid_only and name != "asgid":
            continue
        try:
            figure = case.measure(name, bench)
        except (load.InvalidError, NotServingError, OSError) as trouble:
            results.troubles[key, name] = " ".join(str(trouble).split())[:300] or repr(trouble)
            print(f"{round_}: {key}, {name}: did not count: {trouble}", file=sys.stderr)
            continue
        results.figures[key, name].append(figure)
        said = f"{time.strftime('%H:%M:%S')} {round_}: {key}, {name}: {figure:,.2f} {case.unit}"
        if isinstance(figure, Rate):
            results.costs[key, name].append(figure.cpu_us)
            said += f", {figure.cpu_us:.2f} us of CPU each"
        print(said, file=sys.stderr)


def _versions(tools: Path, servers: list[str]) -> dict[str, str]:
    own = environment.versions(Path(sys.executable), ("asgid",)) if "asgid" in servers else {}
    peers = tuple(name for name in servers if name != "asgid")
    return own | environment.versions(tools / "python", peers)


if __name__ == "__main__":
    raise SystemExit(main())
