"""Every call of the page that this SDK was founded on, "Create Workflow Using Code", against the real server.

The calls have the page's order, spelling and positions of arguments. Two things differ from the page: all names come
from `conductor_async`, and calls that talk to the server are awaited. What the server holds afterwards is looked up
without the SDK.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from conductor_async import (
    AuthenticationSettings,
    ConductorClient,
    ConductorWorkflow,
    Configuration,
    OrkesClients,
    SimpleTask,
    StartWorkflowRequest,
    TaskDef,
    WorkerHost,
    WorkflowExecutor,
    worker_task,
)
from conductor_async.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.server, pytest.mark.asyncio]

KEY_ID = "a-key"  # an open server has no /token: the key is not used then
KEY_SECRET = "a-secret"

WORKFLOWS = ("python_workflow_example_from_code", "WORKFLOW_NAME")
TASKS = ("PYTHON_TASK", "python_task_example_from_code", "simple_task")


class PlainHttp:
    """The server's API without the SDK."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def status(self, path: str) -> int:
        return (await self._http.get(path)).status_code

    async def holds(self, path: str, **query: str) -> Any:
        return (await self._http.get(path, params=query)).raise_for_status().json()

    async def holds_when_ended(self, path: str) -> Any:
        """An execution, at most 10 seconds from now."""
        for _ in range(200):
            if (held := await self.holds(path))["status"] != "RUNNING":
                return held
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} still runs")

    async def refuses(self, path: str) -> str:
        """The message of an error."""
        answer = await self._http.get(path)
        assert answer.status_code >= 400
        return answer.json()["message"]

    async def remove_the_names_of_the_page(self) -> None:
        for name in WORKFLOWS:
            running = await self.holds("/workflow/search", query=f"workflowType = {name} AND status = RUNNING")
            for run in running["results"]:
                await self._http.delete(f"/workflow/{run['workflowId']}")
            for version in await self.holds(f"/metadata/workflow/{name}/versions"):
                (await self._http.delete(f"/metadata/workflow/{name}/{version['version']}")).raise_for_status()
        for name in {task["name"] for task in await self.holds("/metadata/taskdefs")}.intersection(TASKS):
            (await self._http.delete(f"/metadata/taskdefs/{name}")).raise_for_status()


@pytest_asyncio.fixture
async def server(server_url: str) -> AsyncIterator[PlainHttp]:
    """The page's names are fixed: what other runs have left under them goes first, and ours last."""
    async with httpx.AsyncClient(base_url=server_url, timeout=30) as http:
        server = PlainHttp(http)
        await server.remove_the_names_of_the_page()
        yield server
        await server.remove_the_names_of_the_page()


@worker_task(task_definition_name="simple_task")
async def simple_task() -> dict[str, str]:
    return {"done": "yes"}


