"""``asgid init``: a first file, from a few questions on a terminal or from flags."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.daemon.cli.status import FINDINGS, OK, USAGE, UsageError
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_err, write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.config.starter import Answers, Where
    from asgid.daemon.cli.parsing import Parser

FILE: Final = "listeners.toml"
STDOUT: Final = "-"
WHERES: Final = ("loopback", "all", "unix", "interface")
_LISTED: Final = "loopback, all addresses (all), a unix socket (unix) or an interface (interface)"
_FLAGS: Final = "asgid init --application mysite.asgi:application --listen loopback --port 8000"


def parser() -> Parser:
    """Return the parser of ``asgid init``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser(
        "init",
        "With --application nothing is asked, and what no flag says has its default. Without it, what no\n"
        "flag says is asked on the terminal. What is written lints clean, with --strict too.\n"
        "Status 0; 1: the answers make no file that lints clean, and nothing is written; 2: wrong usage,\n"
        "or a file that cannot be written.",
    )
    made.word("file", f"the file to write ({FILE}); -: standard output", optional=True)
    made.flag("--application", metavar="TARGET", help="the application, as module:attribute")
    made.flag("--app-dir", metavar="DIRECTORY", help="the directory that it is in (the file's own)")
    made.flag("--listen", choices=WHERES, help="where: loopback, all, unix or interface (loopback)")
    made.flag("--port", help="the port (8000)", metavar="PORT")
    made.flag("--unix", metavar="PATH", help="the unix socket to listen on (http.sock)")
    made.flag("--interface", metavar="NAME", help="the network interface to listen on")
    made.flag(
        "--proxy", metavar="CIDR,...",
        help="the proxies whose X-Forwarded headers are believed, between commas, and unix for a unix "
        "socket; none: no proxy (none; for a unix socket: unix)",
    )  # fmt: skip
    made.flag("--force", action="store_true", help="write over a file that is there")
    return made


def run(words: Sequence[str]) -> int:
    """Write a first file."""
    given, rest = parser().read(words)
    named = [*([given["file"]] if given["file"] is not None else []), *rest]
    if len(named) > 1:
        raise UsageError(f"{named[1]!r} is one word too many", "asgid init takes one file")
    file = named[0] if named else FILE
    if not file:
        raise UsageError("a file needs a name", f"asgid init {FILE}")
    if file != STDOUT and not given["force"] and os.path.lexists(file):
        raise UsageError(f"{file} is there already", "--force writes over it")
    if file != STDOUT and not Path(file).absolute().parent.is_dir():
        raise UsageError(f"there is no directory {Path(file).parent}", "make it first")
    if given["application"] is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("asgid init asks on a terminal, and this is none: say it with flags", _FLAGS)
    answers = _answers(given, file, _ask if given["application"] is None else _default)
    return _write(answers, file, force=given["force"])


def _write(answers: Answers, file: str, *, force: bool) -> int:
    from asgid.config.loading import load_bytes  # noqa: PLC0415 - not for wrong usage
    from asgid.config.starter import starter  # noqa: PLC0415
    from asgid.daemon.cli.replacing import replace_file  # noqa: PLC0415 - only what is written pays for it

    named = file if file != STDOUT and file.isprintable() else FILE
    text = starter(answers, shlex.quote(named))
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise UsageError("an answer is not UTF-8, and nothing is written", "the file is UTF-8") from None
    directory = Path.cwd() if file == STDOUT else Path(file).absolute().parent
    found = [each for each in load_bytes(file, directory, data).diagnostics if each.severity != "info"]
    if found:
        say(found)
        write_err("asgid: nothing was written\n")
        return FINDINGS
    if file == STDOUT:
        write_file(text)
        return OK
    try:
        if force:
            replace_file(file, data)
        else:
            with Path(file).open("xb") as made:
                made.write(data)
    except OSError as error:
        write_err(f"asgid: {file} cannot be written: {error.strerror}\n")
        return USAGE
    write_err(f"{file} is written. Check it on this host: asgid lint --live {file}\n")
    return OK


def _default(_question: str, default: str, read: Callable[[str], Any]) -> Any:
    """Answer a question that no flag answers with its default."""
    return read(default)


def _ask(question: str, default: str, read: Callable[[str], Any]) -> Any:
    """Ask until ``read`` takes the answer; an empty one is the default. Raises :class:`UsageError`."""
    while True:
        write_err(f"{question} [{default}]: " if default else f"{question}: ")
        try:
            line = sys.stdin.readline()
            if line:
                return read(line.strip() or default)
        except UsageError as error:
            write_err(f"  {error}\n" + (f"  {error.help}\n" if error.help else ""))
        except UnicodeDecodeError:
            write_err("  that is not UTF-8\n")
        else:
            write_err("\n")
            raise UsageError("there was no answer, and nothing is written", _FLAGS)


