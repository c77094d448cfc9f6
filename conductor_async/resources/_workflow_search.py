"""Searching executions: `/workflow/search` and its variants. They are methods of `WorkflowClient`."""

from __future__ import annotations

from typing import Any

from conductor_async._http.routes import route
from conductor_async.models import SearchResult, Workflow, WorkflowSummary
from conductor_async.resources import _external_payload
from conductor_async.resources._base import Resource


class WorkflowSearch(Resource):
    """The methods of `WorkflowClient` that search. They return pages; `total_hits` is the number of all matches."""

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
        """Returns summaries of executions: GET /workflow/search.

        Args:
            start: How many matches to skip.
            size: How many to return, at most 5000.
            free_text: Part of the summary's JSON; `*` matches all.
            query: Conditions joined by ` AND ` (upper case), each `field = value`, `>`, `<` or `IN (a,b)`. Fields:
                workflowId, correlationId, workflowType, startTime, endTime, updateTime, status, parentWorkflowId,
                classifier. The server silently ignores unknown fields.
            sort: `field:ASC` or `field:DESC`, several joined by `|`.
            classifier: `workflow` or `agent`.
            top_level_only: Skip sub-workflows.

        Raises:
            BadRequestError: `size` is too large, or the query is invalid.
        """
        params = search_params(start, size, free_text, query, sort, classifier, top_level_only)
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
        """Searches as `search` does, and returns whole executions without their tasks: GET /workflow/search-v2."""
        params = search_params(start, size, free_text, query, sort, classifier, top_level_only)
        return await self._search_executions("/workflow/search-v2", params)

    async def search_by_tasks(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[WorkflowSummary]:
        """Returns executions by properties of their tasks: GET /workflow/search-by-tasks. `total_hits` counts tasks.

        Args:
            start: How many matches to skip.
            size: How many to return.
            free_text: Part of the task summary's JSON; `*` matches all.
            query: As in `search`, on taskId, taskType, taskDefName, status, workflowType and the times.
            sort: As in `search`.
        """
        params = search_params(start, size, free_text, query, sort)
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
        """Searches as `search_by_tasks` does, and returns whole executions: GET /workflow/search-by-tasks-v2."""
        params = search_params(start, size, free_text, query, sort)
        return await self._search_executions("/workflow/search-by-tasks-v2", params)

    async def _search_executions(self, path: str, params: dict[str, Any]) -> SearchResult[Workflow]:
        found = await self._api.call("GET", route(path), params=params, returns=SearchResult[Workflow])
        for workflow in found.results:
            await _external_payload.fill_workflow(self._api, workflow)
        return found


def search_params(
    start: int,
    size: int,
    free_text: str,
    query: str | None,
    sort: str | None,
    classifier: str | None = None,
    top_level_only: bool | None = None,
) -> dict[str, Any]:
    """Returns the query of a search, for executions and for tasks."""
    return {
        "start": start,
        "size": size,
        "freeText": free_text,
        "query": query,
        "sort": sort,
        "classifier": classifier,
        "topLevelOnly": top_level_only,
    }
