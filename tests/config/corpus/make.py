"""Writes the corpus: each rule at each place where its key can stand, and the matrix of both in README.md.

Where a finding has to be is marked by hand, in cases.py: ``⟦ASG207|"localhost"⟧`` says that the lint finds
ASG207 under just that text (``⟦ASG508w|...⟧``: as a warning). The marks are taken out of the files and become
their first lines, one for each finding, with line and column counted here; nothing of asgid is imported. Run
it after a change of the cases:

    python tests/config/corpus/make.py            # --check: say what is stale, and change nothing
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from cases import APPLICATION, CASES, CLOSE, FILES, OPEN, Case, Pairs, marked
from together import TOGETHER

HERE = Path(__file__).parent
README = HERE / "README.md"
MARK = re.compile(r"⟦(?P<code>ASG[0-9]{3})(?P<weak>[wi]?)\|(?P<text>.*?)⟧", re.DOTALL)
SEVERITIES = {"": "error", "w": "warning", "i": "info"}


def quoted(key: str) -> str:
    """A key in quotes, its mark around them."""
    match = MARK.fullmatch(key)
    if match:
        return f'{OPEN}{match["code"]}{match["weak"]}|"{match["text"]}"{CLOSE}'
    return f'"{key}"'


def lines(pairs: Pairs, before: str = "") -> str:
    return "".join(f"{before}{key} = {value}\n" for key, value in pairs.items())


def braces(pairs: Pairs) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"


def other(case: Case) -> str:
    return "\n[listeners.other]\n" + lines(case.other) if case.other else ""


# The ways in which a listener can be written.


def listener_table(case: Case) -> str:
    return (
        APPLICATION + other(case) + "\n" + marked(case.header, "[listeners.main]") + "\n" + lines(case.pairs)
    )


def listener_quoted(case: Case) -> str:
    pairs = {quoted(key): value for key, value in case.pairs.items()}
    header = marked(case.header, "[ listeners . 'main' ]")
    return APPLICATION + other(case) + "\n" + header + " # main\n" + lines(pairs)


def listener_dotted(case: Case) -> str:
    first, *rest = [f"{key} = {value}\n" for key, value in case.pairs.items()]
    name = marked(case.header, "main")
    body = f"{name}.{first}" + "".join(f"main.{each}" for each in rest)
    return APPLICATION + "\n[listeners]\n" + lines(case.other, "other.") + body


def listener_top(case: Case) -> str:
    first, *rest = [f"{key} = {value}\n" for key, value in case.pairs.items()]
    name = marked(case.header, "main")
    body = f"listeners . {name} . {first}" + "".join(f"listeners.main.{each}" for each in rest)
    return lines(case.other, "listeners.other.") + body + "\n" + APPLICATION


def listener_inline(case: Case) -> str:
    name = marked(case.header, "main")
    before = f"other = {braces(case.other)}\n" if case.other else ""
    return f"{APPLICATION}\n[listeners]\n{before}{name} = {braces(case.pairs)}\n"


def listener_crlf(case: Case) -> str:
    pairs = {f"\t{key}": f"\t{value} # é日本" for key, value in case.pairs.items()}
    header = marked(case.header, "[listeners.main]")
    long = 'root_path = """\n/é\\\n  /日"""\n'
    text = f"{APPLICATION}{long}{other(case)}\n# ünïcode\n{header}\n{lines(pairs)}"
    return "\ufeff" + text.replace("\n", "\r\n")


# The ways in which a table for all listeners can be written, and the same table in one listener.


def wide_table(case: Case) -> str:
    header = marked(case.header, f"[{case.table}]")
    return f"{APPLICATION}{header_of(case)}\n{header}\n{lines(case.pairs)}"


def wide_dotted(case: Case) -> str:
    return lines(case.pairs, f"{case.table}.") + APPLICATION + header_of(case)


def wide_inline(case: Case) -> str:
    name = marked(case.header, case.table)
    return f"{name} = {braces(case.pairs)}\n" + APPLICATION + header_of(case)


def wide_crlf(case: Case) -> str:
    pairs = {f"\t{key}": f"{value}\t# é日本" for key, value in case.pairs.items()}
    header = marked(case.header, f"[\t{case.table}\t]")
    text = f"# ünïcode\n{APPLICATION}{header_of(case)}\n{header}\n{lines(pairs)}"
    return text.replace("\n", "\r\n")


def own_table(case: Case) -> str:
    header = marked(case.header, f"[listeners.main.{case.table}]")
    return f"{APPLICATION}{header_of(case)}\n{header}\n{lines(case.pairs)}"


def own_dotted(case: Case) -> str:
    return APPLICATION + header_of(case) + lines(case.pairs, f"{case.table} . ")


def own_inline(case: Case) -> str:
    return APPLICATION + header_of(case) + f"{case.table} = {braces(case.pairs)}\n"


def own_inside(case: Case) -> str:
    whole = {**case.listener, case.table: braces(case.pairs)}
    return f"{APPLICATION}\n[listeners]\nmain = {braces(whole)}\n"


def application_table(case: Case) -> str:
    return marked(case.header, "[application]") + "\n" + lines(case.pairs) + header_of(case)


def application_dotted(case: Case) -> str:
    return lines(case.pairs, "application.") + header_of(case)


def application_inline(case: Case) -> str:
    return f"{marked(case.header, 'application')} = {braces(case.pairs)}\n" + header_of(case)


def application_crlf(case: Case) -> str:
    return ("\n#\té日本\n" + application_table(case)).replace("\n", "\r\n")


def header_of(case: Case) -> str:
    return "\n[listeners.main]\n" + lines(case.listener)


IN_A_LIST = re.compile(r"= \[[^\[\]]*⟦")
"""A mark between the brackets of a list."""

Form = Callable[[Case], str]
LISTENER: dict[str, Form] = {
    "table": listener_table,
    "quoted": listener_quoted,
    "dotted": listener_dotted,
    "top": listener_top,
    "inline": listener_inline,
    "crlf": listener_crlf,
}
WIDE: dict[str, Form] = {
    "wide": wide_table,
    "wide-dotted": wide_dotted,
    "wide-inline": wide_inline,
    "wide-crlf": wide_crlf,
}
OWN: dict[str, Form] = {
    "own": own_table,
    "own-dotted": own_dotted,
    "own-inline": own_inline,
    "own-inside": own_inside,
}
APPLIED: dict[str, Form] = {
    "app": application_table,
    "app-dotted": application_dotted,
    "app-inline": application_inline,
    "app-crlf": application_crlf,
}
OVERRIDING = ("proxy", "limits", "timeouts", "websocket")
WHOLE = "whole"
PLACES = {
    "table": "`[listeners.main]`",
    "quoted": "quoted keys",
    "dotted": "`main.KEY` in `[listeners]`",
    "top": "`listeners.main.KEY`",
    "inline": "`main = { KEY }`",
    "crlf": "CRLF, tabs, wide characters",
    "wide": "`[TABLE]`",
    "wide-dotted": "`TABLE.KEY`",
    "wide-inline": "`TABLE = { KEY }`",
    "wide-crlf": "`[TABLE]` with CRLF",
    "own": "`[listeners.main.TABLE]`",
    "own-dotted": "`TABLE.KEY` in a listener",
    "own-inline": "`TABLE = { KEY }` in a listener",
    "own-inside": "`main = { TABLE = { KEY } }`",
    "app": "`[application]`",
    "app-dotted": "`application.KEY`",
    "app-inline": "`application = { KEY }`",
    "app-crlf": "`[application]` with CRLF",
    WHOLE: "whole files",
}


def forms(case: Case) -> dict[str, Form]:
    if case.table == "application":
        return APPLIED
    if not case.table:
        return LISTENER
    return WIDE | OWN if case.table in OVERRIDING else WIDE


def some(every: dict[str, Form], number: int) -> dict[str, Form]:
    """All places for a rule's first case, and two for each other one, by turns."""
    if number == 0:
        return every
    names = list(every)
    return {names[each % len(names)]: every[names[each % len(names)]] for each in (number, number + 3)}


