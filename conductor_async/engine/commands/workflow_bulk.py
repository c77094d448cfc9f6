"""The same thing done to many executions. Each returns a BulkResponse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import bulk, command
from conductor_async.engine.commands.workflow import WorkflowCommands
from conductor_async.engine.views.rendering import execution_model

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["BulkCommands"]


class BulkCommands(WorkflowCommands):
    """The same thing done to many executions. Each returns a BulkResponse."""

    @command
    def bulk_pause(self, workflow_ids: list[str]) -> JsonObject:
        """Pause them."""
        return bulk(workflow_ids, "pauseWorkflow", self.pause_workflow)

    @command
    def bulk_resume(self, workflow_ids: list[str]) -> JsonObject:
        """Resume them."""
        return bulk(workflow_ids, "resumeWorkflow", self.resume_workflow)

    @command
    def bulk_restart(self, workflow_ids: list[str], use_latest_definitions: bool = False) -> JsonObject:
        """Restart them."""
        return bulk(workflow_ids, "restart", lambda one: self.restart_workflow(one, use_latest_definitions))

    @command
    def bulk_retry(self, workflow_ids: list[str]) -> JsonObject:
        """Retry them."""
        return bulk(workflow_ids, "retry", self.retry_workflow)

    @command
    def bulk_terminate(self, workflow_ids: list[str], reason: str | None = None) -> JsonObject:
        """Terminate them."""
        return bulk(workflow_ids, "terminate", lambda one: self.terminate_workflow(one, reason))

    @command
    def bulk_remove(self, workflow_ids: list[str], archive_workflow: bool = True) -> JsonObject:
        """Forget them."""
        return bulk(workflow_ids, "deleteWorkflow", lambda one: self.remove_workflow(one, archive_workflow))

    @command
    def bulk_terminate_remove(
        self, workflow_ids: list[str], reason: str | None = None, archive_workflow: bool = True
    ) -> JsonObject:
        """Terminate and forget them. As on the server, each id is twice in the answer."""
        response = bulk(
            workflow_ids, "terminateRemove", lambda one: self.terminate_remove_workflow(one, reason, archive_workflow)
        )
        done: list[str] = response["bulkSuccessfulResults"]
        return {**response, "bulkSuccessfulResults": [one for one in done for _ in range(2)]}

    @command
    def bulk_search(self, workflow_ids: list[str], include_tasks: bool = True) -> JsonObject:
        """Look at them, in the server's own view of executions."""
        found: list[JsonObject] = []

        def look(workflow_id: str) -> None:
            found.append(execution_model(self.core.store.execution(workflow_id), include_tasks=include_tasks))

        response = bulk(workflow_ids, "searchWorkflow", look)
        return {**response, "bulkSuccessfulResults": found}
