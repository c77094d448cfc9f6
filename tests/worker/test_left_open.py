"""What a function leaves behind in its asyncio task: scopes of anyio's, and whatever it had open when it raised."""

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
    """On trio, what is left open ends the program: nothing can be trusted after it."""
    return "asyncio"


async def test_a_scope_that_is_left_open_ends_the_host_and_the_log_names_the_worker(
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
async def test_the_next_task_has_an_asyncio_task_of_its_own_unless_the_function_returned(ending: str) -> None:
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
