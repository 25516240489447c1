"""A short soak; ``python tests/soak/run.py --minutes 20`` is the long one."""

from __future__ import annotations

from soak.run import soak


def test_a_short_time_of_mixed_traffic_leaves_nothing_behind(tmp_path, capsys):
    with capsys.disabled():
        print()
        found = soak(tmp_path, 12.0, 40, 0.005, 4, 2)
    assert not found, found[:10]
