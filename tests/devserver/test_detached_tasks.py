from __future__ import annotations

import anyio
import pytest

from conductor_async.devserver.detached_tasks import DetachedTaskGroup

pytestmark = pytest.mark.anyio


async def test_closing_cancels_tasks_and_waits_for_them() -> None:
    ended = anyio.Event()

    async def run() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    group = DetachedTaskGroup()
    await group.open()
    group.start_soon(run)
    await anyio.wait_all_tasks_blocked()
    await group.aclose()
    assert ended.is_set()
    await group.aclose()  # idempotent


async def test_closing_raises_what_a_task_raised() -> None:
    async def fail() -> None:
        raise ValueError("a defect")

    group = DetachedTaskGroup()
    await group.open()
    group.start_soon(fail)
    with pytest.raises(ValueError, match="a defect"):
        await group.aclose()


async def test_a_group_that_was_never_opened_can_be_closed_and_runs_nothing() -> None:
    async def run() -> None:
        raise AssertionError("too late")

    group = DetachedTaskGroup()
    await group.aclose()
    group.start_soon(run)
    await anyio.wait_all_tasks_blocked()