@pytest_asyncio.fixture
async def closing() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test has opened, also when it fails."""
    async with AsyncExitStack() as stack:
        yield stack


async def test_every_call_of_the_page(server_url: str, server: PlainHttp, closing: AsyncExitStack) -> None:
    # -- Register Workflow Definition
    configuration = Configuration(
        server_api_url=server_url,
        debug=False,
        authentication_settings=AuthenticationSettings(key_id=KEY_ID, key_secret=KEY_SECRET),
    )
    orkes_clients = OrkesClients(configuration)
    metadata_client = orkes_clients.getMetadataClient()

    workflow_executor = WorkflowExecutor(configuration)
    workflow = ConductorWorkflow(
        executor=workflow_executor,
        name="python_workflow_example_from_code",
        description="Python workflow example from code",
    )

    # Set-up that the page leaves out: closing what was opened.
    closing.push_async_callback(orkes_clients.aclose)
    closing.push_async_callback(workflow_executor.aclose)

    simple_task_1 = SimpleTask(
        task_def_name="python_simple_task_from_code_1", task_reference_name="python_simple_task_from_code_1"
    )
    workflow.add(simple_task_1)
    simple_task_2 = SimpleTask(
        task_def_name="python_simple_task_from_code_2", task_reference_name="python_simple_task_from_code_2"
    )
    workflow >> simple_task_2
    workflow.input_parameters(["a", "b"])

    workflowDef = workflow.to_workflow_def()  # noqa: N806 - the page's name
    await metadata_client.registerWorkflowDef(workflowDef, True)

    held = await server.holds("/metadata/workflow/python_workflow_example_from_code")
    assert (held["version"], held["description"]) == (1, "Python workflow example from code")
    assert held["inputParameters"] == ["a", "b"]
    assert [(task["name"], task["taskReferenceName"], task["type"]) for task in held["tasks"]] == [
        ("python_simple_task_from_code_1", "python_simple_task_from_code_1", "SIMPLE"),
        ("python_simple_task_from_code_2", "python_simple_task_from_code_2", "SIMPLE"),
    ]

    # -- Get Workflow Definition
    wfDef = await metadata_client.getWorkflowDef("python_workflow_example_from_code")  # noqa: N806

    assert wfDef.to_wire() == held

    # -- Update Workflow Definition
    workflow >> SimpleTask("simple_task", "simple_task_ref_2")
    updatedWorkflowDef = workflow.to_workflow_def()  # noqa: N806
    await metadata_client.updateWorkflowDef(updatedWorkflowDef, True)

    held = await server.holds("/metadata/workflow/python_workflow_example_from_code")
    assert held["version"] == 1
    assert [(task["name"], task["taskReferenceName"]) for task in held["tasks"]][2:] == [
        ("simple_task", "simple_task_ref_2")
    ]

    # -- Unregister Workflow Definition
    await metadata_client.unregisterWorkflowDef("python_workflow_example_from_code", 1)

    assert await server.status("/metadata/workflow/python_workflow_example_from_code") == 404

    # -- Register Task Definition
    taskDef = TaskDef(name="PYTHON_TASK", description="Python Task Example", input_keys=["a", "b"])  # noqa: N806
    await metadata_client.registerTaskDef(taskDef)

    held = await server.holds("/metadata/taskdefs/PYTHON_TASK")
    assert (held["description"], held["inputKeys"]) == ("Python Task Example", ["a", "b"])

    # -- Get Task Definition
    taskDef = await metadata_client.getTaskDef("PYTHON_TASK")  # noqa: N806

    assert taskDef.to_wire() == held

    # -- Update Task Definition
    taskDef.description = "Python Task Example New Description"
    taskDef.input_keys = ["a", "b", "c"]
    await metadata_client.updateTaskDef(taskDef)

    updated = await server.holds("/metadata/taskdefs/PYTHON_TASK")
    changed = {"description": "Python Task Example New Description", "inputKeys": ["a", "b", "c"]}
    set_by_the_server = {name: updated[name] for name in ("createTime", "updateTime", "updatedBy")}
    assert updated == held | changed | set_by_the_server

    # -- Unregister Task Definition
    # Set-up that the page leaves out: it removes a task definition that it never registered.
    await metadata_client.registerTaskDef(TaskDef(name="python_task_example_from_code"))
    assert await server.status("/metadata/taskdefs/python_task_example_from_code") == 200

    await metadata_client.unregisterTaskDef("python_task_example_from_code")

    assert await server.status("/metadata/taskdefs/python_task_example_from_code") == 404

    # -- Start using StartWorkflowRequest
    workflow = ConductorWorkflow(
        executor=workflow_executor, name="WORKFLOW_NAME", description="Test Create Workflow", version=1
    )
    workflow.input_parameters(["a", "b"])
    workflow >> SimpleTask("simple_task", "simple_task_ref")
    workflowDef = workflow.to_workflow_def()  # noqa: N806

    # Set-up that the page leaves out: where its `workflow_client` comes from.
    workflow_client = orkes_clients.getWorkflowClient()

    startWorkflowRequest = StartWorkflowRequest(  # noqa: N806
        name="WORKFLOW_NAME", version=1, workflow_def=workflowDef, input={"a": 15, "b": 3}
    )
    workflow_id = await workflow_client.startWorkflow(startWorkflowRequest)

    held = await server.holds(f"/workflow/{workflow_id}")
    assert (held["workflowName"], held["workflowVersion"], held["status"]) == ("WORKFLOW_NAME", 1, "RUNNING")
    assert (held["input"]["a"], held["input"]["b"]) == (15, 3)
    assert [task["referenceTaskName"] for task in held["tasks"]] == ["simple_task_ref"]

    # -- Start using Workflow Name
    # Set-up that the page leaves out: the name has to be registered before it can be started by name alone.
    await metadata_client.registerWorkflowDef(workflowDef, True)

    wfInput = {"a": 5, "b": "+", "c": [7, 8]}  # noqa: N806
    workflow_id = await workflow_client.startWorkflowByName("WORKFLOW_NAME", wfInput)

    held = await server.holds(f"/workflow/{workflow_id}")
    assert (held["workflowName"], held["workflowVersion"]) == ("WORKFLOW_NAME", 1)
    assert held["input"] == {"a": 5, "b": "+", "c": [7, 8]}

    # -- Execute workflow synchronously
    # Set-up that the page leaves out: someone has to do the task that is waited for.
    async with ConductorClient(configuration) as conductor, WorkerHost(conductor, [simple_task]):
        wfInput = {"a": 5, "b": "+", "c": [7, 8]}  # noqa: N806
        requestId = "request_id"  # noqa: N806
        version = 1
        waitUntilTaskRef = "simple_task_ref"  # Optional  # noqa: N806
        workflow_id = await workflow_client.executeWorkflow(
            startWorkflowRequest, requestId, "WORKFLOW_NAME", version, waitUntilTaskRef
        )

    run = workflow_id  # the page's name for it; it is the run, with its id, status and tasks in it
    waited_for = run.get_task(task_reference_name="simple_task_ref")
    assert (waited_for.status, waited_for.output_data) == ("COMPLETED", {"done": "yes"})
    assert (run.request_id, run.signal_timeout) == ("request_id", False)
    # The server answers when the task has ended. That the workflow has ended with it, it may find a moment later.
    held = await server.holds_when_ended(f"/workflow/{run.workflow_id}")
    assert (held["status"], held["output"]) == ("COMPLETED", {"done": "yes"})
    assert (held["input"]["a"], held["input"]["b"]) == (15, 3)  # beside what the server notes there of its own
    assert [(task["referenceTaskName"], task["status"]) for task in held["tasks"]] == [("simple_task_ref", "COMPLETED")]


async def test_the_same_calls_without_that_set_up_raise_typed_errors(server_url: str, server: PlainHttp) -> None:
    """Where the page says that errorStr will be populated, an error is raised, with the server's message in it."""
    configuration = Configuration(server_api_url=server_url)
    async with OrkesClients(configuration) as orkes_clients, WorkflowExecutor(configuration) as workflow_executor:
        metadata_client = orkes_clients.getMetadataClient()
        workflow_client = orkes_clients.getWorkflowClient()
        workflow = ConductorWorkflow(executor=workflow_executor, name="WORKFLOW_NAME", version=1)
        workflow >> SimpleTask("simple_task", "simple_task_ref")
        workflowDef = workflow.to_workflow_def()  # noqa: N806

        with pytest.raises(NotFoundError, match="python_workflow_example_from_code") as caught:
            await metadata_client.getWorkflowDef("python_workflow_example_from_code")
        assert caught.value.status == 404
        assert caught.value.message == await server.refuses("/metadata/workflow/python_workflow_example_from_code")

        with pytest.raises(NotFoundError, match="python_workflow_example_from_code") as caught:
            await metadata_client.unregisterWorkflowDef("python_workflow_example_from_code", 1)
        assert caught.value.status == 500  # the server's answer to removing what is not there

        with pytest.raises(NotFoundError, match="PYTHON_TASK") as caught:
            await metadata_client.getTaskDef("PYTHON_TASK")
        assert caught.value.message == await server.refuses("/metadata/taskdefs/PYTHON_TASK")

        with pytest.raises(NotFoundError, match="PYTHON_TASK"):
            await metadata_client.updateTaskDef(TaskDef(name="PYTHON_TASK"))
        assert await server.status("/metadata/taskdefs/PYTHON_TASK") == 404

        with pytest.raises(NotFoundError, match="python_task_example_from_code") as caught:
            await metadata_client.unregisterTaskDef("python_task_example_from_code")
        assert caught.value.status == 500

        with pytest.raises(NotFoundError, match="WORKFLOW_NAME"):
            await workflow_client.startWorkflow(StartWorkflowRequest(name="WORKFLOW_NAME", version=1))
        with pytest.raises(NotFoundError, match="WORKFLOW_NAME"):
            await workflow_client.startWorkflowByName("WORKFLOW_NAME", {"a": 5, "b": "+", "c": [7, 8]})
        with pytest.raises(NotFoundError, match="WORKFLOW_NAME"):
            await workflow_client.executeWorkflow(
                StartWorkflowRequest(name="WORKFLOW_NAME"), "request_id", "WORKFLOW_NAME", 1, "simple_task_ref"
            )

        await metadata_client.registerWorkflowDef(workflowDef, True)
        with pytest.raises(ConflictError, match="WORKFLOW_NAME"):
            await metadata_client.registerWorkflowDef(workflowDef, False)


@pytest.mark.only_on("server", reason="it takes half a minute")
async def test_a_synchronous_execution_without_a_worker_ends_with_the_server_s_wait(
    server_url: str, server: PlainHttp
) -> None:
    """That is no error: the execution goes on, and the answer says so. The definition needs no registration."""
    async with OrkesClients(Configuration(server_api_url=server_url)) as orkes_clients:
        workflow = ConductorWorkflow(name="WORKFLOW_NAME", version=1) >> SimpleTask("simple_task", "simple_task_ref")
        startWorkflowRequest = StartWorkflowRequest(  # noqa: N806
            name="WORKFLOW_NAME", version=1, workflow_def=workflow.to_workflow_def()
        )
        run = await orkes_clients.getWorkflowClient().executeWorkflow(
            startWorkflowRequest, "request_id", "WORKFLOW_NAME", 1, "simple_task_ref"
        )
        assert (run.is_running(), run.signal_timeout) == (True, True)
        assert (await server.holds(f"/workflow/{run.workflow_id}"))["status"] == "RUNNING"
