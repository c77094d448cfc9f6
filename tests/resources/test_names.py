"""Names and values with special characters reach the server unchanged, and never change the path of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from conductor_async import ConfigurationError, StartWorkflowRequest, TaskDef, TaskResult, WorkflowDef
from conductor_async.client import ConductorClient
from conductor_async.errors import NotFoundError, PayloadError
from conductor_async.models import SkipTaskRequest, WorkflowTask
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve

ODD = [
    "with space",
    "100%",
    "50%25",
    "a%2Fb",
    "%2e%2e",
    "hash#tag",
    "what?",
    "a+b",
    "a&b=c",
    "semi;colon=1",
    "ünïcödé-数据-🚀",
    "br[ack]et{s}",
    "quo'te\"d",
    "col:on@at",
    "star*(x)!$,",
    "pipe|caret^tick`",
    "less<more>",
    "...",
    "~tilde",
    " lead",
]

REFUSED = ["", " ", "\t", ".", "..", "a/b", "/", "a\\b", "a\nb", "a\x00b", "a\x7fb", "\udc80"]


@pytest.mark.anyio
@each_case("name", ODD)
async def test_names_are_quoted_in_paths(name: str) -> None:
    async with serve(respond(json={"name": name})) as server, client_of(server) as client:
        await client.metadata.get_workflow_def(name)
        target = server.requests[0].target
        prefix = "/api/metadata/workflow/"
        assert target.startswith(prefix)
        segment = target.removeprefix(prefix)
        assert not set(segment) & set('/?#;[]{}"<>|^`\\ ')
        assert unquote(segment) == name


@pytest.mark.anyio
@each_case("value", [*ODD, "a/b", "..", "[x]", "a=b&c", "\n", ""])
async def test_values_are_quoted_in_queries(value: str) -> None:
    async with serve(respond(json={"results": [], "totalHits": 0})) as server, client_of(server) as client:
        await client.workflow.search(query=value, free_text=value, sort=None)
        query = server.requests[0].target.partition("?")[2]
        assert dict(parse_qsl(query, keep_blank_values=True)) == {
            "start": "0",
            "size": "100",
            "freeText": value,
            "query": value,
        }
        assert not set(query) & set("[]{}|^`\\\"<> ;/#'")


@pytest.mark.anyio
async def test_inputs_of_skipped_tasks_are_quoted_in_the_query() -> None:
    async with serve(respond()) as server, client_of(server) as client:
        values = {"k y": "a=b&[c];ü", "n": 7, "yes": True}
        request = SkipTaskRequest(task_input=values, task_output={"o": "1"})
        await client.workflow.skip_task_from_workflow("w", "ref 1", request)
        (seen,) = server.requests
        assert seen.target == (
            "/api/workflow/w/skiptask/ref%201?taskInput%5Bk%20y%5D=a%3Db%26%5Bc%5D%3B%C3%BC"
            "&taskInput%5Bn%5D=7&taskInput%5Byes%5D=true&taskOutput%5Bo%5D=1"
        )
        assert seen.json == {"taskInput": values, "taskOutput": {"o": "1"}}
        for bad in ({"a": {"b": 1}}, {"a": None}, {"a": [1]}):
            with pytest.raises(ConfigurationError, match=r"taskInput\['a'\]"):
                await client.workflow.skip_task_from_workflow("w", "r", SkipTaskRequest(task_input=bad))
        assert server.count() == 1


@pytest.mark.anyio
@each_case("name", REFUSED)
async def test_names_that_would_change_the_path_are_rejected_before_sending(name: str) -> None:
    calls: list[Any] = [
        lambda c: c.metadata.register_workflow_def(WorkflowDef(name=name)),
        lambda c: c.metadata.update_workflow_def(WorkflowDef(name=name)),
        lambda c: c.metadata.register_task_def([TaskDef(name="ok"), TaskDef(name=name)]),
        lambda c: c.metadata.update_task_def(TaskDef(name=name)),
        lambda c: c.metadata.get_workflow_def(name),
        lambda c: c.metadata.unregister_workflow_def(name, 1),
        lambda c: c.metadata.get_task_def(name),
        lambda c: c.metadata.unregister_task_def(name),
        lambda c: c.workflow.start_workflow(StartWorkflowRequest(name=name)),
        lambda c: c.workflow.start_workflow_by_name(name),
        lambda c: c.workflow.execute_workflow(StartWorkflowRequest(name=name)),
        lambda c: c.workflow.get_workflow(name),
        lambda c: c.workflow.terminate_workflow(name),
        lambda c: c.workflow.get_by_correlation_id("w", name),
        lambda c: c.workflow.skip_task_from_workflow("w", name),
        lambda c: c.task.poll_task(name),
        lambda c: c.task.get_task(name),
        lambda c: c.task.add_task_log(name, "x"),
        lambda c: c.task.update_task_by_ref_name("w", name, "COMPLETED"),
        lambda c: c.task.update_task_by_ref_name("w", "r", name),
        lambda c: c.task.get_queue_size_for_task(name),
        lambda c: c.task.get_task_poll_data(name),
        lambda c: c.task.requeue_pending_tasks(name),
    ]
    async with serve(respond(json={})) as server, client_of(server) as client:
        for call in calls:
            with pytest.raises(ConfigurationError):
                await call(client)
        assert server.accepted == 0


@pytest.mark.anyio
async def test_none_is_not_a_name() -> None:
    async with client_of("http://localhost:1") as client:
        with pytest.raises(ConfigurationError, match="workflow id must be a string, not NoneType"):
            await client.workflow.get_workflow(None)  # type: ignore[arg-type]


@pytest.mark.anyio
@each_case(
    ("value", "path"),
    [
        (float("nan"), "input.order.lines[2].price"),
        (float("inf"), "input.order.lines[2].price"),
        (object(), "input.order.lines[2].price"),
        (b"bytes", "input.order.lines[2].price"),
        ("\udc80", "input.order.lines[2].price"),
        ({(1, 2): 3}, "input.order.lines[2].price"),
    ],
)
async def test_a_value_that_json_cannot_hold_is_rejected_before_sending(value: Any, path: str) -> None:
    payload = {"order": {"lines": [{}, {}, {"price": value}]}}
    request = StartWorkflowRequest(name="w", input=payload)
    result = TaskResult(task_id="t", workflow_instance_id="w", output_data=payload)
    output = path.replace("input", "outputData")
    async with serve(respond(text="execution-id-0001")) as server, client_of(server) as client:
        calls = {
            path: (
                lambda: client.workflow.start_workflow(request),
                lambda: client.workflow.execute_workflow(request),
                lambda: client.workflow.start_workflow_by_name("w", payload),
            ),
            output: (lambda: client.task.update_task(result), lambda: client.task.update_task_v2(result)),
        }
        for where, group in calls.items():
            for call in group:
                with pytest.raises(PayloadError) as caught:
                    await call()
                assert caught.value.path == where
                assert where in str(caught.value)
        assert server.accepted == 0


@pytest.mark.anyio
@each_case(
    "call",
    [
        lambda c: c.task.add_task_log("t", "lone \udc80"),
        lambda c: c.workflow.search(query="\udc80"),
        lambda c: c.workflow.terminate_workflow("w", reason="\udc80"),
        lambda c: c.workflow.start_workflow_by_name("w", correlation_id="\udc80"),
    ],
)
async def test_invalid_unicode_is_rejected_before_sending(call: Any) -> None:
    async with serve(respond(json={})) as server, client_of(server) as client:
        with pytest.raises(PayloadError, match="surrogate"):
            await call(client)
        assert server.accepted == 0


# -- on the real server -------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.server
@each_case("odd", ODD)
async def test_odd_names_round_trip_on_the_real_server(odd: str, server_url: str, new_name: Any) -> None:
    plain = new_name("names")
    name = f"{odd}{plain}"
    task = WorkflowTask(name=name, task_reference_name="r")
    async with ConductorClient(server_url) as client:
        await client.metadata.register_task_def(TaskDef(name=name, description="mine"))
        await client.metadata.register_workflow_def(WorkflowDef(name=name, tasks=[task]))
        await client.metadata.register_workflow_def(WorkflowDef(name=plain, tasks=[task]))
        try:
            assert (await client.metadata.get_workflow_def(name)).name == name
            assert (await client.metadata.get_task_def(name)).description == "mine"
            workflow_id = await client.workflow.start_workflow_by_name(name, correlation_id=odd.strip(" .%2e") or "c")
            assert workflow_id in await client.workflow.get_running_workflows(name)
            polled = await client.task.poll_task(name)
            assert polled is not None
            assert (polled.workflow_instance_id, polled.task_type) == (workflow_id, name)
            await client.workflow.terminate_workflow(workflow_id, reason=odd)
            workflow = await client.workflow.get_workflow(workflow_id)
            assert (workflow.workflow_name, workflow.reason_for_incompletion) == (name, odd)
        finally:
            await client.metadata.unregister_workflow_def(name, 1)
            await client.metadata.unregister_task_def(name)
            await client.metadata.unregister_workflow_def(plain, 1)
        with pytest.raises(NotFoundError):
            await client.metadata.get_workflow_def(name)
        with pytest.raises(NotFoundError):
            await client.metadata.unregister_task_def(name)
