"""A Conductor spoken to in plain HTTP, and the words that the scenarios use: the same for every backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

Json = Any
ENDED = {"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"}
LIMIT = 15.0  # seconds of the backend's own time, after which a scenario waits no longer


class Transport:
    """One backend. `sleep` and `now` are its own clock's: real on a server, moved by hand in the embedded engine."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], float],
        name: Callable[[str], str],
        step: float,
    ) -> None:
        self.http, self.sleep, self.now, self.name, self.step = http, sleep, now, name, step
        self._made = 0

    # -- one request -------------------------------------------------------------------------

    async def call(self, method: str, *path: str, body: Json = None, **params: Json) -> httpx.Response:
        url = "".join(f"/{quote(each, safe='/')}" for each in path)
        content: dict[str, Any] = {} if body is None else {"json": body}
        return await self.http.request(method, url, params=params, **content)

    async def get(self, *path: str, **params: Json) -> Json:
        return read(await self.call("GET", *path, **params))

    async def post(self, *path: str, body: Json = None, **params: Json) -> Json:
        return read(await self.call("POST", *path, body=body, **params))

    async def put(self, *path: str, body: Json = None, **params: Json) -> Json:
        return read(await self.call("PUT", *path, body=body, **params))

    async def delete(self, *path: str, **params: Json) -> Json:
        return read(await self.call("DELETE", *path, **params))

    async def refused(self, method: str, *path: str, body: Json = None, **params: Json) -> Json:
        """The error's body; its `status` is the answer's."""
        answer = await self.call(method, *path, body=body, **params)
        assert answer.status_code >= 400, answer.text
        error: dict[str, Any] = answer.json()
        assert error["status"] == answer.status_code
        assert error["retryable"] is False
        return error

    async def version(self) -> tuple[int, ...]:
        """The server's version, or the one that the embedded engine behaves as."""
        return tuple(map(int, str(await self.get("version")).split(".")))

    # -- definitions -------------------------------------------------------------------------

    def new(self, what: str) -> str:
        self._made += 1
        return f"{self.name(f'cf_{what}')}_{self._made}"

    async def task_type(self, **fields: Json) -> str:
        """A registered task definition with a name of its own; no retries and no delay unless said."""
        definition = {"name": self.new("task"), "retryCount": 0, "retryDelaySeconds": 0, **fields}
        await self.post("metadata", "taskdefs", body=[definition])
        return str(definition["name"])

    async def workflow(self, *tasks: Json, **fields: Json) -> str:
        """A registered workflow with a name of its own."""
        definition = self.definition(*tasks, **fields)
        await self.post("metadata", "workflow", body=definition)
        return str(definition["name"])

    def definition(self, *tasks: Json, **fields: Json) -> dict[str, Any]:
        return {"name": self.new("flow"), "version": 1, "schemaVersion": 2, "tasks": list(tasks), **fields}

    # -- executions --------------------------------------------------------------------------

    async def start(self, name: str, input: Json = None, **fields: Json) -> str:  # noqa: A002
        return str(await self.post("workflow", body={"name": name, "input": input or {}, **fields}))

    async def execution(self, workflow_id: str) -> Json:
        return await self.get("workflow", workflow_id)

    async def until(self, workflow_id: str, reached: Callable[[Json], bool]) -> Json:
        """The execution as soon as `reached` is true of it."""
        limit = self.now() + LIMIT
        while True:
            execution = await self.execution(workflow_id)
            if reached(execution):
                return execution
            assert self.now() < limit, f"{execution['status']} {statuses(execution)}"
            await self.sleep(self.step)

    async def ended(self, workflow_id: str) -> Json:
        return await self.until(workflow_id, lambda execution: execution["status"] in ENDED)

    async def run(self, *tasks: Json, input: Json = None, **fields: Json) -> Json:  # noqa: A002
        """The execution of an unregistered definition, ended."""
        return await self.run_definition(self.definition(*tasks, **fields), input)

    async def run_definition(self, definition: Json, input: Json = None) -> Json:  # noqa: A002
        return await self.ended(await self.start(definition["name"], input, workflowDef=definition))

    # -- work --------------------------------------------------------------------------------

    async def poll(self, task_type: str, **params: Json) -> Json:
        """A task of that type, or None."""
        return await self.get("tasks", "poll", task_type, **params)

    async def next(self, task_type: str, **params: Json) -> Json:
        """A task of that type as soon as there is one."""
        limit = self.now() + LIMIT
        while (task := await self.poll(task_type, **params)) is None:
            assert self.now() < limit, f"No task of type {task_type}"
            await self.sleep(self.step)
        return task

    async def update(self, task: Json, status: str | None = "COMPLETED", output: Json = None, **fields: Json) -> str:
        """Sends a task's result the way a worker does; what the server answers: the task's id."""
        result = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], **fields}
        if status:
            result |= {"status": status, "outputData": output or {}}
        return str(await self.post("tasks", body=result))

    async def work(self, task_type: str, status: str = "COMPLETED", output: Json = None, **fields: Json) -> Json:
        """Polls the next task of that type and ends it so; the task as it was polled."""
        task = await self.next(task_type)
        await self.update(task, status, output, **fields)
        return task


def read(answer: httpx.Response) -> Json:
    """JSON, text or nothing, by what the answer says it is. A refusal fails the test."""
    assert answer.status_code < 300, f"{answer.request.method} {answer.request.url}: {answer.text}"
    if not answer.content:
        return None
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


def task(kind: str, ref: str, **fields: Json) -> dict[str, Any]:
    """A task of a system type: `task("WAIT", "w", inputParameters={…})`."""
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def simple(name: str, ref: str, input: Json = None, **fields: Json) -> dict[str, Any]:  # noqa: A002
    """A task for workers, of the task definition `name`."""
    return {"name": name, "taskReferenceName": ref, "type": "SIMPLE", "inputParameters": input or {}, **fields}


def inline(ref: str, expression: str, **input: Json) -> dict[str, Any]:  # noqa: A002
    """A script of JavaScript; its `$` is the input."""
    return task("INLINE", ref, inputParameters={"evaluatorType": "javascript", "expression": expression, **input})


def variables(ref: str, **input: Json) -> dict[str, Any]:  # noqa: A002
    return task("SET_VARIABLE", ref, inputParameters=input)


def row(execution: Json, ref: str) -> Json:
    """The last attempt of the task with that reference."""
    return [each for each in execution["tasks"] if each["referenceTaskName"] == ref][-1]


def statuses(execution: Json) -> dict[str, str]:
    """The last status of each reference."""
    return {each["referenceTaskName"]: each["status"] for each in execution["tasks"]}


def references(execution: Json) -> list[str]:
    return [each["referenceTaskName"] for each in execution["tasks"]]