def every_file() -> Iterator[tuple[str, str, str]]:
    """Yield the code that a file is about, its place, and its path and marked text."""
    for code, cases in CASES.items():
        for number, case in enumerate(cases):
            for place, form in some(forms(case), number).items():
                several = any("\n" in value for value in case.pairs.values())
                if several and ("inline" in place or place == "own-inside"):
                    continue
                yield code, place, f"{code}/{case.slug}.{place}.toml", form(case)
    for code, files in {**FILES, "together": TOGETHER}.items():
        for slug, text in files.items():
            yield code, WHOLE, f"{code}/{slug}.toml", text


def finished(text: str) -> str:
    """Take the marks out, and say in the first lines what they said."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: list[tuple[str, str, int, int]] = []
    plain, position = "", 0
    for match in MARK.finditer(text):
        plain += text[position : match.start()]
        found.append((match["code"], SEVERITIES[match["weak"]], len(plain), len(plain) + len(match["text"])))
        plain += match["text"]
        position = match.end()
    plain += text[position:]
    assert OPEN not in plain, plain
    head = "".join(
        f"#! {code} {severity} {place(plain, start, len(found))}-{place(plain, end, len(found))}\n"
        if end > start
        else f"#! {code} {severity} 1:1-0:0\n"  # what is not there has no place of its own
        for code, severity, start, end in sorted(found, key=lambda each: (each[2], each[0]))
    )
    return mark + (head + plain).replace("\n", newline)


def place(text: str, offset: int, lines_before: int) -> str:
    before = text[:offset]
    return f"{before.count(chr(10)) + 1 + lines_before}:{offset - (before.rfind(chr(10)) + 1) + 1}"


def matrix(table: dict[str, dict[str, int]], listed: dict[str, int]) -> str:
    """The rules and the places that each of them is tested at, in Markdown."""
    total = sum(sum(row.values()) for row in table.values())
    text = [
        "# The corpus of the lint",
        "",
        f"{total} files. The first lines of each say what the lint has to find in it, and where: code,",
        "severity, line and column of the beginning and of the end (1:1-0:0 for what is not there).",
        "`make.py` writes them, and this page; the places are marked by hand in `cases.py`.",
        "",
        "Rules and places (how many files):",
        "",
    ]
    for title, places in (
        ("Keys of a listener", LISTENER),
        ("Keys of a table for all listeners, or of the same table in one", WIDE | OWN),
        ("Keys of the application, and whole files", [*APPLIED, WHOLE]),
    ):
        rows = {code: row for code, row in table.items() if any(place in row for place in places)}
        text += [f"## {title}", "", "| rule | " + " | ".join(PLACES[each] for each in places) + " |"]
        text.append("|---" * (len(places) + 1) + "|")
        text += [
            f"| {code} | " + " | ".join(str(row.get(each, "")) for each in places) + " |"
            for code, row in sorted(rows.items())
        ]
        text.append("")
    text += ["## Elements of lists", "", "| rule | in a list |", "|---|---|"]
    text += [f"| {code} | {count} |" for code, count in sorted(listed.items())]
    text.append("")
    return "\n".join(text)


def main(check: bool) -> int:
    wanted: dict[Path, bytes] = {}
    table: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    listed: dict[str, int] = defaultdict(int)
    for code, where, path, text in every_file():
        assert HERE / path not in wanted, path
        wanted[HERE / path] = finished(text).encode()
        table[code][where] += 1
        if IN_A_LIST.search(text):
            listed[code] += 1
    wanted[README] = matrix(table, listed).encode()
    there = {path for path in HERE.rglob("*") if path.suffix in {".toml", ".md"}}
    stale = [path for path, data in wanted.items() if path not in there or path.read_bytes() != data]
    stale += sorted(there - set(wanted))
    if check:
        print("".join(f"{path.relative_to(HERE)} is stale\n" for path in stale), end="", file=sys.stderr)
        return 1 if stale else 0
    for folder in {path.parent for path in there if path.parent != HERE}:
        shutil.rmtree(folder)
    for path, data in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
