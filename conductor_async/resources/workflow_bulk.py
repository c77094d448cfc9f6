"""One operation on many executions: `/workflow/bulk`. Each call takes 1 to 1000 ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async._http.routes import route
from conductor_async.models import BulkResponse, BulkSearchResponse
from conductor_async.resources._base import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WorkflowBulkClient"]


class WorkflowBulkClient(Resource):
    """One operation on many executions. The response lists which ids failed; only an invalid request raises."""

    async def pause_workflow(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Pauses executions: PUT /workflow/bulk/pause."""
        return await self._call("PUT", "/workflow/bulk/pause", workflow_ids)

    async def resume_workflow(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Resumes executions: PUT /workflow/bulk/resume."""
        return await self._call("PUT", "/workflow/bulk/resume", workflow_ids)

    async def restart(self, workflow_ids: Sequence[str], use_latest_definitions: bool = False) -> BulkResponse:
        """Runs ended executions again from the beginning, with the same ids: POST /workflow/bulk/restart."""
        return await self._call(
            "POST", "/workflow/bulk/restart", workflow_ids, useLatestDefinitions=use_latest_definitions
        )

    async def retry(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Retries the failed tasks of ended executions: POST /workflow/bulk/retry."""
        return await self._call("POST", "/workflow/bulk/retry", workflow_ids)

    async def terminate(self, workflow_ids: Sequence[str], reason: str | None = None) -> BulkResponse:
        """Terminates executions: POST /workflow/bulk/terminate."""
        return await self._call("POST", "/workflow/bulk/terminate", workflow_ids, repeatable=True, reason=reason)

    async def remove(self, workflow_ids: Sequence[str], archive_workflow: bool = True) -> BulkResponse:
        """Removes executions: DELETE /workflow/bulk/remove.

        With `archive_workflow`, it removes only ended ones, and keeps their entries in the search.
        """
        return await self._call("DELETE", "/workflow/bulk/remove", workflow_ids, archiveWorkflow=archive_workflow)

    async def terminate_remove(
        self, workflow_ids: Sequence[str], reason: str | None = None, archive_workflow: bool = True
    ) -> BulkResponse:
        """Terminates and removes executions: DELETE /workflow/bulk/terminate-remove.

        The server lists each success twice.
        """
        return await self._call(
            "DELETE", "/workflow/bulk/terminate-remove", workflow_ids, archiveWorkflow=archive_workflow, reason=reason
        )

    async def search(self, workflow_ids: Sequence[str], include_tasks: bool = True) -> BulkSearchResponse:
        """Returns executions in the server's internal form, as plain JSON: POST /workflow/bulk/search."""
        return await self._api.call(
            "POST",
            route("/workflow/bulk/search"),
            params={"includeTasks": include_tasks},
            json=list(workflow_ids),
            returns=BulkSearchResponse,
            repeatable=True,
        )

    async def _call(
        self, method: str, path: str, workflow_ids: Sequence[str], *, repeatable: bool | None = None, **params: Any
    ) -> BulkResponse:
        return await self._api.call(
            method, route(path), params=params, json=list(workflow_ids), returns=BulkResponse, repeatable=repeatable
        )
