"""Finding the application: what is imported, what is wrapped, and what is said where that fails."""

from __future__ import annotations

import asyncio
import functools
import sys
import traceback

import pytest

from asgid.daemon.asgi.application import (
    ApplicationError,
    is_double_callable,
    load_application,
    single_callable,
)

MODULE = """
class Site:
    async def __call__(self, scope, receive, send): pass
    class inner:
        @staticmethod
        async def app(scope, receive, send): pass

async def application(scope, receive, send): pass
def make(): return application
async def make_slowly(): return application
def make_nothing(): return None
def make_badly(): raise RuntimeError("no database")
def leave(): raise SystemExit("usage: ...")
site = Site()
number = 5
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write modules that can be imported under names of their own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(text, name="asgid_case"):
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        names.append(name)
        return name

    yield write
    for name in list(sys.modules):
        if name.partition(".")[0] in {each.partition(".")[0] for each in names}:
            del sys.modules[name]


@pytest.mark.parametrize("path", ["application", "site", "site.inner.app", "Site.inner.app"])
def test_dots_lead_to_attributes_of_attributes(module, path):
    assert callable(load_application(f"{module(MODULE)}:{path}"))


def test_a_factory_is_called(module):
    found = load_application(f"{module(MODULE)}:make", factory=True)
    assert found is sys.modules["asgid_case"].application


@pytest.mark.parametrize(
    ("target", "factory", "words", "advice"),
    [
        ("asgid_case:aplication", False, "'asgid_case' has no 'aplication'", "'application'"),
        ("asgid_case:site.iner", False, "'asgid_case.site' has no 'iner'", "'inner'"),
        ("asgid_case:zzz", False, "has no 'zzz'", "after the colon"),
        ("asgid_case:number", False, "of type int", "application itself"),
        ("asgid_case:make", False, "takes no arguments", "factory = true"),
        ("asgid_case:number", True, "of type int", ""),
        ("asgid_case:make_slowly", True, "coroutine function", "leave factory out"),
        ("asgid_case:make_nothing", True, "returned None", "return the application"),
        ("asgid_nowhere:app", False, "there is no module 'asgid_nowhere'", "directory"),
        ("asgid_nowhere.asgi:app", False, "there is no module 'asgid_nowhere'", "directory"),
        ("asgid_case", False, "does not name an application", "module:attribute"),
        (":app", False, "does not name an application", "module:attribute"),
        ("asgid_case:", False, "does not name an application", "module:attribute"),
    ],
)
def test_a_wrong_target_is_told_with_what_to_write(module, target, factory, words, advice):
    module(MODULE)
    with pytest.raises(ApplicationError) as caught:
        load_application(target, factory=factory)
    assert words in str(caught.value)
    assert advice in caught.value.help
    assert caught.value.cause is None


def test_a_submodule_that_is_missing_is_told_apart_from_its_package(module):
    module("", "asgid_package.__init__")
    with pytest.raises(ApplicationError, match=r"no module 'asgid_package\.asgi'") as caught:
        load_application("asgid_package.asgi:application")
    assert "'asgid_package' was found" in caught.value.help


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import asgid_missing_dependency\n", "No module named 'asgid_missing_dependency'"),
        ("1/0\n", "ZeroDivisionError: division by zero"),
        ("def f(:\n", "SyntaxError"),
        ("raise SystemExit('settings are missing')\n", "SystemExit: settings are missing"),
        ("raise ValueError\n", "failed: ValueError"),
        ("raise KeyboardInterrupt\n", "failed: KeyboardInterrupt"),
    ],
)
def test_what_the_applications_own_import_raises_is_the_cause(module, text, words):
    with pytest.raises(ApplicationError) as caught:
        load_application(f"{module(text)}:app")
    assert words in str(caught.value)
    assert caught.value.cause is not None


def test_the_causes_traceback_begins_in_the_application(module):
    with pytest.raises(ApplicationError) as caught:
        load_application(
            f"{module('import os' + chr(10) + 'def f(): raise OSError(5)' + chr(10) + 'f()')}:app"
        )
    assert caught.value.cause is not None
    frames = traceback.extract_tb(caught.value.cause.__traceback__)
    assert [frame.filename.rpartition("/")[2] for frame in frames] == ["asgid_case.py"] * 2


@pytest.mark.parametrize(("name", "words"), [("make_badly", "no database"), ("leave", "usage")])
def test_what_a_factory_raises_is_the_cause(module, name, words):
    with pytest.raises(ApplicationError, match=words) as caught:
        load_application(f"{module(MODULE)}:{name}", factory=True)
    assert caught.value.cause is not None


def test_what_the_daemon_raises_for_a_signal_passes(module):
    with pytest.raises(GeneratorExit):  # any exception past Exception that is no ending of a program's own
        load_application(f"{module('raise GeneratorExit')}:app")


async def three(scope, receive, send):
    pass


def three_by_hand(scope, receive, send):
    return three(scope, receive, send)


def double(scope):
    async def instance(receive, send):
        await send(await receive() | {"scope": scope})

    return instance


class DoubleClass:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await send(await receive() | {"scope": self.scope})


class Endpoint:
    """As Starlette's: made with all three, then awaited."""

    def __init__(self, scope, receive, send):
        self.answer = send

    def __await__(self):
        yield from asyncio.sleep(0).__await__()


class Middleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


class OldMiddleware:
    def __call__(self, scope):
        return double(scope)


class Anything:
    async def __call__(self, *args, **kwargs):
        pass


def sync_anything(*args):
    return double(*args)


def hinted(*args):
    return three(*args)


hinted._asgi_single_callable = True


@pytest.mark.parametrize(
    "application",
    [
        three,
        three_by_hand,
        Endpoint,
        Middleware(three),
        Anything(),
        functools.partial(three),
        hinted,
        lambda scope, receive, send: three(scope, receive, send=send),
    ],
)
def test_what_takes_all_three_is_left_as_it_is(application):
    assert not is_double_callable(application)
    assert single_callable(application) is application


@pytest.mark.parametrize("application", [double, DoubleClass, OldMiddleware(), functools.partial(double)])
def test_asgi_2_is_wrapped_and_runs(application):
    assert is_double_callable(application)
    sent = []

    async def receive():
        return {"type": "one"}

    async def send(message):
        sent.append(message)

    asyncio.run(single_callable(application)({"type": "http"}, receive, send))
    assert sent == [{"type": "one", "scope": {"type": "http"}}]


def test_a_signature_that_does_not_tell_is_judged_as_asgiref_does():
    assert is_double_callable(sync_anything)
