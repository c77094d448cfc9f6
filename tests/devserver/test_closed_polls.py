"""A poll whose client is gone hands nothing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask
from conductor_async.embedded import EmbeddedConductor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conductor_async import WorkflowHandle

pytestmark = pytest.mark.anyio


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedConductor]:
    async with EmbeddedConductor() as conductor:
        yield conductor


@pytest.fixture(params=["embedded", "served"])
async def client(embedded: EmbeddedConductor, request: pytest.FixtureRequest) -> AsyncIterator[ConductorClient]:
    if request.param == "embedded":
        yield embedded.client
    else:
        async with embedded.serving() as url, ConductorClient(url) as client:
            yield client


async def start(embedded: EmbeddedConductor) -> WorkflowHandle:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="packing", version=1)
    workflow >> SimpleTask("pack", "pack")  # pyright: ignore[reportUnusedExpression]
    return await workflow.start({})


@pytest.mark.parametrize("ready", [0, 1])
async def test_a_poll_that_its_client_closes(embedded: EmbeddedConductor, client: ConductorClient, ready: int) -> None:
    """With one task ready, a batch of two has that task in hand while it waits for the other."""
    before = [await start(embedded) for _ in range(ready)]
    with anyio.move_on_after(0.2):
        await client.task.batch_poll_tasks("pack", "gone", 2, 5)
    await anyio.sleep(0.2)
    for handle in [*before, await start(embedded)]:
        assert [task.status for task in (await handle.get()).tasks] == ["SCHEDULED"]
    tasks = await client.task.batch_poll_tasks("pack", "here", ready + 1, 1)
    assert len(tasks) == ready + 1
