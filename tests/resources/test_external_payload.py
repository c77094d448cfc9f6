"""Payloads in external storage: fetched without the token, from allowed hosts only, never replaced by empty ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import Limits, TaskResult
from conductor_async.errors import ExternalPayloadError
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, FakeServer, Peer, Request, cut, raw_response, respond, serve
from tests.fakes.orkes import KEY

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

pytestmark = pytest.mark.anyio

LARGE = {"order": {"lines": list(range(100))}}
TASK = {"taskId": "t", "taskType": "greet", "taskDefName": "greet", "status": "IN_PROGRESS", "workflowInstanceId": "w"}


class Conductor:
    """A server whose payloads are at `storage`."""

    def __init__(self, uri: str | None) -> None:
        self.uri = uri

    async def __call__(self, peer: Peer, request: Request) -> None:
        path = request.target.partition("?")[0].removeprefix("/api")
        outside = TASK | {"externalInputPayloadStoragePath": "in/1 a.json"}
        answers: dict[str, Any] = {
            "/token": {"token": "token-1"},
            "/workflow/externalstoragelocation": {"uri": self.uri, "path": "x"},
            "/tasks/externalstoragelocation": {"uri": self.uri, "path": "x"},
            "/workflow/w": {
                "workflowId": "w",
                "status": "COMPLETED",
                "externalInputPayloadStoragePath": "in/2.json",
                "externalOutputPayloadStoragePath": "out/2.json",
                "tasks": [outside | {"externalOutputPayloadStoragePath": "out/1.json"}],
            },
            "/tasks/t": outside,
            "/tasks/poll/greet": outside,
            "/tasks/poll/batch/greet": [outside, TASK | {"taskId": "t2", "inputData": {"a": 1}}],
            "/tasks/update-v2": outside,
        }
        await peer.send(raw_response(text="t") if path == "/tasks" else raw_response(json=answers[path]))


def handed_back(server: FakeServer) -> list[Any]:
    return [each.json for each in server.requests if (each.method, each.target) == ("POST", "/api/tasks")]


async def test_all_payloads_of_an_execution_are_fetched_without_the_token() -> None:
    async with (
        serve(respond(json=LARGE)) as storage,
        serve(Conductor(f"{storage.origin}/bucket/x?sig=a%2Fb")) as server,
    ):
        async with client_of(server, authentication_settings=KEY, headers={"X-Key": "k"}) as client:
            workflow = await client.workflow.get_workflow("w")
            assert workflow.input == workflow.output == LARGE
            assert workflow.tasks[0].input_data == workflow.tasks[0].output_data == LARGE
            assert (await client.task.get_task("t")).input_data == LARGE
        assert storage.count() == 5
        assert {each.target for each in storage.requests} == {"/bucket/x?sig=a%2Fb"}
        assert not {"x-authorization", "x-key", "authorization"} & set().union(*(r.headers for r in storage.requests))
        asked = [each.target for each in server.requests if "externalstorage" in each.target]
        assert "/api/tasks/externalstoragelocation?path=in%2F1%20a.json&operation=READ&payloadType=TASK_INPUT" in asked
        await storage.all_closed()


async def test_one_connection_is_enough() -> None:
    async with (
        serve(respond(json=LARGE)) as storage,
        serve(Conductor(f"{storage.origin}/x")) as server,
        client_of(server, limits=Limits(max_connections=1)) as client,
    ):
        assert (await client.workflow.get_workflow("w")).output == LARGE


async def test_polled_tasks_have_their_input() -> None:
    async with serve(respond(json=LARGE)) as storage, serve(Conductor(f"{storage.origin}/x")) as server:
        async with client_of(server) as client:
            task = await client.task.poll_task("greet")
            assert task is not None
            assert task.input_data == LARGE
            assert [each.input_data for each in await client.task.batch_poll_tasks("greet", count=2)] == [
                LARGE,
                {"a": 1},
            ]
        assert handed_back(server) == []


@each_case(
    "uri",
    [
        "http://elsewhere.example/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "http://localhost.evil.example/",
        "ftp://localhost/x",
        "http://localhost@elsewhere.example/x",
        "//localhost/x",
        "http://[::1/x",
        "http://localhost:port/",
        "http://localhost:99999/",
        "http://localhost:0/",
        "http://localhost/\x00",
        None,
        "",
    ],
)
async def test_payloads_on_other_hosts_are_an_error(uri: str | None) -> None:
    async with serve(Conductor(uri)) as server, client_of(server) as client:
        with pytest.raises(ExternalPayloadError, match=r"is in external storage at 'in/2.json'") as caught:
            await client.workflow.get_workflow("w")
        assert caught.value.path == "in/2.json"
        with pytest.raises(ExternalPayloadError):
            await client.task.get_task("t")


async def test_hosts_can_be_allowed() -> None:
    async with (
        serve(respond(json=LARGE)) as storage,
        serve(Conductor(f"http://127.0.0.1:{storage.port}/x")) as server,
        client_of(server, external_payload_hosts=["127.0.0.1", "S3.example"]) as client,
    ):
        assert (await client.workflow.get_workflow("w")).output == LARGE


@each_case(
    "fault",
    [
        respond(text="<html>"),
        respond(json=[1]),
        respond(),
        respond(403, text="<Error>AccessDenied</Error>"),
        respond(302, headers={"Location": "http://elsewhere.example/?sig=c4n4ry"}),
        respond(body=b"\xff\xfe"),
        respond(body=b"[" * 1_900),
        cut(b""),
        respond(body=b" " * 3000),
    ],
    ids=["html", "list", "empty", "403", "redirect", "not utf-8", "deep", "cut", "large"],
)
async def test_an_unreadable_payload_is_an_error(fault: Behaviour) -> None:
    async with (
        serve(fault) as storage,
        serve(Conductor(f"{storage.origin}/x?sig=c4n4ry")) as server,
        client_of(server, max_response_size=2000) as client,
    ):
        with pytest.raises(ExternalPayloadError, match=r"in/2.json") as caught:
            await client.workflow.get_workflow("w")
        assert "sig=c4n4ry" not in str(caught.value)


async def test_requests_to_an_unavailable_storage_are_retried() -> None:
    async with (
        serve(cut(b""), respond(503), respond(json=LARGE)) as storage,
        serve(Conductor(f"{storage.origin}/x")) as server,
        client_of(server) as client,
    ):
        assert (await client.task.get_task("t")).input_data == LARGE


async def poll(client: ConductorClient) -> None:
    with pytest.raises(ExternalPayloadError, match=r"in/1 a.json"):
        await client.task.poll_task("greet")


async def batch(client: ConductorClient) -> None:
    assert [each.task_id for each in await client.task.batch_poll_tasks("greet", count=2)] == ["t2"]


async def update_v2(client: ConductorClient) -> None:
    assert await client.task.update_task_v2(TaskResult(task_id="t0", workflow_instance_id="w")) is None


@pytest.mark.parametrize("take", [poll, batch, update_v2])
async def test_a_task_whose_input_cannot_be_fetched_is_handed_back(take: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(Conductor("http://elsewhere.example/x")) as server, client_of(server) as client:
        await take(client)
        (result,) = handed_back(server)
        assert (result["taskId"], result["workflowInstanceId"], result["status"]) == ("t", "w", "IN_PROGRESS")
        assert result["callbackAfterSeconds"] == 60
        assert "external_payload_hosts" in result["reasonForIncompletion"]
    assert "handed back" in caplog.text


async def test_a_failed_hand_back_does_not_lose_the_other_tasks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    conductor = Conductor(None)

    async def failing(peer: Peer, request: Request) -> None:
        broken = "externalstorage" in request.target or request.method == "POST"
        await (respond(500, json={"message": "down"}) if broken else conductor)(peer, request)

    async with serve(failing) as server, client_of(server) as client:
        await batch(client)
        assert "could not be handed back" in caplog.text
        with pytest.raises(ExternalPayloadError, match="asking the server for its URL failed"):
            await client.workflow.get_workflow("w")
