"""Lifespan: every way in which an application can answer, or not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from asgid.daemon.asgi.lifespan import Lifespan, LifespanError


def run(coroutine):
    return asyncio.run(coroutine)


class App:
    """An application from a list of steps: a message to send, an exception to raise, ``receive`` to wait."""

    def __init__(self, *steps):
        self.steps = steps
        self.received = []
        self.scope = None

    async def __call__(self, scope, receive, send):
        self.scope = scope
        for step in self.steps:
            if step == "receive":
                self.received.append((await receive())["type"])
            elif isinstance(step, BaseException):
                raise step
            elif callable(step):
                await step(scope)
            else:
                await send({"type": step} if isinstance(step, str) else step)


WHOLE = ("receive", "lifespan.startup.complete", "receive", "lifespan.shutdown.complete")
FAILED = {"type": "lifespan.startup.failed", "message": "the database is not there"}


async def whole(lifespan):
    await lifespan.startup()
    await lifespan.shutdown()


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_an_application_is_started_up_once_and_shut_down_once(mode):
    app = App(*WHOLE)
    run(whole(Lifespan(app, mode)))
    assert app.received == ["lifespan.startup", "lifespan.shutdown"]
    assert app.scope["type"] == "lifespan"
    assert app.scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}


def test_with_off_the_application_is_never_called():
    app = App(*WHOLE)
    run(whole(Lifespan(app, "off")))
    assert app.scope is None


def test_what_the_application_puts_into_the_state_is_there_after_the_start():
    async def put(scope):
        scope["state"]["pool"] = 5

    lifespan = Lifespan(App("receive", put, *WHOLE[1:]))
    run(whole(lifespan))
    assert lifespan.state == {"pool": 5}


@pytest.mark.parametrize(
    "steps", [(FAILED,), ("receive", FAILED), ("receive", FAILED, RuntimeError("and then this"))]
)
@pytest.mark.parametrize("mode", ["auto", "on"])
def test_startup_failed_is_a_failure_with_its_message(steps, mode):
    with pytest.raises(LifespanError, match="the database is not there"):
        run(Lifespan(App(*steps), mode).startup())


def test_startup_failed_without_a_message_is_a_failure_all_the_same():
    with pytest.raises(LifespanError, match="no reason"):
        run(Lifespan(App("lifespan.startup.failed")).startup())


SILENT = [
    (ValueError("only http"),),
    (AssertionError(),),
    (),
    ("receive",),
    ("receive", RuntimeError("while starting")),
    ("receive", SystemExit(3)),
    ("receive", KeyboardInterrupt()),
    ("lifespan.shutdown.complete",),
    ("http.response.start",),
]


@pytest.mark.parametrize("steps", SILENT)
def test_with_auto_an_application_without_an_answer_is_served_without_lifespan(steps, caplog):
    lifespan = Lifespan(App(*steps), "auto")
    with caplog.at_level(logging.INFO, logger="asgid.lifespan"):
        run(whole(lifespan))
    assert not lifespan.supported
    assert "lifespan" in caplog.text


@pytest.mark.parametrize("steps", SILENT)
def test_with_on_an_application_without_an_answer_is_a_failure(steps):
    with pytest.raises(LifespanError, match=r"raised|returned"):
        run(Lifespan(App(*steps), "on").startup())


def test_an_application_that_knows_no_lifespan_is_no_warning(caplog):
    with caplog.at_level(logging.INFO, logger="asgid.lifespan"):
        run(Lifespan(App(ValueError("only http"))).startup())
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_one_that_breaks_while_starting_up_is_a_warning_with_its_traceback(caplog):
    run(Lifespan(App("receive", RuntimeError("while starting"))).startup())
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.exc_info


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            ({"type": "lifespan.shutdown.failed", "message": "the queue is not empty"},),
            "the queue is not empty",
        ),
        ((RuntimeError("while stopping"),), "while stopping"),
        ((), "without an answer"),
        (("lifespan.startup.complete",), "lifespan.shutdown.complete"),
        (({"type": "lifespan.shutdown.failed"}, RuntimeError("and then this")), "and then this"),
        (("lifespan.shutdown.complete", RuntimeError("too late")), "too late"),
    ],
)
def test_a_shutdown_that_fails_is_logged_and_does_not_raise(steps, words, caplog):
    run(whole(Lifespan(App(*WHOLE[:3], *steps))))
    assert words in caplog.text
    assert {record.levelname for record in caplog.records} == {"ERROR"}


@pytest.mark.parametrize(
    "step", [RuntimeError("too early"), "lifespan.startup.complete", "lifespan.shutdown.complete"]
)
def test_a_lifespan_that_ends_while_the_server_runs_is_logged_when_it_happens(step, caplog):
    async def go():
        lifespan = Lifespan(App("receive", "lifespan.startup.complete", step))
        await lifespan.startup()
        for _ in range(5):
            await asyncio.sleep(0)
        said = caplog.text
        assert not lifespan.supported
        await lifespan.shutdown()
        return said

    assert "lifespan ended" in run(go())


def test_one_that_returns_after_its_startup_is_logged(caplog):
    run(whole(Lifespan(App("receive", "lifespan.startup.complete"))))
    assert "before its shutdown was asked for" in caplog.text


def test_shutdown_without_a_startup_asks_nothing():
    app = App(*WHOLE)
    run(Lifespan(app).shutdown())
    assert app.scope is None


def test_one_that_hangs_after_its_failure_does_not_hold_the_start():
    async def hang(_scope):
        await asyncio.Event().wait()

    with pytest.raises(LifespanError, match="database"):
        run(Lifespan(App("receive", FAILED, hang)).startup())


def test_an_abandoned_lifespan_is_cancelled():
    cancelled = []

    async def hang(_scope):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def go():
        lifespan = Lifespan(App("receive", "lifespan.startup.complete", hang))
        await lifespan.startup()
        lifespan.abandon()
        for _ in range(5):
            await asyncio.sleep(0)

    run(go())
    assert cancelled == [True]
