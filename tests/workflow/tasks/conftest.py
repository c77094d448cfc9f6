"""Running a few tasks as a workflow on the real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import ConductorClient, ConductorWorkflow, WorkflowRun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conductor_async.tasks import Composable, TaskInterface

# The first script after the server's start takes its JavaScript engine seconds, on a busy machine more.
PATIENCE = 60


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def conductor(server_url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


@pytest.fixture
def new_workflow(conductor: ConductorClient, new_name: Callable[[str], str]) -> Callable[..., ConductorWorkflow]:
    """Makes a workflow of these steps, with a name of its own."""

    def make(*steps: Composable, what: str = "tasks") -> ConductorWorkflow:
        workflow = ConductorWorkflow(conductor.executor, new_name(what), 1)
        for step in steps:
            workflow >> step
        return workflow

    return make


@pytest.fixture
def perform(new_workflow: Callable[..., ConductorWorkflow]) -> Callable[..., Awaitable[WorkflowRun]]:
    """Registers a workflow of these steps, runs it to its end, and gives the run."""

    async def run(
        *steps: Composable, given: dict[str, Any] | None = None, output: dict[str, Any] | None = None
    ) -> WorkflowRun:
        workflow = new_workflow(*steps)
        if output is not None:
            workflow.output_parameters(output)
        await workflow.register(overwrite=True)
        return await workflow.execute(given or {}, timeout=PATIENCE)

    return run


@pytest.fixture
def read_back(
    conductor: ConductorClient, new_workflow: Callable[..., ConductorWorkflow]
) -> Callable[..., Awaitable[None]]:
    """Registers a workflow of these tasks and checks that the server gives back all that was sent."""

    async def check(*tasks: TaskInterface) -> None:
        workflow = new_workflow(*tasks)
        sent = workflow.to_workflow_def().to_wire()
        await workflow.register(overwrite=True)
        held = await conductor.metadata.get_workflow_def(workflow.name)
        assert_within(sent, held.to_wire())

    return check


def assert_within(sent: Any, held: Any, path: str = "") -> None:
    """`held` has all of `sent`, and maybe more."""
    if isinstance(sent, dict):
        assert isinstance(held, dict), path
        for key, value in sent.items():
            assert key in held, f"{path}.{key} is lost"
            assert_within(value, held[key], f"{path}.{key}")
    elif isinstance(sent, list):
        assert isinstance(held, list), path
        assert len(sent) == len(held), path
        for index, value in enumerate(sent):
            assert_within(value, held[index], f"{path}[{index}]")
    else:
        assert held == sent, path
