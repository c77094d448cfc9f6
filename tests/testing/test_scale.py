"""What a test may ask for without waiting for it: months of waiting, long loops, wide forks."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow, SetVariableTask, SimpleTask
from conductor_async.tasks import LoopTask, WaitForDurationTask
from conductor_async.testing import WorkflowEnvironment, assert_completed, assert_task

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


async def test_waits_of_thirty_days_one_after_the_other() -> None:
    start = 1_700_000_000.0
    async with WorkflowEnvironment.embedded(start=start) as env:
        workflow = ConductorWorkflow(executor=env.client.executor, name="patient")
        for month in range(12):
            workflow >> WaitForDurationTask(f"month_{month}", 30 * DAY)
        run = await workflow.execute({})
        assert_completed(run)
        execution = await env.client.workflow.get_workflow(run.workflow_id)
    assert execution.end_time / 1000 - start >= 12 * 30 * DAY


async def test_a_loop_of_a_thousand_iterations() -> None:
    async with WorkflowEnvironment.embedded() as env:
        mock = env.mock("step", lambda given: {"number": given["number"]})
        workflow = ConductorWorkflow(executor=env.client.executor, name="long")
        step = SimpleTask("step", "step")
        loop = LoopTask("loop", 1000, [step])
        step.input_parameters["number"] = loop.output("iteration")
        workflow >> loop
        run = await workflow.execute({})
        assert_completed(run)
        assert_task(run, "step", iterations=1000, output={"number": 1000})
    assert [given["number"] for given in mock.calls] == list(range(1, 1001))


async def test_a_fork_of_a_thousand_branches() -> None:
    async with WorkflowEnvironment.embedded() as env:
        mock = env.mock("step", lambda given: {"squared": given["number"] ** 2})
        workflow = ConductorWorkflow(executor=env.client.executor, name="wide")
        branches = [SimpleTask("step", f"step_{number}", input_parameters={"number": number}) for number in range(1000)]
        workflow >> branches >> SetVariableTask("together")
        run = await workflow.execute({})
        assert_completed(run)
        (join,) = [task for task in run.tasks if task.task_type == "JOIN"]
    assert len(mock.calls) == 1000
    assert join.output_data == {f"step_{number}": {"squared": number**2} for number in range(1000)}
