"""How much goes on at once: tasks in a host, polls at the server, connections."""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import httpx
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, Configuration, Limits, WorkerHost
from conductor_async.worker import worker_task
from conductor_async.worker.events import PollSkipped, TaskHandedBack, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


class Busy:
    """A worker that counts how many of it run."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.running = self.most = 0

    async def __call__(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await anyio.sleep(self.seconds)
        self.running -= 1


class ByType(FakeConductor):
    """A queue for each task type."""

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        task_type = request.url.path.rpartition("/")[2]
        if request.url.path.startswith("/api/tasks/poll") and task_type != "job":
            self.polls.append({**request.url.params, "type": task_type})
            self._changed()
            await anyio.sleep(int(request.url.params["timeout"]) / 1000)
            return httpx.Response(200, json=[])
        return await super()._answer(request)


def idle(count: int) -> list[Any]:
    async def job() -> None: ...

    return [worker_task(f"idle_{number}")(job) for number in range(count)]


@only_with_a_mock_clock
async def test_a_host_runs_at_most_max_running_tasks_and_completes_all():
    server, busy = FakeConductor(), Busy(1)
    server.put(40)
    async with hosting(server, worker(busy, concurrency=10), max_running=4) as host:
        await anyio.sleep(0.5)
        assert (host.health().running, host.health().slots) == (4, 4)
        await server.until(lambda: server.statuses().count("COMPLETED") == 40)
    assert busy.most == 4


@only_with_a_mock_clock
async def test_a_task_for_which_the_host_has_no_slot_is_handed_back_at_once():
    server, busy, events = FakeConductor(), Busy(20), list[WorkerEvent]()
    other = worker_task("job", domain="blue")(Busy(20))
    async with hosting(server, worker(busy), other, max_running=1, poll_timeout=5, listeners=[events.append]):
        await server.until(lambda: len(server.polls) == 2)  # both wait at the server
        server.put(2)
        await server.until(lambda: "IN_PROGRESS" in server.statuses())
        await anyio.sleep(1)
        assert server.statuses() == ["IN_PROGRESS"]
        assert [event.reason for event in events if isinstance(event, TaskHandedBack)] == [
            "the host has as many tasks as it may run at once"
        ]
        assert [event.paused for event in events if isinstance(event, PollSkipped)][:2] == [False, False]
        await server.until(lambda: server.statuses().count("COMPLETED") == 2, within=100)


@only_with_a_mock_clock
async def test_more_workers_than_polls_take_turns_and_a_round_takes_no_longer_than_a_poll():
    server = ByType()
    async with hosting(server, *idle(60), max_idle_polls=6, poll_timeout=5):
        await anyio.sleep(1)
        began = len(server.polls)
        await anyio.sleep(10)
        seen = Counter(poll["type"] for poll in server.polls[began:])
    assert len(seen) == 60
    assert min(seen.values()) >= 8
    assert sum(seen.values()) <= 60 * 10 * 1.25  # in a host's first minute, a poll alone would wait for a second
    assert {poll["timeout"] for poll in server.polls} == {"100"}


@only_with_a_mock_clock
async def test_no_more_polls_than_allowed_wait_at_the_server():
    server = ByType()
    now = most = 0

    async def counted(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += request.method == "GET"
        most = max(most, now)
        try:
            return await ByType._answer(server, request)
        finally:
            now -= request.method == "GET"

    async with httpx.AsyncClient(transport=httpx.MockTransport(counted)) as http_client:
        conductor = ConductorClient(Configuration("http://fake/api"), http_client=http_client)
        async with WorkerHost(conductor, idle(30), max_idle_polls=7):
            await anyio.sleep(30)
    assert most == 7


@pytest.mark.server
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_host_has_connections_of_its_own(server_url: str, new_name: Any):
    """The client has one connection, which its user holds; polls of ten types, results and leases go on."""

    @worker_task(new_name("own"))
    async def own() -> str:
        return "done"

    others = [worker_task(new_name(f"idle{number}"))(own.function) for number in range(9)]
    configuration = Configuration(server_url, limits=Limits(max_connections=1))
    async with (
        ConductorClient(configuration) as conductor,
        ConductorClient(server_url) as watcher,
        anyio.create_task_group() as group,
        WorkerHost(conductor, [own, *others], poll_timeout=1),
    ):

        async def hold_the_connection() -> None:
            while True:
                await conductor.task.batch_poll_tasks(new_name("nobody"), None, 1, 5)

        group.start_soon(hold_the_connection)
        workflow = ConductorWorkflow(executor=watcher.executor, name=new_name("own_flow"), version=1)
        workflow >> own.task("ref")
        run = await workflow.execute({}, timeout=20)
        assert run.output == {"result": "done"}
        group.cancel_scope.cancel()
