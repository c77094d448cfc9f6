"""A coroutine in a context of its own, in the task of the caller."""

from __future__ import annotations

import asyncio
import types
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from conductor_async.worker._function.in_context import InContext
from tests.worker.hosting import anyio_backend

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["anyio_backend"]

pytestmark = pytest.mark.anyio

colour: ContextVar[str] = ContextVar("colour", default="none")


async def test_context_variables_that_it_sets_stay_in_its_context() -> None:
    async def paint() -> str:
        before = colour.get()
        colour.set("red")
        await anyio.lowlevel.checkpoint()
        return f"{before}, {colour.get()}"

    context = copy_context()
    token = colour.set("blue")
    assert await InContext(context, paint()) == "none, red"
    assert (colour.get(), context[colour]) == ("blue", "red")
    colour.reset(token)


async def test_tasks_and_threads_that_it_starts_inherit_the_context() -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append(colour.get())

    async def start() -> None:
        colour.set("green")
        async with anyio.create_task_group() as group:
            group.start_soon(look)
        seen.append(await anyio.to_thread.run_sync(colour.get))

    await InContext(copy_context(), start())
    assert seen == ["green", "green"]


async def test_exceptions_propagate() -> None:
    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise KeyError("it")

    with pytest.raises(KeyError, match="it"):
        await InContext(copy_context(), fail())


async def test_cancellation_reaches_it_and_cleanup_runs_in_the_context() -> None:
    ended: list[str] = []

    async def sleep() -> None:
        colour.set("grey")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            ended.append(colour.get())

    with anyio.move_on_after(0.01) as scope:
        await InContext(copy_context(), sleep())
    assert scope.cancelled_caught
    assert ended == ["grey"]


async def test_it_may_handle_an_exception_thrown_into_it() -> None:
    async def timed_out() -> str:
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        return "went on"

    assert await InContext(copy_context(), timed_out()) == "went on"


async def test_it_runs_in_the_task_that_awaits_it() -> None:
    async def task() -> Any:
        return anyio.get_current_task().id

    assert await InContext(copy_context(), task()) == anyio.get_current_task().id


def test_closing_the_caller_closes_it() -> None:
    ended: list[str] = []

    @types.coroutine
    def hang() -> Generator[None]:
        yield

    async def inner() -> None:
        try:
            await hang()
        except GeneratorExit:
            ended.append("closed")
            raise

    async def outer() -> None:
        await InContext(copy_context(), inner())

    coroutine = outer()
    coroutine.send(None)
    coroutine.close()
    assert ended == ["closed"]


def test_a_context_cannot_be_entered_twice() -> None:
    context = copy_context()

    async def nothing() -> None: ...

    async def within() -> None:
        again = nothing()
        try:
            await InContext(context, again)
        finally:
            again.close()

    with pytest.raises(RuntimeError, match="already entered"):
        asyncio.run(_awaited(InContext(context, within())))


async def _awaited(awaitable: InContext[None]) -> None:
    await awaitable
