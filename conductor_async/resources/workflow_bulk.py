"""One operation on many executions: `/workflow/bulk`. Each call takes 1 to 1000 ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        return await self._api.call("PUT", route("/workflow/bulk/pause"), json=list(workflow_ids), returns=BulkResponse)

    async def resume_workflow(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Resumes executions: PUT /workflow/bulk/resume."""
        return await self._api.call(
            "PUT", route("/workflow/bulk/resume"), json=list(workflow_ids), returns=BulkResponse
        )

    async def restart(self, workflow_ids: Sequence[str], use_latest_definitions: bool = False) -> BulkResponse:
        """Runs ended executions again from the beginning, with the same ids: POST /workflow/bulk/restart."""
        params = {"useLatestDefinitions": use_latest_definitions}
        return await self._api.call(
            "POST", route("/workflow/bulk/restart"), params=params, json=list(workflow_ids), returns=BulkResponse
        )

    async def retry(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Retries the failed tasks of ended executions: POST /workflow/bulk/retry."""
        return await self._api.call(
            "POST", route("/workflow/bulk/retry"), json=list(workflow_ids), returns=BulkResponse
        )

    async def terminate(self, workflow_ids: Sequence[str], reason: str | None = None) -> BulkResponse:
        """Terminates executions: POST /workflow/bulk/terminate."""
        return await self._api.call(
            "POST",
            route("/workflow/bulk/terminate"),
            params={"reason": reason},
            json=list(workflow_ids),
            returns=BulkResponse,
            repeatable=True,
        )

    async def remove(self, workflow_ids: Sequence[str], archive_workflow: bool = True) -> BulkResponse:
        """Removes executions: DELETE /workflow/bulk/remove.

        With `archive_workflow`, it removes only ended ones, and keeps their entries in the search.
        """
        params = {"archiveWorkflow": archive_workflow}
        return await self._api.call(
            "DELETE", route("/workflow/bulk/remove"), params=params, json=list(workflow_ids), returns=BulkResponse
        )

    async def terminate_remove(
        self, workflow_ids: Sequence[str], reason: str | None = None, archive_workflow: bool = True
    ) -> BulkResponse:
        """Terminates and removes executions: DELETE /workflow/bulk/terminate-remove.

        The server lists each success twice.
        """
        return await self._api.call(
            "DELETE",
            route("/workflow/bulk/terminate-remove"),
            params={"archiveWorkflow": archive_workflow, "reason": reason},
            json=list(workflow_ids),
            returns=BulkResponse,
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
