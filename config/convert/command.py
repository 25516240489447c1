"""Which server a command line starts, with which words, where, and out of which environment."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asgid.config.convert.draft import ConvertError

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVERS: Final = ("daphne", "uvicorn", "hypercorn", "granian", "gunicorn")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PYTHON: Final = re.compile(r"(?:python|pypy)[0-9.]*t?")
_SHELLS: Final = {"sh", "bash", "dash", "zsh", "ksh"}
_RUNNERS: Final = {"uv", "poetry", "pipenv", "pdm", "hatch", "rye", "pixi"}
_NOT_VIRTUAL: Final = {"/", "/usr", "/usr/local", "/opt/local", "/root/.local"}
_PYTHON_WITH_VALUE: Final = {"-W", "-X"}
_SEGMENT: Final = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^;&'"\\])+""", re.DOTALL)
_EXPANSION: Final = (
    r"\\.|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^{}$]*))?\}"
    r"|(?P<other>[{(@*#?0-9]))"
)
_QUOTED_PIECE: Final = re.compile(rf"(?P<double>(?!))|{_EXPANSION}", re.DOTALL | re.ASCII)
_PIECE: Final = re.compile(rf"""'[^']*'|(?P<double>"(?:\\.|[^"\\])*")|{_EXPANSION}""", re.DOTALL | re.ASCII)
_UNSAFE: Final = re.compile(r"[`|<>]|\$\(|(?<!&)&(?!&)")


@dataclass
class Command:
    """One server's start. ``environment`` is what is set for it; ``virtualenv`` is empty where unknown."""

    server: str = ""
    words: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    base: Path = Path("/")
    moved: bool = False  # the directory is one that the command line itself names
    virtualenv: str = ""
    runner: str = ""  # poetry, say, which knows where the virtual environment is
    variables: dict[str, str] = field(default_factory=dict)  # what a shell finds besides


def parse(
    words: Sequence[str],
    base: Path,
    environment: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
) -> Command:
    """Take a command line apart. Raises :class:`ConvertError` where it starts none of :data:`SERVERS`.

    ``environment`` is what the file will set, ``variables`` are what a shell on the way finds besides.
    """
    found = Command(environment=dict(environment or {}), base=base, variables=dict(variables or {}))
    path = found.environment.get("PATH", "")
    _parse(found, list(words), 0)
    if not found.virtualenv and (named := found.environment.get("VIRTUAL_ENV")):
        found.virtualenv = named
    if not found.virtualenv and "/" not in found.server and path:
        found.virtualenv = _virtualenv(f"{path.split(':')[0]}/{found.server}", found.base, sure=False)
    found.server = _base_name(found.server)
    return found


def _parse(found: Command, words: list[str], depth: int) -> None:
    if depth > 10:
        raise ConvertError("the command line starts a shell in a shell in a shell")
    if len(words) == 1 and re.search(r"\s", words[0]):
        _shell(found, words[0], depth)
        return
    while words:
        word = words.pop(0)
        name = _base_name(word)
        if (match := _ASSIGNMENT.fullmatch(word)) is not None:
            found.environment[match[1]] = match[2]
        elif name in {"exec", "nohup", "command", "time"}:
            continue
        elif name == "env":
            _env(found, words)
        elif name in _SHELLS and words:
            _shell(found, _shell_line(words), depth)
            return
        elif name in _RUNNERS and "run" in words:
            del words[: words.index("run") + 1]
            while words and words[0].startswith("-"):
                del words[0]
            found.runner = name
        elif _PYTHON.fullmatch(name):
            _python(found, word, words)
            return
        elif name in SERVERS:
            _server(found, word, words)
            return
        else:
            raise _unknown(word)
    raise _unknown("")


def _unknown(word: str) -> ConvertError:
    known = ", ".join(SERVERS[:-1]) + f" or {SERVERS[-1]}"
    what = f"{word:.60} is none of them" if word else "nothing is started"
    return ConvertError(
        f"what can be converted starts {known}: {what}", "asgid convert -- daphne -b :: app:app"
    )


def _server(found: Command, word: str, words: list[str]) -> None:
    found.server, found.words = word, tuple(words)
    if "/" in word:
        found.virtualenv = _virtualenv(word, found.base)


def _base_name(word: str) -> str:
    return word.rpartition("/")[2]


def _env(found: Command, words: list[str]) -> None:
    """Take env's own options away; its assignments are read like a shell's."""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in {"-u", "--unset"} and words:
            found.environment.pop(words.pop(0), None)
        elif option in {"-i", "-", "--ignore-environment"}:
            found.environment.clear()
        elif option in {"-C", "--chdir"} and words:
            _move(found, words.pop(0))


