"""Driving an application's coroutine: one real task in every step of it, and nothing left for the next."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgid.daemon.asgi.drive import Driver
from support.connections import on_loop, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

HAS_SPARE = sys.version_info < (3, 12)  # from there on the standard library starts tasks eagerly


class Rig:
    """A driver, called as the wire calls it: from the loop, inside no task."""

    def __init__(self) -> None:
        self.driver = Driver(asyncio.get_running_loop())
        self.out: list[Any] = []

    async def drive(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        return await self.call(lambda: self.driver.drive(coroutine))

    async def call(self, function: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def turn() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test gets it
                done.set_exception(error)

        loop.call_soon(turn)
        return await done

    async def finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = await self.drive(coroutine)
        if task is not None:
            await task

    async def park(self) -> None:
        """See that the spare has taken its own first step, and waits."""
        await self.finish(nothing())
        await settle()


async def nothing() -> None:
    pass


@pytest.fixture(params=["fresh", "parked"])
def parked(request: pytest.FixtureRequest) -> bool:
    return request.param == "parked"


async def make(parked: bool) -> Rig:
    rig = Rig()
    if parked:
        await rig.park()
    return rig


@on_loop
async def test_a_coroutine_that_does_not_wait_runs_at_once_and_leaves_no_task():
    rig = Rig()

    async def application() -> None:
        rig.out.append("ran")

    def turn() -> asyncio.Task[None] | None:
        task = rig.driver.drive(application())
        assert rig.out == ["ran"]
        return task

    assert await rig.call(turn) is None
    rig.driver.close()
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@on_loop
async def test_a_coroutine_that_waits_goes_on_in_the_task_it_began_in(parked):
    rig = await make(parked)

    async def application() -> None:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        rig.out.append(asyncio.current_task() is first)

    task = await rig.drive(application())
    assert task is not None
    await task
    assert rig.out == [True]
    rig.driver.close()


@on_loop
async def test_the_current_task_is_a_task_like_any_other(parked):
    rig = await make(parked)

    async def application() -> None:
        task = asyncio.current_task()
        assert isinstance(task, asyncio.Task)
        assert repr(task)
        assert task in asyncio.all_tasks()
        assert not task.done()
        assert task.cancelling() == 0
        task.get_stack()
        rig.out.append("seen")

    await rig.finish(application())
    assert rig.out == ["seen"]
    rig.driver.close()


KEEPERS: dict[str, Callable[[asyncio.Task[None]], Any]] = {
    "a reference": lambda task: task,
    "a reference in a dict": lambda task: {"task": task},
    "a weak reference": weakref.ref,
    "a weak set": lambda task: weakref.WeakSet([task]),
    "a weak dict": lambda task: weakref.WeakKeyDictionary({task: 1}),
    "a bound method": lambda task: task.cancelling,
}


@pytest.mark.parametrize("kind", KEEPERS)
@on_loop
async def test_a_task_that_the_application_kept_is_not_used_again(kind, parked):
    rig = await make(parked)
    kept = []

    async def keeps() -> None:
        task = asyncio.current_task()
        assert task is not None
        kept.append(KEEPERS[kind](task))
        rig.out.append(task.get_name())

    async def next_one() -> None:
        task = asyncio.current_task()
        assert task is not None
        rig.out.append(task.get_name())

    await rig.finish(keeps())
    await rig.finish(next_one())
    assert rig.out[0] != rig.out[1]
    rig.driver.close()


@on_loop
async def test_a_kept_task_is_done_soon_after_its_coroutine(parked):
    rig = await make(parked)

    async def application() -> None:
        rig.out.append(asyncio.current_task())

    await rig.finish(application())
    await settle()
    assert rig.out[0].done()
    assert rig.out[0].result() is None
    rig.driver.close()


@on_loop
async def test_done_callbacks_run_when_the_coroutine_they_were_given_in_ends(parked):
    rig = await make(parked)

    async def application() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _task: rig.out.append("done"))

    await rig.finish(application())
    await settle()
    assert rig.out == ["done"]
    await rig.finish(nothing())
    rig.driver.close()


@on_loop
async def test_a_name_given_to_the_task_is_not_the_next_ones(parked):
    rig = await make(parked)

    async def names() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("request 1")

    async def tells() -> None:
        task = asyncio.current_task()
        assert task is not None
        rig.out.append(task.get_name())

    await rig.finish(names())
    await rig.finish(tells())
    assert rig.out != ["request 1"]
    rig.driver.close()


@pytest.mark.skipif(not HAS_SPARE, reason="no spare task where tasks start eagerly")
@on_loop
async def test_a_task_that_nobody_kept_is_used_again():
    rig = Rig()
    await rig.park()

    async def application() -> None:
        rig.out.append(id(asyncio.current_task()))

    for _ in range(3):
        await rig.finish(application())
    assert len(set(rig.out)) == 1
    rig.driver.close()


@on_loop
async def test_the_coroutine_and_what_it_held_are_freed_at_once(parked):
    rig = await make(parked)

    class Thing:
        pass

    async def application(waits: bool) -> None:
        thing = Thing()
        rig.out.append(weakref.ref(thing))
        if waits:
            await asyncio.sleep(0)

    gc.disable()
    try:
        for waits in (False, True):
            await rig.finish(application(waits))
            await settle()
        assert [reference() for reference in rig.out] == [None, None]
    finally:
        gc.enable()
    rig.driver.close()


# Cancellation.


async def wait_turn() -> None:
    await asyncio.sleep(0)


async def wait_long() -> None:
    await asyncio.sleep(1000)


async def wait_future() -> None:
    await asyncio.get_running_loop().create_future()


async def wait_shielded() -> None:
    await asyncio.shield(asyncio.get_running_loop().create_future())


WAITS = [wait_turn, wait_long, wait_future, wait_shielded]


@pytest.mark.parametrize("wait", WAITS)
@on_loop
async def test_a_cancellation_asked_for_in_the_first_step_reaches_the_first_wait(wait, parked):
    rig = await make(parked)

    async def application() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await wait()
        except asyncio.CancelledError:
            rig.out.append("cancelled")

    await rig.finish(application())
    assert rig.out == ["cancelled"]
    rig.driver.close()


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("turns", [0, 1, 3])
@on_loop
async def test_a_cancellation_from_outside_reaches_what_is_waited_for(wait, turns, parked):
    rig = await make(parked)

    async def application() -> None:
        try:
            await wait()
            await wait_long()
        except asyncio.CancelledError:
            rig.out.append("cancelled")
            raise

    task = await rig.drive(application())
    assert task is not None
    await settle(turns)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.out == ["cancelled"]
    rig.driver.close()


@pytest.mark.parametrize("turns", [0, 1, 3])
@on_loop
async def test_a_cancellation_reaches_the_task_that_is_waited_for(turns, parked):
    rig = await make(parked)

    async def child() -> None:
        try:
            await wait_long()
        except asyncio.CancelledError:
            rig.out.append("child cancelled")
            raise

    async def application() -> None:
        children.append(asyncio.create_task(child()))
        await children[0]

    def turn() -> asyncio.Task[None]:
        task = rig.driver.drive(application())
        assert task is not None
        if not turns:
            task.cancel()
        return task

    children: list[asyncio.Task[None]] = []
    task = await rig.call(turn)
    if turns:
        await settle(turns)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children[0].cancelled()
    rig.driver.close()


@on_loop
async def test_a_cancellation_without_a_wait_is_not_the_next_ones(parked):
    rig = await make(parked)

    async def cancels() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def application() -> None:
        task = asyncio.current_task()
        assert task is not None
        rig.out.append(task.cancelling())
        await asyncio.sleep(0)
        rig.out.append("went on")

    await rig.finish(cancels())
    await rig.finish(application())
    assert rig.out == [0, "went on"]
    rig.driver.close()


# What the standard library and anyio make of the current task.


async def asyncio_timeout(out: list[Any]) -> None:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(1000)
    except TimeoutError:
        out.append("timed out")


async def asyncio_wait_for(out: list[Any]) -> None:
    try:
        await asyncio.wait_for(asyncio.sleep(1000), 0)
    except TimeoutError:
        out.append("timed out")


async def asyncio_group_fails(out: list[Any]) -> None:
    async def fails() -> None:
        raise ValueError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            await asyncio.sleep(1000)
    except* ValueError:
        out.append("failed")


async def asyncio_group(out: list[Any]) -> None:
    async def child() -> None:
        out.append("child")

    async with asyncio.TaskGroup() as group:
        group.create_task(child())


async def anyio_move_on(out: list[Any]) -> None:
    with anyio.move_on_after(0) as scope:
        await anyio.sleep(1000)
    out.append(scope.cancelled_caught)


async def anyio_scope(out: list[Any]) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep(1000)
    out.append(scope.cancelled_caught)


async def anyio_scope_without_wait(out: list[Any]) -> None:
    with anyio.CancelScope() as scope:  # noqa: ASYNC100 - that it is pointless is the point
        scope.cancel()
    out.append("left")


async def anyio_group(out: list[Any]) -> None:
    async def cancels(scope: anyio.CancelScope) -> None:
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(cancels, group.cancel_scope)
        await anyio.sleep(1000)
    out.append("left")


async def anyio_nested(out: list[Any]) -> None:
    with anyio.CancelScope() as outer, anyio.CancelScope(shield=True):
        outer.cancel()
        await anyio.lowlevel.cancel_shielded_checkpoint()
        await asyncio.sleep(0)
        out.append("shielded")


async def anyio_thread(out: list[Any]) -> None:
    out.append(await anyio.to_thread.run_sync(lambda: "thread"))


TOOLS = {
    asyncio_timeout: ["timed out"],
    asyncio_wait_for: ["timed out"],
    asyncio_group: ["child"],
    asyncio_group_fails: ["failed"],
    anyio_move_on: [True],
    anyio_scope: [True],
    anyio_scope_without_wait: ["left"],
    anyio_group: ["left"],
    anyio_nested: ["shielded"],
    anyio_thread: ["thread"],
}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
@on_loop
async def test_structured_concurrency_works_from_the_first_step_on_and_leaves_nothing(tool, parked):
    rig = await make(parked)

    async def application() -> None:
        await tool(rig.out)
        task = asyncio.current_task()
        assert task is not None
        rig.out.append(task.cancelling())

    for _ in range(3):
        await rig.finish(application())
        await rig.finish(nothing())
    assert rig.out == [*TOOLS[tool], 0] * 3
    rig.driver.close()


@on_loop
async def test_driving_from_inside_another_task_works_too():
    rig = Rig()
    inside = asyncio.current_task()

    async def application() -> None:
        rig.out.append(asyncio.current_task())
        await asyncio.sleep(0)

    task = rig.driver.drive(application())
    assert task is not None
    await task
    assert rig.out == [task]
    assert asyncio.current_task() is inside
    rig.driver.close()


@on_loop
async def test_a_generator_of_awaits_may_yield_what_is_no_future():
    """A bare yield is a turn of the loop (asyncio.sleep(0) does it), in the first step too."""
    rig = Rig()

    async def application() -> None:
        for turn in range(3):
            await asyncio.sleep(0)
            rig.out.append(turn)

    await rig.finish(application())
    assert rig.out == [0, 1, 2]
    rig.driver.close()


# Contexts.

variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable")


@pytest.mark.parametrize("waits", [False, True])
@on_loop
async def test_what_one_sets_is_not_seen_by_the_next(waits, parked):
    rig = await make(parked)

    async def application() -> None:
        rig.out.append(variable.get("unset"))
        variable.set("set")
        if waits:
            await asyncio.sleep(0)
            rig.out.append(variable.get())

    for _ in range(3):
        await rig.finish(application())
    assert rig.out == (["unset", "set"] if waits else ["unset"]) * 3
    rig.driver.close()


@on_loop
async def test_a_value_equal_to_the_inherited_one_is_still_another_value(parked):
    variable.set([])
    rig = await make(parked)

    async def sets() -> None:
        value: list[str] = []
        variable.set(value)
        rig.out.append(value)

    async def reads() -> None:
        rig.out.append(list(variable.get()))

    await rig.finish(sets())
    rig.out[0].append("leaked")
    await rig.finish(reads())
    assert rig.out[1] == []
    rig.driver.close()


@on_loop
async def test_values_are_not_compared(parked):
    class Touchy:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    variable.set(Touchy())
    rig = await make(parked)

    async def application() -> None:
        variable.set(Touchy())

    await rig.finish(application())
    rig.driver.close()


@on_loop
async def test_what_was_set_before_the_driver_was_made_is_seen_by_all(parked):
    variable.set("inherited")
    rig = await make(parked)
    variable.set("later")

    async def application() -> None:
        rig.out.append(variable.get())

    await rig.finish(application())
    await rig.finish(application())
    assert rig.out == ["inherited", "inherited"]
    rig.driver.close()


@on_loop
async def test_a_token_can_be_reset_in_a_later_step(parked):
    rig = await make(parked)

    async def application() -> None:
        token = variable.set("mine")
        await asyncio.sleep(0)
        variable.reset(token)
        rig.out.append(variable.get("unset"))

    await rig.finish(application())
    assert rig.out == ["unset"]
    rig.driver.close()


@on_loop
async def test_a_thousand_end_without_a_task_left():
    rig = Rig()

    async def application(number: int) -> None:
        if number % 3 == 0:
            await asyncio.sleep(0)
        if number % 5 == 0:
            rig.out.append(asyncio.current_task())

    for number in range(1000):
        await rig.drive(application(number))
    rig.driver.close()
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(task.done() for task in rig.out)
