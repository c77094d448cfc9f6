"""Every method of TaskClient on the real server, with its effect looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import (
    ConductorError,
    ConfigurationError,
    StartWorkflowRequest,
    TaskResult,
    WorkflowDef,
    WorkflowRun,
)
from conductor_async.errors import NotFoundError
from conductor_async.models import TaskResultStatus, TaskRun, WorkflowTask
from tests.fakes.cases import each_case

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

pytestmark = [pytest.mark.server, pytest.mark.anyio]

Held = Callable[..., Any]


async def test_polling(conductor: ConductorClient, held: Held, flow: str) -> None:
    task, kind = conductor.task, f"{flow}_one"
    assert await task.batch_poll_tasks(kind, count=3) == []
    ids = [await conductor.workflow.start_workflow_by_name(flow, {"x": n}) for n in range(3)]
    first = await task.poll_task(kind, worker_id="me [1]")
    assert first is not None
    assert (first.task_type, first.status, first.worker_id) == (kind, "IN_PROGRESS", "me [1]")
    assert first.input_data == {"in": ids.index(first.workflow_instance_id)}
    rest = await task.batch_poll_tasks(kind, "me", count=2, timeout=1)
    assert {each.workflow_instance_id for each in (first, *rest)} == set(ids)
    began = anyio.current_time()
    assert await task.batch_poll_tasks(kind, timeout=0.5) == []
    assert 0.4 < anyio.current_time() - began < 3
    with pytest.raises(ConfigurationError, match="seconds"):
        await task.batch_poll_tasks(kind, timeout=100)


async def test_polling_an_empty_queue_returns_none(conductor: ConductorClient, flow: str) -> None:
    assert await conductor.task.poll_task(f"{flow}_one") is None


async def test_domains(conductor: ConductorClient, flow: str) -> None:
    domain = {f"{flow}_one": "blue"}
    await conductor.task.poll_task(f"{flow}_one", domain="blue")  # a domain that somebody polls
    await conductor.workflow.start_workflow(StartWorkflowRequest(name=flow, task_to_domain=domain))
    assert await conductor.task.poll_task(f"{flow}_one") is None
    assert await conductor.task.get_queue_size_for_task(f"{flow}_one", domain="blue") == 1
    found = await conductor.task.poll_task(f"{flow}_one", domain="blue")
    assert found is not None
    assert found.domain == "blue"


async def test_results(conductor: ConductorClient, held: Held, flow: str) -> None:
    task = conductor.task
    workflow_id = await conductor.workflow.start_workflow_by_name(flow)
    polled = await task.poll_task(f"{flow}_one")
    assert polled is not None
    back = polled.to_task_result(TaskResultStatus.IN_PROGRESS)
    back.callback_after_seconds = 0
    assert await task.update_task(back.add_output_data("step", 1)) == polled.task_id
    polled = await task.poll_task(f"{flow}_one")
    assert polled is not None
    assert (polled.poll_count, polled.output_data) == (2, {"step": 1})
    done = polled.to_task_result().add_output_data("step", 2).log("all done")
    assert await task.update_task_v2(done) is None
    assert (await task.get_task(polled.task_id)).status == "COMPLETED"
    assert held("tasks", polled.task_id)["outputData"] == {"step": 2}
    assert [each.log for each in await task.get_task_logs(polled.task_id)] == ["all done"]
    assert await task.update_task(done) == polled.task_id  # again does no harm

    other = await conductor.workflow.start_workflow_by_name(flow)
    (scheduled,) = (await conductor.workflow.get_workflow(workflow_id)).tasks[1:]
    result = TaskResult(task_id=scheduled.task_id, workflow_instance_id=workflow_id, status="COMPLETED")
    await task.update_task(result)
    one = await task.poll_task(f"{flow}_one")
    assert one is not None
    third = await conductor.workflow.start_workflow_by_name(flow)
    following = await task.update_task_v2(one.to_task_result())
    assert following is not None  # the next one of the same type
    assert (one.workflow_instance_id, following.workflow_instance_id) == (other, third)


@each_case("output", [{"a": {"b": [1, None]}, "result": "x"}, None])
async def test_results_by_reference_name(output: Any, conductor: ConductorClient, held: Held, flow: str) -> None:
    workflow_id = await conductor.workflow.start_workflow_by_name(flow)
    update = conductor.task.update_task_by_ref_name
    task_id = await update(workflow_id, "one", TaskResultStatus.COMPLETED, output, worker_id="me")
    found = held("tasks", task_id)
    assert (found["status"], found["outputData"], found["workerId"]) == ("COMPLETED", output or {}, "me")
    assert await update(workflow_id, "one", "COMPLETED") == ""  # nothing pends there any more
    whole = await conductor.task.update_task_sync(workflow_id, "two", "COMPLETED", {"b": 2})
    assert (whole.workflow_id, whole.tasks[1].output_data) == (workflow_id, {"b": 2})
    with pytest.raises(NotFoundError):
        await conductor.task.update_task_sync(workflow_id, "two", "COMPLETED")


async def test_signals(conductor: ConductorClient, held: Held, new_name: Any) -> None:
    task, name = conductor.task, new_name("signals")
    waits = [WorkflowTask(name="w", task_reference_name=f"w{n}", type="WAIT") for n in range(3)]
    await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=waits))
    workflow_id = await conductor.workflow.start_workflow_by_name(name)
    await task.signal_workflow_task_async(workflow_id, "COMPLETED", {"n": 0})
    assert held("workflow", workflow_id)["tasks"][0]["outputData"] == {"n": 0}
    blocked = await task.signal_workflow_task_sync(workflow_id, "COMPLETED", {"n": 1}, "BLOCKING_TASK", timeout=2)
    assert isinstance(blocked, TaskRun)
    assert blocked.reference_task_name == "w2"
    run = await task.signal_workflow_task_sync(workflow_id, "COMPLETED", {"n": 2})
    assert isinstance(run, WorkflowRun)
    assert (run.status, run.output) == ("COMPLETED", {"n": 2})
    await task.signal_workflow_task_async(workflow_id, "COMPLETED")  # nothing waits: no error
    with pytest.raises(NotFoundError):
        await task.signal_workflow_task_sync(workflow_id, "COMPLETED")
    await conductor.metadata.unregister_workflow_def(name, 1)


TEXTS = [
    'he said "hi"\nl2 é',
    '{"json": true}',
    '"quoted"',
    "back\\slash \\n \\u00e9",
    "数据 🚀\ttab",
    "a+b=%41&c",
    " ",
]


async def test_logs_are_stored_unchanged(conductor: ConductorClient, held: Held, flow: str) -> None:
    workflow_id = await conductor.workflow.start_workflow_by_name(flow)
    task_id = (await conductor.workflow.get_workflow(workflow_id)).tasks[0].task_id
    assert await conductor.task.get_task_logs(task_id) == []
    for text in TEXTS:
        await conductor.task.add_task_log(task_id, text)
    assert sorted(each["log"] for each in held("tasks", task_id, "log")) == sorted(TEXTS)
    found = await conductor.task.get_task_logs(task_id)
    assert sorted(each.log for each in found) == sorted(TEXTS)
    assert all(each.created_time > 1_600_000_000_000 for each in found)  # milliseconds


async def test_queues(conductor: ConductorClient, flow: str) -> None:
    task, kind = conductor.task, f"{flow}_one"
    for _ in range(2):
        await conductor.workflow.start_workflow_by_name(flow)
    assert await task.get_queue_size_for_task(kind) == 2
    assert await task.get_queue_sizes_for_tasks([kind, f"{flow}_two"]) == {kind: 2, f"{flow}_two": 0}
    assert (await task.get_all_queue_sizes())[kind] == 2
    details = (await task.get_all_queue_details())[kind]
    assert next(iter(details.values()))["size"] == 2
    await task.poll_task(kind, worker_id="poller-1")
    assert [each.worker_id for each in await task.get_task_poll_data(kind)] == ["poller-1"]
    assert kind in {each.queue_name for each in await task.get_all_poll_data()}
    assert await task.requeue_pending_tasks(kind) in {"0", "1", "2"}
    with pytest.raises(ConfigurationError, match="at least one"):
        await task.get_queue_sizes_for_tasks([])


async def test_search(conductor: ConductorClient, flow: str) -> None:
    for _ in range(3):
        await conductor.workflow.start_workflow_by_name(flow)
    await conductor.task.batch_poll_tasks(f"{flow}_one", count=3, timeout=1)  # tasks are indexed when polled
    query = f"taskType={flow}_one AND status=IN_PROGRESS"
    found = await conductor.task.search(size=2, query=query, sort="startTime:ASC")
    assert (found.total_hits, len(found.results)) == (3, 2)
    assert found.results[0].task_type == f"{flow}_one"
    whole = await conductor.task.search_v2(query=query)
    assert {each.reference_task_name for each in whole.results} == {"one"}


async def test_unknown_names_and_ids(conductor: ConductorClient, flow: str) -> None:
    task, missing = conductor.task, "00000000-0000-4000-8000-000000000000"
    result = TaskResult(task_id=missing, workflow_instance_id=missing, status="COMPLETED")
    for call in (task.get_task(missing), task.update_task(result), task.update_task_v2(result)):
        with pytest.raises(NotFoundError, match=r"(?i)no such|not found"):
            await call
    with pytest.raises(NotFoundError):
        await task.update_task_by_ref_name(missing, "r", "COMPLETED")
    with pytest.raises(NotFoundError):
        await task.signal_workflow_task_async(missing, "COMPLETED")
    with pytest.raises(ConductorError):
        await task.update_task(TaskResult(task_id=missing, status="COMPLETED"))
