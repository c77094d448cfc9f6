"""Executions: start, look at, control."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import JsonObject

__all__ = ["WorkflowCommands"]


class WorkflowCommands:
    """Executions: start, look at, control."""

    def start_workflow(self, request: JsonObject) -> str:
        """Start an execution. Returns its id."""
        raise NotImplementedError

    def start_workflow_by_name(
        self,
        name: str,
        workflow_input: JsonObject,
        *,
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int = 0,
    ) -> str:
        """Start an execution by name. Returns its id."""
        raise NotImplementedError

    def get_workflow(self, workflow_id: str, include_tasks: bool = True) -> JsonObject:
        """An execution."""
        raise NotImplementedError

    def get_workflow_status(
        self, workflow_id: str, include_output: bool = False, include_variables: bool = False
    ) -> JsonObject:
        """The state of an execution, in short."""
        raise NotImplementedError

    def get_workflow_tasks(
        self, workflow_id: str, *, start: int = 0, count: int = 15, status: Sequence[str] = ()
    ) -> JsonObject:
        """Its tasks, in pages: a SearchResult."""
        raise NotImplementedError

    def get_running_workflows(
        self, name: str, *, version: int = 1, start_time: int | None = None, end_time: int | None = None
    ) -> list[str]:
        """Ids of what runs, or of all that was started between two times (epoch milliseconds)."""
        raise NotImplementedError

    def get_by_correlation_id(
        self, name: str, correlation_id: str, *, include_closed: bool = False, include_tasks: bool = False
    ) -> list[JsonObject]:
        """Executions of a workflow with a correlation id."""
        raise NotImplementedError

    def get_by_correlation_ids(
        self, name: str, correlation_ids: Sequence[str], *, include_closed: bool = False, include_tasks: bool = False
    ) -> dict[str, list[JsonObject]]:
        """Executions by their correlation ids."""
        raise NotImplementedError

    def decide(self, workflow_id: str) -> None:
        """Look at an execution again now."""
        raise NotImplementedError

    def pause_workflow(self, workflow_id: str) -> None:
        """Schedule nothing more for now."""
        raise NotImplementedError

    def resume_workflow(self, workflow_id: str) -> None:
        """Go on after a pause."""
        raise NotImplementedError

    def skip_task_from_workflow(
        self,
        workflow_id: str,
        task_reference_name: str,
        *,
        task_input: JsonObject | None = None,
        task_output: JsonObject | None = None,
    ) -> None:
        """Leave out a task that has not been scheduled yet."""
        raise NotImplementedError

    def rerun_workflow(self, workflow_id: str, request: JsonObject) -> str:
        """Run again from a task, or from the start. Returns the id."""
        raise NotImplementedError

    def restart_workflow(self, workflow_id: str, use_latest_definitions: bool = False) -> None:
        """Run again from the start, with the same input."""
        raise NotImplementedError

    def retry_workflow(self, workflow_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """Schedule again what failed."""
        raise NotImplementedError

    def reset_callbacks(self, workflow_id: str) -> None:
        """Hand out now what waits for its callback time."""
        raise NotImplementedError

    def terminate_workflow(self, workflow_id: str, reason: str | None = None) -> None:
        """End an execution."""
        raise NotImplementedError

    def remove_workflow(self, workflow_id: str, archive_workflow: bool = True) -> None:
        """Forget an execution."""
        raise NotImplementedError

    def terminate_remove_workflow(
        self, workflow_id: str, reason: str | None = None, archive_workflow: bool = True
    ) -> None:
        """End an execution and forget it."""
        raise NotImplementedError

    def test_workflow(self, request: JsonObject) -> JsonObject:
        """Run an execution on mock outputs (WorkflowTestRequest). Returns it as it stands at the end."""
        raise NotImplementedError

    def send_message(self, workflow_id: str, message: JsonObject) -> str:
        """Put a message before the execution's PULL_WORKFLOW_MESSAGES tasks. Returns its id."""
        raise NotImplementedError
