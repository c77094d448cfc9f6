"""What a function leaves behind in its asyncio task: open cancel scopes, and whatever else it did not close."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async.worker import worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Not trio: there, a scope that is left open is an internal error that ends the program."""
    return "asyncio"


async def test_a_cancel_scope_left_open_ends_the_host_and_the_log_names_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeConductor()
    kept: list[AsyncGenerator[int]] = []

    async def numbers() -> AsyncGenerator[int]:
        with anyio.CancelScope():
            yield 1

    @worker_task("job", concurrency=1)
    async def job(number: int) -> int:
        kept.append(numbers())
        return await anext(kept[-1])

    server.put(number=1)
    with pytest.raises(RuntimeError, match="cancel scope"):
        async with hosting(server, job):
            await anyio.sleep_forever()
    (said,) = (record.getMessage() for record in caplog.records if record.levelname == "CRITICAL")
    assert "'job'" in said


@pytest.mark.parametrize("ending", ["raises", "returns"])
async def test_only_a_function_that_returned_leaves_its_asyncio_task_to_the_next_one(ending: str) -> None:
    server = FakeConductor()
    tasks: list[asyncio.Task[Any] | None] = []

    @worker_task("job", concurrency=1)
    async def job(number: int) -> None:
        tasks.append(asyncio.current_task())
        if ending == "raises":
            raise ValueError(number)

    for number in range(5):
        server.put(number=number)
    async with hosting(server, job):
        await server.until(lambda: len(server.results) == 5)
    assert "v2" in {result["via"] for result in server.results}
    assert (len(set(tasks)) == 5) == (ending == "raises")
