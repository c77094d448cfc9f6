"""A function can hurt only itself, whatever it raises and whatever it leaves open."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting, worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

pytestmark = pytest.mark.anyio


def failing(error: BaseException, *, in_thread: bool) -> Callable[..., Any]:
    """Returns a function that raises the error for a task with input, and works for one without."""

    def fail(**given: Any) -> str:
        if given:
            raise error
        return "fine"

    async def fail_on_the_loop(**given: Any) -> str:
        await anyio.lowlevel.checkpoint()
        return fail(**given)

    return fail if in_thread else fail_on_the_loop


@pytest.mark.parametrize("in_thread", [False, True], ids=["coroutine", "thread"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GeneratorExit(), "GeneratorExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
        (StopIteration(1), "StopIteration"),
        (StopAsyncIteration(1), "StopAsyncIteration"),
        (asyncio.CancelledError("own"), "CancelledError: own"),
        (BaseExceptionGroup("several", [GeneratorExit()]), "BaseExceptionGroup: several (1 sub-exception)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_whatever_a_function_raises_fails_its_task_and_the_others_go_on(
    error: BaseException, reason: str, in_thread: bool
) -> None:
    server = FakeConductor()
    server.put(number=1)
    server.put(3)
    async with hosting(server, worker(failing(error, in_thread=in_thread), concurrency=1)):
        await server.until(lambda: len(server.results) == 4)
    failed, *others = server.results
    assert failed["status"].startswith("FAILED")
    assert reason in failed["reasonForIncompletion"]
    assert [result["outputData"] for result in others] == [{"result": "fine"}] * 3


async def open_scope() -> AsyncGenerator[int]:
    with anyio.move_on_after(0.05):
        yield 1


async def open_task_group() -> AsyncGenerator[int]:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.05)
        yield 1


async def open_task_group_that_fails() -> AsyncGenerator[int]:
    async def fail() -> None:
        raise ValueError("too late")

    async with anyio.create_task_group() as group:
        group.start_soon(fail)
        yield 1


async def open_timeout() -> AsyncGenerator[int]:
    async with asyncio.timeout(0.05):
        yield 1


async def open_native_task_group() -> AsyncGenerator[int]:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0.05))
        yield 1


async def check_that_nothing_open_hurts_others(numbers: Callable[[], AsyncGenerator[int]]) -> None:
    server = FakeConductor()
    kept: list[AsyncGenerator[int]] = []

    async def job(leave_open: bool = False) -> int:
        if not leave_open:
            await anyio.sleep(0.1)  # beyond the time of what the first one left open
            return 2
        kept.append(numbers())
        return await anext(kept[-1])

    server.put(leave_open=True)
    server.put(3)
    async with hosting(server, worker(job, concurrency=2)):
        await server.until(lambda: len(server.results) == 4)
    assert sorted(result["outputData"]["result"] for result in server.results) == [1, 2, 2, 2]
    for each in kept:
        with suppress(RuntimeError, ValueError, BaseExceptionGroup):  # it closes what another task has opened
            await each.aclose()


@pytest.mark.parametrize("numbers", [open_scope, open_task_group, open_task_group_that_fails])
async def test_what_a_generator_leaves_open_acts_on_nothing_else(numbers: Callable[[], AsyncGenerator[int]]) -> None:
    await check_that_nothing_open_hurts_others(numbers)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("numbers", [open_timeout, open_native_task_group])
async def test_nor_does_what_only_asyncio_has(numbers: Callable[[], AsyncGenerator[int]]) -> None:
    await check_that_nothing_open_hurts_others(numbers)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_function_that_cancels_its_asyncio_task_cancels_only_itself() -> None:
    server = FakeConductor()

    async def job(number: int) -> int:
        if number == 0 and (task := asyncio.current_task()) is not None:
            task.cancel()
            await anyio.lowlevel.checkpoint()
        return number

    for number in range(3):
        server.put(number=number)
    async with hosting(server, worker(job, concurrency=1)):
        await server.until(lambda: len(server.results) == 3)
    assert [result["status"] for result in server.results] == ["FAILED", "COMPLETED", "COMPLETED"]


async def test_a_generator_that_is_closed_properly_leaves_nothing() -> None:
    server = FakeConductor()

    async def job() -> int:
        async with aclosing(open_scope()) as numbers:
            return await anext(numbers)

    server.put(2)
    async with hosting(server, worker(job, concurrency=1)):
        await server.until(lambda: len(server.results) == 2)
    assert server.statuses() == ["COMPLETED"] * 2
