"""What workers do when the server, the network or the user misbehaves. On trio the clock jumps: hours take no time."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import anyio
import httpx
import pytest

from conductor_async.errors import ClientClosedError, ConfigurationError
from conductor_async.models import Task  # noqa: TC001 - workers' annotations are read at run time
from conductor_async.worker import WorkerHost, worker_task
from tests.worker.fake_conductor import NO_WORKFLOW, V2_MISSING, FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


class TestUpdateV2:
    async def test_a_server_without_it_gets_the_result_by_v1_at_once(self):
        server = FakeConductor()
        server.always["v2"] = httpx.Response(404, json=V2_MISSING)
        server.put(5)
        async with hosting(server, echo):
            await server.until(lambda: len(server.results) == 5)
        assert [kind for kind, _ in server.tried] == ["v2", *["v1"] * 5]
        assert server.statuses() == ["COMPLETED"] * 5

    @pytest.mark.parametrize("answer", [httpx.Response(405), httpx.Response(404, json={"error": "Not Found"})])
    async def test_however_it_says_so(self, answer: httpx.Response):
        server = FakeConductor()
        server.always["v2"] = answer
        server.put(3)
        async with hosting(server, echo):
            await server.until(lambda: len(server.results) == 3)
        assert [kind for kind, _ in server.tried] == ["v2", *["v1"] * 3]

    async def test_no_such_workflow_drops_the_result_and_keeps_v2(self, caplog: pytest.LogCaptureFixture):
        server = FakeConductor()
        server.faults = {"v2": [httpx.Response(404, json=NO_WORKFLOW)], "v1": [httpx.Response(404, json=NO_WORKFLOW)]}
        server.put(3)
        async with hosting(server, echo):
            await server.until(lambda: len(server.results) == 2)
        assert [kind for kind, _ in server.tried] == ["v2", "v1", "v2", "v2"]
        [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert "result of task t1 is dropped" in warning.getMessage()

    async def test_a_lost_answer_sends_the_result_again_by_v1(self):
        server = FakeConductor()
        server.faults["v2"] = [httpx.ReadError("gone")]
        server.put()
        async with hosting(server, echo):
            await server.until(lambda: server.results)
        assert [kind for kind, _ in server.tried] == ["v2", "v1"]

    async def test_the_next_task_is_run_in_the_same_slot_without_a_poll(self):
        server = FakeConductor()
        server.put(50)
        async with hosting(server, echo):
            await server.until(lambda: len(server.results) == 50)
            assert len(server.polls) == 1
        assert {result["via"] for result in server.results} == {"v2"}

    async def test_where_it_brings_nothing_it_is_seldom_used_until_there_is_a_backlog(self):
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

    async def test_what_it_brings_while_the_host_stops_is_handed_back(self):
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

    async def test_results_go_by_v1_while_the_host_stops(self):
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


class TestPolling:
    async def test_idle_it_waits_for_one_and_sweeps_up_the_rest(self):
        server = FakeConductor()
        async with hosting(server, worker(echo, concurrency=5), poll_timeout=3):
            await server.until(lambda: server.polls)
            server.put(3)
            await server.until(lambda: len(server.results) == 3)
        assert [(poll["count"], poll["timeout"]) for poll in server.polls[:2]] == [("1", "3000"), ("4", "0")]

    async def test_it_never_asks_for_more_than_it_has_slots(self):
        server = FakeConductor()
        server.always["v2"] = httpx.Response(404, json=V2_MISSING)
        server.put(100)
        running = most = 0

        async def job() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await anyio.sleep(0.001)
            running -= 1

        async with hosting(server, worker(job, concurrency=7)):
            await server.until(lambda: len(server.results) == 100)
        assert most == 7
        assert max(int(poll["count"]) for poll in server.polls) <= 7

    async def test_at_capacity_it_waits_without_polling(self):
        server = FakeConductor()
        server.put(5)

        async def long() -> None:
            await anyio.sleep(0.5)

        async with hosting(server, worker(long, concurrency=2)):
            await server.until(lambda: len(server.polls) == 2)
            cpu = time.process_time()
            await anyio.sleep(0.4)
            assert time.process_time() - cpu < 0.1
            assert len(server.polls) == 2

    @only_with_a_mock_clock
    async def test_poll_timeout_is_what_the_server_is_asked_for(self):
        server = FakeConductor()
        async with hosting(server, worker(echo, poll_timeout=4.5)):
            await anyio.sleep(90)
        assert {poll["timeout"] for poll in server.polls} == {"4500"}
        assert len(server.polls) in (20, 21)

    @only_with_a_mock_clock
    async def test_poll_interval_is_kept(self):
        server = FakeConductor()
        async with hosting(server, worker(echo, poll_interval=10, poll_timeout=0.1)):
            await anyio.sleep(85)
        assert len(server.polls) == 9

    @only_with_a_mock_clock
    async def test_idle_it_costs_a_fifth_of_a_request_a_second(self):
        server = FakeConductor()
        async with hosting(server, echo, poll_timeout=5):
            await anyio.sleep(1000)
        assert len(server.polls) <= 201

    async def test_a_server_that_does_not_wait_is_not_asked_in_a_loop(self):
        server = FakeConductor()
        server.always["poll"] = httpx.Response(200, json=[])
        async with hosting(server, echo, poll_timeout=5):
            await anyio.sleep(0.55)
        assert len(server.polls) <= 6

    @pytest.mark.parametrize(
        "fault",
        [
            httpx.ConnectError("refused"),
            httpx.ReadError("reset"),
            httpx.Response(401, json={"message": "who?"}),
            httpx.Response(403, json={"message": "no"}),
            httpx.Response(429),
            httpx.Response(500, json={"message": "oops"}),
            httpx.Response(503),
            httpx.Response(200, text="<html>login</html>"),
            httpx.Response(200, text='[{"taskId":'),
            httpx.Response(302, headers={"location": "http://elsewhere"}),
        ],
        ids=repr,
    )
    @only_with_a_mock_clock
    async def test_errors_never_end_it(self, fault: Any, caplog: pytest.LogCaptureFixture):
        server = FakeConductor()
        server.faults["poll"] = [fault] * 12
        server.put()
        async with hosting(server, echo):
            await server.until(lambda: server.results, within=5000)
        assert server.statuses() == ["COMPLETED"]
        assert (
            len([r for r in caplog.records if r.levelno == logging.WARNING and "Polling for 'job'" in r.getMessage()])
            == 1
        )

    @only_with_a_mock_clock
    async def test_a_wrong_key_is_not_hammered(self):
        server = FakeConductor()
        server.always["poll"] = httpx.Response(401, json={"message": "who?"})
        async with hosting(server, echo):
            await anyio.sleep(600)
        assert len(server.polls) < 50  # 2.0's async worker: 7 in half a second

    async def test_a_closed_client_ends_the_host(self):
        server = FakeConductor()
        conductor = server.client()
        with pytest.raises(ClientClosedError), anyio.fail_after(10):  # noqa: PT012
            async with WorkerHost(conductor, [echo], poll_timeout=0.1):
                await conductor.aclose()
                await anyio.sleep_forever()


class TestResults:
    @pytest.mark.parametrize(
        "fault", [httpx.ConnectError("refused"), httpx.ReadError("x"), httpx.Response(503), httpx.Response(401)]
    )
    @only_with_a_mock_clock
    async def test_they_are_sent_until_the_server_has_them(self, fault: Any):
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
    async def test_refused_three_times_with_the_same_answer_the_task_is_failed_for_good(self, status: int):
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

    async def test_what_cannot_be_json_fails_for_good_and_the_next_task_is_run(self):
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
    async def test_a_result_that_nobody_takes_before_the_end_is_named(self, caplog: pytest.LogCaptureFixture):
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
    async def test_a_server_that_comes_back_before_the_end_gets_them_all(self):
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


class TestUserCode:
    async def test_a_handled_task_does_not_see_the_former_ones_context(self):
        server = FakeConductor()
        server.put(3)
        ids = []

        async def job(task: Task) -> None:
            from conductor_async.worker import get_task_context

            ids.append((task.task_id, get_task_context().task_id))

        async with hosting(server, worker(job)):
            await server.until(lambda: len(server.results) == 3)
        assert ids == [("t1", "t1"), ("t2", "t2"), ("t3", "t3")]

    @pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
    async def test_a_cancelled_error_of_its_own_is_a_failure(self):
        server = FakeConductor()
        server.put(2)

        async def job() -> None:
            other = asyncio.create_task(asyncio.sleep(10))
            await asyncio.sleep(0)
            other.cancel("not needed")
            await other

        async with hosting(server, worker(job)):
            await server.until(lambda: len(server.results) == 2)
        assert server.statuses() == ["FAILED", "FAILED"]
        assert server.results[0]["reasonForIncompletion"] == "CancelledError: not needed"

    async def test_a_validator_that_breaks_is_a_failure(self):
        from typing import Annotated

        from pydantic import AfterValidator

        server = FakeConductor()
        server.put(n=1)

        def broken(value: int) -> int:
            raise KeyError(value)

        @worker_task("job")  # here, where what its annotations name is local
        async def job(n: Annotated[int, AfterValidator(broken)]) -> None: ...

        async with hosting(server, job):
            await server.until(lambda: server.results)
        assert server.statuses() == ["FAILED"]
        assert server.results[0]["reasonForIncompletion"] == "KeyError: 1"

    @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"], indirect=True)
    async def test_a_function_that_returns_an_awaitable_is_awaited(self):
        server = FakeConductor()
        server.put()

        async def inner() -> str:
            return "awaited"

        def job() -> Any:
            return inner()

        async with hosting(server, worker(job)):
            await server.until(lambda: server.results)
        assert server.results[0]["outputData"] == {"result": "awaited"}


class TestLeaving:
    async def test_a_poll_under_way_is_not_cancelled_and_what_it_brings_is_handed_back(self):
        server = FakeConductor()
        host = WorkerHost(server.client(), [echo], poll_timeout=2)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(host.run)
                await server.until(lambda: server.polls)

                async def later() -> None:
                    with anyio.CancelScope(shield=True):
                        await anyio.sleep(0.1)
                        server.put()

                group.start_soon(later)
                await anyio.sleep(0.05)
                scope.cancel()
        assert [(result["taskId"], result["status"], result["via"]) for result in server.results] == [
            ("t1", "IN_PROGRESS", "v1")
        ]

    @pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
    async def test_cancelled_natively_twice_it_still_delivers(self):
        server = FakeConductor()
        server.put()

        async def job() -> str:
            await anyio.sleep(0.3)
            return "done"

        running = asyncio.create_task(WorkerHost(server.client(), [worker(job)], poll_timeout=0.2).run())
        await server.until(lambda: server.polls and not server.queue)
        await anyio.sleep(0.05)
        running.cancel()
        await anyio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert server.results[0]["outputData"] == {"result": "done"}

    @only_with_a_mock_clock
    async def test_running_tasks_get_the_grace_period(self):
        server = FakeConductor()
        server.put(2)
        begun: list[float] = []

        async def job() -> str:
            begun.append(20.0 + 20 * len(begun))
            await anyio.sleep(begun[-1])
            return "done"

        async with hosting(server, worker(job, concurrency=2), grace=30):
            await anyio.sleep(1)
            assert len(begun) == 2
            began = anyio.current_time()
        assert server.statuses() == ["COMPLETED", "IN_PROGRESS"]
        assert anyio.current_time() - began == pytest.approx(30, abs=1)

    @only_with_a_mock_clock
    async def test_without_work_it_leaves_at_once(self):
        server = FakeConductor()
        async with hosting(server, echo, poll_timeout=5):
            await anyio.sleep(12)
            began = anyio.current_time()
        assert anyio.current_time() - began <= 5

    @only_with_a_mock_clock
    async def test_a_poll_that_hangs_does_not_keep_it_for_ever(self):
        server = FakeConductor()
        server.always["poll"] = anyio.sleep_forever
        async with hosting(server, echo, grace=1):
            await anyio.sleep(0.1)
            began = anyio.current_time()
        assert anyio.current_time() - began <= 12

    async def test_what_the_body_raises_comes_out_as_it_is(self):
        with pytest.raises(ZeroDivisionError) as caught:
            async with hosting(FakeConductor(), echo):
                _ = 1 / 0
        assert caught.value.__context__ is None

    async def test_it_can_be_entered_again(self):
        server = FakeConductor()
        async with server.client() as conductor:
            host = WorkerHost(conductor, [echo], poll_timeout=0.1)
            for count in (1, 2):
                server.put()
                async with host:
                    await server.until(lambda: len(server.results) == count)  # noqa: B023


class TestLeases:
    @only_with_a_mock_clock
    async def test_a_long_task_is_extended_until_it_is_delivered(self):
        server = FakeConductor()
        server.response_timeout = 9
        server.put()

        async def job() -> None:
            await anyio.sleep(20)

        async with hosting(server, worker(job)):
            await server.until(lambda: "COMPLETED" in server.statuses())
            extensions = len([result for result in server.results if result.get("extendLease")])
            await anyio.sleep(60)
            assert len(server.results) == extensions + 1
        assert extensions in (6, 7)

    @only_with_a_mock_clock
    async def test_not_if_the_worker_says_so(self):
        server = FakeConductor()
        server.response_timeout = 9
        server.put()

        async def job() -> None:
            await anyio.sleep(20)

        async with hosting(server, worker(job, lease_extend_enabled=False)):
            await server.until(lambda: server.results)
        assert server.statuses() == ["COMPLETED"]
        assert len(server.results) == 1

    @only_with_a_mock_clock
    async def test_a_failed_extension_is_tried_again(self):
        server = FakeConductor()
        server.response_timeout = 30
        server.put()
        server.faults["v1"] = [httpx.ConnectError("refused")]

        async def job() -> None:
            await anyio.sleep(19)

        async with hosting(server, worker(job)):
            await server.until(lambda: "COMPLETED" in server.statuses())
        assert [result.get("extendLease", False) for result in server.results] == [True, False]


class TestConstruction:
    async def test_what_cannot_work_is_refused(self):
        conductor = FakeConductor().client()
        with pytest.raises(ConfigurationError, match="at least one worker"):
            WorkerHost(conductor, [])
        with pytest.raises(ConfigurationError, match="decorate it with @worker_task"):
            WorkerHost(conductor, [print])  # type: ignore[list-item]
        with pytest.raises(ConfigurationError, match="two workers are for the tasks of 'job'"):
            WorkerHost(conductor, [echo, worker(echo)])
        with pytest.raises(ConfigurationError, match="in seconds here"):
            WorkerHost(conductor, [echo], poll_timeout=100)
        with pytest.raises(ConfigurationError, match="grace"):
            WorkerHost(conductor, [echo], grace=-1)

    async def test_a_mistake_in_annotations_shows_at_the_start(self):
        def job(n: Unknown) -> None: ...  # type: ignore[name-defined]  # noqa: F821

        with pytest.raises(ConfigurationError, match="'Unknown' is not defined"):
            async with hosting(FakeConductor(), worker(job)):
                pytest.fail("the host started")
