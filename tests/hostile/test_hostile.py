"""Hostile clients, a bounded form of each: another client polls all the while, and nothing is left behind.

``python tests/hostile/run.py`` is the long form. What is printed is measured. What is asserted is far from
it, for machines are busy: bounds that only a leak, a spin or a blocked loop breaks.
"""

from __future__ import annotations

import resource
import shutil

import pytest
from hostile import attacks

GROWTH_KIB = 16 * 1024
UNDER_ATTACK_KIB = 160 * 1024
WORST_MS = 5000.0


def check(victim, name, attack, capsys, *, polls=10) -> None:
    seen = victim.suffer(name, attack)
    with capsys.disabled():
        print(f"\n  {seen}")
    assert seen.polled["unanswered"] == 0
    assert seen.polled["polls"] >= polls
    assert seen.polled["worst_ms"] < WORST_MS
    assert seen.worst_kib - seen.before_kib < UNDER_ATTACK_KIB
    assert seen.after_kib - seen.before_kib < GROWTH_KIB
    victim.stop()


@pytest.mark.parametrize("mode", attacks.SLOW)
def test_slowhttptest_with_a_thousand_connections(victims, capsys, mode):
    if not shutil.which("slowhttptest"):
        pytest.skip("slowhttptest is not installed")
    check(victims(), mode, attacks.slowhttptest(mode, 1000, 6), capsys)


def test_nine_thousand_connections_that_say_nothing(victims, capsys):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 10_000:
        pytest.skip("the limit of open files is below 10,000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        check(victims(), "9,000 that say nothing", attacks.silent(9000, 4), capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("name", "attack"),
    [
        ("50 readers that stop", attacks.stopped_readers(50, 4)),
        ("3,000 resets", attacks.resets(3000)),
        ("8 times 256 KiB of one-byte pings", attacks.pings(8)),
        ("40,000 pipelined requests", attacks.pipelined(40_000, read=True)),
        ("40,000 pipelined requests, no answer read", attacks.pipelined(40_000, read=False)),
        ("40 header floods", attacks.header_floods(40)),
        ("512 Ki chunks of one byte", attacks.tiny_chunks(512 * 1024)),
    ],
)
def test_another_client_is_served_all_the_while(victims, capsys, name, attack):
    check(victims(), name, attack, capsys)


def test_descriptors_exhausted(victims, capsys):
    victim = victims(open_files=256)
    # The other client, idle most of the time, is among the first to go, and waits in the backlog behind all.
    check(victim, "1,000 that say nothing, 256 descriptors", attacks.silent(1000, 4), capsys, polls=2)
