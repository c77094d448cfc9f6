"""Which asyncio task a function runs in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conductor_async.worker import worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Not trio: there, a scope that is left open is an internal error that ends the program."""
    return "asyncio"


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
