"""Starting executions and waiting for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Self

import anyio

from conductor_async._http.call import Api
from conductor_async.config import RetryPolicy, seconds
from conductor_async.errors import ConductorError
from conductor_async.execution._client_methods import ClientMethods
from conductor_async.execution._safe_start import SafeStart
from conductor_async.execution._start_request import DEDUPE_WINDOW, start_request
from conductor_async.execution._unpolled import UnpolledTaskTypes
from conductor_async.execution._waiter import ExecutionWaiter, task_references
from conductor_async.execution.handle import WorkflowHandle
from conductor_async.resources import TaskClient, WorkflowClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType

    from conductor_async.config import Configuration
    from conductor_async.execution._start_request import Input
    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import StartWorkflowRequest, WorkflowRun

__all__ = ["WorkflowExecutor"]

_MAX_CONCURRENT_STARTS = 32


class WorkflowExecutor(ClientMethods):
    """Starts executions of workflows and waits for them.

    `conductor.executor` is one. `WorkflowExecutor(configuration)` has connections of its own; they open at the first
    call. Close it with `aclose()`, or use `async with`.

    Args:
        configuration: Where the server is and how to talk to it; by default, what the environment says.
        api: The connections of a client, to share and not to close. `ConductorClient` passes its own.

    Attributes:
        metadata_client: Definitions, over the same connections.
        task_client: Tasks, over the same connections.
        workflow_client: Executions, over the same connections.
    """

    def __init__(self, configuration: Configuration | None = None, *, api: Api | None = None) -> None:
        self._owns_api = api is None
        self._api = api = api or Api(configuration)
        super().__init__(api)
        once = api.with_options(retry=RetryPolicy(max_attempts=1))  # the next poll is the retry
        polling_client = WorkflowClient(once)
        self._waiter = ExecutionWaiter(polling_client, UnpolledTaskTypes(polling_client, TaskClient(once)))
        self._safe_start = SafeStart(api)
        self._start_limiter = anyio.CapacityLimiter(_MAX_CONCURRENT_STARTS)

    async def aclose(self) -> None:
        """Closes the connections, if they are the executor's own. Idempotent."""
        if self._owns_api:
            await self._api.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- start -----------------------------------------------------------------------------------------

    async def start(
        self,
        name: str,
        version: int | None = None,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
        *,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """Starts an execution of a registered workflow, and returns a handle on it: POST /workflow.

        Args:
            name: The name of the workflow.
            version: Its version; the latest by default.
            input: The input of the execution: a dict, a pydantic model or a dataclass.
            correlation_id: An id of your own to look the execution up by.
            priority: 0 to 99; workers get tasks of higher priority first.
            task_to_domain: The domain for each task type, whose workers get its tasks; `*` stands for all types.
            dedupe_key: Makes the start safe to repeat: one execution for each key. See `start_request`.
            dedupe_window: How long to search for the execution after a lost response, in seconds or as a timedelta.

        Raises:
            NotFoundError: No such workflow is registered.
            AmbiguousOutcomeError: The response was lost: an execution may have been started.
        """
        request = start_request(
            name,
            input,
            version=version,
            correlation_id=correlation_id,
            priority=priority,
            task_to_domain=task_to_domain,
        )
        return await self.start_request(request, dedupe_key=dedupe_key, dedupe_window=dedupe_window)

    async def start_request(
        self,
        start_workflow_request: StartWorkflowRequest,
        *,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """Starts an execution from a request, and returns a handle on it: POST /workflow.

        With a `dedupe_key`, there is one execution for each key and workflow name, even if responses are lost or the
        program is restarted. The key becomes the correlation id. The call first looks for an execution with it, running
        or ended, and returns a handle on that one. Otherwise it starts one. If the response to the start is lost, it
        searches for the execution until `dedupe_window` ends, then starts again once or raises.

        There can still be two executions if two processes start with the same key at the same moment, if the server
        carries out a lost start after the window, or if the first execution was removed. Inputs are not compared: only
        the key counts.

        Args:
            start_workflow_request: What to start. It is not changed.
            dedupe_key: Identifies the start, such as "order-42".
            dedupe_window: How long to search for the execution after a lost response, in seconds or as a timedelta.

        Raises:
            NotFoundError: No such workflow is registered, and the request brings no definition.
            ConfigurationError: The request has a correlation id other than the key; nothing was sent.
            AmbiguousOutcomeError: The response was lost, and the search could not tell whether the server started it.
        """
        return self.handle(await self._start(start_workflow_request, dedupe_key, dedupe_window))

    async def start_workflows(self, *start_workflow_requests: StartWorkflowRequest) -> list[str]:
        """Starts many executions, 32 at a time, and returns their ids in the order of the requests.

        Raises:
            ConductorError: A start failed. The others were made nevertheless: a note on the error lists their ids. If
                several failed, this is the first in the order of the requests.
        """
        outcomes: list[str | ConductorError] = [""] * len(start_workflow_requests)

        async def start(index: int, request: StartWorkflowRequest) -> None:
            try:
                async with self._start_limiter:
                    outcomes[index] = await self.start_workflow(request)
            except ConductorError as error:
                outcomes[index] = error

        async with anyio.create_task_group() as group:
            for index, request in enumerate(start_workflow_requests):
                group.start_soon(start, index, request)
        started = [outcome for outcome in outcomes if isinstance(outcome, str)]
        for outcome in outcomes:
            if isinstance(outcome, ConductorError):
                outcome.add_note(f"{len(started)} of {len(outcomes)} executions have started: {', '.join(started)}")
                raise outcome
        return started

    async def _start(
        self, request: StartWorkflowRequest, dedupe_key: str | None, dedupe_window: float | timedelta
    ) -> str:
        if dedupe_key is None:
            return await self.workflow_client.start_workflow(request)
        window = seconds(dedupe_window, "dedupe_window", positive=False)
        return await self._safe_start.start(request, dedupe_key, window)

    # -- start and wait --------------------------------------------------------------------------------

    async def execute(
        self,
        name: str,
        version: int | None = None,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Starts an execution once, waits until it has ended, and returns the run, whatever its status.

        `run.raise_for_status()` raises unless it has completed; `run.reason_for_incompletion` says why it has not. The
        wait goes on if the server cannot be reached for a while. Cancelling the call does not touch the execution.

        Args:
            name: The name of the workflow.
            version: Its version; the latest by default.
            input: The input of the execution: a dict, a pydantic model or a dataclass.
            wait_until_task_ref: Reference names of tasks: one, several separated by commas, or a list. The wait is also
                over when one of them has ended. The plain name of a task in a loop matches each of its iterations.
                Tasks of sub-workflows do not count.
            correlation_id: An id of your own to look the execution up by.
            priority: 0 to 99; workers get tasks of higher priority first.
            task_to_domain: The domain for each task type, whose workers get its tasks; `*` stands for all types.
            dedupe_key: Makes the call safe to repeat: it waits for the existing execution with this key, if there is
                one. See `start_request`.
            dedupe_window: How long to search for the execution after a lost response, in seconds or as a timedelta.
            timeout: How long the call may take altogether, in seconds or as a timedelta; None waits for ever.

        Raises:
            NotFoundError: No such workflow is registered.
            AmbiguousOutcomeError: The response to the start was lost: an execution may have been started.
            WaitTimeoutError: The time is up. The execution, `workflow_id`, goes on.
        """
        wait = _Wait.begin(wait_until_task_ref, timeout)
        # The request has no variable of its own: that would keep it in memory during the wait.
        workflow_id = await self._start_limited(
            start_request(
                name,
                input,
                version=version,
                correlation_id=correlation_id,
                priority=priority,
                task_to_domain=task_to_domain,
            ),
            dedupe_key,
            dedupe_window,
        )
        return await self._waiter.wait_until_ended(
            workflow_id, wait.references, timeout=wait.remaining(), started_at=wait.started_at
        )

    async def execute_request(
        self,
        start_workflow_request: StartWorkflowRequest,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Does what `execute` does, with a request: starts it once, waits until it has ended, and returns the run.

        Args:
            start_workflow_request: What to start. It is not changed.
            wait_until_task_ref: See `execute`.
            dedupe_key: See `start_request`.
            dedupe_window: See `start_request`.
            timeout: How long the call may take altogether, in seconds or as a timedelta; None waits for ever.

        Raises:
            AmbiguousOutcomeError: The response to the start was lost: an execution may have been started.
            WaitTimeoutError: The time is up. The execution, `workflow_id`, goes on.
        """
        wait = _Wait.begin(wait_until_task_ref, timeout)
        workflow_id = await self._start_limited(start_workflow_request, dedupe_key, dedupe_window)
        del start_workflow_request  # else it stays in memory during the wait
        return await self._waiter.wait_until_ended(
            workflow_id, wait.references, timeout=wait.remaining(), started_at=wait.started_at
        )

    async def _start_limited(
        self, request: StartWorkflowRequest, dedupe_key: str | None, dedupe_window: float | timedelta
    ) -> str:
        async with self._start_limiter:
            return await self._start(request, dedupe_key, dedupe_window)

    # -- executions that exist -------------------------------------------------------------------------

    def handle(self, workflow_id: str) -> WorkflowHandle:
        """Returns a handle on an execution. Sends nothing."""
        return WorkflowHandle(workflow_id, self.workflow_client, self.task_client, self._waiter)

    async def wait(
        self,
        workflow_id: str,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Waits until an execution has ended: see `WorkflowHandle.wait`.

        Raises:
            NotFoundError: There is no such execution.
            WaitTimeoutError: The time is up; the execution goes on.
        """
        return await self.handle(workflow_id).wait(wait_until_task_ref=wait_until_task_ref, timeout=timeout)

    def events(self, workflow_id: str) -> AsyncGenerator[WorkflowEvent, None]:
        """Yields what happens in an execution until it has ended: see `WorkflowHandle.events`."""
        return self._waiter.events(workflow_id)


class _Wait(NamedTuple):
    """What `execute` waits for, checked before the start: a wrong argument must not leave an execution behind."""

    references: frozenset[str]
    deadline: float | None
    started_at: float

    @classmethod
    def begin(cls, wait_until_task_ref: str | Sequence[str] | None, timeout: float | timedelta | None) -> _Wait:
        limit = None if timeout is None else seconds(timeout, "timeout", positive=False)
        deadline = None if limit is None else anyio.current_time() + limit
        return cls(task_references(wait_until_task_ref), deadline, time.time())

    def remaining(self) -> float | None:
        # The deadline does not cut the start off: without its response nobody would know the execution's id.
        return None if self.deadline is None else max(0.0, self.deadline - anyio.current_time())
