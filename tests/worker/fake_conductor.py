"""A server with task queues and nothing else, which fails as told. In memory, so that a mock clock can drive it."""

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


LOST = httpx.ReadError("the answer was lost on the way")
"""A fault: the request is carried out, and its response never arrives."""


class FakeConductor:
    """A queue of tasks, and the requests that came.

    Attributes:
        polls: The query of each poll.
        results: Every result that was accepted, with its endpoint under `via`.
        tried: Every result that was sent, accepted or not.
        faults: By endpoint (`poll`, `v1`, `v2`, `other`): responses or errors instead of the usual, one after another.
        always: The same, for every request.
        v2_time: Seconds that update-v2 looks for a next task.
        tasks: Every task by id, as it is now.
        reads: The path of every request that changes nothing.
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
        self.tasks: dict[str, dict[str, Any]] = {}
        self.reads: list[str] = []
        self.storage: str | None = None
        self._ids = itertools.count(1)
        self._news = anyio.Event()

    def client(self) -> ConductorClient:
        """Returns a client of this server."""
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return ConductorClient(
            Configuration("http://fake/api", retry=RetryPolicy(max_attempts=1)), http_client=http_client
        )

    def put(self, count: int = 1, **given: Any) -> None:
        """Adds tasks to the queue."""
        for _ in range(count):
            task_id = f"t{next(self._ids)}"
            self.tasks[task_id] = {
                "taskId": task_id,
                "workflowInstanceId": f"w-{task_id}",
                "taskType": "job",
                "taskDefName": "job",
                "status": "SCHEDULED",
                "pollCount": 0,
                "inputData": given,
                "responseTimeoutSeconds": self.response_timeout,
            }
            self.queue.append(self.tasks[task_id])
        self._changed()

    def end(self, task_id: str, status: str = "CANCELED", **facts: Any) -> None:
        """Ends a task from outside, as when its workflow is terminated."""
        self.tasks[task_id] |= {"status": status, **facts}

    def statuses(self) -> list[str]:
        """Returns the status of each accepted result, without lease extensions."""
        return [result["status"] for result in self.results if not result.get("extendLease")]

    async def until(self, condition: Callable[[], Any], within: float = 30) -> None:
        """Returns when a condition on this server is true."""
        with anyio.fail_after(within):
            while not condition():
                await self._news.wait()

    def _changed(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "fake":
            raise httpx.ConnectError("there is nobody")
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
            if fault is LOST:
                await self._carry_out(kind, request, body)
                raise LOST
            if isinstance(fault, Exception):
                raise fault
            if isinstance(fault, httpx.Response):
                return httpx.Response(fault.status_code, headers=fault.headers, content=fault.content)
            await fault()
        return await self._carry_out(kind, request, body)

    async def _carry_out(self, kind: str, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        if request.method == "DELETE":  # polls can be withdrawn from a dev server only
            return httpx.Response(404, json={"status": 404, "message": "No static resource api/dev/polls."})
        if kind == "poll":
            query = request.url.params
            return httpx.Response(
                200, json=await self.poll(int(query["count"]), int(query["timeout"]), query.get("workerid", ""))
            )
        if kind in ("v1", "v2"):
            return await self.update(kind, body)
        self.reads.append(request.url.path)
        return self._read(request.url.path)

    def _read(self, path: str) -> httpx.Response:
        if path.startswith("/api/admin/task/"):
            open_tasks = [task for task in self.tasks.values() if task["status"] in ("SCHEDULED", "IN_PROGRESS")]
            return httpx.Response(200, json=open_tasks)
        if path == "/api/tasks/externalstoragelocation":
            return httpx.Response(200, json={"path": "somewhere", **({"uri": self.storage} if self.storage else {})})
        if path.startswith("/api/workflow/"):
            return httpx.Response(
                200, json={"workflowId": path[14:], "status": "TERMINATED", "reasonForIncompletion": "not wanted"}
            )
        if path == "/api/version":
            return httpx.Response(200, text="3.32.3")
        if task := self.tasks.get(path.removeprefix("/api/tasks/")):
            return httpx.Response(200, json=task)
        return httpx.Response(404, json={"status": 404, "message": f"No such thing found: {path}"})

    async def poll(self, count: int, timeout: int, worker_id: str) -> list[dict[str, Any]]:
        """Hands out up to `count` tasks."""
        with anyio.move_on_after(timeout / 1000):
            while len(self.queue) < count:
                await self._news.wait()
        return [self._hand_out(worker_id) for _ in range(min(count, len(self.queue)))]

    def _hand_out(self, worker_id: str) -> dict[str, Any]:
        task = self.queue.popleft()
        task |= {"status": "IN_PROGRESS", "workerId": worker_id, "pollCount": task["pollCount"] + 1}
        return dict(task)

    async def update(self, kind: str, body: dict[str, Any]) -> httpx.Response:
        """Accepts a result; by v2, hands out a task."""
        task = self.tasks.get(body["taskId"])
        if task is None:
            return httpx.Response(404, json=NO_WORKFLOW)
        self.results.append({**body, "via": kind})
        if not body.get("extendLease") and task["status"] in ("SCHEDULED", "IN_PROGRESS"):
            task |= {"status": body["status"], "outputData": body.get("outputData", {})}
            if body["status"] == "IN_PROGRESS":
                task["status"] = "SCHEDULED"
                if not body.get("callbackAfterSeconds"):
                    self.queue.append(task)
        self._changed()
        if kind == "v1":
            return httpx.Response(200, text=body["taskId"])
        if not self.queue:
            await anyio.sleep(self.v2_time)
        return httpx.Response(200, json=self._hand_out(body["workerId"])) if self.queue else httpx.Response(204)
