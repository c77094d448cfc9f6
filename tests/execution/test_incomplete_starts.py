"""Safe starts that find an execution which the server has written down, and not begun."""

from __future__ import annotations

import logging
import math

import pytest

from tests.fakes.clients import client_of
from tests.fakes.wire import Behaviour, Peer, Request, answer, serve

pytestmark = pytest.mark.anyio


class HalfMade:
    """A server that has an execution without a task, which begins when it is asked to go on; or which it undoes.

    Attributes:
        asked_for: Method and path of each request but the looks.
        refuses: A part of the paths that are refused.
        refusal: How they are refused.
        begins_at: At which look it begins by itself.
        undone_at: At which look it is not there any more.
    """

    def __init__(self, refuses: str = "nothing", begins_at: float = math.inf, undone_at: float = math.inf) -> None:
        self.asked_for: list[tuple[str, str]] = []
        self.looks = 0
        self.refuses = refuses
        self.refusal = answer(403, json={"status": 403, "message": "not yours"})
        self.begins_at = begins_at
        self.undone_at = undone_at

    async def __call__(self, peer: Peer, request: Request) -> None:
        path = request.target.partition("?")[0].removeprefix("/api")
        await self._answer(path)(peer, request)
        if not path.endswith("/correlated"):
            self.asked_for.append((request.method, path))

    def _answer(self, path: str) -> Behaviour:
        if self.refuses in path:
            return self.refusal
        if path == "/workflow":
            return answer(text="id-2")
        if path.endswith("/correlated"):
            self.looks += 1
            there = {"workflowId": "id-1", "status": "RUNNING"}
            return answer(json={"order-42": [there] if self.looks < self.undone_at else []})
        if path.endswith("/tasks"):
            tasks = [{"taskId": "t1"}] if self.looks >= self.begins_at else []
            return answer(json={"totalHits": len(tasks), "results": tasks})
        return answer()


async def test_an_execution_found_without_tasks_is_got_going_when_it_has_not_begun_by_itself():
    """The server died when it had written it down. It would not come back to it."""
    incomplete = HalfMade()
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
    assert handle.workflow_id == "id-1"
    assert incomplete.looks >= 3
    assert incomplete.asked_for[-2:] == [("POST", "/admin/sweep/requeue/id-1"), ("PUT", "/workflow/decide/id-1")]
    assert set(incomplete.asked_for[:-2]) == {("GET", "/workflow/id-1/tasks")}


async def test_an_execution_that_is_about_to_begin_is_waited_for():
    incomplete = HalfMade(begins_at=3)
    async with serve(incomplete) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
    assert incomplete.asked_for == [("GET", "/workflow/id-1/tasks")] * 3


async def test_an_execution_that_the_server_undoes_is_started_again():
    """Its start failed after it had been written down: it is removed then."""
    incomplete = HalfMade(undone_at=3)
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.5)
    assert handle.workflow_id == "id-2"
    assert incomplete.asked_for == [("GET", "/workflow/id-1/tasks")] * 2 + [("POST", "/workflow")]


async def test_an_execution_that_is_undone_in_the_last_moment_is_started_again():
    async def behave(peer: Peer, request: Request) -> None:
        if "/decide/" in request.target:
            incomplete.undone_at = 0
            await answer(404, json={"status": 404, "message": "No such workflow found by id: id-1"})(peer, request)
        else:
            await incomplete(peer, request)

    incomplete = HalfMade()
    async with serve(behave) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
    assert handle.workflow_id == "id-2"


@pytest.mark.parametrize("refused", ["requeue", "decide", "/tasks"])
async def test_that_it_cannot_be_got_going_is_no_reason_not_to_have_found_it(refused, caplog):
    async with serve(HalfMade(refused)) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0)
        assert handle.workflow_id == "id-1"
        assert server.count("PUT", "/api/workflow/decide/id-1") == 1
    assert "not yours" in caplog.text


async def test_a_refusal_to_say_whether_it_has_begun_may_pass():
    incomplete = HalfMade("/tasks", begins_at=0)

    async def behave(peer: Peer, request: Request) -> None:
        await incomplete(peer, request)
        if incomplete.looks >= 2:
            incomplete.refuses = "nothing"

    async with serve(behave) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
    assert set(incomplete.asked_for) == {("GET", "/workflow/id-1/tasks")}


async def test_a_server_that_does_not_list_the_tasks_of_an_execution_is_not_waited_for():
    incomplete = HalfMade("/tasks")
    incomplete.refusal = answer(404, json={"status": 404, "message": "No static resource api/workflow/id-1/tasks."})
    async with serve(incomplete) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
    assert incomplete.looks == 1


async def test_what_a_gateway_does_not_know_is_no_execution_that_is_gone():
    """Whether it is there is for the look to say."""
    incomplete = HalfMade("/id-1")
    incomplete.refusal = answer(404, text="<html>no such page</html>")
    async with serve(incomplete) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert handle.workflow_id == "id-1"
        assert server.count("POST", "/api/workflow") == 0
