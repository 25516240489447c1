"""What an AppArmor profile lets a process open: its file rules, with includes and variables (apparmor.d(5)).

The kernel's own judgement is to be had only where AppArmor is on. This reads as much as file rules need.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

FOLDER = Path("/etc/apparmor.d")
INCLUDE = re.compile(r"^\s*#?include\s+(?:if\s+exists\s+)?<([^>]+)>")
SET = re.compile(r"^\s*(@\{\w+\})\s*\+?=\s*(.*)$")
RULE = re.compile(r'^\s*(?:(?:owner|audit|file)\s+)*"?((?:/|@\{)[^\s"]*)"?\s+(\w+),')


class Profile:
    """A profile and everything that it includes."""

    def __init__(self, path: Path) -> None:
        self._values: dict[str, list[str]] = {}
        self._rules: list[tuple[str, str]] = []
        self._read(path)
        found = [(text, modes) for rule, modes in self._rules for text in self._expanded(rule)]
        self._patterns = [(re.compile(_pattern(text)), modes) for text, modes in found]

    def allows(self, path: str, modes: str) -> bool:
        """Tell whether rules give each of these modes (``r``, ``w``); a folder's path ends with a slash."""
        given = "".join(has for pattern, has in self._patterns if pattern.fullmatch(path))
        return all(mode in given for mode in modes)

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := INCLUDE.match(line):
                self._include(FOLDER / found[1])
            elif found := SET.match(line):
                self._values.setdefault(found[1], []).extend(found[2].partition("#")[0].split())
            elif found := RULE.match(line):
                self._rules.append((found[1], found[2]))

    def _include(self, path: Path) -> None:
        for each in sorted(path.iterdir()) if path.is_dir() else [path]:
            if each.is_file():
                self._read(each)

    def _expanded(self, text: str) -> list[str]:
        names = re.findall(r"@\{\w+\}", text)
        if not names:
            return [text]
        found = []
        for values in product(*(self._values.get(name, []) for name in names)):
            one = text
            for name, value in zip(names, values, strict=True):
                one = one.replace(name, value, 1)
            found += self._expanded(one)
        return found


def _pattern(text: str) -> str:
    """Return the regular expression for a path with AppArmor's wildcards."""
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
    out, depth = "", 0
    for part in re.findall(r"\*\*|\\.|\[[^\]]*\]|.", re.sub("/+", "/", text)):
        depth += (part == "{") - (part == "}")
        if part == "," and depth:
            out += "|"
        elif part.startswith("["):
            out += part
        else:
            out += words.get(part, re.escape(part))
    return out


OPENED = re.compile(r'^\d+ +openat\(\S+, "[^"]*", ([A-Z_|]+).* = \d+<([^>]*)>$', re.MULTILINE)


def opened(trace: str, program: str) -> set[tuple[str, str]]:
    """Return each path that ``program`` opened, with ``r`` or ``w``, by what ``strace -f -y`` wrote."""
    _, _, own = trace.partition(f'execve("{program}"')
    return {
        (path + "/" * ("O_DIRECTORY" in flags), "w" if re.search("WRONLY|RDWR", flags) else "r")
        for flags, path in OPENED.findall(own)
    }
