"""Configuration files of other servers: TOML, and Python that is read and never run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.config import codes
from asgid.config.convert.draft import ConvertError, Said
from asgid.config.convert.options import Lost
from asgid.config.diagnostics import COMMAND_LINE
from asgid.config.document import Document
from asgid.config.reading import from_bytes
from asgid.config.spec import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asgid.config.convert.draft import Draft, Settings
    from asgid.config.convert.options import Option
    from asgid.config.diagnostics import Diagnostic

_PLAIN: Final = (str, int, float, bool, list, tuple, dict, type(None))
_DEEPEST: Final = 50


def read(path: str) -> str:
    """Return the text of a file. Raises :class:`ConvertError`."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConvertError(f"{path} is not UTF-8") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ConvertError(f"{path} cannot be read: {reason}") from None


def in_full(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return findings with the lines of the files that they are about."""
    documents: dict[str, Document] = {}
    return tuple(_shown(each, documents) for each in findings)


def _shown(found: Diagnostic, documents: dict[str, Document]) -> Diagnostic:
    path = found.place.file
    if found.source or path.startswith(COMMAND_LINE):
        return found
    if path not in documents:
        try:
            documents[path] = Document(path, Path(path).parent, read(path).replace("\r\n", "\n"))
        except ConvertError:
            return found
    document = documents[path]
    return document.in_full(found) if document.line(found.place.line) else found


def toml_settings(draft: Draft, path: str, options: Mapping[str, Option]) -> Settings:
    """Return what Hypercorn's TOML file sets; keys that it ignores are reported."""
    document, wrong = from_bytes(path, Path(path).parent, read(path).encode())
    for each in wrong:
        raise ConvertError(f"{each.place}: {each.message}", each.help)
    found: Settings = {}
    for name, value in document.values.items():
        span = document.key_span((name,))
        place = Place(path, *document.position(span.start)) if span else Place(path)
        option = options.get(name)
        if option is None:
            message = f"{name:.60} is a setting that {draft.server} does not have, and ignores"
            draft.find(codes.CONVERT_LEFT_OUT, "info", place, message)
        elif isinstance(value, _PLAIN):
            found[name] = Said(value, name, place)
        else:
            raise Said(value, name, place).wrong(f"is a date, which says nothing to {draft.server}")
    return found


def python_settings(draft: Draft, path: str, options: Mapping[str, Option]) -> Settings:
    """Return what a Python file sets with plain literals; the rest of what it sets is reported, never run."""
    try:
        text = read(path)
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ConvertError(f"{path}:{error.lineno or 1}: not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ConvertError(f"{path} is not Python that can be read") from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: Settings = {}
    for name, node, value in _assignments(tree.body, 0):
        option = options.get(name)
        if option is None:
            continue  # a name of the file's own
        before = lines[node.lineno - 1].encode()[: node.col_offset]  # ast counts bytes of UTF-8
        said = Said(None, name, Place(path, node.lineno, len(before.decode()) + 1))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            rule = option.rule
            draft.lost(said, rule.why if isinstance(rule, Lost) else "it is computed", "")
            continue
        try:
            literal = ast.literal_eval(value) if value is not None else None
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            literal = draft
        if value is None or not isinstance(literal, _PLAIN):
            _computed(draft, said, value)
            found.pop(name, None)
        else:
            found[name] = Said(literal, name, said.place)
    return found


def _computed(draft: Draft, said: Said, value: ast.expr | None) -> None:
    try:
        shown = ast.unparse(value) if value is not None else "another value in some cases"
    except (RecursionError, ValueError):
        shown = "..."
    short = shown if len(shown) <= 60 else f"{shown[:57]}..."
    draft.find(
        codes.CONVERT_NOT_READ, "warning", said,
        f"{said.name} is computed ({short}), and the file is not run: it is left out",
        "write the key yourself, or a plain value into the file",
    )  # fmt: skip


def _assignments(
    body: list[ast.stmt], depth: int, *, sure: bool = True
) -> Iterator[tuple[str, ast.stmt, ast.expr | None]]:
    """Yield every name that is bound, with its value; None for one that is bound in some cases alone."""
    for node in body if depth < _DEEPEST else ():
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in _names(target, node.value):
                    yield name, node, value if sure else None
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            for name, value in _names(node.target, node.value):
                yield name, node, value if sure else None
        elif isinstance(node, ast.AugAssign):
            for name, _ in _names(node.target, node.value):
                yield name, node, None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node, None
        else:
            for inner in _bodies(node):
                yield from _assignments(inner, depth + 1, sure=False)


def _names(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        several = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        for index, each in enumerate(target.elts):
            if isinstance(each, ast.Name):
                yield each.id, several[index] if len(several) == len(target.elts) else None


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of an if, for, while, try, with or match."""
    for name in ("body", "orelse", "finalbody"):
        block: Any = getattr(node, name, None)
        if isinstance(block, list):
            yield block
    for each in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
        yield each.body
