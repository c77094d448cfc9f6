"""The clock of worker hosts."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from conductor_async.clock import RealClock, sleep_until_set

pytestmark = pytest.mark.anyio


async def test_the_clock_of_the_running_loop_tells_its_time() -> None:
    assert RealClock.of_running_loop().now() == pytest.approx(anyio.current_time(), abs=0.5)


async def test_a_sleep_ends_when_the_event_is_set() -> None:
    event = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(sleep_until_set, event, 3600.0, RealClock())
        await anyio.lowlevel.checkpoint()
        event.set()


async def test_a_sleep_ends_when_its_time_is_over() -> None:
    assert not await sleep_until_set(anyio.Event(), 0.01, RealClock())


async def test_there_is_no_sleep_once_the_event_is_set() -> None:
    event = anyio.Event()
    event.set()
    assert await sleep_until_set(event, 3600.0, RealClock())
