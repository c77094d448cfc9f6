"""Safe starts: one execution for each key, also when the answer to a start was lost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio

from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    ClientClosedError,
    ConductorError,
    RateLimitedError,
    ResponseDecodeError,
    ServerError,
    WrongEventLoopError,
)
from conductor_async.models import WorkflowStatus
from conductor_async.workflow.starting import delay_before_look, may_start_again, started_with, with_dedupe_key

if TYPE_CHECKING:
    from conductor_async.models import StartWorkflowRequest
    from conductor_async.resources import WorkflowClient

logger = logging.getLogger("conductor_async")

Key = tuple[str, str]
"""A workflow's name, and the dedupe key."""


class SafeStart:
    """Starts that are known by a key: looks for the key first, and again when an answer was lost.

    Args:
        workflow: Starts, and looks before that.
        impatient: Looks when an answer was lost. It should not repeat failed requests: it is looked again anyway.
    """

    def __init__(self, workflow: WorkflowClient, impatient: WorkflowClient) -> None:
        self._workflow = workflow
        self._impatient = impatient
        # Starts by one key take turns, or two at the same time would both find nothing and both start.
        self._turns: WeakValueDictionary[Key, anyio.Lock] = WeakValueDictionary()
        # Keys whose last call ended in doubt, and until when (on the event loop's clock) they are looked for.
        self._doubts: dict[Key, float] = {}

    async def start(self, request: StartWorkflowRequest, dedupe_key: str, window: float) -> str:
        """The id of the execution with this key: the one that is there, or else a new one.

        Args:
            request: What to start.
            dedupe_key: What the start is known by.
            window: For how many seconds to look after an answer was lost.

        Raises:
            AmbiguousOutcomeError: An execution may have been started, and did not show up.
        """
        request = with_dedupe_key(request, dedupe_key)
        # The name of a definition that goes along wins over the request's.
        name = request.workflow_def.name if request.workflow_def is not None else request.name
        key = (name, dedupe_key)
        turn = self._turns.setdefault(key, anyio.Lock())
        async with turn:
            found = await self._find(self._workflow, key)
            if found is None:
                try:
                    found = await self._start(request, key, window)
                except (AmbiguousOutcomeError, anyio.get_cancelled_exc_class()):
                    self._leave_in_doubt(key, window)
                    raise
            self._doubts.pop(key, None)
            return found

    async def _start(self, request: StartWorkflowRequest, key: Key, window: float) -> str:
        lost: ConductorError | None = None
        starts = 0
        rest = self._doubts.get(key, float("-inf")) - anyio.current_time()
        while True:
            if starts or rest > 0:
                looked_for = window if starts else rest
                logger.info("The answer to the start of %r with the key %r was lost: looking for it", *key)
                found, refusal = await self._look_for(key, looked_for)
                if found is not None:
                    return found
                if not may_start_again(starts, last_look_answered=refusal is None):
                    raise _in_doubt(lost, key, looked_for, refusal) from (refusal or lost)
            starts += 1
            try:
                return await self._workflow.start_workflow(request)
            except (AmbiguousOutcomeError, ResponseDecodeError) as error:
                lost = error
            except ConductorError as error:
                if starts > 1:
                    error.add_note("An earlier start by the same key lost its answer, and did not show up.")
                raise

    async def _look_for(self, key: Key, window: float) -> tuple[str | None, ConductorError | None]:
        """The id of the execution if it shows up, and else why the last look was not answered, if it was not."""
        begun = anyio.current_time()
        looks = 0
        refusal: ConductorError | None = None
        while (delay := delay_before_look(looks, anyio.current_time() - begun, window)) is not None:
            await anyio.sleep(delay)
            looks += 1
            try:
                found = await self._find(self._impatient, key)
            except (ClientClosedError, WrongEventLoopError) as error:
                return None, error
            except ConductorError as error:
                refusal = error
            else:
                if found is not None:
                    return found, None
                refusal = None
        return None, refusal

    async def _find(self, workflow: WorkflowClient, key: Key) -> str | None:
        name, correlation_id = key
        found = await workflow.get_by_correlation_ids(name, [correlation_id], include_completed=True)
        executions = started_with(found.get(correlation_id, ()))
        if not executions:
            return None
        if len(executions) > 1:
            logger.warning(
                "%d executions of workflow %r have the key %r: %s. The oldest is taken, the others are left alone.",
                len(executions),
                *key,
                ", ".join(execution.workflow_id for execution in executions),
            )
        oldest = executions[0]
        if oldest.status == WorkflowStatus.RUNNING:
            await self._get_going(oldest.workflow_id)
        return oldest.workflow_id

    async def _get_going(self, workflow_id: str) -> None:
        """Has the server go on with an execution if it died when it had written it down, and no more.

        Neither is it decided what comes first in it then, nor does the server look after it: it would stay so.

        Raises:
            ConductorError: The server could not be asked. If it refuses, there is nothing to be done.
        """
        try:
            if await self._workflow._has_tasks(workflow_id):
                return
            logger.warning("Execution %s has no tasks yet: the server is asked to go on with it", workflow_id)
            try:
                await self._workflow._look_after(workflow_id)
            except APIError as error:
                logger.debug("The server was not asked to look after execution %s: %s", workflow_id, error)
            await self._workflow.decide(workflow_id)
        except (ServerError, RateLimitedError):
            raise
        except APIError as error:
            logger.warning("Whether execution %s has begun could not be found out: %s", workflow_id, error)

    def _leave_in_doubt(self, key: Key, window: float) -> None:
        now = anyio.current_time()
        self._doubts = {each: until for each, until in self._doubts.items() if until > now}
        self._doubts[key] = now + window


def _in_doubt(
    lost: ConductorError | None, key: Key, window: float, refusal: ConductorError | None
) -> AmbiguousOutcomeError:
    name, correlation_id = key
    looked = (
        f"no execution with the key showed up within {window:g} s"
        if refusal is None
        else f"whether there is an execution with the key could not be found out ({refusal})"
    )
    return AmbiguousOutcomeError(
        f"The start of workflow {name!r} with the key {correlation_id!r} is in doubt: its answer was lost, and"
        f" {looked}. Start it by the same key again: that looks for it first",
        method="POST",
        route="/workflow",
        attempts=lost.attempts if isinstance(lost, AmbiguousOutcomeError) else 1,
        workflow_name=name,
        correlation_id=correlation_id,
    )
