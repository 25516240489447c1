"""The table: medians, and for each peer how many times better asgid is."""

from __future__ import annotations

import platform
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import goals

if TYPE_CHECKING:
    from cases import Case

BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"
Key = tuple[str, str]  # case (with "+log" where access logs were on), server


@dataclass
class Results:
    """Every figure of a run, and what did not count."""

    servers: list[str]
    figures: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))  # us of CPU
    troubles: dict[Key, str] = field(default_factory=dict)

    def median(self, case: str, server: str) -> float | None:
        values = self.figures.get((case, server))
        return statistics.median(values) if values else None

    def ratio(self, case: Case, key: str, peer: str) -> float | None:
        """How many times better asgid is than ``peer``; above 1 asgid is better."""
        own, other = self.median(key, "asgid"), self.median(key, peer)
        if not own or not other:
            return None
        return own / other if case.more_is_better else other / own

    def best(self, case: Case, key: str) -> str | None:
        """The peer that did best."""
        found = {peer: self.median(key, peer) for peer in self.servers if peer != "asgid"}
        counted = {peer: value for peer, value in found.items() if value}
        if not counted:
            return None
        choose = max if case.more_is_better else min
        return choose(counted, key=lambda peer: counted[peer])


def machine() -> str:
    """One line on what the run was made with."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    python = platform.python_version()
    return (
        f"{time.strftime('%Y-%m-%d')}, {len(models)} x {model}, Linux {platform.release()}, Python {python}"
    )


def render(results: Results, rows: list[tuple[Case, str]], versions: dict[str, str]) -> str:
    """The whole report, in Markdown."""
    parts = [
        f"{machine()}.",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        _medians(results, rows),
        "How many times better asgid is (above 1: asgid is better):",
        _ratios(results, rows),
        _costs(results, rows),
        _goals(results, rows),
        _spread(results, rows),
    ]
    if results.troubles:
        told = [f"- {case}, {server}: {why}" for (case, server), why in results.troubles.items()]
        parts.append("Did not count:\n\n" + "\n".join(told))
    return "\n\n".join(part for part in parts if part) + "\n"


def keep(path: Path, text: str) -> None:
    """Write the report into ``path``, in place of what stands between its two marks where it has them."""
    before, begin, rest = path.read_text().partition(BEGIN) if path.exists() else ("", "", "")
    _, end, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}" if begin and end else text)


def _table(heads: list[str], lines: list[list[str]]) -> str:
    out = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join(out + ["| " + " | ".join(line) + " |" for line in lines])


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _title(case: Case, key: str) -> str:
    return case.title + (", access log on" if key.endswith("+log") else "")


def _medians(results: Results, rows: list[tuple[Case, str]]) -> str:
    lines = [
        [
            f"{_title(case, key)}, {case.unit}",
            *(_figure(results.median(key, name)) for name in results.servers),
        ]
        for case, key in rows
    ]
    return _table(["median", *results.servers], lines)


def _ratios(results: Results, rows: list[tuple[Case, str]]) -> str:
    peers = [name for name in results.servers if name != "asgid"]
    lines = []
    for case, key in rows:
        if not case.asgid_only:
            found = [results.ratio(case, key, peer) for peer in peers]
            lines.append([_title(case, key), *("-" if ratio is None else f"{ratio:.2f}" for ratio in found)])
    return _table(["asgid against", *peers], lines)


def _costs(results: Results, rows: list[tuple[Case, str]]) -> str:
    """What one request or message costs a server: the same comparison, less disturbed by other processes.

    It is the least of the rounds: what disturbs can only add to it.
    """
    lines = [
        [_title(case, key), *(_cost(results.costs.get((key, name))) for name in results.servers)]
        for case, key in rows
        if any((key, name) in results.costs for name in results.servers)
    ]
    if not lines:
        return ""
    return "CPU time of the server for each of them, in microseconds, the least of the rounds:\n\n" + _table(
        ["least", *results.servers], lines
    )


def _cost(values: list[float] | None) -> str:
    return _figure(min(values)) if values else "-"


def _goals(results: Results, rows: list[tuple[Case, str]]) -> str:
    cases = {key: case for case, key in rows}
    lines = []
    for goal in goals.GOALS:
        case = cases.get(goal.case)
        peer = goal.peer if case is None or goal.peer != "best" else results.best(case, goal.case)
        ratio = results.ratio(case, goal.case, peer) if case and peer else None
        if case and ratio is not None:
            said = "aim met" if ratio >= goal.aim else "met" if ratio >= goal.at_least else "missed"
            against = f"{peer} (best)" if goal.peer == "best" else peer
            lines.append([case.title, str(against), f"{ratio:.2f}", f"{goal.at_least}", f"{goal.aim}", said])
    for bound in goals.BOUNDS:
        case, found = cases.get(bound.case), results.median(bound.case, "asgid")
        if case and found is not None:
            said = "aim met" if found <= bound.aim else "met" if found <= bound.at_most else "missed"
            most, aim = f"at most {bound.at_most:g}", f"{bound.aim:g}"
            lines.append([f"{case.title}, {case.unit}", "", f"{found:.2f}", most, aim, said])
    return _table(["goal", "against", "measured", "at least", "aim", ""], lines) if lines else ""


def _spread(results: Results, rows: list[tuple[Case, str]]) -> str:
    if all(len(values) < 2 for values in results.figures.values()):
        return ""
    lines = []
    for case, key in rows:
        cells = []
        for name in results.servers:
            values = results.figures.get((key, name))
            cells.append(f"{_figure(min(values))} to {_figure(max(values))}" if values else "-")
        lines.append([_title(case, key), *cells])
    return (
        "<details><summary>Lowest and highest of the rounds</summary>\n\n"
        + _table(["", *results.servers], lines)
        + "\n\n</details>"
    )
