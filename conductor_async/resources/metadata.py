"""Definitions of workflows and tasks: `/metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._http.routes import route
from conductor_async._language.names import checked_name
from conductor_async._text import escaped
from conductor_async.errors import APIError
from conductor_async.models import BulkResponse, TaskDef, WorkflowDef, WorkflowDefSummary
from conductor_async.resources._base import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MetadataClient"]


class MetadataClient(Resource):
    """Registers, reads and removes the definitions of workflows and tasks."""

    # -- workflows -------------------------------------------------------------------------------

    async def register_workflow_def(self, workflow_def: WorkflowDef, overwrite: bool = True) -> None:
        """Stores a workflow definition: POST /metadata/workflow.

        Args:
            workflow_def: The definition. Without a version it is version 1.
            overwrite: Replace the same name and version if it exists.

        Raises:
            BadRequestError: It is invalid; `validation_errors` lists the problems.
            ConflictError: The version exists, and `overwrite` is False.
        """
        checked_name("workflow name", workflow_def.name)
        params = {"overwrite": overwrite}
        await self._api.call(
            "POST", route("/metadata/workflow"), params=params, json=workflow_def, repeatable=overwrite
        )

    async def update_workflow_def(self, workflow_def: WorkflowDef, overwrite: bool = True) -> None:
        """Creates or replaces one name and version: PUT /metadata/workflow.

        Raises:
            BadRequestError: It is invalid; `validation_errors` lists the problems.
            APIError: The server did not store it.
        """
        outcome = await self.update_workflow_defs([workflow_def], overwrite)
        for name, message in outcome.bulk_error_results.items():
            raise APIError(
                f"PUT /metadata/workflow did not store {escaped(name)!r}: {escaped(message)}",
                status=200,
                message=escaped(message),
                method="PUT",
                route="/metadata/workflow",
            )

    async def update_workflow_defs(self, workflow_defs: Sequence[WorkflowDef], overwrite: bool = True) -> BulkResponse:
        """Creates or replaces several definitions, all or none: PUT /metadata/workflow.

        Raises:
            BadRequestError: One of them is invalid, or the list is empty.
        """
        for workflow_def in workflow_defs:
            checked_name("workflow name", workflow_def.name)
        params = {"overwrite": overwrite}
        return await self._api.call(
            "PUT", route("/metadata/workflow"), params=params, json=list(workflow_defs), returns=BulkResponse
        )

    async def validate_workflow_def(self, workflow_def: WorkflowDef) -> None:
        """Validates a definition on the server, without storing it: POST /metadata/workflow/validate.

        Raises:
            BadRequestError: It is invalid; `validation_errors` lists the problems.
        """
        await self._api.call("POST", route("/metadata/workflow/validate"), json=workflow_def, repeatable=True)

    async def get_workflow_def(self, name: str, version: int | None = None) -> WorkflowDef:
        """Returns a definition, of the latest version by default: GET /metadata/workflow/{name}.

        Raises:
            NotFoundError: There is no workflow definition with that name and version.
        """
        return await self._api.call(
            "GET", route("/metadata/workflow/{name}", name=name), params={"version": version}, returns=WorkflowDef
        )

    async def get_all_workflow_defs(self, classifier: str | None = None) -> list[WorkflowDef]:
        """Returns all versions of all workflows: GET /metadata/workflow.

        Args:
            classifier: `workflow`, or `agent` for those that agents made; None for all.
        """
        params = {"classifier": classifier}
        return await self._api.call("GET", route("/metadata/workflow"), params=params, returns=list[WorkflowDef])

    async def get_latest_workflow_defs(self) -> list[WorkflowDef]:
        """Returns the latest version of each workflow: GET /metadata/workflow/latest-versions."""
        return await self._api.call("GET", route("/metadata/workflow/latest-versions"), returns=list[WorkflowDef])

    async def get_workflow_names(self) -> list[str]:
        """Returns the names of all workflows: GET /metadata/workflow/names."""
        return await self._api.call("GET", route("/metadata/workflow/names"), returns=list[str])

    async def get_workflow_names_and_versions(self) -> dict[str, list[WorkflowDefSummary]]:
        """Returns the versions of each workflow, by name: GET /metadata/workflow/names-and-versions."""
        return await self._api.call(
            "GET", route("/metadata/workflow/names-and-versions"), returns=dict[str, list[WorkflowDefSummary]]
        )

    async def get_workflow_versions(self, name: str) -> list[WorkflowDefSummary]:
        """Returns the versions of a workflow; empty if it is unknown: GET /metadata/workflow/{name}/versions."""
        return await self._api.call(
            "GET", route("/metadata/workflow/{name}/versions", name=name), returns=list[WorkflowDefSummary]
        )

    async def unregister_workflow_def(self, name: str, version: int) -> None:
        """Removes one version: DELETE /metadata/workflow/{name}/{version}. Its executions go on.

        Raises:
            NotFoundError: There is no workflow definition with that name and version (status 500).
        """
        await self._api.call("DELETE", route("/metadata/workflow/{name}/{version}", name=name, version=version))

    # -- tasks -----------------------------------------------------------------------------------

    async def register_task_def(self, task_def: TaskDef | Sequence[TaskDef]) -> None:
        """Stores task definitions, replacing those of the same name: POST /metadata/taskdefs.

        Raises:
            BadRequestError: One of them is invalid; `validation_errors` lists the problems.
        """
        task_defs = [task_def] if isinstance(task_def, TaskDef) else list(task_def)
        for each in task_defs:
            checked_name("task name", each.name)
        await self._api.call("POST", route("/metadata/taskdefs"), json=task_defs, repeatable=True)

    async def update_task_def(self, task_def: TaskDef) -> None:
        """Replaces a task definition: PUT /metadata/taskdefs.

        Raises:
            NotFoundError: There is no task definition with that name.
            BadRequestError: It is invalid; `validation_errors` lists the problems.
        """
        checked_name("task name", task_def.name)
        await self._api.call("PUT", route("/metadata/taskdefs"), json=task_def)

    async def get_task_def(self, name: str) -> TaskDef:
        """Returns a task definition: GET /metadata/taskdefs/{name}.

        Raises:
            NotFoundError: There is no task definition with that name.
        """
        return await self._api.call("GET", route("/metadata/taskdefs/{name}", name=name), returns=TaskDef)

    async def get_all_task_defs(self) -> list[TaskDef]:
        """Returns all task definitions: GET /metadata/taskdefs."""
        return await self._api.call("GET", route("/metadata/taskdefs"), returns=list[TaskDef])

    async def unregister_task_def(self, name: str) -> None:
        """Removes a task definition: DELETE /metadata/taskdefs/{name}.

        Raises:
            NotFoundError: There is no task definition with that name (status 500).
        """
        await self._api.call("DELETE", route("/metadata/taskdefs/{name}", name=name))
