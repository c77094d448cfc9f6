"""A client of the server, and what the server holds, read over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from conductor_async import TaskDef, WorkflowDef
from conductor_async.client import ConductorClient
from conductor_async.models import WorkflowTask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


@pytest.fixture
def held(server_url: str) -> Iterator[Callable[..., Any]]:
    """`held("metadata", "workflow", name)`: the JSON that the server has there, or its status if that is not 200."""
    with httpx.Client(trust_env=False) as http:

        def get(*path: str, **params: Any) -> Any:
            response = http.get(server_url + "".join(f"/{quote(each, safe='')}" for each in path), params=params)
            return response.json() if response.status_code == 200 and response.content else response.status_code

        yield get


@pytest.fixture
async def conductor(server_url: str, anyio_backend: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


@pytest.fixture
async def flow(conductor: ConductorClient, new_name: Callable[[str], str]) -> AsyncIterator[str]:
    """A registered workflow of two worker tasks, `<name>_one` (reference `one`) and `<name>_two`, and a WAIT."""
    name = new_name("flow")
    tasks = [
        WorkflowTask(name=f"{name}_one", task_reference_name="one", input_parameters={"in": "${workflow.input.x}"}),
        WorkflowTask(name=f"{name}_two", task_reference_name="two"),
        WorkflowTask(name="wait", task_reference_name="wait", type="WAIT"),
    ]
    quick = {"retry_count": 0, "response_timeout_seconds": 60}
    await conductor.metadata.register_task_def([TaskDef(name=f"{name}_{each}", **quick) for each in ("one", "two")])
    await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=tasks))
    yield name
    for workflow_id in await conductor.workflow.get_running_workflows(name):
        await conductor.workflow.terminate_workflow(workflow_id)
    await conductor.metadata.unregister_workflow_def(name, 1)


@pytest.fixture
def finish(conductor: ConductorClient) -> Callable[..., Any]:
    """`await finish(workflow_id, "one", "two", output={…})`: completes those tasks, in that order."""

    async def complete(workflow_id: str, *references: str, **options: Any) -> None:
        for reference in references:
            output, status = options.get("output", {}), options.get("status", "COMPLETED")
            await conductor.task.update_task_by_ref_name(workflow_id, reference, status, output)

    return complete
