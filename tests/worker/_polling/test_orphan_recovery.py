"""Tasks in responses that never arrived are found under the host's own worker id, and handed back."""

from __future__ import annotations

import logging

import anyio
import anyio.lowlevel
import httpx
import pytest

from conductor_async.worker.events import OrphanRecoveryFailed, WorkerEvent
from tests.worker.fake_conductor import LOST, FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio

CUT_OFF = httpx.Response(200, text='[{"taskId":')


def handed_back(server: FakeConductor) -> list[str]:
    return [result["taskId"] for result in server.results if result["status"] == "IN_PROGRESS"]


async def test_a_task_whose_poll_was_lost_is_handed_back_and_run():
    server = FakeConductor()
    server.put(1, n=7)
    server.faults["poll"] = [LOST]
    async with hosting(server, echo):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert handed_back(server) == ["t1"]
    assert server.tasks["t1"]["status"] == "COMPLETED"
    assert server.tasks["t1"]["outputData"] == {"n": 7}


async def test_a_task_whose_update_v2_was_lost_is_handed_back_and_run():
    server = FakeConductor()
    server.put(2)
    server.faults["v2"] = [LOST]
    async with hosting(server, echo):
        await server.until(lambda: server.statuses().count("COMPLETED") == 3)
    assert handed_back(server) == ["t2"]
    assert {task["status"] for task in server.tasks.values()} == {"COMPLETED"}
    assert [result["via"] for result in server.results if result["taskId"] == "t1"] == ["v2", "v1"]


@only_with_a_mock_clock
async def test_a_task_that_the_server_hands_out_to_a_poll_long_after_its_connection_broke():
    server = FakeConductor()

    async def still_waiting_at_the_server() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(server.poll, 1, 5000, str(server.polls[0]["workerid"]))
            await anyio.sleep(0.2)
            server.put()
            await anyio.lowlevel.checkpoint()
        raise httpx.ReadError("reset")

    server.faults["poll"] = [still_waiting_at_the_server]
    async with hosting(server, echo, poll_timeout=5):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert handed_back(server) == ["t1"]


async def test_tasks_that_the_host_has_are_left_alone():
    server = FakeConductor()
    server.put(3)
    begun = 0

    async def slow() -> None:
        nonlocal begun
        begun += 1
        await anyio.sleep(0.5)

    server.faults["poll"] = [anyio.lowlevel.checkpoint, anyio.lowlevel.checkpoint, LOST]
    async with hosting(server, worker(slow, concurrency=4)):
        await server.until(lambda: server.statuses().count("COMPLETED") == 3)
        assert any(path.startswith("/api/admin/task/") for path in server.reads)
    assert begun == 3
    assert not handed_back(server)


async def test_the_last_poll_of_a_host_that_stops_is_searched_for_too():
    server = FakeConductor()
    async with hosting(server, echo, poll_timeout=0.5):
        await server.until(lambda: server.polls)
        server.faults["poll"] = [LOST, LOST]
        await anyio.sleep(0.6)
        server.put()
    assert server.tasks["t1"]["status"] == "SCHEDULED"


async def test_tasks_of_other_hosts_are_left_alone():
    server = FakeConductor()
    server.put(2)
    await server.poll(1, 0, "another host")
    server.faults["poll"] = [LOST]
    async with hosting(server, echo):
        await server.until(lambda: "COMPLETED" in server.statuses())
        await anyio.sleep(0.05)
    assert handed_back(server) == ["t2"]
    assert server.tasks["t1"]["workerId"] == "another host"


async def test_under_an_id_that_others_may_have_too_nothing_is_handed_back():
    server = FakeConductor()
    server.put()
    await server.poll(1, 0, "shared")
    server.faults["poll"] = [LOST]
    async with hosting(server, worker(echo, worker_id="shared"), poll_timeout=0.1):
        await server.until(lambda: len(server.polls) > 3)
    assert not server.results


@only_with_a_mock_clock
async def test_that_a_server_cannot_list_tasks_is_logged_once(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.always["other"] = httpx.Response(404, json={"status": 404, "message": "No static resource api/admin/task"})
    server.faults["poll"] = [CUT_OFF] * 5
    async with hosting(server, echo):
        await anyio.sleep(60)
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING and "cannot list" in r.getMessage()]
    assert len(warnings) == 1
    assert "response timeout" in warnings[0].getMessage()


