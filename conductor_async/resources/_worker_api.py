"""The internal seam to the server: what worker hosts and waits need beyond the public methods of the resources.

Nothing else of the package reaches past the public methods. Tasks come as the server sends them: a payload that it
keeps in external storage is fetched by `fetch_payloads` alone.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
from pydantic import ValidationError

from conductor_async._http.routes import route
from conductor_async._text import escaped
from conductor_async._type_guards import is_object
from conductor_async.config import RetryPolicy
from conductor_async.errors import ConductorError, ResponseDecodeError
from conductor_async.models import SearchResult, Task, TaskResult, TaskResultStatus
from conductor_async.resources import _external_payload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from conductor_async._http.body import EncodedJson
    from conductor_async._http.call import Api
    from conductor_async._http.elements import UnreadableElement
    from conductor_async.clock import Clock
    from conductor_async.models import JsonObject, TaskExecLog

logger = logging.getLogger("conductor_async")

LONGEST_POLL: Final = 5.0
"""Seconds that a poll can wait at the server. The server refuses to wait longer."""

UNREADABLE_INPUT_CALLBACK: Final = 60
"""Seconds until the server hands a task out again whose input could not be fetched."""

_LONGEST_REASON = 4_000  # characters
_HAND_BACK_TIMEOUT = 2.0  # seconds
_IDENTIFYING = ("taskId", "workflowInstanceId", "workerId", "outputData")
_TRY_ONCE = RetryPolicy(max_attempts=1)


class WorkerApi:
    """Requests of hosts and waits to the server.

    Args:
        api: Sends the requests.
        clock: The clock of hosts that use it; None for real time.
    """

    def __init__(self, api: Api, clock: Clock | None = None) -> None:
        self.api = api
        self.clock = clock

    # -- connections -----------------------------------------------------------------------------

    def open(self) -> None:
        """Does now what would take up to half a second at the first call of a cold start. Sends nothing.

        Raises:
            ClientClosedError: The client is closed.
        """
        self.api.open()

    @asynccontextmanager
    async def dedicated(self, connections: int, *, timeout: float) -> AsyncGenerator[WorkerApi]:
        """Yields the same server over connections of its own, which are closed with the context.

        Each request is tried once: the host knows better than a general policy what to repeat, and for how long.

        Args:
            connections: The most connections at once.
            timeout: Seconds for one request, if the client's own timeout is not shorter.
        """
        async with self.api.dedicated_connections(connections) as api:
            yield WorkerApi(api.with_options(timeout=min(api.timeout, timeout), retry=_TRY_ONCE), self.clock)

    async def ping(self) -> None:
        """Returns if the server answers: GET /version."""
        await self.api.call("GET", route("/version"), returns=str, or_none=True)

    # -- tasks -----------------------------------------------------------------------------------

    async def poll(
        self, task_type: str, worker_id: str | None, count: int, wait: float, domain: str | None
    ) -> list[Task]:
        """Returns up to `count` tasks, after `wait` seconds at the latest: GET /tasks/poll/batch/{task_type}.

        A task that cannot be read is handed back, and is not among them.
        """
        unreadable: list[UnreadableElement] = []
        tasks = await self.api.call(
            "GET",
            route("/tasks/poll/batch/{task_type}", task_type=task_type),
            params={"workerid": worker_id, "domain": domain, "count": count, "timeout": int(wait * 1000)},
            returns=list[Task],
            repeatable=False,
            extra_time=wait,
            unreadable=unreadable,
        )
        await self._hand_back_unreadable(unreadable)
        return tasks

    async def withdraw_polls(self, worker_id: str) -> None:
        """Has a dev server answer the open polls of a worker id now: DELETE /dev/polls. A real server has no such path.

        Raises:
            EndpointNotAvailableError: It is a real server.
        """
        await self.api.call("DELETE", route("/dev/polls"), params={"workerid": worker_id}, returns=None)

    async def poll_one(self, task_type: str, worker_id: str | None, domain: str | None) -> Task | None:
        """Returns a task, or None if there is none: GET /tasks/poll/{task_type}.

        Raises:
            ResponseDecodeError: The task cannot be read. It was handed back.
        """
        unreadable: list[UnreadableElement] = []
        task = await self.api.call(
            "GET",
            route("/tasks/poll/{task_type}", task_type=task_type),
            params={"workerid": worker_id, "domain": domain},
            returns=Task,
            or_none=True,
            repeatable=False,
            unreadable=unreadable,
        )
        for problem in await self._hand_back_unreadable(unreadable):
            raise ResponseDecodeError(problem, status=200, method="GET", route="/tasks/poll/{task_type}")
        return task

    async def update(self, task_result: TaskResult | EncodedJson, *, timeout: float | None = None) -> str | None:
        """Sends a result and returns the task's id, if the server names it: POST /tasks.

        Args:
            task_result: The result.
            timeout: Seconds for the request, if less than usual.
        """
        api = self.api if timeout is None else self.api.with_options(timeout=min(self.api.timeout, timeout))
        return await api.call(
            "POST", route("/tasks"), json=task_result, returns=str, or_none=True, repeatable=True, retry_on_500=True
        )

    async def update_v2(self, task_result: TaskResult | EncodedJson) -> Task | None:
        """Sends a result and returns the next task of the same type and domain, if any: POST /tasks/update-v2.

        If the next task cannot be read, it is handed back, and the result is None.
        """
        unreadable: list[UnreadableElement] = []
        task = await self.api.call(
            "POST",
            route("/tasks/update-v2"),
            json=task_result,
            returns=Task,
            or_none=True,
            repeatable=False,
            unreadable=unreadable,
        )
        await self._hand_back_unreadable(unreadable)
        return task

    async def get_task(self, task_id: str) -> Task:
        """Returns a task: GET /tasks/{task_id}."""
        return await self.api.call("GET", route("/tasks/{task_id}", task_id=task_id), returns=Task)

    async def fetch_payloads(self, task: Task) -> None:
        """Fetches the input and output of a task from external storage, if the server keeps them there.

        Raises:
            ConductorError: One of them could not be fetched.
        """
        await _external_payload.fill_task(self.api, task)

    async def _hand_back_unreadable(self, unreadable: list[UnreadableElement]) -> list[str]:
        """Hands back polled tasks that cannot be read, so that another version may work on them; returns what it logs.

        It takes little time at most: the tasks that came with them wait for it.
        """
        problems: list[str] = []
        async with anyio.create_task_group() as tasks:
            for element in unreadable:
                raw: dict[str, Any] = element.value if is_object(element.value) else {}
                task_id, name = (escaped(str(raw.get(key) or "?"), 100) for key in ("taskId", "taskDefName"))
                problems.append(f"Polled task {task_id} ({name}) cannot be read, and is handed back: {element.problem}")
                logger.error(problems[-1])
                if isinstance(raw.get("taskId"), str) and isinstance(raw.get("workflowInstanceId"), str):
                    tasks.start_soon(self._hand_back_raw, raw, problems[-1])
        return problems

    async def _hand_back_raw(self, raw: Mapping[str, Any], reason: str) -> None:
        try:
            task = Task.model_validate({name: raw[name] for name in _IDENTIFYING if raw.get(name) is not None})
            result = hand_back(task, callback_after=UNREADABLE_INPUT_CALLBACK, reason=reason)
            with anyio.fail_after(_HAND_BACK_TIMEOUT):
                await self.update(result)
        except (ConductorError, TimeoutError, ValidationError) as error:
            # Not raised: the caller must get the other tasks of the same poll.
            logger.warning("It could not be handed back; its response timeout makes it available: %s", error)

    # -- executions ------------------------------------------------------------------------------

    async def has_tasks(self, workflow_id: str) -> bool:
        """Returns whether an execution has scheduled its first task: GET /workflow/{workflow_id}/tasks."""
        template = "/workflow/{workflow_id}/tasks"
        found = await self.api.call(
            "GET", route(template, workflow_id=workflow_id), params={"count": 1}, returns=SearchResult[Task]
        )
        return found.total_hits > 0

    async def requeue(self, workflow_id: str) -> None:
        """Puts an execution back into the server's sweep, if it is missing there: POST /admin/sweep/requeue/{id}."""
        template = "/admin/sweep/requeue/{workflow_id}"
        await self.api.call("POST", route(template, workflow_id=workflow_id), repeatable=True)


