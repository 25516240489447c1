"""Applications that do it wrong, one for each way."""

from __future__ import annotations

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"body\n"}


def sending(*messages):
    """An application that sends these messages and returns."""

    async def application(scope, receive, send) -> None:
        for message in messages:
            await send(message)

    return application


def with_header(name, value):
    return sending({**START, "headers": [(name, value)]}, BODY)


async def raises(scope, receive, send) -> None:
    raise RuntimeError("raised on purpose")


async def raises_midway(scope, receive, send) -> None:
    await send(START)
    await send({**BODY, "more_body": True})
    raise RuntimeError("raised on purpose")


async def exits(scope, receive, send) -> None:
    raise SystemExit(3)


async def ends_a_generator(scope, receive, send) -> None:
    raise GeneratorExit


MISTAKES = {
    "generator-exit": ends_a_generator,
    "status-interim": sending({**START, "status": 103}, BODY),
    "header-nul": with_header(b"name", b"a\0b"),
    "no-file": sending(START, {"type": "http.response.pathsend", "path": "/nonexistent"}),
    "trailers-first": sending(START, {"type": "http.response.trailers", "headers": []}),
    "raises": raises,
    "raises-midway": raises_midway,
    "exits": exits,
    "returns-early": sending(),
    "returns-after-start": sending(START),
    "body-first": sending(BODY, START),
    "two-starts": sending(START, START, BODY),
    "no-status": sending({"type": "http.response.start", "headers": []}, BODY),
    "status-text": sending({**START, "status": "fine"}, BODY),
    "status-range": sending({**START, "status": 7}, BODY),
    "str-body": sending(START, {**BODY, "body": "text"}),
    "str-header-name": with_header("name", b"value"),
    "str-header-value": with_header(b"name", "value"),
    "header-newline": with_header(b"name", b"one\r\nset-cookie: two"),
    "header-name-space": with_header(b"a name", b"value"),
    "header-name-empty": with_header(b"", b"value"),
    "unknown-event": sending({"type": "http.response.nonsense"}),
    "no-type": sending({"status": 200}),
    "too-much": sending({**START, "headers": [(b"content-length", b"2")]}, BODY),
    "too-little": sending({**START, "headers": [(b"content-length", b"20")]}, BODY),
}
