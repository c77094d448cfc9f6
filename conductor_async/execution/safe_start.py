"""Safe starts: one execution for each key, also when the answer to a start was lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio

from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    ClientClosedError,
    ConductorError,
    EndpointNotAvailableError,
    NotFoundError,
    RateLimitedError,
    ResponseDecodeError,
    ServerError,
    WrongEventLoopError,
)
from conductor_async.execution.start_request import delay_before_look, may_start_again, started_with, with_dedupe_key
from conductor_async.execution.unconfirmed_starts import UnconfirmedStarts
from conductor_async.models import WorkflowStatus

if TYPE_CHECKING:
    from conductor_async.execution.unconfirmed_starts import Key
    from conductor_async.models import StartWorkflowRequest
    from conductor_async.resources import WorkflowClient

logger = logging.getLogger("conductor_async")


@dataclass(frozen=True, slots=True)
class _Found:
    """An execution with the key.

    Attributes:
        workflow_id: Its id.
        has_begun: Whether it has come to its first task.
    """

    workflow_id: str
    has_begun: bool


class SafeStart:
    """Starts that are known by a key: looks for the key first, and again when an answer was lost.

    Args:
        workflow: Starts, and looks before that.
        impatient: Looks when an answer was lost. It should not repeat failed requests: it is looked again anyway.
    """

    def __init__(self, workflow: WorkflowClient, probe_client: WorkflowClient) -> None:
        self._workflow = workflow
        self._impatient = probe_client
        # Starts by one key take turns, or two at the same time would both find nothing and both start.
        self._turns: WeakValueDictionary[Key, anyio.Lock] = WeakValueDictionary()
        self._doubts = UnconfirmedStarts()

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
            if found is not None and found.has_begun:
                workflow_id = found.workflow_id
            else:
                workflow_id = await self._start(request, key, window, incomplete=found is not None)
            self._doubts.resolve(key)
            return workflow_id

    async def _start(self, request: StartWorkflowRequest, key: Key, window: float, *, incomplete: bool) -> str:
        lost: ConductorError | None = None
        starts = 0
        while True:
            doubt = self._doubts.of(key)
            if starts or incomplete or (doubt is not None and doubt.ends > anyio.current_time()):
                logger.info("A start of %r with the key %r may be under way: looking for it", *key)
                found, unsure = await self._look_for(key, window)
                if found is not None:
                    return found
                if not may_start_again(starts, sure_of_none=unsure is None):
                    raise _in_doubt(lost, key, window, unsure)
                incomplete = False
            starts += 1
            try:
                return await self._send(request, key, window)
            except (AmbiguousOutcomeError, ResponseDecodeError) as error:
                lost = error
            except ConductorError as error:
                if starts > 1:
                    error.add_note("An earlier start by the same key lost its answer, and did not show up.")
                raise

    async def _send(self, request: StartWorkflowRequest, key: Key, window: float) -> str:
        try:
            return await self._workflow.start_workflow(request)
        except (AmbiguousOutcomeError, ResponseDecodeError, anyio.get_cancelled_exc_class()):
            self._doubts.add(key, anyio.current_time(), window)
            raise

    async def _look_for(self, key: Key, window: float) -> tuple[str | None, ConductorError | str | None]:
        """The id of the execution if it shows up, and else why it is not sure that there is none, if it is not.

        One that has not begun may be under way, and be undone yet if that fails: it is given the window to begin.
        """
        begun = anyio.current_time()
        looks = 0
        incomplete: str | None = None
        unsure: ConductorError | str | None = None
        doubt = self._doubts.of(key)
        while (delay := delay_before_look(looks, anyio.current_time() - begun, window)) is not None:
            await anyio.sleep(delay)
            looks += 1
            try:
                found = await self._find(self._impatient, key)
            except (ClientClosedError, WrongEventLoopError) as error:
                return None, error
            except ConductorError as error:
                unsure = error
                continue
            if found is not None and found.has_begun:
                return found.workflow_id, None
            incomplete = None if found is None else found.workflow_id
            unsure = None
        if incomplete is not None and (
            await self._trigger_decision(incomplete) or await self._find(self._workflow, key)
        ):
            return incomplete, None  # whether it is there is for the look to say: 404 may come from a gateway
        if unsure is None and doubt is not None and doubt.ends > anyio.current_time():
            unsure = f"the server is slow, and took up to {doubt.slowest:.1f} s to say that there is none"
        return None, unsure

    async def _find(self, workflow: WorkflowClient, key: Key) -> _Found | None:
        name, correlation_id = key
        began = anyio.current_time()
        try:
            found = await workflow.get_by_correlation_ids(name, [correlation_id], include_completed=True)
        finally:
            if (doubt := self._doubts.of(key)) is not None:
                doubt.slowest = max(doubt.slowest, anyio.current_time() - began)
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
        has_begun = oldest.status != WorkflowStatus.RUNNING or await self._has_begun(workflow, oldest.workflow_id)
        return _Found(oldest.workflow_id, has_begun)

    @staticmethod
    async def _has_begun(workflow: WorkflowClient, workflow_id: str) -> bool:
        try:
            return await workflow._has_tasks(workflow_id)
        except (ServerError, RateLimitedError):
            raise
        except EndpointNotAvailableError:
            return True  # it cannot be told, so nothing is to be done about it
        except APIError as error:
            logger.warning("Whether execution %s has begun could not be found out: %s", workflow_id, error)
            return False  # it is looked for again

    async def _trigger_decision(self, workflow_id: str) -> bool:
        """Has the server go on with an execution if it died when it had written it down, and no more.

        Neither is it decided what comes first in it then, nor does the server look after it: it would stay so. While it
        is still being started nobody else should decide: the start may fail for that.

        Returns:
            Whether it is still there.

        Raises:
            ConductorError: The server could not be asked. If it refuses, there is nothing to be done.
        """
        logger.warning("Execution %s has no tasks yet: the server is asked to go on with it", workflow_id)
        for ask in (self._workflow._requeue, self._workflow.decide):
            try:
                await ask(workflow_id)
            except (ServerError, RateLimitedError):
                raise
            except NotFoundError:
                return False
            except APIError as error:
                logger.warning("The server refuses to go on with execution %s: %s", workflow_id, error)
        return True


def _in_doubt(
    lost: ConductorError | None, key: Key, window: float, unsure: ConductorError | str | None
) -> AmbiguousOutcomeError:
    name, correlation_id = key
    looked = f"no execution with the key showed up within {window:g} s"
    if isinstance(unsure, ConductorError):
        looked = f"whether there is an execution with the key could not be found out ({unsure})"
    elif unsure is not None:
        looked += f", but {unsure}"
    error = AmbiguousOutcomeError(
        f"The start of workflow {name!r} with the key {correlation_id!r} is in doubt: its answer was lost, and"
        f" {looked}. Start it by the same key again: that looks for it first",
        method="POST",
        route="/workflow",
        attempts=lost.attempts if isinstance(lost, AmbiguousOutcomeError) else 1,
        workflow_name=name,
        correlation_id=correlation_id,
    )
    error.__cause__ = unsure if isinstance(unsure, ConductorError) else lost
    return error
