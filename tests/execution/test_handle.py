"""Handles on executions: results, tasks, events, children, control."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    ConfigurationError,
    SimpleTask,
    WaitTimeoutError,
    WorkflowError,
    WorkflowFailedError,
    WorkflowHandle,
)
from conductor_async.errors import ConflictError, EndpointNotAvailableError, NotFoundError, WorkflowTerminatedError
from conductor_async.execution import TaskStatusChanged, WorkflowStatusChanged
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, cut, respond, serve

pytestmark = pytest.mark.anyio

NewName = Callable[[str], str]


class Order(BaseModel):
    total: float


def execution(status: str, *tasks: tuple[str, str], output: Any = None, **fields: Any) -> Behaviour:
    made = [{"taskId": name, "referenceTaskName": name, "status": state} for name, state in tasks]
    return respond(
        json={"workflowId": "execution-id-0001", "status": status, "tasks": made, "output": output or {}, **fields}
    )


@pytest.mark.parametrize(
    ("status", "error"), [("FAILED", WorkflowFailedError), ("TERMINATED", WorkflowTerminatedError)]
)
async def test_an_execution_that_did_not_complete_has_no_result(status, error):
    async with serve(execution(status, reasonForIncompletion="why")) as server, client_of(server) as conductor:
        with pytest.raises(error, match="why"):
            await conductor.executor.handle("execution-id-0001").result(Order)


async def test_the_result_is_a_dict_or_of_the_type_asked_for():
    async with serve(execution("COMPLETED", output={"total": 5})) as server, client_of(server) as conductor:
        handle = conductor.executor.handle("execution-id-0001")
        assert await handle.result(timeout=5) == {"total": 5}
        assert await handle.result(Order, timeout=5) == Order(total=5)


async def test_what_is_not_a_type_is_rejected_before_anything_is_sent():
    async with serve() as server, client_of(server) as conductor:
        with pytest.raises(ConfigurationError, match="type=60"):
            await conductor.executor.handle("execution-id-0001").result(60)
        assert server.count() == 0


# -- a task, on a fake server ---------------------------------------------------------------------------


async def test_wait_for_task_returns_a_task_while_the_workflow_goes_on():
    polls = [execution("RUNNING", ("a", "COMPLETED"), ("b", each)) for each in ("SCHEDULED", "FAILED")]
    async with serve(*polls) as server, client_of(server) as conductor:
        task = await conductor.executor.handle("execution-id-0001").wait_for_task("b", timeout=5)
    assert (task.reference_task_name, task.status) == ("b", "FAILED")


async def test_wait_for_task_raises_when_the_workflow_ends_without_the_task():
    ended = execution("COMPLETED", ("a", "COMPLETED"), workflowName="w")
    async with serve(ended) as server, client_of(server) as conductor:
        with pytest.raises(
            WorkflowError,
            match=r"'w' \(id execution-id-0001\) ended COMPLETED without the task 'b': tasks that ran are a",
        ) as caught:
            await conductor.executor.handle("execution-id-0001").wait_for_task("b")
        assert caught.value.execution is not None
    async with serve(execution("FAILED", ("b", "SCHEDULED"))) as server, client_of(server) as conductor:
        with pytest.raises(WorkflowFailedError):
            await conductor.executor.handle("execution-id-0001").wait_for_task("b")


async def test_wait_for_task_has_a_timeout():
    async with serve(execution("RUNNING")) as server, client_of(server) as conductor:
        with pytest.raises(WaitTimeoutError):
            await conductor.executor.handle("execution-id-0001").wait_for_task("b", timeout=0.1)


# -- events, on a fake server ---------------------------------------------------------------------------


async def events_of(*polls: Behaviour) -> list[tuple[str, str | None, str]]:
    async with serve(*polls) as server, client_of(server) as conductor:
        return [
            (event.task_reference_name if isinstance(event, TaskStatusChanged) else "", event.previous, event.status)
            async for event in conductor.executor.handle("execution-id-0001").events()
        ]


async def test_events_end_with_the_workflow():
    assert await events_of(
        execution("RUNNING", ("a", "SCHEDULED")),
        execution("RUNNING", ("a", "SCHEDULED")),
        execution("RUNNING", ("a", "COMPLETED"), ("b", "SCHEDULED")),
        execution("COMPLETED", ("a", "COMPLETED"), ("b", "COMPLETED")),
    ) == [
        ("", None, "RUNNING"),
        ("a", None, "SCHEDULED"),
        ("a", "SCHEDULED", "COMPLETED"),
        ("b", None, "SCHEDULED"),
        ("b", "SCHEDULED", "COMPLETED"),
        ("", "RUNNING", "COMPLETED"),
    ]


async def test_an_outage_does_not_end_the_events():
    running, ended = execution("RUNNING"), execution("COMPLETED")
    busy = respond(429, headers={"Retry-After": "0"})
    assert await events_of(running, respond(503), running, cut(b""), running, busy, ended) == [
        ("", None, "RUNNING"),
        ("", "RUNNING", "COMPLETED"),
    ]


async def test_the_events_of_a_removed_execution_end_with_an_error():
    gone = respond(404, json={"status": 404, "message": "No such workflow found by id: execution-id-0001"})
    async with serve(execution("RUNNING"), gone) as server, client_of(server) as conductor:
        events = conductor.executor.handle("execution-id-0001").events()
        assert isinstance(await anext(events), WorkflowStatusChanged)
        with pytest.raises(NotFoundError) as caught:
            await anext(events)
    assert caught.value.__notes__ == ["This ended the events of workflow execution-id-0001, not the workflow."]


async def test_a_cancel_scope_can_be_closed_between_two_events():
    """PEP 789: no cancel scope is open at a yield, which would be entered and left in the wrong order."""
    polls = [execution("RUNNING"), execution("PAUSED"), execution("COMPLETED")]
    async with serve(*polls) as server, client_of(server) as conductor:
        events = conductor.executor.handle("execution-id-0001").events()
        scope = anyio.CancelScope()
        with scope:
            await anext(events)
        with anyio.fail_after(5):
            await anext(events)
        assert [event.status async for event in events] == ["COMPLETED"]


# -- on a Conductor ------------------------------------------------------------------------------------------


@pytest.fixture
def finish(conductor: ConductorClient) -> Callable[..., Awaitable[None]]:
    async def complete(handle: WorkflowHandle, reference: str, status: str = "COMPLETED", **output: Any) -> None:
        await conductor.task.update_task_by_ref_name(handle.workflow_id, reference, status, output)

    return complete


def two_steps(conductor: ConductorClient, new_name: NewName) -> ConductorWorkflow:
    kind = new_name("step")
    workflow = ConductorWorkflow(conductor.executor, new_name("handled"), 1)
    return workflow >> SimpleTask(kind, "one", retry_count=0) >> SimpleTask(kind, "two", retry_count=0)


@pytest.mark.server
async def test_result_task_and_events_of_an_execution(conductor, new_name, finish):
    workflow = two_steps(conductor, new_name).output_parameters({"total": "${two.output.total}"})
    handle = await workflow.start()
    events: list[tuple[str, str | None, str]] = []

    async def listen() -> None:
        async for event in handle.events():
            name = event.task_reference_name if isinstance(event, TaskStatusChanged) else ""
            events.append((name, event.previous, event.status))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await finish(handle, "one", total=1)
            task = await handle.wait_for_task("one", timeout=20)
            assert task.output_data["total"] == 1
            while ("two", None, "SCHEDULED") not in events:  # noqa: ASYNC110 - the listener appends it
                await anyio.sleep(0.02)
            await finish(handle, "two", total=7.5)
            assert await handle.result(Order, timeout=20) == Order(total=7.5)
    assert events[0] == ("", None, "RUNNING")
    assert events[-2:] == [("two", "SCHEDULED", "COMPLETED"), ("", "RUNNING", "COMPLETED")]
    assert [each for each in events if each[0] == "one"][-1][2] == "COMPLETED"
    assert await handle.result() == {"total": 7.5}
    assert await handle.children() == []


@pytest.mark.server
async def test_retry_rerun_and_restart(conductor, new_name, finish):
    handle = await two_steps(conductor, new_name).start({"a": 1})
    with pytest.raises(ConflictError):
        await handle.restart()
    await finish(handle, "one", n=1)
    await finish(handle, "two", "FAILED")
    with pytest.raises(WorkflowFailedError):
        await handle.result(timeout=20)

    await handle.retry()
    assert await handle.status() == "RUNNING"
    await finish(handle, "two", n=2)
    assert await handle.result(timeout=20) == {"n": 2}

    with pytest.raises(ConfigurationError, match="from task 'three', which has not run: tasks that ran are one, two"):
        await handle.rerun("three")
    await handle.rerun("two", task_input={"again": True})
    tasks = (await handle.get()).tasks
    assert [task.reference_task_name for task in tasks if task.status == "SCHEDULED"] == ["two"]
    assert (await handle.get()).get_task(task_reference_name="two").input_data == {"again": True}
    await finish(handle, "two", n=3)
    assert await handle.result(timeout=20) == {"n": 3}

    await handle.rerun(input={"a": 2})
    execution = await handle.get()
    assert execution.input == {"a": 2}
    assert [task.reference_task_name for task in execution.tasks] == ["one"]
    await handle.terminate("enough")
    await handle.restart()
    assert await handle.status() == "RUNNING"
    await handle.terminate("enough")
    with pytest.raises(WorkflowTerminatedError, match="enough"):
        await handle.result(timeout=20)


@pytest.mark.server
async def test_pause_resume_and_skip(conductor, new_name, finish):
    handle = await two_steps(conductor, new_name).start()
    await handle.pause()
    assert await handle.status() == "PAUSED"
    await handle.resume()
    await handle.skip("two", task_output={"n": "skipped"})
    await finish(handle, "one")
    skipped = await handle.wait_for_task("two", timeout=20)
    assert (skipped.status, skipped.output_data) == ("SKIPPED", {"n": "skipped"})
    await handle.result(timeout=20)


@pytest.mark.server
async def test_signal_completes_the_pending_wait_task(conductor, new_name):
    from conductor_async import WaitTask

    workflow = ConductorWorkflow(conductor.executor, new_name("signalled"), 1) >> WaitTask("approval")
    handle = await workflow.start()
    run = await handle.signal({"approved": True})
    assert run.workflow_id == handle.workflow_id
    assert await handle.result(timeout=20) == {"approved": True}
    with pytest.raises(NotFoundError):
        await handle.signal()
    with pytest.raises(EndpointNotAvailableError):
        await handle.update_variables({"a": 1})


@pytest.mark.server
async def test_children_are_the_sub_workflows_started_so_far(conductor, new_name):
    child = ConductorWorkflow(name=new_name("child"), version=1) >> SimpleTask(new_name("nobody"), "t")
    parent = ConductorWorkflow(conductor.executor, new_name("parent"), 1) >> [child, SimpleTask(new_name("other"), "o")]
    handle = await parent.start()
    with anyio.fail_after(30):
        while not (children := await handle.children()):  # noqa: ASYNC110 - the server starts it in the background
            await anyio.sleep(0.1)
    (first,) = children
    assert (await first.get()).parent_workflow_id == handle.workflow_id
    await handle.terminate()


async def test_update_variables_on_a_server_that_has_the_endpoint():
    async with serve(respond()) as server, client_of(server) as conductor:
        await conductor.executor.handle("execution-id-0001").update_variables({"a": {"b": None}})
        (request,) = server.requests
    assert (request.method, request.target, request.json) == (
        "POST",
        "/api/workflow/execution-id-0001/variables",
        {"a": {"b": None}},
    )


async def test_every_public_method_is_async():
    for name, member in vars(WorkflowHandle).items():
        if not name.startswith("_") and callable(member):
            assert inspect.iscoroutinefunction(inspect.unwrap(member)) or name == "events"


def test_a_method_that_is_not_called_says_how_to_call_it():
    handle = ConductorClient("http://localhost/api").executor.handle("w")
    assert f"{handle.status}" == "<WorkflowHandle.status is a method: write await handle.status()>"
    assert "await handle.result()" in repr(handle.result)
    assert "await handle.children()" in str([handle.children])
