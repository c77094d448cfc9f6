"""Searching executions: `/workflow/search` and its kin. They are methods of `WorkflowClient`."""

from __future__ import annotations

from typing import Any

from conductor_async._http.routes import route
from conductor_async.models import SearchResult, Workflow, WorkflowSummary
from conductor_async.resources import _external_payload
from conductor_async.resources._base import Resource


class WorkflowSearch(Resource):
    """The searching half of `WorkflowClient`. What is found comes in pages: `total_hits` says how much there is."""

    async def search(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
        *,
        classifier: str | None = None,
        top_level_only: bool | None = None,
    ) -> SearchResult[WorkflowSummary]:
        """Summaries of executions: GET /workflow/search.

        Args:
            start: How many hits to leave out.
            size: How many to return, at most 5000.
            free_text: Part of the summary's JSON; `*` is all.
            query: Conditions joined by ` AND ` (upper case), each `field = value`, `>`, `<` or `IN (a,b)`. Fields:
                workflowId, correlationId, workflowType, startTime, endTime, updateTime, status, parentWorkflowId,
                classifier. The server silently ignores a field that it does not know.
            sort: `field:ASC` or `field:DESC`, several joined by `|`.
            classifier: `workflow` or `agent`.
            top_level_only: Leave out sub-workflows.

        Raises:
            BadRequestError: `size` is too large, or the query cannot be read.
        """
        params = _search_params(start, size, free_text, query, sort, classifier, top_level_only)
        return await self._api.call(
            "GET", route("/workflow/search"), params=params, returns=SearchResult[WorkflowSummary]
        )

    async def search_v2(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
        *,
        classifier: str | None = None,
        top_level_only: bool | None = None,
    ) -> SearchResult[Workflow]:
        """As `search`, with whole executions (but for their tasks): GET /workflow/search-v2."""
        params = _search_params(start, size, free_text, query, sort, classifier, top_level_only)
        return await self._found("/workflow/search-v2", params)

    async def search_by_tasks(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[WorkflowSummary]:
        """Executions by what their tasks are like: GET /workflow/search-by-tasks. `total_hits` counts tasks.

        Args:
            start: How many hits to leave out.
            size: How many to return.
            free_text: Part of the task summary's JSON.
            query: As in `search`, on taskId, taskType, taskDefName, status, workflowType and the times.
            sort: As in `search`.
        """
        params = _search_params(start, size, free_text, query, sort)
        return await self._api.call(
            "GET", route("/workflow/search-by-tasks"), params=params, returns=SearchResult[WorkflowSummary]
        )

    async def search_by_tasks_v2(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[Workflow]:
        """As `search_by_tasks`, with whole executions (but for their tasks): GET /workflow/search-by-tasks-v2."""
        params = _search_params(start, size, free_text, query, sort)
        return await self._found("/workflow/search-by-tasks-v2", params)

    async def _found(self, path: str, params: dict[str, Any]) -> SearchResult[Workflow]:
        found = await self._api.call("GET", route(path), params=params, returns=SearchResult[Workflow])
        for workflow in found.results:
            await _external_payload.fill_workflow(self._api, workflow)
        return found


def _search_params(
    start: int,
    size: int,
    free_text: str,
    query: str | None,
    sort: str | None,
    classifier: str | None = None,
    top_level_only: bool | None = None,
) -> dict[str, Any]:
    return {
        "start": start,
        "size": size,
        "freeText": free_text,
        "query": query,
        "sort": sort,
        "classifier": classifier,
        "topLevelOnly": top_level_only,
    }
