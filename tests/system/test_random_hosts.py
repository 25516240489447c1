"""Random configurations on random hosts: what lints clean with ``--live`` starts, and nothing else would.

``tests/hosts/run.py`` runs more of them, for as long as is wanted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parents[1] / "hosts" / "run.py"


def test_none_that_lints_clean_fails_to_start_and_none_that_cannot_start_lints_clean(here):
    command = [*here.prefix, sys.executable, RUN, "--inside", "--first", "0", "--count", "80"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["cases"] == 80
    # Neither a lint that finds nothing nor one that refuses everything would pass.
    assert counts["served"] >= 15
    assert counts["refused by the live rules"] >= 15
    assert sum(code.startswith("ASG8") for code in counts) >= 7
