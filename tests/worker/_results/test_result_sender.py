"""Results are sent until the server has them, by update-v2 or by `POST /tasks`."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from conductor_async.errors import ClientClosedError
from conductor_async.worker import WorkerHost
from conductor_async.worker.events import ResultDelivered, ResultLost, WorkerEvent
from tests.worker.fake_conductor import LOST, NO_WORKFLOW, V2_MISSING, FakeConductor, Fault
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio

PAGE = httpx.Response(200, html="<html><body>Sign in</body></html>")


NO_V2 = httpx.Response(404, json={"status": 404, "message": "No static resource api/tasks/update-v2."})


MANY = httpx.Response(429)


async def test_a_server_without_update_v2_gets_the_result_by_v1_at_once():
    server = FakeConductor()
    server.always["v2"] = httpx.Response(404, json=V2_MISSING)
    server.put(5)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 5)
    assert [kind for kind, _ in server.tried] == ["v2", *["v1"] * 5]
    assert server.statuses() == ["COMPLETED"] * 5


@pytest.mark.parametrize("answer", [httpx.Response(405), httpx.Response(404, json={"error": "Not Found"})])
async def test_update_v2_is_missing_by_405_and_by_a_404_of_a_gateway(answer: httpx.Response):
    server = FakeConductor()
    server.always["v2"] = answer
    server.put(3)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 3)
    assert [kind for kind, _ in server.tried] == ["v2", *["v1"] * 3]


async def test_no_such_workflow_drops_the_result_and_keeps_update_v2(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.faults = {"v2": [httpx.Response(404, json=NO_WORKFLOW)], "v1": [httpx.Response(404, json=NO_WORKFLOW)]}
    server.put(3)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 2)
    assert [kind for kind, _ in server.tried] == ["v2", "v1", "v2", "v2"]
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "result of task t1 is dropped" in warning.getMessage()


async def test_after_a_lost_response_the_result_is_sent_again_by_v1():
    server = FakeConductor()
    server.faults["v2"] = [httpx.ReadError("gone")]
    server.put()
    async with hosting(server, echo):
        await server.until(lambda: server.results)
    assert [kind for kind, _ in server.tried] == ["v2", "v1"]


async def test_the_next_task_runs_in_the_same_slot_without_a_poll():
    server = FakeConductor()
    server.put(50)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 50)
        assert len(server.polls) == 1
    assert {result["via"] for result in server.results} == {"v2"}


async def test_update_v2_is_seldom_used_while_it_brings_nothing():
    server = FakeConductor()
    server.v2_time = 0.02
    async with hosting(server, worker(echo, concurrency=2), poll_timeout=1):
        for _ in range(6):
            server.put()
            await anyio.sleep(0.1)
        assert [result["via"] for result in server.results] == ["v2"] * 5 + ["v1"]
        polls = len(server.polls)
        server.put(30)
        await server.until(lambda: len(server.results) == 36)
        assert len(server.polls) - polls <= 3


async def test_a_task_that_update_v2_brings_while_the_host_stops_is_handed_back():
    server = FakeConductor()
    server.v2_time = 0.5
    server.put()
    async with hosting(server, echo):
        await server.until(lambda: server.results)  # update-v2 now looks for a next task
    assert server.statuses() == ["COMPLETED"]
    server = FakeConductor()
    server.v2_time = 0.5
    server.put()
    async with anyio.create_task_group() as group, hosting(server, echo):
        await server.until(lambda: server.results)

        async def later() -> None:
            await anyio.sleep(0.1)
            server.put()

        group.start_soon(later)
    assert [(result["taskId"], result["status"], result["via"]) for result in server.results] == [
        ("t1", "COMPLETED", "v2"),
        ("t2", "IN_PROGRESS", "v1"),
    ]
    assert server.results[1].get("callbackAfterSeconds", 0) == 0


async def test_results_go_by_v1_while_the_host_stops():
    server = FakeConductor()
    server.put(2)
    begun = anyio.Event()

    async def slow() -> None:
        begun.set()
        await anyio.sleep(0.2)

    async with hosting(server, worker(slow)):
        await begun.wait()
    assert server.results[0]["via"] == "v1"
    assert len(server.results) == 1


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("refused"), httpx.ReadError("x"), httpx.Response(503), httpx.Response(401)]
)
@only_with_a_mock_clock
async def test_results_are_sent_until_the_server_has_them(fault: Any):
    server = FakeConductor()
    server.faults = {"v2": [fault], "v1": [fault] * 40}
    server.put()
    began = anyio.current_time()
    async with hosting(server, echo):
        await server.until(lambda: server.results, within=5000)
    assert anyio.current_time() - began > 100
    assert server.statuses() == ["COMPLETED"]


@pytest.mark.parametrize("status", [400, 413, 500])
@only_with_a_mock_clock
async def test_a_result_that_is_rejected_three_times_fails_the_task_for_good(status: int):
    server = FakeConductor()
    refusal = httpx.Response(status, json={"status": status, "message": "too odd"})
    server.faults = {"v2": [refusal], "v1": [refusal] * 3}
    server.put(a=1)
    async with hosting(server, echo):
        await server.until(lambda: server.results)
    [result] = server.results
    assert (result["status"], result["via"]) == ("FAILED_WITH_TERMINAL_ERROR", "v1")
    assert "too odd" in result["reasonForIncompletion"]
    assert len(server.tried) == 5


async def test_a_result_that_cannot_be_json_fails_its_task_and_the_next_one_runs():
    server = FakeConductor()
    server.put(2)
    values = iter([float("nan"), 1.0])

    async def odd() -> float:
        return next(values)

    async with hosting(server, worker(odd)):
        await server.until(lambda: len(server.results) == 2)
    assert server.statuses() == ["FAILED_WITH_TERMINAL_ERROR", "COMPLETED"]
    assert "outputData.result" in server.results[0]["reasonForIncompletion"]


@only_with_a_mock_clock
async def test_a_result_that_cannot_be_delivered_before_the_host_ends_is_logged(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.always = {"v1": httpx.ConnectError("refused"), "v2": httpx.ConnectError("refused")}
    server.put()
    async with hosting(server, echo, grace=5):
        await server.until(lambda: server.tried)
        began = anyio.current_time()
    assert anyio.current_time() - began == pytest.approx(15, abs=1)
    [critical] = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert "result of task t1" in critical.getMessage()
    assert "w-t1" in critical.getMessage()


@only_with_a_mock_clock
async def test_a_server_that_comes_back_before_the_host_ends_gets_all_results():
    server = FakeConductor()
    server.always = {"v1": httpx.ConnectError("refused"), "v2": httpx.ConnectError("refused")}
    server.put(20)

    async def back() -> None:
        await anyio.sleep(11)
        server.always.clear()

    async with anyio.create_task_group() as group, hosting(server, worker(echo, concurrency=20), grace=5):
        await anyio.sleep(100)
        group.start_soon(back)
    assert server.statuses() == ["COMPLETED"] * 20


def decided(server: FakeConductor) -> list[str]:
    return [path.rpartition("/")[2] for path in server.reads if path.startswith("/api/workflow/decide/")]


@pytest.mark.parametrize(
    "faults",
    [{"v2": [LOST]}, {"v2": [NO_V2], "v1": [LOST]}, {"v2": [NO_V2], "v1": [PAGE]}],
    ids=["v2", "v1", "page"],
)
async def test_after_a_result_that_was_sent_again_the_execution_is_decided(faults: dict[str, list[Fault]]):
    """It may have died between storing it and deciding what follows. Then it would take it again without deciding."""
    server = FakeConductor()
    server.put(1)
    server.faults |= {kind: list(each) for kind, each in faults.items()}
    async with hosting(server, echo):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert decided(server) == [server.tasks["t1"]["workflowInstanceId"]]


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), MANY], ids=["not sent", "refused"])
async def test_after_a_result_that_surely_did_not_arrive_the_execution_is_not_decided(fault: Fault):
    server = FakeConductor()
    server.put(1)
    server.faults |= {"v2": [NO_V2], "v1": [fault]}
    async with hosting(server, echo):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert not decided(server)


async def test_the_size_of_a_result_is_that_of_its_json():
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put(1, text="x" * 5000)
    async with hosting(server, echo, listeners=[events.append]):
        await server.until(lambda: server.results)
    [delivered] = [event for event in events if isinstance(event, ResultDelivered)]
    assert 5000 < delivered.size < 5500


async def test_a_result_that_the_server_has_despite_an_error_is_delivered():
    """The server answers with an error when what follows the task has failed."""
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put()
    server.always["v2"] = NO_V2
    server.faults["v1"] = [httpx.Response(500, json={"message": "the next task failed"})]

    async def job() -> None:
        server.end("t1", "COMPLETED")

    async with hosting(server, worker(job), listeners=[events.append]):
        await server.until(lambda: server.tried)
    assert [kind for kind, _ in server.tried] == ["v2", "v1"]
    assert [event.attempts for event in events if isinstance(event, ResultDelivered)] == [2]


@only_with_a_mock_clock
async def test_a_result_is_given_up_if_the_failure_that_replaces_it_is_rejected_too(caplog: pytest.LogCaptureFixture):
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put()
    server.always = dict.fromkeys(("v1", "v2"), httpx.Response(400, json={"message": "too odd"}))
    async with hosting(server, echo, listeners=[events.append]):
        await anyio.sleep(100)
        assert [(event.reason[-7:], event.in_outbox) for event in events if isinstance(event, ResultLost)] == [
            ("too odd", False)
        ]
    assert [result["status"] for kind, result in server.tried if kind == "v1"] == [
        *["COMPLETED"] * 3,
        *["FAILED_WITH_TERMINAL_ERROR"] * 3,
    ]
    assert "result of task t1 (execution w-t1) is lost" in caplog.text


@only_with_a_mock_clock
async def test_a_result_that_comes_too_late_is_logged(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.put()
    server.always = dict.fromkeys(("v1", "v2"), httpx.ConnectError("refused"))
    async with hosting(server, echo):
        await anyio.sleep(60)
        server.end("t1", "TIMED_OUT")
        server.always = {}
        await server.until(lambda: server.results)
    assert server.tasks["t1"]["status"] == "TIMED_OUT"
    assert "The COMPLETED result of task t1 came too late" in caplog.text
    assert "the task is already TIMED_OUT" in caplog.text


async def test_a_client_that_is_closed_while_a_task_runs_ends_the_host_and_the_lost_result_is_logged(
    caplog: pytest.LogCaptureFixture,
):
    server = FakeConductor()
    server.put()
    conductor = server.client()

    async def job() -> str:
        await conductor.aclose()
        return "done"

    # A group if the poller notices it at the same moment.
    with pytest.raises((ClientClosedError, ExceptionGroup)), anyio.fail_after(10):
        async with WorkerHost(conductor, [worker(job, concurrency=1)], poll_timeout=5):
            await anyio.sleep_forever()
    assert "result of task t1" in caplog.text
