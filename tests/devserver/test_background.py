from __future__ import annotations

import anyio
import pytest

from conductor_async.devserver.detached_tasks import DetachedTaskGroup

pytestmark = pytest.mark.anyio


async def test_what_runs_is_cancelled_and_has_ended_when_it_is_closed() -> None:
    ended = anyio.Event()

    async def run() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    background = DetachedTaskGroup()
    await background.open()
    background.start_soon(run)
    await anyio.wait_all_tasks_blocked()
    await background.aclose()
    assert ended.is_set()
    await background.aclose()  # again is fine


async def test_what_goes_wrong_comes_out_when_it_is_closed() -> None:
    async def fail() -> None:
        raise ValueError("a defect")

    background = DetachedTaskGroup()
    await background.open()
    background.start_soon(fail)
    with pytest.raises(ValueError, match="a defect"):
        await background.aclose()


async def test_it_may_be_closed_before_it_was_opened_and_does_nothing_after() -> None:
    async def run() -> None:
        raise AssertionError("too late")

    background = DetachedTaskGroup()
    await background.aclose()
    background.start_soon(run)
    await anyio.wait_all_tasks_blocked()
