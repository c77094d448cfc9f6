"""The store of executions and tasks, with indexes by name and correlation id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Store"]


class Store:
    """Executions, their task rows by id, and the rows' logs.

    Attributes:
        executions: By id, in the order in which they were started.
        tasks: All task rows by id.
        logs: The log lines of a task, by its id.
        messages: Messages to an execution that it has not pulled yet, by its id.
        archived: Summaries of removed executions that searches still find, by id.
    """

    def __init__(self) -> None:
        self.executions: dict[str, Execution] = {}
        self.tasks: dict[str, TaskRow] = {}
        self.logs: dict[str, list[JsonObject]] = {}
        self.messages: dict[str, list[JsonObject]] = {}
        self.archived: dict[str, JsonObject] = {}
        self._by_name: dict[str, dict[str, Execution]] = {}
        self._by_correlation: dict[tuple[str, str], dict[str, Execution]] = {}

    def add(self, execution: Execution) -> None:
        """Adds an execution."""
        self.executions[execution.workflow_id] = execution
        self._by_name.setdefault(execution.definition.name, {})[execution.workflow_id] = execution
        self.index_correlation(execution)

    def index_correlation(self, execution: Execution) -> None:
        """Makes an execution known by its correlation id."""
        if execution.correlation_id is not None:
            key = (execution.definition.name, execution.correlation_id)
            self._by_correlation.setdefault(key, {})[execution.workflow_id] = execution

    def remove(self, execution: Execution) -> None:
        """Removes an execution and its tasks."""
        self.executions.pop(execution.workflow_id, None)
        self._by_name.get(execution.definition.name, {}).pop(execution.workflow_id, None)
        for row in execution.tasks:
            self.remove_task(row)
        if execution.correlation_id is not None:
            key = (execution.definition.name, execution.correlation_id)
            self._by_correlation.get(key, {}).pop(execution.workflow_id, None)
        self.messages.pop(execution.workflow_id, None)

    def remove_task(self, row: TaskRow) -> None:
        """Removes a task and its log."""
        self.tasks.pop(row.task_id, None)
        self.logs.pop(row.task_id, None)

    def add_log(self, task_id: str, log: str | None, created_time: int) -> None:
        """Adds a line to a task's log."""
        self.logs.setdefault(task_id, []).append({"log": log, "taskId": task_id, "createdTime": created_time})

    def execution(self, workflow_id: str) -> Execution:
        """Returns an execution.

        Raises:
            NotFound: There is none of that id.
        """
        execution = self.executions.get(workflow_id)
        if execution is None:
            msg = f"No such workflow found by id: {workflow_id}"
            raise NotFound(msg)
        return execution

    def task(self, task_id: str) -> TaskRow:
        """Returns a task.

        Raises:
            NotFound: There is none of that id.
        """
        row = self.tasks.get(task_id)
        if row is None:
            msg = f"No such task found by id: {task_id}"
            raise NotFound(msg)
        return row

    def sub_workflow(self, row: TaskRow) -> Execution | None:
        """Returns the execution that a SUB_WORKFLOW task has started, if there is one."""
        if row.task_type != "SUB_WORKFLOW":
            return None
        return self.executions.get(row.sub_workflow_id or "")

    def named(self, name: str) -> Iterable[Execution]:
        """Returns the executions of a workflow."""
        return list(self._by_name.get(name, {}).values())

    def correlated(self, name: str, correlation_id: str) -> Iterable[Execution]:
        """Returns the executions of a workflow with a correlation id."""
        return [
            execution
            for execution in self._by_correlation.get((name, correlation_id), {}).values()
            if execution.correlation_id == correlation_id
        ]
