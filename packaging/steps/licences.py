"""debian/copyright: asgid's licence, and those of the packages in the private folder, from their metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from steps.stage import PRIVATE

if TYPE_CHECKING:
    from pathlib import Path

    from steps.context import Context

HEAD: Final = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: asgid
Comment: The packages in /usr/lib/asgid come unchanged from their authors, but for tests, sources and debug
 symbols, which are left out. The text of each licence lies beside the package, in NAME-VERSION.dist-info.

Files: *
Copyright: {holder}
License: Expat

License: Expat
{expat}
"""
OPEN: Final = "License :: OSI Approved :: "


def copyright_text(context: Context, staged: Path) -> str:
    """Return the file, in Debian's machine-readable format (1.0)."""
    own = (context.tree / "LICENSE").read_text(encoding="utf-8").strip().splitlines()
    holder = next(line.removeprefix("Copyright (c) ") for line in own if line.startswith("Copyright"))
    text = HEAD.format(holder=holder, expat=_indented(own[own.index("") + 1 :]))
    installed = json.loads(context.report.read_text(encoding="utf-8"))["install"]
    site = next(staged.glob(f"{PRIVATE}/lib/*/site-packages"))
    about = sorted((each["metadata"] for each in installed), key=lambda each: str(each["name"]).lower())
    return text + "".join(_stanza(each, site, staged) for each in about)


def _stanza(about: dict[str, Any], site: Path, staged: Path) -> str:
    spelled = about["name"].replace("-", "_").replace(".", "_").lower()
    info = next(each for each in site.glob("*.dist-info") if each.name.lower().startswith(f"{spelled}-"))
    holders = about.get("author") or about.get("author_email") or "its authors"
    name = f"{about['name']}-{about['version']}"
    paths = sorted({each.split("/")[0] for each in _tops(info)}) or [info.name]
    files = "\n ".join(
        f"{(site / each).relative_to(staged)}{'/*' * (site / each).is_dir()}" for each in paths
    )
    return (
        f"\nFiles:\n {files}\nCopyright: {' '.join(holders.split())}\nLicense: {name}\n {_licence(about)}\n"
        f" .\n The text: /{info.relative_to(staged)}\n"
    )


def _tops(info: Path) -> list[str]:
    named = info / "top_level.txt"
    tops = named.read_text(encoding="utf-8").split() if named.exists() else []
    return [each for each in tops if (info.parent / each).exists()] + [info.name]


def _licence(about: dict[str, Any]) -> str:
    said = about.get("license_expression") or about.get("license") or ""
    if not said or "\n" in said:
        classifiers = about.get("classifier", ())
        found = [each.removeprefix(OPEN) for each in classifiers if each.startswith(OPEN)]
        said = ", ".join(found) or "see its text"
    return str(said)


def _indented(lines: list[str]) -> str:
    return "\n".join(f" {line}" if line.strip() else " ." for line in lines)
