"""Commands on many executions at once. Each returns a BulkResponse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import CommandRunner, Commands, bulk_response, command
from conductor_async.engine.errors import Invalid
from conductor_async.engine.rows.rendering import execution_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.engine.commands.workflow import WorkflowCommands
    from conductor_async.models import JsonObject

__all__ = ["BulkCommands"]

_MAX_IDS = 1000


class BulkCommands(Commands):
    """Commands on many executions at once. Each returns a BulkResponse."""

    def __init__(self, runner: CommandRunner, workflows: WorkflowCommands) -> None:
        super().__init__(runner)
        self._workflows = workflows

    @command
    def pause(self, workflow_ids: list[str]) -> JsonObject:
        """Pauses each."""
        return _bulk(workflow_ids, "pauseWorkflow", self._workflows.pause)

    @command
    def resume(self, workflow_ids: list[str]) -> JsonObject:
        """Resumes each."""
        return _bulk(workflow_ids, "resumeWorkflow", self._workflows.resume)

    @command
    def restart(self, workflow_ids: list[str], use_latest_definitions: bool = False) -> JsonObject:
        """Restarts each."""
        return _bulk(workflow_ids, "restart", lambda one: self._workflows.restart(one, use_latest_definitions))

    @command
    def retry(self, workflow_ids: list[str]) -> JsonObject:
        """Retries each."""
        return _bulk(workflow_ids, "retry", self._workflows.retry)

    @command
    def terminate(self, workflow_ids: list[str], reason: str | None = None) -> JsonObject:
        """Terminates each."""
        return _bulk(workflow_ids, "terminate", lambda one: self._workflows.terminate(one, reason))

    @command
    def remove(self, workflow_ids: list[str], archive_workflow: bool = True) -> JsonObject:
        """Removes each."""
        return _bulk(workflow_ids, "deleteWorkflow", lambda one: self._workflows.remove(one, archive_workflow))

    @command
    def terminate_remove(
        self, workflow_ids: list[str], reason: str | None = None, archive_workflow: bool = True
    ) -> JsonObject:
        """Terminates and removes each. As on the real server, the response has each id twice."""
        response = _bulk(
            workflow_ids, "terminateRemove", lambda one: self._workflows.terminate_remove(one, reason, archive_workflow)
        )
        done: list[str] = response["bulkSuccessfulResults"]
        return {**response, "bulkSuccessfulResults": [one for one in done for _ in range(2)]}

    @command
    def search(self, workflow_ids: list[str], include_tasks: bool = True) -> JsonObject:
        """Returns each, in the form that the server keeps executions in."""
        found: list[JsonObject] = []

        def find(workflow_id: str) -> None:
            found.append(execution_model(self.core.store.execution(workflow_id), include_tasks=include_tasks))

        response = _bulk(workflow_ids, "searchWorkflow", find)
        return {**response, "bulkSuccessfulResults": found}


def _bulk(workflow_ids: list[str], method: str, action: Callable[[str], None]) -> JsonObject:
    """Does something for each execution. `method` is the server's name for it, which its error texts contain."""
    problem = None
    if not workflow_ids:
        problem = "WorkflowIds list cannot be null."
    elif len(workflow_ids) > _MAX_IDS:
        problem = "Cannot process more than 1000 workflows. Please use multiple requests."
    if problem is not None:
        raise Invalid.of_errors([{"path": f"{method}.arg0", "message": problem}])
    return bulk_response(workflow_ids, action)
