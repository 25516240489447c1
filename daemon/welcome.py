"""What a fresh installation serves: what is running, where its file is, and what to do next.

An ASGI application (HTTP 2.5), for ``[application] target = "asgid.daemon.welcome:app"``. A browser gets a
page, any other client plain text.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgid.daemon import __version__

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>asgid is running</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem;
  color: #222; background: #fff }}
code, pre {{ font-family: ui-monospace, monospace; background: #f2f2f2; border-radius: .25rem }}
code {{ padding: .1em .3em }}
pre {{ padding: .75rem 1rem; overflow-x: auto }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ddd; background: #1b1b1b }}
  code, pre {{ background: #2b2b2b }} }}
</style>
</head>
<body>
<h1>asgid is running</h1>
<p>{running}</p>
<p>Its file is <code>{file}</code>.</p>
<h2>What to do next</h2>
<ol>{steps}</ol>
<p>{more}</p>
</body>
</html>
"""
_MORE = "The manual: man asgid, man asgid.toml."


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Serve one scope. Raises ``ValueError`` for what is neither a request nor the lifespan."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "http":
        await _answer(scope, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    else:
        raise ValueError(f"the welcome page serves no scope of the kind {scope['type']!r}")


async def _answer(scope: Message, send: Send) -> None:
    status, kind, text = 200, "text/plain", ""
    more: list[tuple[bytes, bytes]] = []
    if scope["method"] not in {"GET", "HEAD"}:
        status, text = 405, "There is only a page to read here.\n"
        more = [(b"allow", b"GET, HEAD")]
    elif scope["path"] != (scope.get("root_path") or "") + "/":
        status, text = 404, "There is one page here: /\n"
    else:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        is_browser = b"text/html" in headers.get(b"accept", b"")
        kind, text = ("text/html", _page(scope)) if is_browser else (kind, _text(scope))
    body = text.encode("utf-8", "replace")
    headers_out = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
        (
            b"content-security-policy",
            b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers_out})
    await send({"type": "http.response.body", "body": body})


def _running(scope: Message) -> str:
    name = scope.get("extensions", {}).get("asgid", {}).get("listener", "unnamed")
    return (
        f"asgid {__version__} with Python {sys.version.partition(' ')[0]}, process {os.getpid()}. "
        f"You came by the listener {name!r}."
    )


def _file() -> str:
    """Return the file that this daemon was started with."""
    words = sys.argv[1:]
    named = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "--config"), "")
    named = named or next((each.removeprefix("--config=") for each in words if each[:9] == "--config="), "")
    return named or os.environ.get("ASGID_CONFIG") or "the one that it was started with"


def _steps(file: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Name your application and where it listens", f'{file}: target = "mysite.asgi:application"'),
        ("Check it", f"asgid lint --live {file}"),
        ("Serve it", f"systemctl restart {_unit() or 'asgid'}"),
    )


def _unit() -> str:
    """Return the systemd unit that this process belongs to, where there is one (cgroups(7))."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as groups:  # noqa: PTH123 - 3 ms less at start
            last = groups.read().strip().rpartition("/")[2]
    except OSError:
        return ""
    return last if last.endswith(".service") else ""


def _text(scope: Message) -> str:
    file = _file()
    steps = "".join(f"  {n}. {what}:\n     {how}\n" for n, (what, how) in enumerate(_steps(file), 1))
    return (
        f"asgid is running\n\n{_running(scope)}\nIts file is {file}.\n\nWhat to do next:\n{steps}\n{_MORE}\n"
    )


def _page(scope: Message) -> str:
    file = _file()
    steps = "".join(
        f"<li>{html.escape(what)}:<pre>{html.escape(how)}</pre></li>" for what, how in _steps(file)
    )
    return _PAGE.format(
        running=html.escape(_running(scope)), file=html.escape(file), steps=steps, more=html.escape(_MORE)
    )
