"""Reading and searching executions: `/workflow/{workflow_id}`, `/workflow/search`. Methods of `WorkflowClient`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async._http.routes import route
from conductor_async.models import ExternalStorageLocation, SearchResult, Task, Workflow, WorkflowState, WorkflowSummary
from conductor_async.resources import _external_payload
from conductor_async.resources._base import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkflowReads(Resource):
    """The methods of `WorkflowClient` that read. Searches return pages; `total_hits` is the number of all matches."""

    async def get_workflow(self, workflow_id: str, include_tasks: bool = True) -> Workflow:
        """Returns an execution: GET /workflow/{workflow_id}. Fetches the payloads that are in external storage.

        Raises:
            NotFoundError: There is no execution with that id.
            ExternalPayloadError: Fetching a payload from external storage failed.
        """
        workflow = await self._api.call(
            "GET",
            route("/workflow/{workflow_id}", workflow_id=workflow_id),
            params={"includeTasks": include_tasks},
            returns=Workflow,
        )
        await _external_payload.fill_workflow(self._api, workflow)
        return workflow

    async def get_workflow_status(
        self, workflow_id: str, include_output: bool = False, include_variables: bool = False
    ) -> WorkflowState:
        """Returns an execution's status alone, which is cheap: GET /workflow/{workflow_id}/status.

        Raises:
            NotFoundError: There is no execution with that id.
        """
        return await self._api.call(
            "GET",
            route("/workflow/{workflow_id}/status", workflow_id=workflow_id),
            params={"includeOutput": include_output, "includeVariables": include_variables},
            returns=WorkflowState,
        )

    async def get_workflow_tasks(
        self, workflow_id: str, start: int = 0, count: int = 15, status: Sequence[str] | str | None = None
    ) -> SearchResult[Task]:
        """Returns a page of an execution's tasks: GET /workflow/{workflow_id}/tasks.

        Args:
            workflow_id: The execution.
            start: How many to skip.
            count: How many to return.
            status: Only tasks of these statuses.
        """
        params = {"start": start, "count": count, "status": [status] if isinstance(status, str) else status}
        found = await self._api.call(
            "GET",
            route("/workflow/{workflow_id}/tasks", workflow_id=workflow_id),
            params=params,
            returns=SearchResult[Task],
        )
        for task in found.results:
            await _external_payload.fill_task(self._api, task)
        return found

    async def get_running_workflows(
        self, name: str, version: int | None = None, start_time: int | None = None, end_time: int | None = None
    ) -> list[str]:
        """Returns the ids of running executions: GET /workflow/running/{workflow_name}.

        Args:
            name: The workflow's name.
            version: Its version; 1 by default.
            start_time: Epoch milliseconds. With both times: the ids of all that started in between, ended ones too.
            end_time: Epoch milliseconds.
        """
        params = {"version": version, "startTime": start_time, "endTime": end_time}
        return await self._api.call(
            "GET", route("/workflow/running/{workflow_name}", workflow_name=name), params=params, returns=list[str]
        )

    async def get_by_correlation_id(
        self, workflow_name: str, correlation_id: str, include_completed: bool = False, include_tasks: bool = False
    ) -> list[Workflow]:
        """Returns the executions with a correlation id: GET /workflow/{workflow_name}/correlated/{correlation_id}."""
        found = await self._api.call(
            "GET",
            route(
                "/workflow/{workflow_name}/correlated/{correlation_id}",
                workflow_name=workflow_name,
                correlation_id=correlation_id,
            ),
            params={"includeClosed": include_completed, "includeTasks": include_tasks},
            returns=list[Workflow],
        )
        for workflow in found:
            await _external_payload.fill_workflow(self._api, workflow)
        return found

    async def get_by_correlation_ids(
        self,
        workflow_name: str,
        correlation_ids: Sequence[str],
        include_completed: bool = False,
        include_tasks: bool = False,
    ) -> dict[str, list[Workflow]]:
        """Returns executions, by their correlation ids: POST /workflow/{workflow_name}/correlated."""
        found = await self._api.call(
            "POST",
            route("/workflow/{workflow_name}/correlated", workflow_name=workflow_name),
            params={"includeClosed": include_completed, "includeTasks": include_tasks},
            json=list(correlation_ids),
            returns=dict[str, list[Workflow]],
            repeatable=True,
        )
        for workflows in found.values():
            for workflow in workflows:
                await _external_payload.fill_workflow(self._api, workflow)
        return found

    async def get_external_storage_location(
        self, path: str, operation: str, payload_type: str
    ) -> ExternalStorageLocation:
        """Returns where a payload in external storage is read or written: GET /workflow/externalstoragelocation.

        Args:
            path: The execution's `external_input_payload_storage_path`.
            operation: READ or WRITE.
            payload_type: WORKFLOW_INPUT or WORKFLOW_OUTPUT.
        """
        return await self._api.call(
            "GET",
            route("/workflow/externalstoragelocation"),
            params={"path": path, "operation": operation, "payloadType": payload_type},
            returns=ExternalStorageLocation,
        )

    # -- search ------------------------------------------------------------------------------------

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
