"""Finds the application that a target names, and makes a single callable of it (ASGI 3).

A target is ``module:attribute``, with dots allowed after the colon. An application of ASGI 2, which is called
with the scope and returns a callable for ``receive`` and ``send``, is wrapped.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from types import ModuleType, TracebackType

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_ENDINGS = (Exception, SystemExit, KeyboardInterrupt)  # no signal raises the last: asgid has handlers by then
_ATTEMPT: tuple[object, object, object] = (None, None, None)


class ApplicationError(Exception):
    """The application cannot be had. ``cause`` is the exception of its own code, where that was the reason.

    The cause's traceback starts in the application's code: the importing frames are cut off.
    """

    def __init__(self, message: str, help: str = "", cause: BaseException | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.help = help
        self.cause = cause


def load_application(target: str, *, factory: bool = False) -> Application:
    """Import what ``target`` names, call it where it is a ``factory``, and return an ASGI 3 application.

    Raises :class:`ApplicationError`.
    """
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise ApplicationError(
            f"{target!r} does not name an application",
            "write it as module:attribute, for example mysite.asgi:application",
        )
    found = _attribute(_module(module_name), module_name, path)
    if factory:
        found = _made(target, found)
    if not callable(found):
        hint = "name the ASGI application itself"
        raise ApplicationError(f"{target!r} is {_described(found)}, which cannot be called", hint)
    if not factory and _wants_nothing(found):
        raise ApplicationError(
            f"{target!r} takes no arguments, so it is no ASGI application",
            "if it makes the application, say factory = true (on the command line --factory)",
        )
    return single_callable(found)


def single_callable(application: Any) -> Application:
    """Return ``application`` itself where it takes scope, receive and send; one of ASGI 2 is wrapped."""
    if not is_double_callable(application):
        return application  # type: ignore[no-any-return]

    async def asgi2(scope: Scope, receive: Receive, send: Send) -> None:
        instance = application(scope)
        await instance(receive, send)

    return functools.wraps(application, updated=())(asgi2)


def is_double_callable(application: Any) -> bool:
    """Tell whether ``application`` is of ASGI 2: called with the scope alone, it returns the instance.

    The signature decides. Where it does not tell (``*args``, a compiled callable), the rule is asgiref's:
    classes are of ASGI 2, and so is whatever is no coroutine function.
    """
    for hint, answer in (("_asgi_single_callable", False), ("_asgi_double_callable", True)):
        if getattr(application, hint, False):
            return answer
    takes_three, takes_one = _takes(application, 3), _takes(application, 1)
    if takes_three != takes_one:
        return takes_one
    if inspect.isclass(application):
        return True
    call = getattr(application, "__call__", None)  # noqa: B004 - the method itself is looked at
    return not (inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(application))


def _takes(application: Any, count: int) -> bool:
    try:
        inspect.signature(application).bind(*_ATTEMPT[:count])
    except (TypeError, ValueError):
        return False
    return True


def _wants_nothing(application: Any) -> bool:
    return _takes(application, 0) and not _takes(application, 1) and not _takes(application, 3)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name
        if missing is not None and (name == missing or name.startswith(missing + ".")):
            raise ApplicationError(f"there is no module {missing!r}", _where_looked(missing)) from None
        raise _raised(f"the import of {name!r} failed", error) from error
    except _ENDINGS as error:
        raise _raised(f"the import of {name!r} failed", error) from error


def _where_looked(missing: str) -> str:
    parent = missing.rpartition(".")[0]
    if parent:
        return f"{parent!r} was found, but it has no such submodule"
    return (
        "the application's directory and this Python's packages were searched: set directory or virtualenv "
        "in [application], or start asgid in the application's directory"
    )


def _attribute(module: ModuleType, module_name: str, path: str) -> Any:
    found: Any = module
    trodden = module_name
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            import difflib  # noqa: PLC0415 - only a mistake pays for it

            near = difflib.get_close_matches(name, _public_names(found), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name what the module has after the colon"
            raise ApplicationError(f"{trodden!r} has no {name!r}", hint) from None
        except _ENDINGS as error:
            raise _raised(f"{name!r} of {trodden!r} cannot be read", error) from error
        trodden = f"{trodden}.{name}"
    return found


def _public_names(value: Any) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]


def _made(target: str, factory: Any) -> Any:
    if not callable(factory):
        raise ApplicationError(f"the factory {target!r} is {_described(factory)}, which cannot be called")
    try:
        made = factory()
    except _ENDINGS as error:
        raise _raised(f"the factory {target!r} failed", error) from error
    if inspect.iscoroutine(made):
        made.close()
        raise ApplicationError(
            f"the factory {target!r} is a coroutine function",
            "a factory is called without arguments and returns the application; where the target is the "
            "application itself, leave factory out",
        )
    if made is None:
        raise ApplicationError(f"the factory {target!r} returned None", "it is to return the application")
    return made


def _raised(what: str, error: BaseException) -> ApplicationError:
    """Return ``what`` with the exception's own words, its traceback cut down to the application's frames."""
    error.__traceback__ = _own_frames(error.__traceback__)
    words = str(error).strip().splitlines()
    detail = f"{type(error).__name__}: {words[0]}" if words else type(error).__name__
    return ApplicationError(f"{what}: {detail}", cause=error)


def _own_frames(traceback: TracebackType | None) -> TracebackType | None:
    whole = traceback
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if not (name.startswith("<frozen importlib") or name in _PLUMBING):
            return traceback
        traceback = traceback.tb_next
    return whole


def _described(value: object) -> str:
    return "a module" if inspect.ismodule(value) else f"of type {type(value).__name__}"


_PLUMBING = frozenset({__file__, importlib.__file__})