@only_with_a_mock_clock
async def test_a_host_that_stops_before_it_has_searched_reports_it():
    server = FakeConductor()
    server.put(1)
    server.faults["poll"] = [LOST]
    server.always["other"] = MANY
    events: list[WorkerEvent] = []
    async with hosting(server, echo, listeners=[events.append]) as host:
        await server.until(lambda: server.polls)
    assert [each for each in events if isinstance(each, OrphanRecoveryFailed)] == [
        OrphanRecoveryFailed(host.worker_id, "job")
    ]
    assert server.tasks["t1"]["status"] == "IN_PROGRESS"


@only_with_a_mock_clock
async def test_a_host_that_stops_hands_many_back_side_by_side():
    """Each answer takes its time: one after another, most of them would come too late."""
    server = FakeConductor()
    server.put(9)

    async def nothing() -> None:
        pass

    async def slow() -> None:
        await anyio.sleep(3)

    server.faults["poll"] = [nothing, LOST]  # the first brings one, the second all the others
    server.always["v1"] = slow
    async with hosting(server, worker(echo.function, concurrency=9)):
        await server.until(lambda: len(server.polls) >= 2)
    assert sorted(task["status"] for task in server.tasks.values()) == ["COMPLETED", *["SCHEDULED"] * 8]


FORBIDDEN = httpx.Response(403, json={"status": 403, "message": "not yours"})


MANY = httpx.Response(429)


@only_with_a_mock_clock
async def test_transient_rejections_do_not_end_the_search():
    server = FakeConductor()
    server.put(1)
    server.faults["poll"] = [LOST]
    server.faults["other"] = [FORBIDDEN, MANY, MANY, FORBIDDEN, MANY, FORBIDDEN, FORBIDDEN, MANY, FORBIDDEN]
    async with hosting(server, echo):
        await server.until(lambda: "COMPLETED" in server.statuses(), within=300)
    assert handed_back(server) == ["t1"]


@only_with_a_mock_clock
async def test_a_search_that_is_rejected_is_given_up_but_not_the_next_one(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.put(1)
    server.faults["poll"] = [LOST]
    server.always["other"] = FORBIDDEN
    events: list[WorkerEvent] = []
    async with hosting(server, echo, listeners=[events.append]) as host:
        await anyio.sleep(300)
        assert not handed_back(server)
        assert [each for each in events if isinstance(each, OrphanRecoveryFailed)] == [
            OrphanRecoveryFailed(host.worker_id, "job")
        ]
        (warning,) = [r for r in caplog.records if "refuses to list" in r.getMessage()]
        assert warning.levelno == logging.WARNING
        asked = len(server.reads)
        await anyio.sleep(300)
        assert len(server.reads) == asked
        del server.always["other"]
        server.faults["poll"] = [CUT_OFF]
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert handed_back(server) == ["t1"]


@only_with_a_mock_clock
async def test_a_poll_that_fails_during_the_last_search_is_searched_for_too():
    """The list is slow, and another poll fails meanwhile, which the server answers with a task some seconds later."""
    server = FakeConductor()

    async def slow() -> None:
        await anyio.sleep(3)

    async with anyio.create_task_group() as group:

        async def still_waiting_at_the_server() -> None:
            await anyio.sleep(2)
            group.start_soon(server.poll, 1, 5000, str(server.polls[0]["workerid"]))
            raise httpx.ReadError("reset")

        async def late() -> None:
            await anyio.sleep(20)  # it leaves the task to the other one

        failed = httpx.ReadError("reset")
        server.faults["poll"] = [failed, anyio.lowlevel.checkpoint, still_waiting_at_the_server, late]
        server.faults["other"] = [anyio.lowlevel.checkpoint, slow]
        async with hosting(server, echo, poll_timeout=5):
            await server.until(lambda: len(server.polls) == 3)
            await anyio.sleep(6)
            server.put()
            await server.until(lambda: "COMPLETED" in server.statuses(), within=60)
    assert handed_back(server) == ["t1"]
