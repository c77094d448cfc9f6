"""Safe starts: one execution for each key, also when the answer to a start was lost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio

from conductor_async.errors import (
    AmbiguousOutcomeError,
    ConductorError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from conductor_async.workflow.starting import delay_before_look, may_start_again, started_with, with_dedupe_key

if TYPE_CHECKING:
    from conductor_async.models import StartWorkflowRequest
    from conductor_async.resources import WorkflowClient

logger = logging.getLogger("conductor_async")


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
        self._turns: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()

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
        turn = self._turns.setdefault((name, dedupe_key), anyio.Lock())
        async with turn:
            found = await self._find(self._workflow, name, dedupe_key)
            return found or await self._start(request, name, dedupe_key, window)

    async def _start(self, request: StartWorkflowRequest, name: str, key: str, window: float) -> str:
        starts = 0
        while True:
            starts += 1
            try:
                return await self._workflow.start_workflow(request)
            except AmbiguousOutcomeError as error:
                lost = error
            except ConductorError as error:
                if starts > 1:
                    error.add_note("An earlier start by the same key lost its answer, and did not show up.")
                raise
            logger.info("The answer to the start of %r with the key %r was lost: looking for it", name, key)
            found, refusal = await self._look_for(name, key, window)
            if found is not None:
                return found
            if not may_start_again(starts, last_look_answered=refusal is None):
                raise _in_doubt(lost, name, key, window, refusal) from (refusal or lost)

    async def _look_for(self, name: str, key: str, window: float) -> tuple[str | None, ConductorError | None]:
        """The id of the execution if it shows up, and else why the last look was not answered, if it was not."""
        begun = anyio.current_time()
        looks = 0
        refusal: ConductorError | None = None
        while (delay := delay_before_look(looks, anyio.current_time() - begun, window)) is not None:
            await anyio.sleep(delay)
            looks += 1
            try:
                found = await self._find(self._impatient, name, key)
            except (TransportError, ServerError, RateLimitedError) as error:
                refusal = error
            except ConductorError as error:
                return None, error
            else:
                if found is not None:
                    return found, None
                refusal = None
        return None, refusal

    @staticmethod
    async def _find(workflow: WorkflowClient, name: str, key: str) -> str | None:
        found = await workflow.get_by_correlation_ids(name, [key], include_completed=True)
        executions = started_with(found.get(key, ()))
        if len(executions) > 1:
            logger.warning(
                "%d executions of workflow %r have the key %r: %s. The oldest is taken, the others are left alone.",
                len(executions),
                name,
                key,
                ", ".join(execution.workflow_id for execution in executions),
            )
        return executions[0].workflow_id if executions else None


def _in_doubt(
    lost: AmbiguousOutcomeError, name: str, key: str, window: float, refusal: ConductorError | None
) -> AmbiguousOutcomeError:
    looked = (
        f"no execution with the key showed up within {window:g} s"
        if refusal is None
        else f"whether there is an execution with the key could not be found out ({refusal})"
    )
    return AmbiguousOutcomeError(
        f"The start of workflow {name!r} with the key {key!r} is in doubt: its answer was lost, and {looked}."
        " Start it by the same key again: that looks for it first",
        method=lost.method,
        route=lost.route,
        attempts=lost.attempts,
        workflow_name=name,
        correlation_id=key,
    )