def _python(found: Command, word: str, words: list[str]) -> None:
    if "/" in word:
        found.virtualenv = _virtualenv(word, found.base)
    while words:
        each = words.pop(0)
        if each in _PYTHON_WITH_VALUE and words:
            words.pop(0)
        elif each == "-m" and words:
            module = words.pop(0).removesuffix(".__main__")
            if module not in SERVERS:
                raise _unknown(f"-m {module}")
            found.server, found.words = module, tuple(words)
            return
        elif each.startswith("-m") and each[2:] in SERVERS:
            found.server, found.words = each[2:], tuple(words)
            return
        elif each.startswith("-") and len(each) > 1:
            continue
        elif _base_name(each) in SERVERS:
            virtualenv = found.virtualenv
            _server(found, each, words)
            found.virtualenv = found.virtualenv or virtualenv
            return
        else:
            raise _unknown(each)
    raise _unknown(word)


def _shell_line(words: list[str]) -> str:
    while words:
        word = words.pop(0)
        if re.fullmatch(r"-[a-z]*c", word) and words:
            return words[0]
        if not word.startswith("-"):
            raise ConvertError(
                f"the shell script {word:.60} is not read", "give the line in it that starts the server"
            )
    raise _unknown("a shell")


def _shell(found: Command, line: str, depth: int) -> None:
    """Read a line of a shell's: changes of directory and variables, then the server."""
    if _UNSAFE.search(line):
        raise ConvertError(
            "the shell line does more than to start a server", "give the command line that it comes to"
        )
    for segment in _segments(line):
        part = _split(_substituted(found, segment))
        if not part:
            continue
        if part[0] == "cd" and len(part) == 2:
            _move(found, part[1])
        elif part[0] == "export":
            found.environment |= {
                match[1]: match[2] for each in part[1:] if (match := _ASSIGNMENT.fullmatch(each))
            }
        elif part[0] in {".", "source"} and len(part) == 2 and part[1].endswith("/bin/activate"):
            found.virtualenv = _virtualenv(part[1], found.base)
        elif part[0] in {"set", "umask", "ulimit", ":", "true"}:
            continue
        elif all(_ASSIGNMENT.fullmatch(each) for each in part):
            found.environment |= {
                match[1]: match[2] for each in part if (match := _ASSIGNMENT.fullmatch(each))
            }
        else:
            activated = found.virtualenv
            _parse(found, part, depth + 1)
            found.virtualenv = found.virtualenv or activated
            return
    raise _unknown("")


def _segments(line: str) -> list[str]:
    """Return the simple commands of a line, between ``&&`` and ``;``, as they are written."""
    joined = line.replace("\\\n", " ").replace("\n", " ; ")
    _split(joined)
    return [each for each in _SEGMENT.findall(joined) if each.strip()]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise ConvertError("a quote is not closed in the shell line") from None


def _substituted(found: Command, text: str, *, quoted: bool = False) -> str:
    """Return a shell's text with the values of its variables, so written that they stay what they are."""

    def one(match: re.Match[str]) -> str:
        if match["double"] is not None:
            return f'"{_substituted(found, match["double"][1:-1], quoted=True)}"'
        if match["other"] is not None:
            raise ConvertError(
                f"the shell line has {match[0]:.20}, which is not read",
                "give the command line that it comes to",
            )
        if quoted and match[0] == "\\$":
            return "$"
        name = match["name"] or match["braced"]
        return match[0] if name is None else _written(_value(found, name, match["default"]), quoted=quoted)

    return (_QUOTED_PIECE if quoted else _PIECE).sub(one, text)


def _value(found: Command, name: str, default: str | None) -> str:
    value = found.environment.get(name, found.variables.get(name, ""))
    known = {*found.environment, *found.variables, "PATH", "PYTHONPATH"}  # most begin with what was there
    if default is None and name not in known:
        raise ConvertError(
            f"the shell line uses ${name}, and nothing read here sets it", f"put {name}=VALUE before it"
        )
    return value or default or ""


def _written(value: str, *, quoted: bool) -> str:
    """Return a value for a shell: between double quotes as it is, elsewhere as the words that it makes."""
    if quoted:
        return re.sub(r'([\\"])', r"\\\1", value)  # shlex keeps a backslash before anything else
    return " ".join(shlex.quote(each) for each in value.split())


def _move(found: Command, directory: str) -> None:
    found.base = Path(os.path.normpath(found.base / directory))
    found.moved = True


def _virtualenv(executable: str, base: Path, *, sure: bool = True) -> str:
    """Return the virtual environment that an executable's path says, or nothing where it is the system's.

    A folder that is there and has no pyvenv.cfg is none; one that is not there is believed, if ``sure``.
    """
    programs = Path(os.path.normpath(base / executable)).parent
    folder = str(programs.parent)
    if programs.name != "bin" or folder in _NOT_VIRTUAL or folder.endswith("/.local") or "\0" in folder:
        return ""
    try:
        if Path(folder).is_dir():
            return folder if (Path(folder) / "pyvenv.cfg").is_file() else ""
    except OSError:
        return ""
    return folder if sure else ""
