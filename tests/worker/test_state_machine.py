"""Whatever happens, no task is lost: {start, poll, run, fail, deliver, crash, restart, terminate, time passes}.

Hypothesis chooses what happens; a fake server with a jumping clock plays it. In the end the network is whole, one host
runs, and every task has to end: COMPLETED or as its function said, unless somebody terminated it. Its result has to be
the function's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conductor_async.errors import NonRetryableException
from conductor_async.worker import WorkerHost, worker_task
from tests.worker.fake_conductor import LOST, FakeConductor, Fault

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

RESPONSE_TIMEOUT = 60

FAULTS: list[Fault] = [
    LOST,
    LOST,
    httpx.ConnectError("refused"),
    httpx.ReadError("reset before it was read"),
    httpx.Response(503),
    httpx.Response(429, headers={"Retry-After": "1"}),
    httpx.Response(500, json={"message": "oops"}),
    httpx.Response(200, text='[{"taskId": "t'),
]

ACTIONS = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(["quick", "slow", "long", "fails", "hopeless"])),
    st.tuples(st.just("fault"), st.sampled_from(["poll", "v1", "v2", "other"]), st.sampled_from(FAULTS)),
    st.tuples(st.just("down"), st.floats(0.1, 40)),
    st.tuples(st.just("host")),
    st.tuples(st.just("stop"), st.integers(0, 3)),
    st.tuples(st.just("stop at once"), st.integers(0, 3)),
    st.tuples(st.just("crash"), st.integers(0, 3)),
    st.tuples(st.just("terminate"), st.integers(0, 20)),
    st.tuples(st.just("time"), st.floats(0, 30)),
)


class Server(FakeConductor):
    """Tasks of which nothing is heard for so long are handed out again, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.response_timeout = RESPONSE_TIMEOUT
        self.heard: dict[str, float] = {}
        self.timed_out: list[str] = []
        self.ended_by: dict[str, dict[str, Any]] = {}

    def _hand_out(self, worker_id: str) -> dict[str, Any]:
        task = super()._hand_out(worker_id)
        self.heard[task["taskId"]] = anyio.current_time()
        return task

    async def update(self, kind: str, body: dict[str, Any]) -> httpx.Response:
        task = self.tasks[body["taskId"]]
        self.heard[body["taskId"]] = anyio.current_time()
        if task["status"] in ("SCHEDULED", "IN_PROGRESS") and body["status"] != "IN_PROGRESS":
            self.ended_by[body["taskId"]] = body
        return await super().update(kind, body)

    async def time_out(self) -> None:
        while True:
            await anyio.sleep(1)
            for task_id, at in tuple(self.heard.items()):
                task = self.tasks[task_id]
                if task["status"] == "IN_PROGRESS" and anyio.current_time() - at > RESPONSE_TIMEOUT:
                    self.timed_out.append(task_id)
                    task["status"] = "SCHEDULED"
                    self.queue.append(task)
                    self._changed()


async def job(kind: str, key: int) -> int:
    await anyio.sleep({"quick": 0, "slow": 2, "long": 100}.get(kind, 0.5))
    if kind == "fails":
        raise ValueError("as it said")
    if kind == "hopeless":
        raise NonRetryableException("as it said")
    return key


EXPECTED = {"fails": "FAILED", "hopeless": "FAILED_WITH_TERMINAL_ERROR"}


class Play:
    """One story."""

    def __init__(self) -> None:
        self.server = Server()
        self.hosts: list[tuple[WorkerHost, ConductorClient]] = []
        self.started: dict[str, str] = {}
        self.terminated: set[str] = set()
        self.abandoned = False
        self.down = 0.0

    async def tell(self, actions: list[tuple[Any, ...]]) -> None:
        async with trio.open_nursery() as world:
            world.start_soon(self.server.time_out)
            async with trio.open_nursery() as self.nursery:
                await self.host()
                for action in actions:
                    await self.act(*action)
                self.server.faults, self.server.always = {}, {}
                await self.host()
                with trio.move_on_after(2000):
                    while any(task["status"] in ("SCHEDULED", "IN_PROGRESS") for task in self.server.tasks.values()):  # noqa: ASYNC110
                        await trio.sleep(1)
                for host, _ in self.hosts:
                    host.stop()
            world.cancel_scope.cancel()

    async def host(self) -> None:
        conductor = self.server.client()
        host = WorkerHost(conductor, [worker_task("job", concurrency=3)(job)], poll_timeout=2, grace=5, max_running=2)
        scope = trio.CancelScope()
        self.hosts.append((host, conductor))
        self.nursery.start_soon(self.live, host, scope)
        await trio.sleep(0.01)

    async def live(self, host: WorkerHost, scope: trio.CancelScope) -> None:
        with scope:
            await host.run()

    async def act(self, what: str, *facts: Any) -> None:
        match what, *facts:
            case "start", kind:
                key = len(self.started)
                self.server.put(kind=kind, key=key)
                self.started[f"t{key + 1}"] = kind
            case "fault", endpoint, fault:
                self.server.faults.setdefault(endpoint, []).append(fault)
            case "down", seconds:
                refused = httpx.ConnectError("refused")
                self.server.always = dict.fromkeys(("poll", "v1", "v2", "other"), refused)
                self.down += seconds
                if self.down > RESPONSE_TIMEOUT / 2:
                    self.abandoned = True  # the server, which heard nothing for so long, is right to give tasks away
                await trio.sleep(seconds)
                self.server.always = {}
            case ("host",):
                await self.host()
            case "stop", index:
                self.hosts[index % len(self.hosts)][0].stop()
            case "stop at once", index:
                self.hosts[index % len(self.hosts)][0].stop(at_once=True)
                self.abandoned = True
            case "crash", index:
                self.crash(*self.hosts[index % len(self.hosts)])
            case "terminate", index if self.started:
                task_id = f"t{index % len(self.started) + 1}"
                if self.server.tasks[task_id]["status"] in ("SCHEDULED", "IN_PROGRESS"):
                    self.terminated.add(task_id)
                    task = self.server.tasks[task_id]
                    if task in self.server.queue:
                        self.server.queue.remove(task)
                    self.server.end(task_id)
            case "time", seconds:
                await trio.sleep(seconds)

    def crash(self, host: WorkerHost, conductor: ConductorClient) -> None:
        """As a kill: nothing that it does reaches the server any more."""
        self.abandoned = True
        conductor.configuration.server_api_url = "http://nowhere/api"
        host.stop(at_once=True)

    def check(self) -> None:
        server = self.server
        for task_id, kind in self.started.items():
            task = server.tasks[task_id]
            if task_id in self.terminated:
                assert task["status"] == "CANCELED"
                continue
            assert task["status"] == EXPECTED.get(kind, "COMPLETED"), (task_id, kind)
            if kind not in EXPECTED:
                assert task["outputData"] == {"result": task["inputData"]["key"]}
        if not self.abandoned:
            assert not server.timed_out, "a task waited for its response timeout"
        for host, _ in self.hosts:
            assert host.health().state == "stopped"
            assert host.health().running == 0


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, max_size=25))
def test_no_task_is_lost(actions: list[tuple[Any, ...]]) -> None:
    async def story() -> None:
        play = Play()
        await play.tell(actions)
        play.check()

    trio.run(story, clock=trio.testing.MockClock(autojump_threshold=0))
