"""Cancels a call where it waits: at its first suspension, its second one, … on asyncio and on trio alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import anyio
import sniffio


class _CancelledAt(Awaitable[Any]):
    """Drives a coroutine, and cancels when it is suspended for the n-th time."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], nth: int, cancel: Callable[[], object]) -> None:
        self._coroutine, self._left, self._cancel = coroutine, nth, cancel

    def __await__(self) -> Generator[Any, Any, Any]:
        step, value = self._coroutine.send, None
        while True:
            try:
                waits_for = step(value)
            except StopIteration as ended:
                return ended.value
            if self._left == 0:
                self._cancel()
            self._left -= 1
            try:
                step, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:  # noqa: BLE001 - handed on to the coroutine
                step, value = self._coroutine.throw, error


async def cancelled_at(nth: int, coroutine: Coroutine[Any, Any, Any], *, later: int = 0) -> bool:
    """Run it and cancel it at its n-th suspension, or a few ticks later. False if it ended before that."""
    if later == 0:
        with anyio.CancelScope() as scope:
            await _CancelledAt(coroutine, nth, scope.cancel)
        return scope.cancel_called
    ended = False
    reached = anyio.Event()

    async def run(scope: anyio.CancelScope) -> None:
        nonlocal ended
        with scope:
            await _CancelledAt(coroutine, nth, reached.set)
            ended = True
        reached.set()

    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()
        tasks.start_soon(run, scope)
        await reached.wait()
        for _ in range(later):
            await anyio.lowlevel.checkpoint()
        scope.cancel()
    return not ended


def running_tasks() -> int:
    """How many tasks the event loop has."""
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())
