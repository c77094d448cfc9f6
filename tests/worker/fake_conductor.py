"""A server of nothing but task queues, which fails as told. In memory, so that a mock clock may run it."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import httpx

from conductor_async import Configuration, RetryPolicy
from conductor_async.client import ConductorClient

Fault = httpx.Response | Exception | Callable[[], Any]

V2_MISSING = {"status": 404, "message": "No static resource api/tasks/update-v2."}
NO_WORKFLOW = {"status": 404, "message": "No such workflow found by id: w1"}


class FakeConductor:
    """Queues, and what was asked of them.

    Attributes:
        polls: The query of each poll.
        results: Every result that was taken, with its endpoint under `via`.
        tried: Every result that was sent, taken or not.
        faults: By endpoint (`poll`, `v1`, `v2`): what to answer instead, one by one. `always` does it for ever.
        v2_time: Seconds that update-v2 looks for a next task.
    """

    def __init__(self) -> None:
        self.queue: deque[dict[str, Any]] = deque()
        self.polls: list[dict[str, str]] = []
        self.results: list[dict[str, Any]] = []
        self.tried: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.v2_time = 0.1
        self.response_timeout = 3600
        self._ids = itertools.count(1)
        self._news = anyio.Event()

    def client(self) -> ConductorClient:
        """A client of this server."""
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return ConductorClient(
            Configuration("http://fake/api", retry=RetryPolicy(max_attempts=1)), http_client=http_client
        )

    def put(self, count: int = 1, **given: Any) -> None:
        """Puts tasks into the queue."""
        for _ in range(count):
            task_id = f"t{next(self._ids)}"
            self.queue.append(
                {
                    "taskId": task_id,
                    "workflowInstanceId": f"w-{task_id}",
                    "taskType": "job",
                    "taskDefName": "job",
                    "status": "IN_PROGRESS",
                    "inputData": given,
                    "responseTimeoutSeconds": self.response_timeout,
                }
            )
        self._changed()

    def statuses(self) -> list[str]:
        """The status of each result taken, leases left out."""
        return [result["status"] for result in self.results if not result.get("extendLease")]

    async def until(self, condition: Callable[[], Any], within: float = 30) -> None:
        """Waits for something to be true of this server."""
        with anyio.fail_after(within):
            while not condition():
                await self._news.wait()

    def _changed(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/tasks")
        kind = "poll" if path.startswith("/poll") else {"": "v1", "/update-v2": "v2"}.get(path, "other")
        body = json.loads(request.content) if request.method == "POST" else {}
        if kind == "poll":
            self.polls.append(dict(request.url.params))
        elif kind in ("v1", "v2"):
            self.tried.append((kind, body))
        self._changed()
        await anyio.lowlevel.checkpoint()
        faults = self.faults.get(kind) or ([self.always[kind]] if kind in self.always else [])
        if faults:
            fault = faults[0]
            if self.faults.get(kind):
                del faults[0]
            if isinstance(fault, Exception):
                raise fault
            if isinstance(fault, httpx.Response):
                return httpx.Response(fault.status_code, headers=fault.headers, content=fault.content)
            await fault()
        if kind == "poll":
            return httpx.Response(
                200, json=await self._poll(int(request.url.params["count"]), int(request.url.params["timeout"]))
            )
        if kind in ("v1", "v2"):
            return await self._update(kind, body)
        return httpx.Response(404, json={"status": 404, "message": "No such task found by id"})

    async def _poll(self, count: int, timeout: int) -> list[dict[str, Any]]:
        with anyio.move_on_after(timeout / 1000):
            while len(self.queue) < count:
                await self._news.wait()
        return [self.queue.popleft() for _ in range(min(count, len(self.queue)))]

    async def _update(self, kind: str, body: dict[str, Any]) -> httpx.Response:
        self.results.append({**body, "via": kind})
        self._changed()
        if kind == "v1":
            return httpx.Response(200, text=body["taskId"])
        if not self.queue:
            await anyio.sleep(self.v2_time)
        return httpx.Response(200, json=self.queue.popleft()) if self.queue else httpx.Response(204)
