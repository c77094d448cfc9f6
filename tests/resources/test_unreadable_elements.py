"""One element of a response that cannot be read costs itself, and none of the others."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import TaskResult, WorkerHost, worker_task
from conductor_async.errors import ResponseDecodeError
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import Peer, Request, raw_response, respond, routed, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.client import ConductorClient
    from tests.fakes.http_server import Behaviour

pytestmark = pytest.mark.anyio


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def task(number: int, **fields: Any) -> dict[str, Any]:
    ids = {"taskId": f"t{number}", "workflowInstanceId": "w", "taskDefName": "greet", "taskType": "greet"}
    return {**ids, "status": "IN_PROGRESS", "workerId": "me", "responseTimeoutSeconds": 60, **fields}


ODD = {
    "a wrong type": task(9, pollCount="never"),
    "a wrong type deep inside": task(9, status={"name": "IN_PROGRESS"}),
    "an input that is no object": task(9, inputData=[1]),
}


def body(*elements: Any) -> bytes:
    return json.dumps(list(elements)).encode()


def hand_backs(server: Any) -> list[Any]:
    return [each.json for each in server.requests if (each.method, each.target) == ("POST", "/api/tasks")]


def polled(path: str, content: bytes) -> Behaviour:
    return routed({path: respond(body=content), "/api/tasks": respond(text="t9")})


# -- polls ------------------------------------------------------------------------------------------------


@each_case("odd", ODD.values(), ids=ODD.keys())
async def test_a_polled_task_that_cannot_be_read_is_handed_back_and_the_others_are_returned(
    odd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    content = body(task(1), {**odd, "outputData": {"so": "far"}}, task(2))
    caplog.clear()
    async with serve(polled("/api/tasks/poll/batch/greet", content)) as server, client_of(server) as client:
        tasks = await client.task.batch_poll_tasks("greet", count=3)
        assert [each.task_id for each in tasks] == ["t1", "t2"]
        (result,) = hand_backs(server)
        assert (result["taskId"], result["workflowInstanceId"], result["workerId"]) == ("t9", "w", "me")
        assert (result["status"], result["callbackAfterSeconds"]) == ("IN_PROGRESS", 60)
        assert result["outputData"] == {"so": "far"}  # the server would replace it
        assert "cannot be read" in result["reasonForIncompletion"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "t9 (greet)" in record.getMessage()


@each_case("odd", [None, 7, {"no": "ids", "pollCount": "x"}, {"taskId": ["x"], "pollCount": "x"}])
async def test_a_polled_element_without_ids_is_logged(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    async with (
        serve(polled("/api/tasks/poll/batch/greet", body(odd, task(1)))) as server,
        client_of(server) as client,
    ):
        assert len(await client.task.batch_poll_tasks("greet", count=3)) == 1
        assert not [each for each in hand_backs(server) if each.get("taskId")]
    assert "cannot be read" in caplog.text


async def test_a_hand_back_that_fails_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    batch = routed(
        {
            "/api/tasks/poll/batch/greet": respond(body=body(ODD["a wrong type"], task(1))),
            "/api/tasks": respond(500, json={"message": "no"}),
        }
    )
    async with serve(batch) as server, client_of(server) as client:
        (only,) = await client.task.batch_poll_tasks("greet", count=2)
        assert only.task_id == "t1"
    assert "could not be handed back" in caplog.text


async def test_a_single_polled_task_that_cannot_be_read_is_handed_back_and_raises() -> None:
    content = json.dumps(ODD["a wrong type"]).encode()
    async with serve(polled("/api/tasks/poll/greet", content)) as server, client_of(server) as client:
        with pytest.raises(ResponseDecodeError, match=r"t9 \(greet\) cannot be read.*: at pollCount"):
            await client.task.poll_task("greet")
        assert hand_backs(server)[0]["taskId"] == "t9"


async def test_a_next_task_that_cannot_be_read_does_not_make_the_result_doubtful() -> None:
    content = json.dumps(ODD["a wrong type"]).encode()
    async with serve(polled("/api/tasks/update-v2", content)) as server, client_of(server) as client:
        assert await client.task.update_task_v2(TaskResult(task_id="t", workflow_instance_id="w")) is None
        assert hand_backs(server)[0]["taskId"] == "t9"


async def test_a_host_works_off_the_others_of_a_batch() -> None:
    done = anyio.Event()
    results: dict[str, Any] = {}
    batches = [body(task(1), ODD["a wrong type"], task(2))]

    async def queue(peer: Peer, request: Request) -> None:
        path = request.target.partition("?")[0]
        if path == "/api/tasks/poll/batch/greet":
            await anyio.sleep(0 if batches else 0.02)
            await peer.send(raw_response(body=batches.pop() if batches else b"[]"))
        elif request.method == "POST":
            results[request.json["taskId"]] = request.json["status"]
            await peer.send(raw_response(204))
            if len(results) == 3:
                done.set()
        else:
            await peer.send(raw_response(text="1"))

    @worker_task("greet", concurrency=5)
    async def greet() -> int:
        return 1

    async with serve(queue) as server, client_of(server) as client:
        with anyio.fail_after(20):
            async with WorkerHost(client, [greet]):
                await done.wait()
    assert results == {"t1": "COMPLETED", "t2": "COMPLETED", "t9": "IN_PROGRESS"}


# -- lists, pages, maps --------------------------------------------------------------------------------------

Call = tuple["Callable[[ConductorClient], Any]", "Callable[[Any, Any], Any]", Any, "Callable[[Any], Any]"]

SUMMARY = {"workflowId": "ok"}
BAD = {"workflowId": "bad", "startTime": {"no": "text"}, "createTime": "never", "totalHits": "x"}

LISTS: dict[str, Call] = {
    "a search": (
        lambda c: c.workflow.search(),
        lambda good, bad: {"totalHits": 3, "results": [good, bad, good]},
        (SUMMARY, BAD),
        lambda found: (found.total_hits, [each.workflow_id for each in found.results]) == (3, ["ok", "ok"]),
    ),
    "a search for executions": (
        lambda c: c.workflow.search_v2(),
        lambda good, bad: {"totalHits": 3, "results": [bad, good]},
        (SUMMARY, {"workflowId": "bad", "tasks": {}}),
        lambda found: [each.workflow_id for each in found.results] == ["ok"],
    ),
    "the tasks of an execution": (
        lambda c: c.workflow.get_workflow_tasks("w"),
        lambda good, bad: {"totalHits": 3, "results": [good, bad]},
        ({"taskId": "ok"}, {"taskId": []}),
        lambda found: [each.task_id for each in found.results] == ["ok"],
    ),
    "executions by correlation id": (
        lambda c: c.workflow.get_by_correlation_ids("w", ["a", "b", "c", "d"]),
        lambda good, bad: {"a": [good, bad], "b": [bad], "c": bad, "d": [good]},
        (SUMMARY, {"workflowId": []}),
        lambda found: {key: len(value) for key, value in found.items()} == {"a": 1, "b": 0, "d": 1},
    ),
    "executions of a correlation id": (
        lambda c: c.workflow.get_by_correlation_id("w", "a"),
        lambda good, bad: [bad, good],
        (SUMMARY, None),
        lambda found: len(found) == 1,
    ),
    "definitions": (
        lambda c: c.metadata.get_all_workflow_defs(),
        lambda good, bad: [bad, good],
        ({"name": "ok"}, {"name": "bad", "tasks": [{"taskReferenceName": {}}]}),
        lambda found: [each.name for each in found] == ["ok"],
    ),
    "versions by name": (
        lambda c: c.metadata.get_workflow_names_and_versions(),
        lambda good, bad: {"a": [good, bad], "b": None},
        ({"name": "a"}, {"version": "latest"}),
        lambda found: list(found) == ["a"] and len(found["a"]) == 1,
    ),
    "names": (
        lambda c: c.metadata.get_workflow_names(),
        lambda good, bad: [good, bad],
        ("a", {}),
        lambda found: found == ["a"],
    ),
    "queue sizes": (
        lambda c: c.task.get_all_queue_sizes(),
        lambda good, bad: {"a": good, "b": bad},
        (1, "many"),
        lambda found: found == {"a": 1},
    ),
    "logs": (
        lambda c: c.task.get_task_logs("t"),
        lambda good, bad: [good, bad],
        ({"log": "x"}, {"createdTime": "noon"}),
        lambda found: len(found) == 1,
    ),
    "a bulk search": (
        lambda c: c.workflow_bulk.search(["a", "b"]),
        lambda good, bad: {"bulkErrorResults": {"c": "gone", "d": 7}, "bulkSuccessfulResults": [good, bad]},
        (SUMMARY, None),
        lambda found: (found.bulk_error_results, found.bulk_successful_results) == ({"c": "gone"}, [SUMMARY]),
    ),
    "a bulk operation": (
        lambda c: c.workflow_bulk.pause_workflow(["a", "b"]),
        lambda good, bad: {"bulkSuccessfulResults": [good, bad]},
        ("a", {"id": "b"}),
        lambda found: found.bulk_successful_results == ["a"],
    ),
}


@each_case(("call", "build", "elements", "check"), LISTS.values(), ids=LISTS.keys())
async def test_an_element_that_cannot_be_read_is_left_out_and_logged(
    call: Any, build: Any, elements: Any, check: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    async with serve(respond(json=build(*elements))) as server, client_of(server) as client:
        found = await call(client)
        assert check(found), found
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "cannot be read and are left out" in record.getMessage()
    assert "never" not in record.getMessage()  # no values, which may be secrets


async def test_many_elements_that_cannot_be_read_make_one_short_log_line(caplog: pytest.LogCaptureFixture) -> None:
    key = "k\x1b[2J" * 1_000
    sizes = {f"{key}{number}": "x" for number in range(500)}
    async with serve(respond(json=sizes)) as server, client_of(server) as client:
        assert await client.task.get_all_queue_sizes() == {}
    (record,) = caplog.records
    assert "500 elements" in record.getMessage()
    assert len(record.getMessage()) < 4_000
    assert record.getMessage().isprintable()


async def test_a_lookup_for_a_safe_start_does_not_overlook_an_execution_that_cannot_be_read() -> None:
    found = respond(json={"order-7": [{"workflowId": "w1", "tasks": 7}]})
    routes = {"/api/workflow/greet/correlated": found, "/api/workflow": respond(text="another")}
    async with serve(routed(routes)) as server, client_of(server) as client:
        with pytest.raises(ResponseDecodeError, match="cannot be read"):
            await client.executor.start("greet", dedupe_key="order-7", dedupe_window=0.05)
        assert server.count("POST", "/api/workflow") == 0


@each_case("content", [b'{"workflowId": 7, "tasks": 1}', b"[]", b"7", b'{"tasks": [{"taskId": 1}]}'])
async def test_an_execution_that_cannot_be_read_is_an_error(content: bytes) -> None:
    # Without one of its tasks, an execution would be another one.
    async with serve(respond(body=content)) as server, client_of(server) as client:
        with pytest.raises(ResponseDecodeError, match="does not have the expected structure"):
            await client.workflow.get_workflow("w")


# -- deep JSON ------------------------------------------------------------------------------------------------


@each_case("levels", [150, 300, 1_000, 5_000])
async def test_deeply_nested_payloads_are_read(levels: int) -> None:
    execution = f'{{"workflowId":"w","input":{{"v":{nested(levels)}}},"tasks":[{{"taskId":"t"}}]}}'.encode()
    batch = f'[{{"taskId":"t1"}},{{"taskId":"t2","inputData":{nested(levels)}}}]'.encode()
    routes = {
        "/api/workflow/w": respond(body=execution),
        "/api/tasks/poll/batch/greet": respond(body=batch),
        "/api/tasks/t": respond(500, body=f'{{"message":"no","context":{nested(levels)}}}'.encode()),
    }
    async with serve(routed(routes)) as server, client_of(server) as client:
        workflow = await client.workflow.get_workflow("w")
        assert workflow.tasks[0].task_id == "t"
        depth, value = 0, workflow.input["v"]
        while isinstance(value, dict):
            depth, value = depth + 1, value["a"]
        assert depth == levels
        tasks = await client.task.batch_poll_tasks("greet", count=2)
        assert [each.task_id for each in tasks] == ["t1", "t2"]
        assert hand_backs(server) == []


@each_case("levels", [10, 300, 2_000])
async def test_truncated_json_is_called_so_at_any_depth(levels: int) -> None:
    whole = f'{{"workflowId":"w","input":{nested(levels)}}}'.encode()
    for content in (whole[:-1], whole[: len(whole) // 2], whole + b"}", b"{'a': 1}"):
        async with serve(respond(body=content)) as server, client_of(server) as client:
            with pytest.raises(ResponseDecodeError, match=r"is not JSON, or is truncated \("):
                await client.workflow.get_workflow("w")
