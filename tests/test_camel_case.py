"""camelCase spellings: accepted at run time without a warning, and hidden from type checkers."""

from __future__ import annotations

import inspect
import sys
from typing import Any
from urllib.parse import parse_qsl

import pytest

from conductor_async import ConductorWorkflow, Configuration, ConfigurationError, StartWorkflowRequest
from conductor_async._camel_case import CamelCaseMixin, snake_case
from conductor_async.client import ConductorClient
from conductor_async.compat import OrkesClients
from conductor_async.models import SkipTaskRequest
from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, routed, serve


@each_case(
    ("camel", "snake"),
    [
        ("registerWorkflowDef", "register_workflow_def"),
        ("waitUntilTaskRef", "wait_until_task_ref"),
        ("getTaskDef", "get_task_def"),
        ("searchV2", "search_v2"),
        ("updateTaskV2", "update_task_v2"),
        ("getURLOf", "get_url_of"),
        ("name", "name"),
        ("snake_case", "snake_case"),
    ],
)
def test_spelling(camel: str, snake: str) -> None:
    assert snake_case(camel) == snake


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@each_case("kind", [MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient, OrkesClients])
def test_every_method_has_its_camel_case_name(kind: Any) -> None:
    thing: Any = kind.__new__(kind)
    methods = [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) > 5
    for name in methods:
        assert getattr(thing, camel_case(name)) == getattr(thing, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    client: Any = ConductorClient("http://x").workflow
    for name in ("startWorkflw", "__fooBar__", "_apiKey", "StartWorkflow_", "noSuchThing"):
        with pytest.raises(AttributeError, match=name):
            getattr(client, name)
        assert not hasattr(client, name)
    assert "startWorkflow" not in dir(client)
    # Python marks functions that return a coroutine from 3.12 on; a wrapper that awaits would cost memory in each call.
    assert inspect.iscoroutinefunction(client.startWorkflow) == (sys.version_info >= (3, 12))
    assert inspect.signature(client.startWorkflow) == inspect.signature(client.start_workflow)


@pytest.mark.anyio
async def test_keywords_in_both_spellings() -> None:
    async with serve(respond(text="execution-id-0001")) as server, client_of(server) as client:
        old: Any = client.workflow
        for start in (old.startWorkflowByName, old.start_workflow_by_name):
            await start("w", correlationId="c", priority=1)
            await start(name="w", correlation_id="c", priority=1)
        assert len({(each.target, each.body) for each in server.requests}) == 1
        with pytest.raises(TypeError, match="correlationIdd"):
            await old.startWorkflowByName("w", correlationIdd="c")
        with pytest.raises(TypeError):
            await old.startWorkflowByName("w", correlation_id="c", correlationId="d")


ID = "3f1c7a52-0000-4000-8000-000000000000"
EXECUTION = {"workflowId": ID, "status": "COMPLETED"}


def _queries(server: Any) -> list[dict[str, str]]:
    return [dict(parse_qsl(each.target.partition("?")[2])) for each in server.requests]


@pytest.mark.anyio
async def test_keywords_of_conductor_python_for_executions() -> None:
    routes = {
        "/api/workflow": respond(text=ID),
        "/api/workflow/search": respond(json={"totalHits": 0, "results": []}),
        f"/api/workflow/{ID}/skiptask/r": respond(),
        f"/api/workflow/{ID}/restart": respond(),
        f"/api/workflow/{ID}/status": respond(json=EXECUTION),
        f"/api/workflow/{ID}": respond(json=EXECUTION),
        "/api/workflow/execute/w/0": respond(json=EXECUTION),
    }
    async with serve(routed(routes)) as server, client_of(server) as client:
        workflow: Any = client.workflow
        executor: Any = client.executor
        request = StartWorkflowRequest(name="w")
        await workflow.restart_workflow(workflow_id=ID, use_latest_def=True)
        await executor.restart(ID, use_latest_def=True)
        await workflow.skip_task_from_workflow(ID, "r", request=SkipTaskRequest(task_input={"a": "b"}))
        await workflow.search(query="x", query_id="q")
        await executor.search(query="x", query_id="q", skip_cache=True)
        await executor.start_workflow(start_workflow_request=request)
        await executor.execute_workflow(request=request, wait_for_seconds=3, request_id="mine")
        await workflow.execute_workflow_with_return_strategy(request, consistency="SYNCHRONOUS", requestId="mine")
        run = await executor.execute("w", workflow_input={}, wait_for_seconds=5, request_id="mine", domain="d")
        assert run.is_successful()
        queries = _queries(server)
        assert queries[:2] == [{"useLatestDefinitions": "true"}] * 2
        assert queries[2] == {"taskInput[a]": "b"}
        assert queries[3] == queries[4] == {"start": "0", "size": "100", "freeText": "*", "query": "x"}
        assert (queries[6]["waitForSeconds"], queries[6]["requestId"]) == ("3", "mine")
        assert queries[7]["consistency"] == "SYNCHRONOUS"
        assert server.requests[8].json["taskToDomain"] == {"*": "d"}


@pytest.mark.anyio
async def test_keywords_of_conductor_python_for_tasks_and_definitions() -> None:
    routes = {
        "/api/tasks/poll/batch/t": respond(json=[]),
        f"/api/tasks/{ID}/r/COMPLETED": respond(text=ID),
        f"/api/tasks/{ID}/r/COMPLETED/sync": respond(json=EXECUTION),
        "/api/metadata/taskdefs/t": respond(json={"name": "t"}),
        "/api/tasks": respond(text=ID),
    }
    async with serve(routed(routes)) as server, client_of(server) as client:
        task: Any = client.task
        metadata: Any = client.metadata
        executor: Any = client.executor
        await task.batch_poll_tasks("t", timeout_in_millisecond=200, domain="d")
        await task.update_task_by_ref_name(ID, task_ref_name="r", status="COMPLETED", output_data={"a": 1})
        await task.update_task_sync(ID, task_ref_name="r", status="COMPLETED", output={"a": 1})
        await executor.update_task_by_ref_name({"a": 1}, ID, task_ref_name="r", status="COMPLETED")
        await executor.update_task(task_id="t", workflow_id=ID, output_data={"a": 1}, status="COMPLETED")
        assert (await metadata.get_task_def(task_type="t")).name == "t"
        await metadata.unregister_task_def(taskType="t")
        assert _queries(server)[0] == {"count": "1", "timeout": "200", "domain": "d"}
        assert [each.json for each in server.requests[1:4]] == [{"a": 1}] * 3
        assert server.requests[4].json["outputData"] == {"a": 1}
        with pytest.raises(ConfigurationError, match="give the timeout in seconds"):
            await task.batch_poll_tasks("t", timeout=100)


def test_unexpected_keywords_suggest_the_right_one() -> None:
    client: Any = ConductorClient("http://x")
    for call, keyword, suggested in (
        (client.workflow.start_workflow_by_name, "correlationIdd", "correlation_id"),
        (client.workflow.get_workflow, "includeTask", "include_tasks"),
        (client.metadata.get_task_def, "nam", "name"),
        (client.task.batch_poll_tasks, "timeouts", "timeout"),
        (client.executor.execute, "wait_until_task_reference", "wait_until_task_ref"),
        (ConductorWorkflow(name="w").timeout_seconds, "timeout_second", "timeout_seconds"),
        (OrkesClients, "config", None),
    ):
        with pytest.raises(TypeError, match=keyword) as caught:
            call(**{keyword: 1})
        assert suggested is None or f"Did you mean {suggested!r}?" in str(caught.value)
    with pytest.raises(TypeError, match=r"keyword argument 'zzz'\.$"):
        client.workflow.get_workflow("w", zzz=1)


def test_names_of_conductor_pythons_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = Configuration("http://conductor.example:8080")
    assert (configuration.host, configuration.ui_host) == (
        "http://conductor.example:8080/api",
        "http://conductor.example:8080",
    )
    assert Configuration("http://conductor.example/custom").ui_host == "http://conductor.example/custom"
    monkeypatch.setenv("CONDUCTOR_UI_SERVER_URL", "http://ui.example")
    assert configuration.ui_host == "http://ui.example"


def test_keywords_of_users_keep_their_spelling() -> None:
    class Thing(CamelCaseMixin):
        def run(self, task_name: str, **inputs: int) -> tuple[str, dict[str, int]]:
            return task_name, inputs

    thing: Any = Thing()
    assert thing.run(taskName="t", orderId=1, order_id=2) == ("t", {"orderId": 1, "order_id": 2})
    assert thing.run("t", request=1, domain=2) == ("t", {"request": 1, "domain": 2})
