"""The Autobahn TestSuite's fuzzing client against the asgid command, which serves an application that echoes.

    python tests/autobahn/run.py [--all | --cases CASE,...] [--reports FOLDER] [--at-least COUNT]

Without ``--all`` the long cases are left out (9: sizes, 12 and 13: compression, but for a few of them). asgid
is the command beside the Python that runs this, with its default configuration but for the limits of messages
and frames. Prints how many cases had each verdict, and each that is neither OK nor INFORMATIONAL: the exit
status is 1 then or where fewer than COUNT cases ran, and 2 where the suite cannot be had.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import suite

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
START_S = 30.0
ALL = ["*"]
SHORT = [*(f"{number}.*" for number in (1, 2, 3, 4, 5, 6, 7, 10)), "12.1.1", "12.3.5", "13.2.2", "13.7.3"]
GOOD = {"OK", "INFORMATIONAL"}
CONFIGURATION = """\
[application]
target = "echo:application"
directory = "{directory}"

[websocket]
message_size = "16MiB"
frame_size = "16MiB"

[log]
access = ""

[listeners.suite]
address = "127.0.0.1"
port = 0
"""


def main() -> int:
    arguments = _arguments()
    cases = ALL if arguments.all else arguments.cases or SHORT
    reports = arguments.reports or Path(tempfile.mkdtemp(prefix="asgid-autobahn-"))
    reports.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        python = suite.find_python()
        folder = suite.install(python)
        with _serving(reports) as port:
            suite.run(python, folder, port, cases, [], reports)
    except suite.MissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    found = suite.verdicts(reports)
    status = _say(found)
    if len(found) < arguments.at_least:
        print(f"fewer than {arguments.at_least} cases ran")
        status = 1
    print(f"({time.monotonic() - began:.0f} s)")
    if arguments.reports or status:
        print(f"Reports: {reports}")
    else:
        shutil.rmtree(reports)
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every case: many minutes")
    which.add_argument("--cases", type=lambda text: text.split(","), metavar="CASE,...", help='such as "9.*"')
    parser.add_argument("--at-least", type=int, default=1, metavar="COUNT", help="fail where fewer cases ran")
    parser.add_argument("--reports", type=Path, metavar="FOLDER", help="keep the suite's reports there")
    return parser.parse_args()


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[int]:
    """Serve the echo application; the value is its port."""
    path = folder / "listeners.toml"
    path.write_text(CONFIGURATION.format(directory=HERE))
    said = folder / "asgid.log"
    with said.open("wb") as log:
        command = [Path(sys.executable).with_name("asgid"), "--config", path]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _port(process, said)
    finally:
        process.terminate()
        process.wait(60)


def _port(process: subprocess.Popen[bytes], said: Path) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        text = said.read_text(errors="replace")
        if "serves" in text and (found := re.search(r" at 127\.0\.0\.1:(\d+)", text)):
            return int(found[1])
        time.sleep(0.05)
    raise suite.MissingError("asgid did not start:\n" + said.read_text(errors="replace"))


def _say(found: dict[str, tuple[str, str]]) -> int:
    """Print the counts and every case that is not good; return the exit status."""
    counts = Counter(verdict for verdict, _ in found.values())
    print(
        f"{len(found)} cases: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    )
    bad = {case: each for case, each in found.items() if not GOOD.issuperset(each)}
    for case, (verdict, closing) in bad.items():
        print(f"  {case}: {verdict}" + ("" if closing in GOOD else f", closing: {closing}"))
    return 1 if bad or not found else 0


if __name__ == "__main__":
    raise SystemExit(main())