def _answers(
    given: dict[str, Any], file: str, ask: Callable[[str, str, Callable[[str], Any]], Any]
) -> Answers:
    """Return what flags and questions say, flags first. Raises :class:`UsageError`."""
    from asgid.config.starter import Answers  # noqa: PLC0415 - not for wrong usage
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415

    def answer(flag: str, question: str, default: str, read: Callable[[str], Any]) -> Any:
        said = given[flag]
        return (
            ask(question, default, read) if said is None else _flag(f"--{flag.replace('_', '-')}", said, read)
        )

    _check(given)
    answers = Answers(answer("application", "The application, as module:attribute", "", _target))
    own = "" if file == STDOUT else str(Path(file).absolute().parent)
    directory = answer("app_dir", "The directory that it is in", own, _directory)
    answers = replace(answers, directory="" if directory == own else directory, ipv6=LinuxHost().has_ipv6())
    where: Where = _implied(given) or answer("listen", f"Listen on {_LISTED}", "loopback", _where)
    answers = replace(answers, where=where)
    if where == "unix":
        path = "/run/asgid/http.sock" if own == "/etc" or own.startswith("/etc/") else "http.sock"
        answers = replace(answers, path=answer("unix", "The unix socket's path", path, _path))
    else:
        if where == "interface":
            answers = _on_interface(answers, answer)
        answers = replace(answers, port=answer("port", "The port", "8000", _port))
    if where == "all" and given["proxy"] is None:
        return answers  # forwarded headers are for a listener that only the proxy reaches
    question = "Proxies whose X-Forwarded headers are believed: addresses between commas, or none"
    return replace(
        answers, trusted=answer("proxy", question, "unix" if where == "unix" else "none", _trusted)
    )


def _on_interface(answers: Answers, answer: Callable[..., Any]) -> Answers:
    from asgid.config.addresses import reach  # noqa: PLC0415 - not for wrong usage
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415

    known = LinuxHost().interfaces()
    name = answer("interface", f"The interface: this host has {', '.join(sorted(known))}", "", _interface)
    widest = max((reach(each) for each in known.get(name, ())), default=None)
    return replace(answers, interface=name, exposure="" if widest is None else widest.name.lower())


def _implied(given: dict[str, Any]) -> Where | None:
    """Return where a flag that names a socket listens."""
    ways: tuple[Where, ...] = ("unix", "interface")
    return next((each for each in ways if given[each] is not None), None)


def _check(given: dict[str, Any]) -> None:
    """Raise :class:`UsageError` for flags that do not go together."""
    where = given["listen"] or _implied(given)
    for flag in ("unix", "interface"):
        if given[flag] is not None and where != flag:
            raise UsageError(
                f"--{flag} does not go with {where}", f"write --listen {flag}, or leave --{flag} out"
            )
    if where == "all" and given["proxy"] not in {None, "none"}:
        raise UsageError(
            "--proxy does not go with all: anybody could come in without the proxy",
            "listen where the proxy alone reaches: --listen loopback, --unix PATH or --interface NAME",
        )
    if where == "unix" and given["port"] is not None:
        raise UsageError("a unix socket has no port", "leave --port out")
    if given["application"] is not None and where == "interface" and given["interface"] is None:
        raise UsageError("--listen interface needs an interface", "--interface eth0")


def _flag(flag: str, said: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(said)
    except UsageError as error:
        raise UsageError(f"{flag}: {error}", error.help) from None


def _read(said: str, check: Callable[[str], Any]) -> Any:
    """Return what ``check`` makes of an answer; what it refuses is wrong usage here."""
    from asgid.config.quantities import RefusedError  # noqa: PLC0415 - not for wrong usage

    try:
        return check(said)
    except RefusedError as error:
        raise UsageError(error.message, error.help) from None


def _target(said: str) -> Any:
    from asgid.config.fields import target  # noqa: PLC0415 - not for wrong usage

    return _read(said, target)


def _directory(said: str) -> str:
    path = os.path.normpath(Path(said).expanduser().absolute())
    if said and not Path(path).is_dir():
        raise UsageError(f"there is no directory {path}")
    return path if said else ""


def _where(said: str) -> Any:
    from asgid.daemon.cli.parsing import did_you_mean  # noqa: PLC0415 - difflib

    if said in WHERES:
        return said
    raise UsageError(f"{said} is none of {', '.join(WHERES)}", did_you_mean(said, WHERES, ""))


def _path(said: str) -> Any:
    from asgid.config.fields import unix_path  # noqa: PLC0415 - not for wrong usage

    return _read(said, unix_path)


def _interface(said: str) -> Any:
    from asgid.config.fields import interface  # noqa: PLC0415 - not for wrong usage

    return _read(said, interface)


def _port(said: str) -> int:
    if said.isascii() and said.isdecimal() and len(said) <= 5 and int(said) <= 65535:
        return int(said)
    raise UsageError(f"{said} is no port: a port is 0 to 65535")


def _trusted(said: str) -> tuple[str, ...]:
    from asgid.config.fields import trusted  # noqa: PLC0415 - not for wrong usage

    if said == "none":
        return ()
    found = tuple(_read(each.strip(), trusted) for each in said.split(",") if each.strip())
    wide = next((each for each in found if each.endswith("/0")), None)
    if wide is not None:
        raise UsageError(f"{wide} is everyone: any client could say who it is", "name the proxies alone")
    return found
