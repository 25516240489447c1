"""Makes what is made of the models and the parsers: reference, schema, manual pages, completions.

``python packaging/reference/make.py`` writes them; with ``--check`` it names those that are stale instead,
and ends with status 1 where there are any. It needs asgid and shtab (the ``test`` extra has both).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import commands
import language
from blocks import markdown, roff
from completions import completions

from asgid.config.schema import schema
from asgid.daemon import __version__

PACKAGING = Path(__file__).parents[1]


def made() -> dict[str, str]:
    """Return the text of each file, by its path in ``packaging/``."""
    files = {
        "reference/asgid.toml.md": markdown("asgid.toml: every key", tuple(language.blocks())),
        "reference/listeners.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    }
    for page in (language.page(), *commands.pages()):
        files[f"man/{page.name}.{page.section}"] = roff(page, __version__)
    return files | {f"completions/{name}": text for name, text in completions().items()}


def main(words: list[str]) -> int:
    """Write the files, or check them."""
    if words not in ([], ["--check"]):
        sys.stderr.write("usage: make.py [--check]\n")
        return 2
    stale = [name for name, text in made().items() if _read(PACKAGING / name) != text]
    if words:
        for name in stale:
            sys.stderr.write(f"packaging/{name} is stale: run packaging/reference/make.py\n")
        return 1 if stale else 0
    for name, text in made().items():
        (PACKAGING / name).parent.mkdir(exist_ok=True)
        (PACKAGING / name).write_text(text, encoding="utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
