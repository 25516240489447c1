"""Search for bytes that break an invariant, led by coverage.

``python tests/fuzz/run.py --seconds N http|websocket`` needs atheris (the extra ``fuzz``). It begins with the
kept corpus and, for HTTP, with the conformance table. Bytes that break something are written into the folder
that is named at the end, and the exit status is not 0. With ``--keep`` the corpus is made anew, of itself and
what was found: the files that reach code which no other reaches.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
MAX_BYTES = 2048


def main() -> int:
    """Run the search in a child, which ends itself in its own way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=["http", "websocket"])
    parser.add_argument("--seconds", type=int, default=60, help="how long to search")
    parser.add_argument("--keep", action="store_true", help="merge what was found into the corpus")
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        return search(arguments.target, arguments.child)
    corpus = HERE / "corpus" / arguments.target
    work = Path(tempfile.mkdtemp(prefix=f"asgid-fuzz-{arguments.target}-"))
    found, seeds = work / "found", work / "seeds"
    found.mkdir()
    seeds.mkdir()
    for number, data in enumerate(table(arguments.target)):
        (seeds / str(number)).write_bytes(data[:MAX_BYTES])
    options = [
        f"-dict={HERE / arguments.target}.dict",
        f"-max_len={MAX_BYTES}",
        f"-artifact_prefix={work}/",
        "-timeout=20",
    ]
    child = command(work, arguments.target)
    limit = f"-max_total_time={arguments.seconds}"
    corpus.mkdir(exist_ok=True)
    status = subprocess.call([child, *options, limit, "-print_final_stats=1", found, corpus, seeds])
    if status == 0 and arguments.keep:
        known = {path.name for path in seeds.iterdir()}
        status = subprocess.call([child, *options, "-merge=1", seeds, corpus, found])
        if status == 0:
            replace(corpus, [path for path in seeds.iterdir() if path.name not in known])
    print(f"{arguments.target}: status {status}; what was found is in {work}", flush=True)
    return status


def command(work: Path, target: str) -> Path:
    """Make a command of the child: libFuzzer runs itself again to merge."""
    path = work / "child"
    words = (sys.executable, __file__, target, "--child")
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$0" "$@"\n')
    path.chmod(0o700)
    return path


def replace(corpus: Path, files: list[Path]) -> None:
    """Keep these files and no others."""
    for path in corpus.iterdir():
        path.unlink()
    for path in files:
        shutil.copy(path, corpus)


def table(target: str) -> list[bytes]:
    """The inputs to begin with that are not kept as files."""
    if target != "http":
        return []
    from conformance.cases import CASES
    from conformance.model import MARKER

    return [bytes((number % 256,)) + case.data + case.waits + MARKER for number, case in enumerate(CASES)]


def search(target: str, arguments: list[str]) -> int:
    """Give atheris the target, the command's name and libFuzzer's options; this does not return."""
    import atheris

    with atheris.instrument_imports(include=["asgid.daemon.wire", "autobahn.websocket"]):
        from asgid.daemon.wire import websocket_engine  # noqa: F401 - else it is imported late, and not seen
        from fuzz import invariants
    atheris.Setup(arguments, getattr(invariants, target))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
