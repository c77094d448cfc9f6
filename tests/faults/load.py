"""Workflows to be worked off on a real server, and what became of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from conductor_async import ConductorError, ConductorWorkflow, SimpleTask
from conductor_async.models import TaskDef

if TYPE_CHECKING:
    from conductor_async import ConductorClient
    from conductor_async.models import Workflow


@dataclass
class Load:
    """Executions of one workflow, which is a chain of tasks of one type.

    Attributes:
        conductor: A client that no fault befalls.
        task_type: The tasks' type.
        tasks: How many in each execution.
        response_timeout: Seconds after which the server gives a silent worker up.
        ids: The executions started so far.
    """

    conductor: ConductorClient
    task_type: str
    tasks: int = 1
    response_timeout: int = 600
    ids: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.task_type}_flow"

    async def register(self) -> None:
        await self.conductor.metadata.register_task_def(
            TaskDef(
                name=self.task_type,
                retry_count=5,
                retry_delay_seconds=0,
                response_timeout_seconds=self.response_timeout,
                timeout_seconds=0,
                timeout_policy="RETRY",
            )
        )
        flow = ConductorWorkflow(executor=self.conductor.executor, name=self.name, version=1)
        for number in range(self.tasks):
            flow >> SimpleTask(self.task_type, f"step_{number}")
        await flow.register(overwrite=True)

    async def start(self, count: int) -> None:
        async def start_some(share: int) -> None:
            for _ in range(share):
                self.ids.append(await self.conductor.workflow.start_workflow_by_name(self.name, {}))

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(start_some, len(range(number, count, 5)))

    async def statuses(self) -> Counter[str]:
        """How many executions are in which status."""
        return Counter([str((await self.conductor.workflow.get_workflow_status(each)).status) for each in self.ids])

    async def look_for_timeouts(self) -> None:
        """Has the server look now for what is overdue: by itself it may take a minute and more."""
        for each in self.ids:
            await self.conductor.workflow.decide(each)

    async def ended(self, within: float = 60) -> list[Workflow]:
        """The executions, when all have ended."""
        with anyio.move_on_after(within):
            while (await self.statuses())["RUNNING"]:  # noqa: ASYNC110 - it happens on the server
                await anyio.sleep(0.2)
            return [await self.conductor.workflow.get_workflow(each) for each in self.ids]
        raise AssertionError(f"after {within:g} s: {await self.statuses()}; {await self.waiting()}")

    async def waiting(self) -> Counter[str]:
        """What the tasks of running executions wait for, and in whose hands they are."""
        found: Counter[str] = Counter()
        for each in self.ids:
            execution = await self.conductor.workflow.get_workflow(each)
            if execution.status == "RUNNING":
                found.update(f"{task.status} {task.worker_id}" for task in execution.tasks if not task.is_completed())
        return found

    async def clean_up(self) -> None:
        """Ends what still runs: the server is shared with other tests."""
        for each in self.ids:
            try:
                await self.conductor.workflow.terminate_workflow(each, reason="the test is over")
            except ConductorError:
                continue  # it has ended


def attempts(executions: list[Workflow]) -> Counter[str]:
    """The statuses of all tasks of these executions, retried ones included."""
    return Counter(str(task.status) for execution in executions for task in execution.tasks)
