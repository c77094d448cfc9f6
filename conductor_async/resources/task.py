"""Tasks: polling, results, signals, logs and searches, `/tasks`. The queues are in `_task_queues`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async._http.routes import route
from conductor_async.config import seconds
from conductor_async.errors import ConductorError, ConfigurationError, ExternalPayloadError
from conductor_async.models import (
    ExternalStorageLocation,
    JsonObject,
    SearchResult,
    Task,
    TaskExecLog,
    TaskResult,
    TaskResultStatus,
    TaskRun,
    TaskSummary,
    Workflow,
    WorkflowRun,
)
from conductor_async.resources import _external_payload
from conductor_async.resources._task_queues import TaskQueues
from conductor_async.resources._task_references import check_references
from conductor_async.resources._worker_api import LONGEST_POLL, UNREADABLE_INPUT_CALLBACK, WorkerApi, hand_back
from conductor_async.resources._workflow_read import search_params
from conductor_async.resources._workflow_start import run_type

if TYPE_CHECKING:
    from datetime import timedelta

    from conductor_async._http.call import Api

__all__ = ["TaskClient"]

logger: logging.Logger = logging.getLogger("conductor_async")


class TaskClient(TaskQueues):
    """Polls tasks, reports their results, and reads tasks and queues.

    A polled task is IN_PROGRESS until its result arrives or its response timeout passes. So a poll is retried only if
    it was provably not sent.
    """

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._worker_api = WorkerApi(api)

    # -- polling ---------------------------------------------------------------------------------

    async def poll_task(self, task_type: str, worker_id: str | None = None, domain: str | None = None) -> Task | None:
        """Returns a task to work on, or None if there is none: GET /tasks/poll/{task_type}.

        Raises:
            ExternalPayloadError: Fetching its input from external storage failed. The task was handed back.
            ResponseDecodeError: It cannot be read. It was handed back, if the server says which task it is.
        """
        task = await self._worker_api.poll_one(task_type, worker_id, domain)
        if task is not None and (error := await self._fetch_input_or_hand_back(task)):
            raise error
        return task

    async def batch_poll_tasks(
        self,
        task_type: str,
        worker_id: str | None = None,
        count: int = 1,
        timeout: float | timedelta = 0.1,
        domain: str | None = None,
    ) -> list[Task]:
        """Returns up to `count` tasks to work on: GET /tasks/poll/batch/{task_type}.

        The server responds when it has `count` tasks, or after `timeout`. With a count of 1, it responds as soon as
        there is a task.

        Args:
            task_type: The task's name.
            worker_id: The worker's id; the tasks show it.
            count: The most tasks to return.
            timeout: Seconds (or a timedelta) that the server waits for tasks, at most 5.
            domain: The domain of the tasks.

        Returns:
            The tasks. A task that cannot be read, or whose input cannot be fetched from external storage, is handed
            back with a line in the log, and is not among them.
        """
        wait = seconds(timeout, "timeout", positive=False)
        if wait > LONGEST_POLL:
            raise ConfigurationError(
                f"a poll can wait at most {LONGEST_POLL:g} seconds, not {wait:g}: give the timeout in seconds"
            )
        tasks = await self._worker_api.poll(task_type, worker_id, count, wait, domain)
        return [
            task
            for task in tasks
            if not (task.external_input_payload_storage_path and await self._fetch_input_or_hand_back(task))
        ]

    async def _fetch_input_or_hand_back(self, task: Task) -> ExternalPayloadError | None:
        """Fetches a polled task's input from external storage. If that fails, hands it back and returns the error."""
        try:
            await self._worker_api.fetch_payloads(task)
        except ConductorError as error:
            text = (
                f"Task {task.task_id} ({task.task_def_name}) is handed back, because fetching its input failed: {error}"
            )
            logger.warning(text)
            await self._hand_back(task, text)
            path = task.external_input_payload_storage_path or task.external_output_payload_storage_path or ""
            return error if isinstance(error, ExternalPayloadError) else ExternalPayloadError(text, path=path)
        return None

    async def _hand_back(self, task: Task, reason: str) -> None:
        try:
            await self.update_task(hand_back(task, callback_after=UNREADABLE_INPUT_CALLBACK, reason=reason))
        except ConductorError as error:
            # Not raised: the caller must get the other tasks of the same poll.
            logger.warning(
                "Task %s could not be handed back; the server hands it out after its response timeout: %s",
                task.task_id,
                error,
            )

    # -- results ---------------------------------------------------------------------------------

    async def update_task(self, task_result: TaskResult) -> str:
        """Reports a task's result: POST /tasks. Reporting it twice does no harm, so failed requests are retried.

        The server accepts and ignores results for tasks and executions that have ended.

        Returns:
            The task's id.

        Raises:
            NotFoundError: The task or its execution does not exist (any more).
            BadRequestError: An id is missing.
        """
        return await self._worker_api.update(task_result) or task_result.task_id

    async def update_task_v2(self, task_result: TaskResult) -> Task | None:
        """Reports a task's result and polls the next task of the same type and domain: POST /tasks/update-v2.

        Because it is a poll too, it is retried only if it was provably not sent.

        Returns:
            The next task, or None if there is none.

        Raises:
            AmbiguousOutcomeError: The response was lost: the server may have the result, and may have handed out a
                task.
            EndpointNotAvailableError: This server does not have the endpoint: use `update_task`.
        """
        task = await self._worker_api.update_v2(task_result)
        return None if task is not None and await self._fetch_input_or_hand_back(task) else task

    async def update_task_by_ref_name(
        self,
        workflow_id: str,
        task_reference_name: str,
        status: TaskResultStatus | str,
        output: JsonObject | None = None,
        worker_id: str | None = None,
    ) -> str:
        """Reports a result by the task's reference name: POST /tasks/{workflow_id}/{task_reference_name}/{status}.

        The output is merged into the task's present output. In a loop, the reference name means the running iteration.

        Returns:
            The task's id; empty if the task is not scheduled yet, or has ended.

        Raises:
            NotFoundError: There is no such execution.
            ConfigurationError: The execution has no such task; the error names those that it has.
        """
        task_id = await self._api.call(
            "POST",
            route(
                "/tasks/{workflow_id}/{task_reference_name}/{status}",
                workflow_id=workflow_id,
                task_reference_name=task_reference_name,
                status=str(status),
            ),
            params={"workerid": worker_id},
            json=output or {},
            json_name="output",
            returns=str,
            or_none=True,
            repeatable=True,
        )
        if not task_id:  # the server does not say why
            execution = await self._api.call(
                "GET", route("/workflow/{workflow_id}", workflow_id=workflow_id), returns=Workflow
            )
            check_references(execution, [task_reference_name])
        return task_id or ""

    async def update_task_sync(
        self,
        workflow_id: str,
        task_reference_name: str,
        status: TaskResultStatus | str,
        output: JsonObject | None = None,
        worker_id: str | None = None,
    ) -> Workflow:
        """Does the same as `update_task_by_ref_name`, and returns the execution: POST to the same path with `/sync`.

        Raises:
            NotFoundError: No task with that reference name is pending.
            AmbiguousOutcomeError: The response was lost.
        """
        workflow = await self._api.call(
            "POST",
            route(
                "/tasks/{workflow_id}/{task_reference_name}/{status}/sync",
                workflow_id=workflow_id,
                task_reference_name=task_reference_name,
                status=str(status),
            ),
            params={"workerid": worker_id},
            json=output or {},
            json_name="output",
            returns=Workflow,
        )
        await _external_payload.fill_workflow(self._api, workflow)
        return workflow

    async def signal_workflow_task_async(
        self, workflow_id: str, status: TaskResultStatus | str, output: JsonObject | None = None
    ) -> None:
        """Completes the first pending WAIT: POST /tasks/{workflow_id}/{status}/signal.

        The server searches sub-workflows too. It is not an error if no WAIT is pending.

        Raises:
            NotFoundError: There is no such execution.
            AmbiguousOutcomeError: The response was lost: a WAIT may have been completed.
        """
        await self._api.call(
            "POST",
            route("/tasks/{workflow_id}/{status}/signal", workflow_id=workflow_id, status=str(status)),
            json=output or {},
            json_name="output",
        )

    async def signal_workflow_task_sync(
        self,
        workflow_id: str,
        status: TaskResultStatus | str,
        output: JsonObject | None = None,
        return_strategy: str = "TARGET_WORKFLOW",
        timeout: float | timedelta = 5.0,
    ) -> WorkflowRun | TaskRun:
        """Completes the first pending WAIT and waits as `execute_workflow` does: POST /tasks/{id}/{status}/signal/sync.

        Args:
            workflow_id: The execution.
            status: The WAIT task's new status.
            output: Its output.
            return_strategy: TARGET_WORKFLOW, BLOCKING_WORKFLOW, BLOCKING_TASK or BLOCKING_TASK_INPUT.
            timeout: Seconds (or a timedelta) that the server waits for the execution to end or to block again.

        Raises:
            NotFoundError: No WAIT is pending, or there is no such execution.
            AmbiguousOutcomeError: The response was lost: a WAIT may have been completed.
        """
        wait = seconds(timeout, "timeout")
        return await self._api.call(
            "POST",
            route("/tasks/{workflow_id}/{status}/signal/sync", workflow_id=workflow_id, status=str(status)),
            params={"returnStrategy": return_strategy, "timeoutMillis": int(wait * 1000)},
            json=output or {},
            json_name="output",
            returns=run_type(return_strategy),
            extra_time=wait,
        )

    # -- read ------------------------------------------------------------------------------------

    async def get_task(self, task_id: str) -> Task:
        """Returns a task: GET /tasks/{task_id}. Fetches the payloads that are in external storage.

        Raises:
            NotFoundError: There is no task with that id.
            ExternalPayloadError: Fetching a payload from external storage failed.
        """
        task = await self._worker_api.get_task(task_id)
        await self._worker_api.fetch_payloads(task)
        return task

    async def add_task_log(self, task_id: str, log_message: str) -> None:
        """Adds a line to a task's log: POST /tasks/{task_id}/log. The server accepts any id.

        Raises:
            AmbiguousOutcomeError: The response was lost: the line may have been added.
        """
        await self._api.call("POST", route("/tasks/{task_id}/log", task_id=task_id), text=log_message)

    async def get_task_logs(self, task_id: str) -> list[TaskExecLog]:
        """Returns a task's log, in order of time: GET /tasks/{task_id}/log."""
        logs = await self._api.call(
            "GET", route("/tasks/{task_id}/log", task_id=task_id), returns=list[TaskExecLog], or_none=True
        )
        return logs or []

    async def search(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[TaskSummary]:
        """Returns summaries of tasks: GET /tasks/search.

        Args:
            start: How many matches to skip.
            size: How many to return.
            free_text: Part of the summary's JSON; `*` matches all.
            query: Conditions joined by ` AND `, on taskId, taskType, taskDefName, status, workflowType and the times.
            sort: `field:ASC` or `field:DESC`.
        """
        params = search_params(start, size, free_text, query, sort)
        return await self._api.call("GET", route("/tasks/search"), params=params, returns=SearchResult[TaskSummary])

    async def search_v2(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[Task]:
        """Searches as `search` does, and returns whole tasks: GET /tasks/search-v2."""
        params = search_params(start, size, free_text, query, sort)
        found = await self._api.call("GET", route("/tasks/search-v2"), params=params, returns=SearchResult[Task])
        for task in found.results:
            await self._worker_api.fetch_payloads(task)
        return found

    async def get_external_storage_location(
        self, path: str, operation: str, payload_type: str
    ) -> ExternalStorageLocation:
        """Returns where a payload in external storage is read or written: GET /tasks/externalstoragelocation.

        Args:
            path: The task's `external_input_payload_storage_path`.
            operation: READ or WRITE.
            payload_type: TASK_INPUT or TASK_OUTPUT.
        """
        return await self._api.call(
            "GET",
            route("/tasks/externalstoragelocation"),
            params={"path": path, "operation": operation, "payloadType": payload_type},
            returns=ExternalStorageLocation,
        )
