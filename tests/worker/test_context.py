"""The context of a task: its facts, and what a function reports through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    Task,
    TaskContext,
    TaskDef,
    TaskError,
    TaskInProgress,
    WorkerHost,
    get_task_context,
    worker_task,
)

NewName = Callable[[str], str]

TASK = Task(
    task_id="t1", workflow_instance_id="w1", task_def_name="f", poll_count=2, retry_count=1, input_data={"a": 1}
)


@pytest.fixture
async def conductor(server_url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


async def workflow_of(conductor: ConductorClient, worker: Any, retry_count: int = 0) -> ConductorWorkflow:
    name = worker.task_definition_name
    await conductor.metadata.register_task_def(
        TaskDef(name=name, retry_count=retry_count, retry_delay_seconds=0, response_timeout_seconds=60)
    )
    workflow = ConductorWorkflow(executor=conductor.executor, name=f"{name}_flow", version=1)
    workflow >> worker.task("ref")
    await workflow.register(overwrite=True)
    return workflow


async def tasks_of(conductor: ConductorClient, workflow: ConductorWorkflow, worker: Any) -> list[Task]:
    """Runs the workflow and returns its tasks."""
    async with WorkerHost(conductor, [worker]):
        run = await workflow.execute()
    return (await conductor.workflow.get_workflow(run.workflow_id)).tasks


def test_outside_of_a_task_there_is_no_context() -> None:
    with pytest.raises(TaskError, match="outside of a task"):
        get_task_context()


def test_properties_are_those_of_the_task() -> None:
    context = TaskContext(TASK)
    assert (context.task_id, context.workflow_instance_id, context.task_def_name) == ("t1", "w1", "f")
    assert (context.retry_count, context.poll_count, context.input) == (1, 2, {"a": 1})


def test_methods_of_conductor_python_work_too() -> None:
    context = TaskContext(TASK)
    assert (context.get_task_id(), context.get_workflow_instance_id(), context.get_task_def_name()) == ("t1", "w1", "f")
    assert (context.get_retry_count(), context.get_poll_count(), context.get_input()) == (1, 2, {"a": 1})
    assert context.get_workflow_task_type() == ""
    context.set_callback_after(3)
    assert context.get_callback_after_seconds() == 3
    context.add_log(log_message="x")
    assert [line.log for line in context.reported()[2]] == ["x"]


@pytest.mark.server
@pytest.mark.anyio
async def test_output_is_merged_with_the_returned_value(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("said"))
    async def said(context: TaskContext) -> dict[str, int]:
        context.set_output(output_data={"set": 1, "both": 1})  # conductor-python's keyword
        context.progress(pages=7)
        return {"returned": 2, "both": 2}

    [task] = await tasks_of(conductor, await workflow_of(conductor, said), said)
    assert task.output_data == {"set": 1, "pages": 7, "returned": 2, "both": 2}


@pytest.mark.server
@pytest.mark.anyio
async def test_output_so_far_is_sent_when_the_function_raises(conductor: ConductorClient, new_name: NewName) -> None:
    @worker_task(new_name("half"))
    async def half(context: TaskContext) -> None:
        context.progress(pages=7)
        raise LookupError("no more paper")

    [task] = await tasks_of(conductor, await workflow_of(conductor, half), half)
    assert (task.status, task.output_data) == ("FAILED", {"pages": 7})


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("by", ["TaskInProgress", "callback_after"])
async def test_output_of_a_task_that_is_handed_back_stays_until_it_is_replaced(
    conductor: ConductorClient, new_name: NewName, by: str
) -> None:
    found: list[tuple[int, dict[str, Any]]] = []

    @worker_task(new_name("again"))
    async def again(context: TaskContext) -> dict[str, Any] | TaskInProgress | None:
        found.append((context.poll_count, context.output))
        if context.poll_count == 1:
            context.progress(pages=1)
        if context.poll_count <= 2:
            if by == "TaskInProgress":
                return TaskInProgress(0)
            context.callback_after(0)
            return None
        return {"pages": 3}

    [task] = await tasks_of(conductor, await workflow_of(conductor, again), again)
    assert found == [(1, {}), (2, {"pages": 1}), (3, {"pages": 1})]
    assert (task.status, task.output_data, task.poll_count) == ("COMPLETED", {"pages": 3}, 3)


@pytest.mark.server
@pytest.mark.anyio
async def test_output_of_a_task_in_progress_is_visible_in_the_execution(
    conductor: ConductorClient, new_name: NewName
) -> None:
    @worker_task(new_name("slow"))
    async def slow(context: TaskContext) -> TaskInProgress:
        return TaskInProgress(600, output={"pages": context.poll_count})

    workflow = await workflow_of(conductor, slow)
    async with WorkerHost(conductor, [slow]):
        handle = await workflow.start()
        with anyio.fail_after(20):
            while True:
                [task] = (await conductor.workflow.get_workflow(handle.workflow_id)).tasks
                if task.output_data:
                    break
                await anyio.sleep(0.05)
    assert task.output_data == {"pages": 1}
    await conductor.workflow.terminate_workflow(handle.workflow_id)


@pytest.mark.server
@pytest.mark.anyio
async def test_output_and_log_survive_the_end_of_the_host(conductor: ConductorClient, new_name: NewName) -> None:
    began = anyio.Event()
    found: list[dict[str, Any]] = []

    @worker_task(new_name("long"))
    async def long(context: TaskContext) -> None:
        found.append(context.output)
        if not context.output:
            context.progress(pages=7)
            context.log("seven pages")
            began.set()
            await anyio.sleep_forever()

    workflow = await workflow_of(conductor, long)
    handle = await workflow.start()
    async with WorkerHost(conductor, [long], grace=0):
        await began.wait()
    async with WorkerHost(conductor, [long]):
        await handle.result()
    assert found == [{}, {"pages": 7}]
    [task] = (await conductor.workflow.get_workflow(handle.workflow_id)).tasks
    assert [line.log for line in await conductor.task.get_task_logs(task.task_id)] == ["seven pages"]


@pytest.mark.server
@pytest.mark.anyio
async def test_retries_and_polls_are_counted(conductor: ConductorClient, new_name: NewName) -> None:
    counts: list[tuple[int, int]] = []

    @worker_task(new_name("counts"))
    async def count(context: TaskContext) -> TaskInProgress | None:
        counts.append((context.retry_count, context.poll_count))
        if context.retry_count == 0:
            raise LookupError
        return TaskInProgress(0) if context.poll_count == 1 else None

    await tasks_of(conductor, await workflow_of(conductor, count, retry_count=1), count)
    assert counts == [(0, 1), (1, 1), (1, 2)]


@pytest.mark.server
@pytest.mark.anyio
async def test_the_context_knows_the_lease(conductor: ConductorClient, new_name: NewName) -> None:
    leases: list[float | None] = []

    @worker_task(new_name("leased"))
    async def leased(context: TaskContext) -> None:
        assert context.lease_until is not None
        leases.append(context.lease_until - anyio.current_time())

    await tasks_of(conductor, await workflow_of(conductor, leased), leased)
    [seconds] = leases
    assert seconds is not None
    assert 0 < seconds <= 60
