"""One operation on many executions: `/workflow/bulk`. Each call takes 1 to 1000 ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async._http.routes import route
from conductor_async.errors import AmbiguousOutcomeError, ResponseDecodeError
from conductor_async.models import BulkResponse, BulkSearchResponse
from conductor_async.resources._base import Resource
from conductor_async.resources._execution_id import sentence

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
        """Runs ended executions again from the beginning, with the same ids: POST /workflow/bulk/restart.

        Raises:
            AmbiguousOutcomeError: The response was lost, or lists none of the ids.
        """
        return await self._call(
            "POST",
            "/workflow/bulk/restart",
            workflow_ids,
            repeatable=False,
            useLatestDefinitions=use_latest_definitions,
        )

    async def retry(self, workflow_ids: Sequence[str]) -> BulkResponse:
        """Retries the failed tasks of ended executions: POST /workflow/bulk/retry.

        Raises:
            AmbiguousOutcomeError: The response was lost, or lists none of the ids.
        """
        return await self._call("POST", "/workflow/bulk/retry", workflow_ids, repeatable=False)

    async def terminate(self, workflow_ids: Sequence[str], reason: str | None = None) -> BulkResponse:
        """Terminates executions: POST /workflow/bulk/terminate."""
        return await self._call("POST", "/workflow/bulk/terminate", workflow_ids, reason=reason)

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
        self, method: str, path: str, workflow_ids: Sequence[str], *, repeatable: bool = True, **params: Any
    ) -> BulkResponse:
        """Sends the request. A response that lists none of the ids is as ambiguous as an unreadable one, or none."""
        ids = list(workflow_ids)
        problem: ResponseDecodeError | None = None
        try:
            response = await self._api.call(
                method, route(path), params=params, json=ids, returns=BulkResponse, repeatable=repeatable
            )
            if not ids or not {*response.bulk_successful_results, *response.bulk_error_results}.isdisjoint(ids):
                return response
        except ResponseDecodeError as error:
            if repeatable:
                raise
            problem = error
        text = sentence(problem or f"{method} {path}: the response lists none of the executions")
        raise AmbiguousOutcomeError(
            f"{text} The server may or may not have processed the request", method=method, route=path
        ) from problem
