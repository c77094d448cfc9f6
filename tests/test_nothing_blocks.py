"""The event loop belongs to the caller: nothing of ours may hold it with blocking I/O."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from blockbuster import BlockingError, blockbuster_ctx

from conductor_async import ConductorClient, ConductorWorkflow, WorkerHost, worker_task

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.server
@pytest.mark.asyncio
async def test_running_workflows_does_no_blocking_io(server_url: str, new_name: Callable[[str], str]):
    @worker_task(new_name("on_the_loop"))
    async def on_the_loop(n: int) -> int:
        return n + 1

    @worker_task(new_name("in_a_thread"))
    def in_a_thread(n: int) -> int:
        time.sleep(0.01)  # a worker in a thread may block
        return n * 2

    async with ConductorClient(server_url) as conductor:
        await conductor.metadata.get_workflow_names()  # the first call imports the HTTP libraries, and that reads files
        workflow = ConductorWorkflow(conductor.executor, new_name("unblocked"), 1)
        first = on_the_loop.task("first", n=workflow.input.n)
        workflow >> first >> in_a_thread.task("second", n=first.output.result)
        with blockbuster_ctx():
            await workflow.register()
            async with WorkerHost(conductor, [on_the_loop, in_a_thread]):
                run = await workflow.execute({"n": 1}, timeout=30)
    assert run.output == {"result": 4}


@pytest.mark.asyncio
async def test_blocking_io_would_be_seen():
    with blockbuster_ctx(), pytest.raises(BlockingError):
        time.sleep(0.001)  # noqa: ASYNC251 - that is what is to be seen
