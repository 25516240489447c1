"""Which attacks are tried, how large, and how long: a bounded form for CI, and a long one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hostile import attacks

from support.victim import SHORT

if TYPE_CHECKING:
    from hostile.attacks import Attack


PINGING = SHORT + '[websocket]\nping_interval = "2s"\nping_timeout = "2s"\n'
PATIENT = SHORT.replace('request_head = "2s"', 'request_head = "30s"')


class Case(NamedTuple):
    """An attack, and by what the test knows that it took place."""

    name: str
    attack: Attack
    descriptors: int = 0  # that the server holds at once, at least
    polls: int = 3  # of the other client that are answered, at least
    open_files: int = 0  # the server's limit, where it is not the system's
    rest: str = SHORT  # of the server's file


def slow(seconds: int, connections: int = 1000) -> list[Case]:
    """slowhttptest in all its modes. A range request is answered at once, and holds nothing.

    On a busy machine it does not come to its number before the first ones are cut.
    """
    return [
        Case(
            f"slowhttptest, {mode}, {connections:,} connections",
            attacks.slowhttptest(mode, connections, seconds),
            descriptors=0 if mode == "range" else connections // 10,
        )
        for mode in attacks.SLOW
    ]


def cases(*, long: bool) -> list[Case]:
    """Return all of them."""
    much = 10 if long else 1
    seconds = 30 if long else 3
    return [
        *slow(seconds + 1),
        # Longer than the victim's patience with the silent, or the first would go while the last still come.
        Case("9,000 that say nothing", attacks.silent(9000, seconds), descriptors=9000, rest=PATIENT),
        Case(
            f"{200 * much:,} WebSockets that answer no ping",
            attacks.mute_websockets(200 * much, 6.0),
            descriptors=200 * much, rest=PINGING,
        ),
        Case(f"{50 * much} readers that stop", attacks.stopped_readers(50 * much, seconds)),
        Case(
            f"{100 * much:,} ask for 3 MiB at once and read nothing",
            attacks.crowd_of_slow_readers(100 * much, 1.0),
            descriptors=100 * much,
        ),
        Case(f"{2000 * much:,} resets", attacks.resets(2000 * much)),
        Case(f"{8 * much} times 256 KiB of one-byte pings", attacks.pings(8 * much)),
        Case(
            f"16 KiB of one-byte pings each of {20 * much} at once",
            attacks.crowd_of_pings(20 * much),
            descriptors=20 * much,
        ),
        Case(f"{2 * much} bombs of 1 MiB that inflate to 1 GiB", attacks.bombs(2 * much)),
        Case(f"{20_000 * much:,} pipelined requests", attacks.pipelined(20_000 * much, read=True)),
        Case(
            f"{40_000 * much:,} pipelined requests, no answer read",
            attacks.pipelined(40_000 * much, read=False, seconds=seconds),
        ),
        Case(f"{40 * much} header floods", attacks.header_floods(40 * much)),
        Case(f"{256 * much} Ki chunks of one byte", attacks.tiny_chunks(256 * 1024 * much)),
        # The other client, mostly idle, is among the first to go, and waits in the backlog behind all.
        Case(
            "1,000 that say nothing, 256 descriptors", attacks.silent(1000, seconds),
            descriptors=200, polls=2, open_files=256,
        ),
    ]  # fmt: skip
