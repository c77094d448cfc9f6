"""Starting executions by name or request, and waiting for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest

from conductor_async import ConductorClient, Configuration, StartWorkflowRequest, WaitTimeoutError, WorkflowDef
from conductor_async.errors import NotFoundError, WorkflowTerminatedError
from conductor_async.execution import WorkflowExecutor
from conductor_async.models import WorkflowTask

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


def set_variable(reference: str, **variables: object) -> WorkflowTask:
    return WorkflowTask(name=reference, task_reference_name=reference, type="SET_VARIABLE", input_parameters=variables)


def wait(reference: str) -> WorkflowTask:
    return WorkflowTask(name=reference, task_reference_name=reference, type="WAIT")


def definition(name: str, tasks: Iterable[WorkflowTask], **settings: object) -> WorkflowDef:
    return WorkflowDef(name=name, tasks=list(tasks), **settings)  # type: ignore[arg-type]


async def test_execute_without_a_version_runs_the_latest(conductor: ConductorClient, new_name: NewName):
    name = new_name("latest")
    for version in (1, 2):
        await conductor.executor.register_workflow(definition(name, [set_variable("s", v=version)], version=version))
    assert (await conductor.executor.execute(name, timeout=30)).workflow_version == 2
    assert (await conductor.executor.execute(name, 1, timeout=30)).workflow_version == 1


@pytest.mark.only_on(
    "server", reason="it compares with the synchronous endpoint of the server, which polls every 100 ms"
)
async def test_execute_returns_a_short_workflow_sooner_than_the_synchronous_endpoint(
    conductor: ConductorClient, new_name: NewName
):
    name = new_name("short")
    request = StartWorkflowRequest(name=name, version=1)
    ours, theirs = [], []
    await conductor.executor.register_workflow(definition(name, [set_variable("s", v=1)]))
    for _ in range(5):
        began = time.perf_counter()
        run = await conductor.executor.execute(name, timeout=30)
        done = time.perf_counter()
        assert run.variables == {"v": 1}
        await conductor.executor.execute_workflow(request)
        ours.append(done - began)
        theirs.append(time.perf_counter() - done)
    assert min(ours) < min(theirs)


async def test_the_plain_name_of_a_task_in_a_loop_matches_each_iteration(conductor: ConductorClient, new_name: NewName):
    name = new_name("loop")
    loop = WorkflowTask(
        name="loop",
        task_reference_name="loop",
        type="DO_WHILE",
        loop_condition="$.loop.iteration < 2",
        loop_over=[set_variable("inner", v=1), wait("pause")],
    )
    await conductor.executor.register_workflow(definition(name, [loop]))
    run = await conductor.executor.execute(name, wait_until_task_ref="inner", timeout=30)
    assert run.status == "RUNNING"
    assert [task.reference_task_name for task in run.tasks if task.task_type == "SET_VARIABLE"] == ["inner__1"]
    await conductor.executor.terminate(run.workflow_id)


async def test_a_pause_does_not_end_a_wait(conductor: ConductorClient, new_name: NewName):
    name = new_name("paused")
    await conductor.executor.register_workflow(definition(name, [wait("pause")]))
    handle = conductor.executor.handle(await conductor.executor.start_workflow(StartWorkflowRequest(name=name)))
    await handle.pause()
    assert await handle.status() == "PAUSED"
    with pytest.raises(WaitTimeoutError):
        await handle.wait(timeout=0.2)
    await handle.resume()
    await handle.terminate("enough")
    with pytest.raises(WorkflowTerminatedError, match="enough"):
        await handle.result(timeout=10)


async def test_waiting_for_an_unknown_execution_raises(conductor: ConductorClient):
    with pytest.raises(NotFoundError):
        await conductor.executor.handle("no-such-id").wait(timeout=10)


async def test_start_workflows_returns_the_ids_in_order(conductor: ConductorClient, new_name: NewName):
    name = new_name("many")
    await conductor.executor.register_workflow(definition(name, [wait("pause")]))
    requests = [StartWorkflowRequest(name=name, input={"n": n}) for n in range(20)]
    ids = await conductor.executor.start_workflows(*requests)
    found = [(await conductor.executor.get_workflow(each, include_tasks=False)).input["n"] for each in ids]
    assert found == list(range(20))
    requests[1].name = new_name("unknown")
    with pytest.raises(NotFoundError) as caught:
        await conductor.executor.start_workflows(*requests[:3])
    assert caught.value.__notes__[-1].startswith("2 of 3 executions have started: ")
    assert await conductor.executor.start_workflows() == []


async def test_an_executor_with_connections_of_its_own(server_url: str, new_name: NewName):
    name, cid = new_name("own"), new_name("cid")
    async with WorkflowExecutor(Configuration(server_url)) as executor:
        await executor.register_workflow(definition(name, [wait("pause"), wait("late")]))
        handle = executor.handle(await executor.start_workflow(StartWorkflowRequest(name=name, correlation_id=cid)))
        found = await executor.get_by_correlation_ids_and_names([name, new_name("other")], [cid, "x"])
        assert {key: [each.workflow_id for each in value] for key, value in found.items()} == {
            cid: [handle.workflow_id],
            "x": [],
        }
        assert list(await executor.get_by_correlation_ids(name, [cid])) == [cid]
        assert (await executor.search(query=f"workflowType={name}")).total_hits == 1
        await executor.signal_async(handle.workflow_id, "COMPLETED", {"a": 1})
        await executor.wait(handle.workflow_id, wait_until_task_ref="pause", timeout=10)
        await executor.update_task_by_ref_name({"b": 2}, handle.workflow_id, "late", "COMPLETED")
        run = await handle.wait(timeout=10)
        assert [task.output_data for task in run.tasks] == [{"a": 1}, {"b": 2}]
        assert (await executor.get_task(run.tasks[0].task_id)).reference_task_name == "pause"
        await executor.restart(handle.workflow_id)
        task = (await handle.get()).tasks[0]
        await executor.update_task(task.task_id, handle.workflow_id, {"c": 3}, "COMPLETED")
        execution = await executor.update_task_by_ref_name_sync({}, handle.workflow_id, "late", "COMPLETED")
        assert execution.status == "COMPLETED"
        await executor.remove_workflow(handle.workflow_id)
        with pytest.raises(NotFoundError):
            await handle.get()


async def test_execute_workflow_calls_the_synchronous_endpoint(conductor: ConductorClient, new_name: NewName):
    name = new_name("sync")
    await conductor.executor.register_workflow(definition(name, [set_variable("s", v=1)]))
    run = await conductor.executor.execute_workflow(StartWorkflowRequest(name=name), "request", name, 1, "s")
    assert run.status == "COMPLETED"
    assert run.request_id == "request"


async def test_camel_case_names_work(conductor: ConductorClient, new_name: NewName):
    name = new_name("camel")
    await conductor.executor.registerWorkflow(definition(name, [set_variable("s", v=1)]))  # type: ignore[attr-defined]
    run = await conductor.executor.execute(name, workflowInput={"a": 1}, timeout=30)  # type: ignore[call-arg]
    assert run.input == {"a": 1}
