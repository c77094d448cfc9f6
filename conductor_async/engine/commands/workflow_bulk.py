"""The same thing done to many executions. Each returns a BulkResponse."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["BulkCommands"]


class BulkCommands:
    """The same thing done to many executions. Each returns a BulkResponse."""

    def bulk_pause(self, workflow_ids: list[str]) -> JsonObject:
        """Pause them."""
        raise NotImplementedError

    def bulk_resume(self, workflow_ids: list[str]) -> JsonObject:
        """Resume them."""
        raise NotImplementedError

    def bulk_restart(self, workflow_ids: list[str], use_latest_definitions: bool = False) -> JsonObject:
        """Restart them."""
        raise NotImplementedError

    def bulk_retry(self, workflow_ids: list[str]) -> JsonObject:
        """Retry them."""
        raise NotImplementedError

    def bulk_terminate(self, workflow_ids: list[str], reason: str | None = None) -> JsonObject:
        """Terminate them."""
        raise NotImplementedError

    def bulk_remove(self, workflow_ids: list[str], archive_workflow: bool = True) -> JsonObject:
        """Forget them."""
        raise NotImplementedError

    def bulk_terminate_remove(
        self, workflow_ids: list[str], reason: str | None = None, archive_workflow: bool = True
    ) -> JsonObject:
        """Terminate and forget them."""
        raise NotImplementedError

    def bulk_search(self, workflow_ids: list[str], include_tasks: bool = True) -> JsonObject:
        """Look at them."""
        raise NotImplementedError
