"""What calls send, where the real server would hide a difference."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async import APIError, StartWorkflowRequest, TaskResult, WorkflowDef
from conductor_async.errors import AmbiguousOutcomeError, ServerError
from conductor_async.models import RerunWorkflowRequest
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve

pytestmark = pytest.mark.anyio

GREET = StartWorkflowRequest(name="greet")
RUN = {"workflowId": "execution-id-0001", "status": "COMPLETED"}


@each_case(("request_version", "version", "segment"), [(None, None, "0"), (3, None, "3"), (3, 7, "7"), (3, 0, "0")])
async def test_execute_requests_the_intended_version(
    request_version: int | None, version: int | None, segment: str
) -> None:
    async with serve(respond(json=RUN)) as server, client_of(server) as client:
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
    async with serve(respond(text="execution-id-0001")) as server, client_of(server) as client:
        await client.workflow.start_workflow(StartWorkflowRequest(name="greet"))
        await client.workflow.start_workflow(StartWorkflowRequest(name="greet", version=None, correlation_id=None))
        await client.workflow.start_workflow_by_name("greet")
        assert [each.json for each in server.requests] == [{"name": "greet", "input": {}}] * 2 + [{}]
        assert server.requests[2].target == "/api/workflow/greet"


async def test_text_bodies_are_sent_unchanged() -> None:
    async with serve(respond()) as server, client_of(server) as client:
        await client.task.add_task_log("t", 'he said "hi"\né\\n')
        (seen,) = server.requests
        assert seen.body.decode() == 'he said "hi"\né\\n'
        assert seen.headers["content-type"] == "text/plain; charset=utf-8"


UUID = "a75d95fa-555f-4833-8f3e-0123456789ab"
IDS = (UUID, UUID.upper(), UUID.replace("-", ""), "01JDXA1M5Q8W9V4C7E2RZT6YHN", "order-2026-11-30-000042")
NO_IDS = (
    *(
        "",
        "  ",
        "a",
        "null",
        "Forbidden",
        "Unauthorized-request",
        "3f1c-77",
        f'"{UUID}"',
        UUID + "0",
        UUID + UUID,
        "1" * 200,
    ),
    *(
        "<p>a75d95fa555f48338f3e</p>",
        "upstream connect error 111 or disconnect",
        "a75d95fa-555f-4833-8f3e-01\x00",
        "ä" * 36,
    ),
    *(UUID[:length] for length in range(1, len(UUID))),
)


async def test_the_id_of_an_execution_is_returned_without_spaces_around_it() -> None:
    for text in (*IDS, f" {UUID}\n"):
        async with (
            serve(respond(text=text, headers={"Content-Type": "application/json"})) as server,
            client_of(server) as client,
        ):
            assert await client.workflow.start_workflow_by_name("greet") == text.strip()


async def test_a_response_that_is_no_id_leaves_the_outcome_of_a_start_ambiguous() -> None:
    async with serve(respond(text="")) as server, client_of(server) as client:
        for text in NO_IDS:
            for behaviour, call in (
                (respond(text=text), lambda: client.workflow.start_workflow_by_name("greet", correlation_id="c")),
                (respond(text=text), lambda: client.workflow.start_workflow(StartWorkflowRequest(name="greet"))),
                (respond(text=text), lambda: client.workflow.rerun_workflow("w", RerunWorkflowRequest())),
                (respond(json={"workflowId": text}), lambda: client.workflow.execute_workflow(GREET, "r")),
            ):
                server.behaviours = (behaviour,)
                with pytest.raises(AmbiguousOutcomeError) as caught:
                    await call()
                assert caught.value.workflow_name == "greet" or caught.value.workflow_id == "w"
                assert str(caught.value).isprintable()


async def test_a_message_of_a_proxy_is_no_response_to_a_restart_or_a_retry() -> None:
    async with serve(respond(text="upstream connect error")) as server, client_of(server) as client:
        for call in (client.workflow.restart_workflow, client.workflow.retry_workflow):
            with pytest.raises(AmbiguousOutcomeError, match="upstream connect error") as caught:
                await call("w")
            assert caught.value.workflow_id == "w"
        for text in ("", "{}", f'"{UUID}"'):
            server.behaviours = (respond(text=text),)
            await client.workflow.restart_workflow("w")


async def test_a_bulk_response_that_lists_none_of_the_ids_is_ambiguous() -> None:
    behaviours = (respond(json={"message": "no healthy upstream"}), respond(text="no healthy upstream"))
    for behaviour in behaviours:
        async with serve(behaviour) as server, client_of(server) as client:
            for call in (client.workflow_bulk.restart, client.workflow_bulk.retry):
                with pytest.raises(AmbiguousOutcomeError):
                    await call(["a", "b"])


async def test_a_failure_while_the_server_waits_leaves_the_outcome_of_an_execution_ambiguous() -> None:
    async with serve(respond(500, json={"status": 500, "message": "value"})) as server, client_of(server) as client:
        for call in (client.workflow.execute_workflow, client.workflow.execute_workflow_with_return_strategy):
            with pytest.raises(AmbiguousOutcomeError, match=r"status 500: value\. An execution may have") as caught:
                await call(GREET)
            assert caught.value.workflow_name == "greet"
            assert isinstance(caught.value.__cause__, ServerError)
        assert all("waitForSeconds=25" in request.target for request in server.requests)
        server.behaviours = (respond(500, json={"message": "The Task x has no workflow definition available"}),)
        with pytest.raises(ServerError):
            await client.workflow.execute_workflow(GREET)


async def test_a_run_is_returned_even_if_its_reason_cannot_be_fetched() -> None:
    failed = respond(json={"workflowId": UUID, "status": "FAILED"})
    async with serve(failed, respond(400)) as server, client_of(server) as client:
        run = await client.workflow.execute_workflow(GREET)
    assert (run.workflow_id, run.status, run.reason_for_incompletion) == (UUID, "FAILED", None)


@each_case("body", [b"", b"t"])
async def test_a_result_is_reported_whatever_the_response_body_is(body: bytes) -> None:
    async with serve(respond(body=body)) as server, client_of(server) as client:
        assert await client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w")) == "t"


async def test_an_error_in_the_bulk_response_for_one_definition_is_raised() -> None:

    outcome: dict[str, Any] = {"bulkErrorResults": {"greet": "disk full"}, "bulkSuccessfulResults": []}
    async with serve(respond(json=outcome)) as server, client_of(server) as client:
        with pytest.raises(APIError, match="did not store 'greet': disk full"):
            await client.metadata.update_workflow_def(WorkflowDef(name="greet"))
        both = await client.metadata.update_workflow_defs([WorkflowDef(name="greet")])
        assert both.bulk_error_results == {"greet": "disk full"}
