"""Looking up the execution that was started with a dedupe key."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import anyio

from conductor_async.errors import APIError, EndpointNotAvailableError, RateLimitedError, ServerError
from conductor_async.models import WorkflowStatus
from conductor_async.resources import WorkflowClient
from conductor_async.resources._worker_api import WorkerApi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async._http.call import Api
    from conductor_async.execution._unconfirmed_starts import Key, UnconfirmedStarts
    from conductor_async.models import Workflow

logger = logging.getLogger("conductor_async")


class FoundStart(NamedTuple):
    """An execution that was started with the key.

    Attributes:
        workflow_id: The execution.
        is_complete: Whether the start is complete: the execution has its first task, or has ended.
    """

    workflow_id: str
    is_complete: bool


class StartLookup:
    """Finds executions by their dedupe key.

    Args:
        api: Sends the requests.
        unconfirmed_starts: Learns how long each lookup takes.
    """

    def __init__(self, api: Api, unconfirmed_starts: UnconfirmedStarts) -> None:
        # An execution that cannot be read exists all the same: without it, the start would be repeated.
        self._workflow_client = WorkflowClient(api.with_complete_responses())
        self._worker_api = WorkerApi(api)
        self._unconfirmed_starts = unconfirmed_starts

    async def find(self, key: Key) -> FoundStart | None:
        """Returns the oldest execution with this key, running or ended; None if the server has none.

        Raises:
            ConductorError: The lookup failed.
        """
        name, dedupe_key = key
        sent_at = anyio.current_time()
        try:
            found = await self._workflow_client.get_by_correlation_ids(name, [dedupe_key], include_completed=True)
        finally:
            self._unconfirmed_starts.record_lookup(key, anyio.current_time() - sent_at)
        executions = top_level(found.get(dedupe_key, ()))
        if not executions:
            return None
        if len(executions) > 1:
            logger.warning(
                "Workflow %r has %d executions with the dedupe key %r: %s. Using the oldest, %s; the others are left"
                " as they are.",
                name,
                len(executions),
                dedupe_key,
                ", ".join(execution.workflow_id for execution in executions),
                executions[0].workflow_id,
            )
        oldest = executions[0]
        is_complete = oldest.status != WorkflowStatus.RUNNING or await self._has_tasks(oldest.workflow_id)
        return FoundStart(oldest.workflow_id, is_complete)

    async def _has_tasks(self, workflow_id: str) -> bool:
        try:
            return await self._worker_api.has_tasks(workflow_id)
        except (ServerError, RateLimitedError):
            raise
        except EndpointNotAvailableError:
            return True  # this server never tells, so waiting for the first task would be in vain
        except APIError as error:
            logger.warning("Could not find out whether execution %s has tasks, will retry: %s", workflow_id, error)
            return False  # the next lookup asks again


def top_level(executions: Iterable[Workflow]) -> list[Workflow]:
    """Returns the executions that are not sub-workflows, the oldest first.

    Sub-workflows inherit the correlation id of their parent, but were not started with the key.
    """
    started = [execution for execution in executions if not execution.parent_workflow_id]
    return sorted(started, key=lambda execution: (execution.create_time, execution.workflow_id))
