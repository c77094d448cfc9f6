"""Mistakes of users, and errors that tell them what to do. Unknown names and ids: in the test of each resource."""

from __future__ import annotations

import pickle
from typing import Any
from urllib.parse import urlsplit

import pytest

from conductor_async import (
    APIError,
    ConductorError,
    Configuration,
    RetryPolicy,
    StartWorkflowRequest,
    TaskResult,
    WorkflowDef,
)
from conductor_async.client import ConductorClient
from conductor_async.errors import (
    AmbiguousOutcomeError,
    ConnectionFailedError,
    EndpointNotAvailableError,
    NotFoundError,
    ResponseDecodeError,
)
from conductor_async.models import WorkflowTask
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve, unused_port

pytestmark = pytest.mark.anyio


async def test_the_server_is_down() -> None:
    url = f"http://localhost:{await unused_port()}/api"
    async with client_of(url) as client:
        for call in (client.metadata.get_all_workflow_defs(), client.workflow.start_workflow_by_name("w")):
            with pytest.raises(ConnectionFailedError, match=f"{url}/.*could not be reached.*Nothing was sent"):
                await call


@pytest.mark.server
async def test_a_wrong_path_in_the_url(server_url: str) -> None:
    parts = urlsplit(server_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    for wrong in (f"{origin}/api/v2", f"{origin}/nonsense", f"{server_url}/metadata"):
        async with ConductorClient(Configuration(wrong, retry=RetryPolicy(max_attempts=1))) as client:
            with pytest.raises((EndpointNotAvailableError, NotFoundError, ResponseDecodeError)) as caught:
                await client.metadata.get_all_task_defs()
            assert "/metadata/taskdefs" in str(caught.value)


async def test_an_html_page_is_an_error_never_a_list() -> None:
    page = "<!doctype html><html><head><title>Conductor UI</title></head><body></body></html>"
    for kind in ("text/html", "text/html;charset=UTF-8", "application/octet-stream"):
        async with serve(respond(text=page, headers={"Content-Type": kind})) as server, client_of(server) as client:
            for call in (
                client.metadata.get_all_task_defs(),
                client.workflow.get_workflow("w"),
                client.metadata.register_workflow_def(WorkflowDef(name="w")),
                client.task.poll_task("t"),
            ):
                with pytest.raises(ResponseDecodeError, match=r"HTML page.*Does server_api_url end in /api"):
                    await call
            with pytest.raises(AmbiguousOutcomeError, match=r"HTML page.*Does server_api_url end in /api\? An exec"):
                await client.workflow.start_workflow_by_name("w")


async def test_an_error_page_of_a_gateway_is_quoted_by_its_title() -> None:
    page = "<html><head><title>413 Request Entity\nToo Large</title></head><body>" + "x" * 5000 + "</body></html>"
    async with (
        serve(respond(413, text=page, headers={"Content-Type": "text/html"})) as server,
        client_of(server) as client,
    ):
        with pytest.raises(APIError, match="status 413: 413 Request Entity Too Large") as caught:
            await client.workflow.start_workflow_by_name("w")
        assert len(str(caught.value)) < 300


@each_case(
    ("status", "kind"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (405, "BadRequestError"),
        (409, "ConflictError"),
        (422, "BadRequestError"),
        (418, "BadRequestError"),
        (500, "ServerError"),
        (501, "EndpointNotAvailableError"),
        (505, "ServerError"),
    ],
)
async def test_each_status_has_its_error(status: int, kind: str) -> None:
    body = {"status": status, "message": "the server's message", "instance": "i", "retryable": False}
    async with serve(respond(status, json=body)) as server, client_of(server) as client:
        with pytest.raises(APIError) as caught:
            await client.workflow.get_workflow("w 1")
        error = caught.value
        assert type(error).__name__ == kind
        assert (error.status, error.method, error.route) == (status, "GET", "/workflow/{workflow_id}")
        assert f"GET /workflow/w%201 returned status {status}" in str(error)
        assert error.message == "the server's message"
        assert error.message in str(error)
        assert error.body == body


@each_case(
    "body",
    [b"", b"null", b"[]", b"7", b'"text"', b"{", b'{"message": 5}', b"\xff\xfe", b'{"validationErrors": [1, {}]}'],
)
async def test_errors_without_a_readable_body(body: bytes) -> None:
    for status in (400, 404, 500):
        async with serve(respond(status, body=body)) as server, client_of(server) as client:
            with pytest.raises(APIError) as caught:
                await client.workflow.get_workflow("w")
            assert caught.value.status == status
            assert caught.value.message


async def test_a_text_labelled_json_is_read_as_text() -> None:
    fault = respond(501, body=b"env-backed secrets are read-only", headers={"Content-Type": "application/json"})
    async with serve(fault) as server, client_of(server) as client:
        with pytest.raises(EndpointNotAvailableError, match="env-backed secrets are read-only"):
            await client.workflow.get_workflow("w")


@pytest.mark.server
async def test_a_missing_endpoint_is_not_a_missing_object(server_url: str) -> None:
    async with ConductorClient(f"{server_url}/nothing-here") as client:
        with pytest.raises(EndpointNotAvailableError, match=r"does not have the endpoint.*Orkes") as caught:
            await client.workflow.send_message("w", {})
        assert not isinstance(caught.value, NotFoundError)
        assert ".. " not in str(caught.value)  # the server's sentence has its own full stop


@pytest.mark.server
async def test_an_invalid_inline_definition_lists_the_problems(server_url: str) -> None:
    broken = WorkflowDef(name="broken", tasks=[WorkflowTask(name="", task_reference_name="r")])
    async with ConductorClient(server_url) as client:
        with pytest.raises(APIError) as caught:
            await client.workflow.start_workflow(StartWorkflowRequest(name="broken", workflow_def=broken))
        assert caught.value.status == 400
        with pytest.raises(APIError, match="priority") as caught:
            await client.workflow.start_workflow(StartWorkflowRequest(name="broken", priority=1000))
        assert [each.path.rpartition(".")[2] for each in getattr(caught.value, "validation_errors", ())] == ["priority"]


async def test_new_statuses_and_fields_of_a_newer_server_are_kept() -> None:
    newer: dict[str, Any] = {"workflowId": "w", "status": "DREAMING", "brandNew": {"a": [1]}, "tasks": []}
    async with serve(respond(json=newer)) as server, client_of(server) as client:
        workflow = await client.workflow.get_workflow("w")
        assert workflow.status == "DREAMING"
        assert not workflow.is_completed()
        assert workflow.to_wire()["brandNew"] == {"a": [1]}


async def test_every_error_names_the_call_and_can_be_pickled() -> None:
    async with (
        serve(respond(400, json={"message": "m", "validationErrors": [{"path": "p", "message": "x"}]})) as server,
        client_of(server) as client,
    ):
        with pytest.raises(ConductorError) as caught:
            await client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), vars(again)) == (type(caught.value), str(caught.value), vars(caught.value))
    assert "POST /tasks returned status 400: m\n  p: x" in str(again)
