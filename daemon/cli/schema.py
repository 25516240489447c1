"""``asgid schema``: the JSON Schema of the file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.cli.status import OK
from asgid.daemon.cli.words import given_words
from asgid.daemon.observe.streams import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.daemon.cli.parsing import Parser


def parser() -> Parser:
    """Return the parser of ``asgid schema``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    return command_parser(
        "schema",
        "It is draft-07, which taplo and Even Better TOML take. Name it in the first line of a file:\n"
        "  asgid schema > listeners.schema.json\n"
        "  #:schema ./listeners.schema.json",
    )


def run(words: Sequence[str]) -> int:
    """Print the schema."""
    given_words(words, 0, "schema", parser)
    import json  # noqa: PLC0415 - only this needs it

    from asgid.config.schema import schema  # noqa: PLC0415 - pydantic

    write_file(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
    return OK
