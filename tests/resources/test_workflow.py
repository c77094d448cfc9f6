"""Every method of WorkflowClient on the real server, with its effect looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import APIError, StartWorkflowRequest, WorkflowDef, WorkflowRun
from conductor_async.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    ServerError,
)
from conductor_async.models import (
    RerunWorkflowRequest,
    SkipTaskRequest,
    TaskMock,
    TaskRun,
    WorkflowTask,
    WorkflowTestRequest,
)

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

pytestmark = [pytest.mark.server, pytest.mark.anyio]


Held = Callable[..., Any]


async def test_starting(conductor: ConductorClient, held: Held, flow: str) -> None:
    workflow = conductor.workflow
    request = StartWorkflowRequest(name=flow, version=1, input={"x": None}, correlation_id="c 1", priority=7)
    first = await workflow.start_workflow(request)
    second = await workflow.start_workflow_by_name(flow, {"x": 2}, 1, "c 2", 3)
    third = await workflow.start_workflow_by_name(flow)
    found = [held("workflow", each) for each in (first, second, third)]
    assert [each["input"] for each in found] == [{"x": None}, {"x": 2}, {}]
    assert [each.get("correlationId") for each in found] == ["c 1", "c 2", None]
    assert [each["priority"] for each in found] == [7, 3, 0]
    inline = WorkflowDef(name=f"{flow}_inline", tasks=[WorkflowTask(name="wait", task_reference_name="w", type="WAIT")])
    fourth = await workflow.start_workflow(StartWorkflowRequest(name=f"{flow}_inline", workflow_def=inline))
    assert held("workflow", fourth)["workflowName"] == f"{flow}_inline"
    await workflow.terminate_workflow(fourth)


async def test_executing_synchronously(conductor: ConductorClient, held: Held, flow: str, new_name: Any) -> None:
    workflow, request = conductor.workflow, StartWorkflowRequest(name=flow, input={"x": 1})
    run = await workflow.execute_workflow(request, "my-request", wait_for_seconds=1)
    assert (run.request_id, run.status, run.signal_timeout) == ("my-request", "RUNNING", True)
    assert held("workflow", run.workflow_id)["input"] == {"x": 1}

    ends = new_name("ends")
    fails = {"terminationStatus": "FAILED", "terminationReason": "no luck"}
    last = WorkflowTask(name="end", task_reference_name="end", type="TERMINATE", input_parameters=fails)
    await conductor.metadata.register_workflow_def(WorkflowDef(name=ends, version=2, tasks=[last]))
    run = await workflow.execute_workflow(StartWorkflowRequest(name=ends))  # no version: the latest
    assert (run.status, run.is_completed(), run.is_successful()) == ("FAILED", True, False)
    assert run.reason_for_incompletion == held("workflow", run.workflow_id)["reasonForIncompletion"] != ""
    await conductor.metadata.unregister_workflow_def(ends, 2)


async def test_the_documented_positions_of_execute(conductor: ConductorClient, held: Held, flow: str) -> None:
    request = StartWorkflowRequest(name="another name", version=9, input={"x": 1})
    run = await conductor.workflow.execute_workflow(request, "request-1", flow, 1, "wait", wait_for_seconds=1)
    assert run.request_id == "request-1"
    assert held("workflow", run.workflow_id)["workflowName"] == flow
    camel: Any = conductor.workflow
    run = await camel.executeWorkflow(request, requestId="r2", name=flow, version=1, waitUntilTaskRef=["a", "wait"],
                                      waitForSeconds=1)  # fmt: skip
    assert run.request_id == "r2"


async def test_executing_until_something_blocks(conductor: ConductorClient, new_name: Any) -> None:
    name = new_name("blocks")
    wait = WorkflowTask(name="wait", task_reference_name="w", type="WAIT")
    await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=[wait]))
    request = StartWorkflowRequest(name=name)
    execute = conductor.workflow.execute_workflow_with_return_strategy
    task = await execute(request, return_strategy="BLOCKING_TASK")
    assert isinstance(task, TaskRun)
    assert (task.reference_task_name, task.task_type, task.status) == ("w", "WAIT", "IN_PROGRESS")
    run = await execute(request)
    assert isinstance(run, WorkflowRun)
    assert (run.response_type, run.status) == ("TARGET_WORKFLOW", "RUNNING")
    for each in (task, run):
        await conductor.workflow.terminate_workflow(each.workflow_id)
    await conductor.metadata.unregister_workflow_def(name, 1)


async def test_reading_executions(conductor: ConductorClient, flow: str, finish: Any) -> None:
    workflow = conductor.workflow
    first = await workflow.start_workflow_by_name(flow, {"x": 1}, correlation_id=f"{flow} a")
    second = await workflow.start_workflow_by_name(flow, {"x": 2}, correlation_id=f"{flow}-b")
    await finish(first, "one", output={"done": 1})
    await workflow.terminate_workflow(second, "enough")

    whole = await workflow.get_workflow(first)
    assert [task.reference_task_name for task in whole.tasks] == ["one", "two"]
    assert whole.tasks[0].output_data == {"done": 1}
    state = await workflow.get_workflow_status(second, include_output=True, include_variables=True)
    assert (state.workflow_id, state.status, state.correlation_id) == (second, "TERMINATED", f"{flow}-b")
    assert (await workflow.get_workflow_status(first)).output == {}

    page = await workflow.get_workflow_tasks(first, start=0, count=1)
    assert (page.total_hits, len(page.results)) == (2, 1)
    scheduled = await workflow.get_workflow_tasks(first, status=["SCHEDULED", "IN_PROGRESS"])
    assert [task.reference_task_name for task in scheduled.results] == ["two"]
    assert (await workflow.get_workflow_tasks(first, status="COMPLETED")).results[0].reference_task_name == "one"

    assert await workflow.get_running_workflows(flow) == [first]
    ever = await workflow.get_running_workflows(flow, 1, whole.create_time - 60_000, whole.create_time + 60_000)
    assert set(ever) == {first, second}


async def test_tasks_are_left_out_if_asked_to(conductor: ConductorClient, flow: str) -> None:
    workflow_id = await conductor.workflow.start_workflow_by_name(flow)
    assert (await conductor.workflow.get_workflow(workflow_id, include_tasks=False)).tasks == []
    assert len((await conductor.workflow.get_workflow(workflow_id)).tasks) == 1


async def test_by_correlation_id(conductor: ConductorClient, flow: str) -> None:
    workflow = conductor.workflow
    ids = {key: await workflow.start_workflow_by_name(flow, correlation_id=key) for key in ("a 1", "b/2", "c?")}
    await workflow.terminate_workflow(ids["b/2"])
    assert [each.workflow_id for each in await workflow.get_by_correlation_id(flow, "a 1")] == [ids["a 1"]]
    found = await workflow.get_by_correlation_ids(flow, list(ids), include_completed=True, include_tasks=True)
    assert {key: [each.workflow_id for each in value] for key, value in found.items()} == {
        key: [value] for key, value in ids.items()
    }
    assert found["a 1"][0].tasks[0].reference_task_name == "one"
    found = await workflow.get_by_correlation_ids(flow, list(ids))
    assert found["b/2"] == []
    assert await workflow.get_by_correlation_id(flow, "unknown") == []


async def test_search(conductor: ConductorClient, flow: str) -> None:
    workflow = conductor.workflow
    ids = {await workflow.start_workflow_by_name(flow, {"x": n}) for n in range(3)}
    query = f"workflowType={flow} AND status=RUNNING"
    found = await workflow.search(query=query, size=2, sort="startTime:ASC")
    assert (found.total_hits, len(found.results)) == (3, 2)
    rest = await workflow.search(start=2, size=2, query=query, sort="startTime:ASC")
    assert {each.workflow_id for each in (*found.results, *rest.results)} == ids
    assert found.results[0].workflow_type == flow
    whole = await workflow.search_v2(query=query)
    assert {each.workflow_id for each in whole.results} == ids
    assert all(each.input["x"] in range(3) for each in whole.results)
    assert (await workflow.search(free_text=flow)).total_hits >= 3
    assert (await workflow.search(query=query, classifier="workflow", top_level_only=True)).total_hits == 3

    await conductor.task.batch_poll_tasks(f"{flow}_one", count=3, timeout=1)  # tasks are indexed when polled
    by_tasks = await workflow.search_by_tasks(query=f"taskType={flow}_one")
    assert {each.workflow_id for each in by_tasks.results} == ids
    assert {
        each.workflow_id for each in (await workflow.search_by_tasks_v2(query=f"taskType={flow}_one")).results
    } == ids
    with pytest.raises(BadRequestError):
        await workflow.search(size=5001)
    with pytest.raises(BadRequestError, match=r"(?i)query"):
        await workflow.search(query="nonsense")


async def test_pausing_and_resuming(conductor: ConductorClient, held: Held, flow: str) -> None:
    workflow = conductor.workflow
    workflow_id = await workflow.start_workflow_by_name(flow)
    await workflow.pause_workflow(workflow_id)
    await workflow.pause_workflow(workflow_id)
    assert held("workflow", workflow_id)["status"] == "PAUSED"
    await workflow.resume_workflow(workflow_id)
    assert held("workflow", workflow_id)["status"] == "RUNNING"
    with pytest.raises(ServerError, match="not PAUSED"):
        await workflow.resume_workflow(workflow_id)
    await workflow.decide(workflow_id)
    await workflow.reset_callbacks(workflow_id)
    await workflow.terminate_workflow(workflow_id, "because: ü & [x]")
    found = held("workflow", workflow_id)
    assert (found["status"], found["reasonForIncompletion"]) == ("TERMINATED", "because: ü & [x]")
    for call in (workflow.pause_workflow(workflow_id), workflow.reset_callbacks(workflow_id)):
        with pytest.raises(ConflictError):
            await call


async def test_restart_retry_and_rerun(conductor: ConductorClient, held: Held, flow: str, finish: Any) -> None:
    workflow = conductor.workflow
    workflow_id = await workflow.start_workflow_by_name(flow, {"x": 1})
    request = RerunWorkflowRequest(workflow_input={"x": 2})
    for call in (workflow.restart_workflow(workflow_id), workflow.rerun_workflow(workflow_id, request)):
        with pytest.raises(ConflictError):
            await call
    with pytest.raises(NotFoundError):
        await workflow.retry_workflow(workflow_id)  # the server's response for a running one

    await finish(workflow_id, "one", status="FAILED")
    assert held("workflow", workflow_id)["status"] == "FAILED"
    await workflow.retry_workflow(workflow_id)
    found = held("workflow", workflow_id)
    assert (found["status"], [task["retryCount"] for task in found["tasks"]]) == ("RUNNING", [0, 1])

    await workflow.terminate_workflow(workflow_id)
    assert await workflow.rerun_workflow(workflow_id, request) == workflow_id
    found = held("workflow", workflow_id)
    assert (found["status"], found["input"], len(found["tasks"])) == ("RUNNING", {"x": 2}, 1)

    await finish(workflow_id, "one", "two")
    await workflow.terminate_workflow(workflow_id)
    one = held("workflow", workflow_id)["tasks"][0]["taskId"]
    again = RerunWorkflowRequest(re_run_from_task_id=one, task_input={"in": "new"})
    assert await workflow.rerun_workflow(workflow_id, again) == workflow_id
    (task,) = held("workflow", workflow_id)["tasks"]
    assert (task["taskId"], task["inputData"]) == (one, {"in": "new"})

    await workflow.terminate_workflow(workflow_id)
    await workflow.restart_workflow(workflow_id, use_latest_definitions=True)
    assert held("workflow", workflow_id)["status"] == "RUNNING"


async def test_skipping_a_task(conductor: ConductorClient, held: Held, flow: str, finish: Any) -> None:
    workflow = conductor.workflow
    workflow_id = await workflow.start_workflow_by_name(flow)
    values = {"k [x]": 'a=b&[c];+ü"%41', "n": 7}
    await workflow.skip_task_from_workflow(
        workflow_id, "two", SkipTaskRequest(task_input=values, task_output={"o": "1;"})
    )
    (task,) = [each for each in held("workflow", workflow_id)["tasks"] if each["referenceTaskName"] == "two"]
    assert (task["status"], task["inputData"]) == ("SKIPPED", {"k [x]": 'a=b&[c];+ü"%41', "n": "7"})
    assert task["outputData"] == {"o": "1;"}
    for ref, said in (("one", "processed"), ("unknown", "does not exist")):
        with pytest.raises(APIError, match=said):
            await workflow.skip_task_from_workflow(workflow_id, ref)


async def test_removing(conductor: ConductorClient, held: Held, flow: str) -> None:
    workflow = conductor.workflow
    ids = [await workflow.start_workflow_by_name(flow) for _ in range(4)]
    with pytest.raises(BadRequestError):
        await workflow.delete_workflow(ids[0])  # it runs
    for each in ids[:2]:
        await workflow.terminate_workflow(each)
    await workflow.delete_workflow(ids[0])
    await workflow.delete_workflow(ids[1])
    await workflow.terminate_remove_workflow(ids[2], "gone")
    await workflow.delete_workflow(ids[3], archive_workflow=False)
    assert [held("workflow", each) for each in ids] == [404] * 4
    for call in (workflow.delete_workflow(ids[0]), workflow.terminate_remove_workflow(ids[0])):
        with pytest.raises(NotFoundError):
            await call


async def test_testing_with_mocks(conductor: ConductorClient, held: Held, flow: str) -> None:
    mocks = {"one": [TaskMock(output={"a": 1})], "two": [TaskMock(status="FAILED", output={"b": None})]}
    run = await conductor.workflow.test_workflow(
        WorkflowTestRequest(name=flow, version=1, input={"x": 1}, task_ref_to_mock_output=mocks)
    )
    task = run.get_task(task_reference_name="one")
    assert task is not None
    assert (task.output_data, run.status) == ({"a": 1}, "FAILED")
    assert held("workflow", run.workflow_id)["status"] == "FAILED"


async def test_external_storage_locations(conductor: ConductorClient) -> None:
    for client, kind in ((conductor.workflow, "WORKFLOW_INPUT"), (conductor.task, "TASK_OUTPUT")):
        location = await client.get_external_storage_location("some/path.json", "READ", kind)
        assert location.uri is None  # the default server has a dummy storage
        with pytest.raises(APIError):
            await client.get_external_storage_location("some/path.json", "READ", "NONSENSE")


async def test_unknown_names_and_ids(conductor: ConductorClient, new_name: Any) -> None:
    workflow, missing, name = conductor.workflow, "00000000-0000-4000-8000-000000000000", new_name("missing")
    request = StartWorkflowRequest(name=name)
    for call in (
        workflow.start_workflow(request),
        workflow.start_workflow_by_name(name),
        workflow.execute_workflow(request),
        workflow.get_workflow(missing),
        workflow.get_workflow_status(missing),
        workflow.pause_workflow(missing),
        workflow.terminate_workflow(missing),
        workflow.restart_workflow(missing),
        workflow.rerun_workflow(missing, RerunWorkflowRequest()),
    ):
        with pytest.raises(NotFoundError, match=f"{missing}|{name}"):
            await call
