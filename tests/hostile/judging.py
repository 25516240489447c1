"""What nothing but a leak, a spin or a blocked loop breaks, however busy the machine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostile.cases import Case

    from support.victim import Seen

GROWTH_KIB = 16 * 1024  # of what an allocator keeps after its largest day
UNDER_ATTACK_KIB = 160 * 1024
WORST_MS = 5000.0


def judge(seen: Seen, case: Case) -> list[str]:
    """Return what is wrong with what was seen."""
    polled = seen.polled
    found = {
        f"{polled['unanswered']} polls were not answered": polled["unanswered"] > 0,
        f"{polled['polls']} polls were answered": polled["polls"] < case.polls,
        f"the other client waited for {polled['worst_ms']:.0f} ms": polled["worst_ms"] >= WORST_MS,
        f"memory grew by {seen.worst_kib - seen.before_kib} KiB under attack": (
            seen.worst_kib - seen.before_kib >= UNDER_ATTACK_KIB
        ),
        f"memory has grown by {seen.after_kib - seen.before_kib} KiB": (
            seen.after_kib - seen.before_kib >= GROWTH_KIB
        ),
        f"no attack: the server held {seen.descriptors} descriptors": seen.descriptors < case.descriptors,
    }
    return [what for what, wrong in found.items() if wrong]
