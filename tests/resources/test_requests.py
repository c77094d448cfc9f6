"""What calls send, where the real server would hide a difference."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async import APIError, StartWorkflowRequest, TaskResult, WorkflowDef
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.wire import answer, serve

pytestmark = pytest.mark.anyio

RUN = {"workflowId": "w", "status": "COMPLETED"}


@each_case(("request_version", "version", "segment"), [(None, None, "0"), (3, None, "3"), (3, 7, "7"), (3, 0, "0")])
async def test_execute_requests_the_intended_version(
    request_version: int | None, version: int | None, segment: str
) -> None:
    async with serve(answer(json=RUN)) as server, client_of(server) as client:
        request = StartWorkflowRequest(name="greet")
        if request_version is not None:
            request.version = request_version
        await client.workflow.execute_workflow(request, "r", None, version, ["a", "b"], wait_for_seconds=4)
        (seen,) = server.requests
        assert seen.target == (
            f"/api/workflow/execute/greet/{segment}?requestId=r&waitUntilTaskRef=a%2Cb&waitForSeconds=4"
        )
        assert "workflowDef" not in seen.json


async def test_a_start_sends_what_was_set_and_an_empty_input() -> None:
    async with serve(answer(text="id")) as server, client_of(server) as client:
        await client.workflow.start_workflow(StartWorkflowRequest(name="greet"))
        await client.workflow.start_workflow(StartWorkflowRequest(name="greet", version=None, correlation_id=None))
        await client.workflow.start_workflow_by_name("greet")
        assert [each.json for each in server.requests] == [{"name": "greet", "input": {}}] * 2 + [{}]
        assert server.requests[2].target == "/api/workflow/greet"


async def test_text_bodies_are_sent_unchanged() -> None:
    async with serve(answer()) as server, client_of(server) as client:
        await client.task.add_task_log("t", 'he said "hi"\né\\n')
        (seen,) = server.requests
        assert seen.body.decode() == 'he said "hi"\né\\n'
        assert seen.headers["content-type"] == "text/plain; charset=utf-8"


async def test_text_responses_are_returned_unchanged() -> None:
    for text in ("3f1c-77", '"quoted"', "0123", " spaced ", "null"):
        async with (
            serve(answer(text=text, headers={"Content-Type": "application/json"})) as server,
            client_of(server) as client,
        ):
            assert await client.workflow.start_workflow_by_name("greet") == text


@each_case("body", [b"", b"t"])
async def test_a_result_is_reported_whatever_the_response_body_is(body: bytes) -> None:
    async with serve(answer(body=body)) as server, client_of(server) as client:
        assert await client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w")) == "t"


async def test_an_error_in_the_bulk_response_for_one_definition_is_raised() -> None:

    outcome: dict[str, Any] = {"bulkErrorResults": {"greet": "disk full"}, "bulkSuccessfulResults": []}
    async with serve(answer(json=outcome)) as server, client_of(server) as client:
        with pytest.raises(APIError, match="did not store 'greet': disk full"):
            await client.metadata.update_workflow_def(WorkflowDef(name="greet"))
        both = await client.metadata.update_workflow_defs([WorkflowDef(name="greet")])
        assert both.bulk_error_results == {"greet": "disk full"}
