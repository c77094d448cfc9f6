"""Safe starts that find an incomplete execution: one that the server has stored, but not yet given its first task."""

from __future__ import annotations

import logging
import math

import pytest

from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, Peer, Request, respond, serve

pytestmark = pytest.mark.anyio


class IncompleteStart:
    """A server with an execution that has no task.

    Args:
        rejected: Requests whose path contains this are rejected.
        completes_at: The lookup at which the execution has its first task.
        removed_at: The lookup at which the server has removed the execution.

    Attributes:
        requests: Method and path of each request, without the lookups.
        rejection: The response to rejected requests.
    """

    def __init__(self, rejected: str = "nothing", completes_at: float = math.inf, removed_at: float = math.inf) -> None:
        self.requests: list[tuple[str, str]] = []
        self.lookups = 0
        self.rejected = rejected
        self.rejection = respond(403, json={"status": 403, "message": "not yours"})
        self.completes_at = completes_at
        self.removed_at = removed_at

    async def __call__(self, peer: Peer, request: Request) -> None:
        path = request.target.partition("?")[0].removeprefix("/api")
        await self._response(path)(peer, request)
        if not path.endswith("/correlated"):
            self.requests.append((request.method, path))

    def _response(self, path: str) -> Behaviour:
        if self.rejected in path:
            return self.rejection
        if path == "/workflow":
            return respond(text="execution-00-0002")
        if path.endswith("/correlated"):
            self.lookups += 1
            execution = {"workflowId": "execution-00-0001", "status": "RUNNING"}
            return respond(json={"order-42": [execution] if self.lookups < self.removed_at else []})
        if path.endswith("/tasks"):
            tasks = [{"taskId": "t1"}] if self.lookups >= self.completes_at else []
            return respond(json={"totalHits": len(tasks), "results": tasks})
        return respond()


async def test_the_server_is_asked_to_decide_an_execution_that_stays_incomplete():
    """The server was killed after it had stored the execution, and would never decide it by itself."""
    incomplete = IncompleteStart()
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
    assert handle.workflow_id == "execution-00-0001"
    assert incomplete.lookups >= 3
    assert incomplete.requests[-2:] == [
        ("POST", "/admin/sweep/requeue/execution-00-0001"),
        ("PUT", "/workflow/decide/execution-00-0001"),
    ]
    assert set(incomplete.requests[:-2]) == {("GET", "/workflow/execution-00-0001/tasks")}


async def test_an_execution_may_complete_its_start_within_the_window():
    incomplete = IncompleteStart(completes_at=3)
    async with serve(incomplete) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-00-0001"
    assert incomplete.requests == [("GET", "/workflow/execution-00-0001/tasks")] * 3


async def test_an_execution_that_the_server_removes_is_started_again():
    """The server removes an execution if its start fails after it was stored."""
    incomplete = IncompleteStart(removed_at=3)
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.5)
    assert handle.workflow_id == "execution-00-0002"
    assert incomplete.requests == [("GET", "/workflow/execution-00-0001/tasks")] * 2 + [("POST", "/workflow")]


async def test_an_execution_that_is_removed_at_the_last_moment_is_started_again():
    async def behave(peer: Peer, request: Request) -> None:
        if "/decide/" in request.target:
            incomplete.removed_at = 0
            await respond(404, json={"status": 404, "message": "No such workflow found by id: execution-00-0001"})(
                peer, request
            )
        else:
            await incomplete(peer, request)

    incomplete = IncompleteStart()
    async with serve(behave) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
    assert handle.workflow_id == "execution-00-0002"


@pytest.mark.parametrize("rejected", ["requeue", "decide", "/tasks"])
async def test_the_execution_is_returned_even_if_the_server_rejects_the_decision(rejected, caplog):
    async with serve(IncompleteStart(rejected)) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0)
        assert handle.workflow_id == "execution-00-0001"
        assert server.count("PUT", "/api/workflow/decide/execution-00-0001") == 1
    assert "not yours" in caplog.text


async def test_a_rejected_request_for_the_tasks_is_repeated():
    incomplete = IncompleteStart("/tasks", completes_at=0)

    async def behave(peer: Peer, request: Request) -> None:
        await incomplete(peer, request)
        if incomplete.lookups >= 2:
            incomplete.rejected = "nothing"

    async with serve(behave) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-00-0001"
    assert set(incomplete.requests) == {("GET", "/workflow/execution-00-0001/tasks")}


async def test_an_execution_is_returned_at_once_if_the_server_has_no_endpoint_for_its_tasks():
    incomplete = IncompleteStart("/tasks")
    incomplete.rejection = respond(
        404, json={"status": 404, "message": "No static resource api/workflow/execution-00-0001/tasks."}
    )
    async with serve(incomplete) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-00-0001"
    assert incomplete.lookups == 1


async def test_a_404_of_a_gateway_does_not_mean_that_the_execution_is_gone():
    """Only a lookup tells whether it exists."""
    incomplete = IncompleteStart("/execution-00-0001")
    incomplete.rejection = respond(404, text="<html>no such page</html>")
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert handle.workflow_id == "execution-00-0001"
        assert server.count("POST", "/api/workflow") == 0
