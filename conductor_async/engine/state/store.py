"""Where executions are kept, and how they are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Store"]


class Store:
    """Executions, their task rows by id, and the rows' logs.

    Attributes:
        executions: By id, in the order in which they were started.
        tasks: All task rows by id.
        logs: The log lines of a task, by its id.
        messages: What was sent to an execution and not yet pulled, by its id.
        archived: Summaries of executions that were removed but are still found by searches, by id.
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
        """Keep an execution."""
        self.executions[execution.workflow_id] = execution
        self._by_name.setdefault(execution.definition.name, {})[execution.workflow_id] = execution
        self.index_correlation(execution)

    def index_correlation(self, execution: Execution) -> None:
        """Find the execution by its correlation id from now on."""
        if execution.correlation_id is not None:
            key = (execution.definition.name, execution.correlation_id)
            self._by_correlation.setdefault(key, {})[execution.workflow_id] = execution

    def remove(self, execution: Execution) -> None:
        """Forget an execution and its tasks."""
        self.executions.pop(execution.workflow_id, None)
        self._by_name.get(execution.definition.name, {}).pop(execution.workflow_id, None)
        for row in execution.tasks:
            self.forget_task(row)
        if execution.correlation_id is not None:
            key = (execution.definition.name, execution.correlation_id)
            self._by_correlation.get(key, {}).pop(execution.workflow_id, None)
        self.messages.pop(execution.workflow_id, None)

    def forget_task(self, row: TaskRow) -> None:
        """Forget a task row."""
        self.tasks.pop(row.task_id, None)
        self.logs.pop(row.task_id, None)

    def execution(self, workflow_id: str) -> Execution:
        """The execution of that id, which has to be there."""
        execution = self.executions.get(workflow_id)
        if execution is None:
            msg = f"No such workflow found by id: {workflow_id}"
            raise NotFound(msg)
        return execution

    def task(self, task_id: str) -> TaskRow:
        """The task row of that id, which has to be there."""
        row = self.tasks.get(task_id)
        if row is None:
            msg = f"No such task found by id: {task_id}"
            raise NotFound(msg)
        return row

    def named(self, name: str) -> Iterable[Execution]:
        """The executions of a workflow."""
        return list(self._by_name.get(name, {}).values())

    def correlated(self, name: str, correlation_id: str) -> Iterable[Execution]:
        """The executions of a workflow with that correlation id."""
        return [
            execution
            for execution in self._by_correlation.get((name, correlation_id), {}).values()
            if execution.correlation_id == correlation_id
        ]
