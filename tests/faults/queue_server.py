"""A server of nothing but task queues, which knows what became of each task: the rig's upstream where speed matters."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import anyio

from tests.fakes.http_server import raw_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.http_server import Request

MISSING = raw_response(404, json={"status": 404, "message": "No static resource api/tasks/update-v2."})
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Job:
    """A task, and its history.

    Attributes:
        accepted: The results that counted.
        ignored: The results that came when the task had ended.
        touched: When the server last heard of its worker.
    """

    task_id: str
    status: str = "SCHEDULED"
    worker_id: str | None = None
    poll_count: int = 0
    touched: float = 0.0
    accepted: list[dict[str, Any]] = field(default_factory=list)
    ignored: int = 0


class QueueServer:
    """Tasks of one type, and executions by correlation id. A task that nobody keeps alive times out.

    Args:
        has_v2: Whether it has `POST /tasks/update-v2`.
        response_timeout: Seconds.
    """

    def __init__(self, *, has_v2: bool = True, response_timeout: int = 3600) -> None:
        self.has_v2 = has_v2
        self.response_timeout = response_timeout
        self.jobs: dict[str, Job] = {}
        self.started: dict[str, list[str]] = {}
        self.definitions: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._news = anyio.Event()

    # -- what tests do -------------------------------------------------------------------------------

    def put(self, count: int = 1) -> None:
        """Schedules tasks."""
        for _ in range(count):
            job = Job(f"t{next(self._ids)}")
            self.jobs[job.task_id] = job
        self._changed()

    def remove(self, task_id: str) -> None:
        """Forgets a task, as when its execution is removed."""
        del self.jobs[task_id]

    def statuses(self) -> list[str]:
        """The status of each task, in the order of their making."""
        self._time_out()
        return [job.status for job in self.jobs.values()]

    async def until(self, condition: Callable[[], Any], within: float = 30) -> None:
        """Waits for something to be true."""
        with anyio.move_on_after(within):
            while not condition():  # noqa: ASYNC110 - what workers do is no news of this server
                await anyio.sleep(0.01)
            return
        raise AssertionError(f"it did not come true within {within:g} s: {self.statuses()}")

    # -- what clients ask ----------------------------------------------------------------------------

    async def answer(self, request: Request) -> bytes:
        """Carries a request out."""
        url = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match request.method, [unquote(part) for part in url.path.removeprefix("/api/").split("/")]:
            case "GET", ["tasks", "poll", "batch", _]:
                return raw_response(json=await self._poll(query))
            case "POST", ["tasks"]:
                return self._update(request.json)
            case "POST", ["tasks", "update-v2"]:
                return await self._update_v2(request.json)
            case "GET", ["tasks", task_id] if task_id in self.jobs:
                return raw_response(json=self._shown(self.jobs[task_id]))
            case "GET", ["admin", "task", _]:
                self._time_out()
                pending = [job for job in self.jobs.values() if job.status in ("SCHEDULED", "IN_PROGRESS")]
                first = int(query.get("start", "0"))
                return raw_response(
                    json=[self._shown(job) for job in pending[first : first + int(query.get("count", "100"))]]
                )
            case "POST", ["workflow"]:
                return self._start(request.json)
            case "POST", ["workflow", _, "correlated"]:
                found = {key: [_execution(each) for each in self.started.get(key, ())] for key in request.json}
                return raw_response(json=found)
            case "GET", ["workflow", workflow_id, "tasks"]:
                return raw_response(
                    json={"totalHits": 1, "results": [{"taskId": f"{workflow_id}-1", "status": "SCHEDULED"}]}
                )
            case "GET", ["workflow", _, "tasks"]:
                return raw_response(json={"totalHits": 1, "results": []})
            case "GET", ["workflow", _, "status"]:
                return raw_response(json={"workflowId": url.path.split("/")[3], "status": "RUNNING"})
        return raw_response(404, json={"status": 404, "message": "No such thing found"})

    def _start(self, body: dict[str, Any]) -> bytes:
        ids = self.started.setdefault(body.get("correlationId", ""), [])
        ids.append(f"w{next(self._ids)}")
        return raw_response(text=ids[-1])

    async def _poll(self, query: dict[str, str]) -> list[dict[str, Any]]:
        count = int(query.get("count", "1"))
        with anyio.move_on_after(int(query.get("timeout", "100")) / 1000):
            while sum(job.status == "SCHEDULED" for job in self.jobs.values()) < count:
                await self._news.wait()
        return [self._shown(job) for job in self._taken(count, query.get("workerid"))]

    def _taken(self, count: int, worker_id: str | None) -> list[Job]:
        ready = [job for job in self.jobs.values() if job.status == "SCHEDULED"][:count]
        for job in ready:
            job.status, job.worker_id, job.touched = "IN_PROGRESS", worker_id, time.monotonic()
            job.poll_count += 1
        self._changed()
        return ready

    def _update(self, body: dict[str, Any]) -> bytes:
        self._time_out()
        job = self.jobs.get(body["taskId"])
        if job is None:
            return raw_response(404, json={"status": 404, "message": f"No such task found by id {body['taskId']}"})
        if body.get("extendLease"):
            job.touched = time.monotonic()
        elif job.status in ("SCHEDULED", "IN_PROGRESS"):
            job.accepted.append(body)
            job.status = "SCHEDULED" if body["status"] == "IN_PROGRESS" else body["status"]
        else:
            job.ignored += 1
        self._changed()
        return raw_response(text=job.task_id)

    async def _update_v2(self, body: dict[str, Any]) -> bytes:
        if not self.has_v2:
            return MISSING
        if body["taskId"] not in self.jobs:
            return raw_response(
                404, json={"status": 404, "message": f"No such workflow found by id: w-{body['taskId']}"}
            )
        self._update(body)
        following = self._taken(1, body.get("workerId"))
        return raw_response(json=self._shown(following[0])) if following else NO_CONTENT

    def _shown(self, job: Job) -> dict[str, Any]:
        return {
            "taskId": job.task_id,
            "workflowInstanceId": f"w-{job.task_id}",
            "taskType": "job",
            "taskDefName": "job",
            "status": job.status,
            "inputData": {"number": job.task_id},
            "pollCount": job.poll_count,
            "responseTimeoutSeconds": self.response_timeout,
            "updateTime": int((time.time() - time.monotonic() + job.touched) * 1000),
            **({"workerId": job.worker_id} if job.worker_id else {}),
        }

    def _time_out(self) -> None:
        overdue = time.monotonic() - self.response_timeout
        for job in self.jobs.values():
            if job.status == "IN_PROGRESS" and job.touched < overdue:
                job.status = "TIMED_OUT"

    def _changed(self) -> None:
        self._news.set()
        self._news = anyio.Event()


def _execution(workflow_id: str) -> dict[str, Any]:
    return {"workflowId": workflow_id, "createTime": int(workflow_id[1:]), "status": "RUNNING"}
