"""Which exceptions of an application say only that its client has gone: they are no mistake of anybody's.

Every client can leave at any time, so a traceback for each would let any of them fill the log.
"""

from __future__ import annotations

# How frameworks say it, by name, for none of them is imported here: Starlette and FastAPI, Django, Werkzeug
# and Quart, Falcon.
_NAMES = frozenset(
    (
        "ClientDisconnect",
        "WebSocketDisconnect",
        "RequestAborted",
        "ClientDisconnected",
        "WebSocketDisconnected",
    )
)


# What a ``send`` raises; the second is what other servers raise, and what is made of it therefore.
_FAILED_SENDS = (ConnectionResetError, BrokenPipeError)


def is_departure(error: BaseException | None, *, gone: bool = True) -> bool:
    """Whether an exception of an application says only that its client has gone.

    That is the ``OSError`` of a ``send`` where the client has ``gone`` indeed, what a framework makes of
    ``http.disconnect``, a group that holds nothing else, and what an application raises from one of these. A
    builtin exception that is raised while one of these is dealt with is a mistake in the dealing.
    """
    return _is_departure(error, _FAILED_SENDS if gone else (), set())


def _is_departure(
    error: BaseException | None, kinds: tuple[type[BaseException], ...], seen: set[int]
) -> bool:
    # What is raised out of a group on its own has that group, which has it, as its context: Starlette's
    # middleware does that.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, kinds) or any(each.__name__ in _NAMES for each in type(error).__mro__):
            return True
        if isinstance(error, BaseExceptionGroup):
            return all(_is_departure(one, kinds, seen) for one in error.exceptions)
        if error.__cause__ is None and type(error).__module__ == "builtins":
            return False
        error = error.__cause__ or error.__context__
    return False
