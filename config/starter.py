"""A first file: what a few answers come to, with comments that say where to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asgid.config.writing import string

if TYPE_CHECKING:
    from collections.abc import Iterator

Where = Literal["loopback", "all", "unix", "interface"]

COLUMN = 44
"""Where the comments behind a value begin."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first file is made of.

    ``directory`` is empty for the file's own. ``path`` is for a unix socket, ``interface`` and ``exposure``
    (how far its addresses reach, empty: not known) for an interface. ``trusted`` are the proxies whose
    forwarded headers are taken, which is for a listener that others do not reach; ``ipv6`` tells whether to
    listen on it.
    """

    target: str
    directory: str = ""
    where: Where = "loopback"
    port: int = 8000
    path: str = "http.sock"
    interface: str = ""
    exposure: str = ""
    trusted: tuple[str, ...] = ()
    ipv6: bool = True


def starter(answers: Answers, name: str) -> str:
    """Return the text of a file that is to be called ``name``. Unless an answer is wrong, it lints clean."""
    return "".join(f"{line}\n" for line in _lines(answers, name))


def _lines(answers: Answers, name: str) -> Iterator[str]:
    yield f"# Serve:  asgid --config {name}"
    yield f"# Check:  asgid lint {name}     (on the host that is to serve it: lint --live)"
    yield "# Every key that may be written is in asgid.toml(5). What is commented out here is an example."
    yield ""
    yield "[application]"
    yield _said("target", string(answers.target), "module:attribute")
    directory = "where the module is; without it, beside this file"
    if answers.directory:
        yield _said("directory", string(answers.directory), directory)
    else:
        yield _said("# directory", '"/srv/mysite"', directory)
    yield _said("# virtualenv", '"/srv/mysite/.venv"', "run with this environment's Python")
    yield '# environment = { DJANGO_SETTINGS_MODULE = "mysite.settings" }'
    yield ""
    yield "# A table for each listener; its name is its own, and stands in logs and in the scope."
    yield "[listeners.web]"
    yield from _listener(answers)
    yield ""
    yield from _proxy(answers)
    yield ""
    yield "# What holds for every listener; a table in a listener overrides it key by key."
    yield "# [limits]"
    yield _said("# body_size", '"100MB"', "longer request bodies are answered with 413")
    yield "# [timeouts]"
    yield _said("# drain", '"30s"', "requests have this long to finish at a stop")
    yield ""
    yield "[log]"
    yield _said("access", '"-"', 'the access log: "-" standard output, a path, "" none')


def _listener(answers: Answers) -> Iterator[str]:
    both = answers.ipv6 and answers.port != 0  # with port 0 each address would have a port of its own
    if answers.where == "unix":
        yield _said("unix", string(answers.path), "a relative path is relative to this file's directory")
        yield _said("mode", '"0660"', "who may connect: the owner and the group")
        yield _said("# group", '"www-data"', "the group that the proxy runs as")
        return
    if answers.where == "interface":
        yield _said("interface", string(answers.interface), "each address that it has at start")
        yield _said("# family", '"ipv4"', "of this family alone: ipv4 | ipv6")
    elif answers.where == "all":
        yield _said("address", '"*"' if both else '"0.0.0.0"', "every address of this host")
    else:
        address = '["127.0.0.1", "::1"]' if both else '"127.0.0.1"'
        yield _said("address", address, 'this host alone; "*": every address')
    yield f"port = {answers.port}"
    if answers.where == "all":
        yield _said("exposure", '"public"', "meant to be reached by anybody")
    elif answers.where == "interface" and answers.exposure:
        yield _said("exposure", string(answers.exposure), "no address that reaches farther is served")


def _proxy(answers: Answers) -> Iterator[str]:
    if not answers.trusted:
        yield "# Behind a proxy, the requests' clients and scheme come from its headers:"
        yield "# [proxy]"
        yield _said("# forwarded", '"x-forwarded"', "or rfc7239")
        yield _said("# trusted", '["192.0.2.1", "unix"]', "the proxies whose word is taken")
        return
    yield "# A proxy has to set or delete each X-Forwarded header: what it passes on is its client's word."
    yield "[proxy]"
    yield _said("forwarded", '"x-forwarded"', "or rfc7239")
    trusted = ", ".join(string(each) for each in answers.trusted)
    yield _said("trusted", f"[{trusted}]", "the proxies whose word is taken")


def _said(key: str, value: str, about: str) -> str:
    return f"{f'{key} = {value}':<{COLUMN}}# {about}"
