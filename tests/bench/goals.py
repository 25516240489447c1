"""What asgid is to reach: ratios to the peers in one run, and bounds for what is measured of asgid alone.

``best`` is the best of the peers. A ratio is how many times better asgid is, whatever the unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One figure to reach against one peer."""

    case: str
    peer: str
    at_least: float
    aim: float


@dataclass(frozen=True)
class Bound:
    """One figure of asgid's that is to stay below a bound, in the unit of its case."""

    case: str
    at_most: float
    aim: float


GOALS = (
    Goal("hello", "granian", 1.2, 1.5),
    Goal("hello", "uvicorn", 1.5, 2.0),
    Goal("hello", "daphne", 8.0, 12.0),
    Goal("browser", "granian", 1.0, 1.3),
    Goal("post-1k", "best", 1.4, 2.0),
    Goal("ws-64", "uvicorn", 1.7, 2.0),
    Goal("ws-64", "granian", 2.5, 3.0),
    Goal("ws-64", "daphne", 6.0, 7.0),
    Goal("ws-16k", "best", 1.0, 1.2),
    Goal("close", "uvicorn", 1.5, 1.5),
    Goal("close", "granian", 0.0, 1.0),
    Goal("response-1m", "best", 1.0, 1.2),
    Goal("upload-1m", "best", 1.0, 1.2),
    Goal("p99", "best", 1.0, 1.0),
    Goal("p99-same", "best", 1.0, 1.0),
    Goal("ws-deflate", "best", 1.0, 1.2),
    Goal("idle-http", "granian", 1.0, 2.0),
    Goal("idle-ws", "uvicorn", 1.0, 2.0),
    Goal("idle-deflate", "uvicorn", 1.0, 2.0),
    Goal("slow-readers", "uvicorn", 1.0, 2.0),
    Goal("start", "daphne", 1.0, 2.0),
)
BOUNDS = (
    Bound("listeners-start", 10.0, 3.0),
    Bound("pause-pings", 50.0, 50.0),
    Bound("lint-50", 2.5, 2.5),
    Bound("lint-1000", 6.0, 6.0),
    Bound("package-version", 6.0, 6.0),
    Bound("package-start", 1.0, 1.0),
)
