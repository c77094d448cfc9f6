"""Time is skipped when nobody needs it, or moved by hand."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import httpx
import pytest

from conductor_async import ConductorWorkflow, SimpleTask, TaskDef, WorkerHost, Workflow, worker_task
from conductor_async.embedded import EmbeddedConductor
from conductor_async.tasks import WaitForDurationTask, WaitTask

pytestmark = pytest.mark.anyio

DAY = 86400.0


@pytest.fixture(autouse=True)
def _in_real_seconds() -> Any:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 30, "no time was skipped"


def workflow_of(embedded: EmbeddedConductor, *tasks: Any, name: str = "patient") -> ConductorWorkflow:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name=name, version=1)
    for task in tasks:
        workflow >> task
    return workflow


async def execution_of(embedded: EmbeddedConductor, workflow_id: str | None) -> Workflow:
    return await embedded.client.workflow.get_workflow(workflow_id or "")


# -- skipping ------------------------------------------------------------------------------------------


async def test_a_wait_of_thirty_days_passes_at_once(skipping: EmbeddedConductor) -> None:
    workflow = workflow_of(skipping, WaitForDurationTask("pause", int(30 * DAY)))
    await workflow.register()
    run = await workflow.execute({})
    assert run.status == "COMPLETED"
    [task] = (await execution_of(skipping, run.workflow_id)).tasks
    waited = (task.end_time - task.scheduled_time) / 1000
    assert 30 * DAY - 0.01 <= waited < 30 * DAY + 5  # both are rounded to milliseconds


async def test_retries_with_hours_between_them_pass_at_once(skipping: EmbeddedConductor) -> None:
    tries = 0

    @worker_task(task_definition_name="flaky")
    async def flaky() -> dict[str, int]:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise ConnectionError("down")
        return {"tries": tries}

    definition = TaskDef(name="flaky", retry_count=5, retry_delay_seconds=3600, retry_logic="EXPONENTIAL_BACKOFF")
    await skipping.client.metadata.register_task_def(definition)
    workflow = workflow_of(skipping, SimpleTask("flaky", "flaky_ref"))
    await workflow.register()
    async with WorkerHost(skipping.client, [flaky]):
        run = await workflow.execute({})
    assert run.output == {"tries": 4}
    tasks = (await execution_of(skipping, run.workflow_id)).tasks
    gaps = [round((later.start_time - task.end_time) / 1000) for task, later in pairwise(tasks)]
    assert gaps == [3600, 7200, 14400]


async def test_time_waits_for_a_task_that_runs_in_a_host(skipping: EmbeddedConductor) -> None:
    """Its response timeout is an hour off: it would time out if time were skipped while it runs."""

    @worker_task(task_definition_name="slow")
    async def slow() -> dict[str, bool]:
        await anyio.sleep(0.1)
        return {"done": True}

    await skipping.client.metadata.register_task_def(TaskDef(name="slow", retry_count=0, response_timeout_seconds=3600))
    workflow = workflow_of(skipping, SimpleTask("slow", "slow_ref"))
    await workflow.register()
    before = skipping.now()
    async with WorkerHost(skipping.client, [slow]):
        run = await workflow.execute({})
    assert run.output == {"done": True}
    assert skipping.now() - before < 60


async def test_time_waits_for_tasks_side_by_side_and_one_after_the_other(skipping: EmbeddedConductor) -> None:
    ran: list[int] = []

    @worker_task(task_definition_name="step", concurrency=3)
    async def step(number: int) -> int:
        await anyio.sleep(0.02 * number)
        ran.append(number)
        return number

    await skipping.client.metadata.register_task_def(TaskDef(name="step", retry_count=0, response_timeout_seconds=5))
    workflow = workflow_of(skipping)
    steps = [SimpleTask("step", f"step_{number}", input_parameters={"number": number}) for number in range(6)]
    workflow >> steps[:3] >> steps[3] >> steps[4] >> steps[5]
    await workflow.register()
    async with WorkerHost(skipping.client, [step]):
        run = await workflow.execute({})
    assert run.status == "COMPLETED"
    assert ran == [0, 1, 2, 3, 4, 5]


async def test_a_task_polled_by_hand_does_not_hold_time_up(skipping: EmbeddedConductor) -> None:
    definition = TaskDef(name="by_hand", retry_count=0, response_timeout_seconds=3600)
    await skipping.client.metadata.register_task_def(definition)
    workflow = workflow_of(skipping, SimpleTask("by_hand", "by_hand_ref"))
    await workflow.register()
    workflow_id = await skipping.client.workflow.start_workflow_by_name("patient")
    assert await skipping.client.task.poll_task("by_hand") is not None
    run = await skipping.client.executor.wait(workflow_id)
    assert run.status == "TIMED_OUT"


async def test_without_a_timer_time_does_not_jump(skipping: EmbeddedConductor) -> None:
    before = skipping.now()
    await anyio.sleep(0.05)
    assert skipping.now() - before < 20


async def test_a_workflow_timeout_passes_at_once_when_no_worker_polls(skipping: EmbeddedConductor) -> None:
    workflow = workflow_of(skipping, SimpleTask("nobody", "nobody_ref"))
    workflow.timeout_seconds(7 * 86400).timeout_policy("TIME_OUT_WF")
    await workflow.register()
    run = await workflow.execute({})
    assert run.status == "TIMED_OUT"


async def test_a_synchronous_execution_waits_on_the_same_clock(skipping: EmbeddedConductor) -> None:
    from conductor_async import StartWorkflowRequest

    workflow = workflow_of(skipping, WaitForDurationTask("pause", 20))
    await workflow.register()
    request = StartWorkflowRequest(name="patient")
    short = await skipping.client.workflow.execute_workflow(request, wait_for_seconds=10)
    assert (short.status, short.signal_timeout) == ("RUNNING", True)
    whole = await skipping.client.workflow.execute_workflow(request, wait_for_seconds=25)
    assert whole.status == "COMPLETED"


async def test_a_batch_that_is_not_full_does_not_hold_time_up(skipping: EmbeddedConductor) -> None:
    workflow = workflow_of(skipping, SimpleTask("few", "few_ref"))
    await workflow.register()
    await skipping.client.workflow.start_workflow_by_name("patient")
    with anyio.fail_after(4):
        assert len(await skipping.client.task.batch_poll_tasks("few", count=5, timeout=5)) == 1


async def test_two_hundred_timers_in_a_row_pass_at_once(skipping: EmbeddedConductor) -> None:
    from conductor_async.tasks import LoopTask

    workflow = workflow_of(skipping, LoopTask("loop", 200, [WaitForDurationTask("pause", 3600)]))
    await workflow.register()
    before = skipping.now()
    run = await workflow.execute({})
    assert run.status == "COMPLETED"
    assert skipping.now() - before >= 200 * 3600


# -- by hand -------------------------------------------------------------------------------------------


async def test_manual_time_moves_by_hand_only() -> None:
    async with EmbeddedConductor(clock="manual", start=1_800_000_000.0) as embedded:
        workflow = workflow_of(embedded, WaitForDurationTask("pause", 3600))
        await workflow.register()
        workflow_id = await embedded.client.workflow.start_workflow_by_name("patient")
        await anyio.sleep(0.05)
        assert embedded.now() == 1_800_000_000.0
        await embedded.advance(3599)
        assert (await execution_of(embedded, workflow_id)).status == "RUNNING"
        await embedded.advance(timedelta(seconds=1))
        execution = await execution_of(embedded, workflow_id)
        assert execution.status == "COMPLETED"
        assert execution.end_time == 1_800_003_600_000


async def test_advance_returns_when_workers_have_done_everything_due() -> None:
    seen: list[str] = []

    @worker_task(task_definition_name="daily")
    async def daily(day: int) -> None:
        await anyio.sleep(0.02)
        seen.append(f"day {day}")

    async with EmbeddedConductor(clock="manual") as embedded:
        tasks: list[Any] = []
        for day in (1, 2, 3):
            tasks.append(WaitForDurationTask(f"pause_{day}", int(DAY)))
            tasks.append(SimpleTask("daily", f"daily_{day}", input_parameters={"day": day}))
        workflow = workflow_of(embedded, *tasks)
        await workflow.register()
        async with WorkerHost(embedded.client, [daily]):
            await embedded.client.workflow.start_workflow_by_name("patient")
            await embedded.advance(timedelta(days=1, hours=1))
            assert seen == ["day 1"]
            await embedded.advance(timedelta(days=2))
            assert seen == ["day 1", "day 2", "day 3"]


async def test_a_worker_can_advance_time_while_it_works() -> None:
    async with EmbeddedConductor(clock="manual") as embedded:

        @worker_task(task_definition_name="late", lease_extend_enabled=False)
        async def late() -> None:
            await embedded.advance(20)

        definition = TaskDef(name="late", retry_count=0, response_timeout_seconds=10)
        await embedded.client.metadata.register_task_def(definition)
        workflow = workflow_of(embedded, SimpleTask("late", "late_ref"))
        await workflow.register()
        async with WorkerHost(embedded.client, [late]):
            run = await workflow.execute({})
        assert run.status == "TIMED_OUT"


async def test_real_time_can_be_advanced(embedded: EmbeddedConductor) -> None:
    workflow = workflow_of(embedded, WaitForDurationTask("pause", 3600))
    await workflow.register()
    workflow_id = await embedded.client.workflow.start_workflow_by_name("patient")
    assert (await execution_of(embedded, workflow_id)).status == "RUNNING"
    await embedded.advance(timedelta(hours=1, seconds=1))
    assert (await execution_of(embedded, workflow_id)).status == "COMPLETED"


async def test_real_timers_fire_by_themselves(embedded: EmbeddedConductor) -> None:
    workflow = workflow_of(embedded, WaitForDurationTask("pause", 1))
    await workflow.register()
    began = time.monotonic()
    run = await workflow.execute({})
    assert run.status == "COMPLETED"
    assert time.monotonic() - began >= 1


async def test_a_wait_without_a_duration_waits_for_a_signal(skipping: EmbeddedConductor) -> None:
    workflow = workflow_of(skipping, WaitTask("approval"))
    await workflow.register()
    workflow_id = await skipping.client.workflow.start_workflow_by_name("patient")
    before = skipping.now()
    await anyio.sleep(0.05)
    assert skipping.now() - before < 20
    await skipping.client.task.signal_workflow_task_async(workflow_id, "COMPLETED", {"by": "Ada"})
    assert (await execution_of(skipping, workflow_id)).output == {"by": "Ada"}


async def test_a_schedule_fires_only_while_somebody_sends_requests(skipping: EmbeddedConductor) -> None:
    await workflow_of(skipping, WaitForDurationTask("pause", 60)).register()
    schedule = {
        "name": "hourly",
        "cronExpression": "0 0 * * * *",
        "startWorkflowRequest": {"name": "patient", "version": 1},
    }
    async with httpx.AsyncClient(transport=skipping.transport, base_url=skipping.url) as http:
        assert (await http.post("/scheduler/schedules", json=schedule)).status_code == 200

        async def ended() -> int:
            query = {"query": "workflowType=patient AND status=COMPLETED"}
            return int((await http.get("/workflow/search", params=query)).json()["totalHits"])

        await anyio.sleep(0.1)  # nobody sends a request
        assert await ended() <= 2
        while await ended() < 24:  # noqa: ASYNC110 - the requests make it fire
            await anyio.sleep(0.005)