# -- results that do not end a task --------------------------------------------------------------------


def hand_back(
    task: Task,
    *,
    worker_id: str | None = None,
    callback_after: int = 0,
    reason: str | None = None,
    output: JsonObject | None = None,
    logs: list[TaskExecLog] | None = None,
) -> TaskResult:
    """Returns the result that makes a task available to other workers, as if it had not been polled.

    Args:
        task: The task.
        worker_id: The worker that had it, if not the one that polled it.
        callback_after: Seconds until the server hands it out again.
        reason: Why; whoever looks at the task sees it.
        output: The output so far. By default what an earlier worker reported: the server replaces what it has.
        logs: Lines to add to the task's log.
    """
    result = _in_progress(task, worker_id)
    result.callback_after_seconds = callback_after
    result.output_data = task.output_data if output is None else output
    if reason is not None:
        result.reason_for_incompletion = reason_text(reason)
    if logs:
        result.logs = logs
    return result


def lease_extension(task: Task, worker_id: str) -> TaskResult:
    """Returns the result that tells the server that the worker is alive: the response timeout starts again."""
    result = _in_progress(task, worker_id)
    result.extend_lease = True
    return result


def reason_text(reason: str) -> str:
    """Returns a reason for incompletion that the server can keep: valid Unicode, and at most 4,000 characters."""
    return printable(reason)[:_LONGEST_REASON]


def printable(text: str) -> str:
    """Returns the text with everything escaped that is not valid Unicode, and so cannot be JSON."""
    return text.encode("utf-8", "backslashreplace").decode()


def _in_progress(task: Task, worker_id: str | None) -> TaskResult:
    result = task.to_task_result(TaskResultStatus.IN_PROGRESS)
    if worker_id is not None:
        result.worker_id = worker_id
    return result
