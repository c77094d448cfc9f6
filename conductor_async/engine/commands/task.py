"""Commands on tasks: poll, update, query, and their queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.decider.polling import poll
from conductor_async.engine.decider.results import pending_task, pending_wait, update
from conductor_async.engine.definitions.requests import RESULT_STATUSES, read_task_result
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.rows.rendering import dispatched_task_to_wire, execution_to_wire, task_to_wire
from conductor_async.engine.state.task_row import queue_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["TaskCommands"]


class TaskCommands(Commands):
    """Commands on tasks: poll, update, query, and their queues."""

    # -- poll ----------------------------------------------------------------------------------------

    @command
    def poll(self, task_type: str, worker_id: str | None = None, domain: str | None = None) -> JsonObject | None:
        """Dispatches one ready task; None if there is none."""
        return next(iter(self._poll(task_type, worker_id, domain, 1)), None)

    @command
    def batch_poll(
        self, task_type: str, worker_id: str | None = None, *, count: int = 1, domain: str | None = None
    ) -> list[JsonObject]:
        """Dispatches up to `count` ready tasks."""
        return self._poll(task_type, worker_id, domain, count)

    def _poll(self, task_type: str, worker_id: str | None, domain: str | None, count: int) -> list[JsonObject]:
        rows = poll(self.core, task_type, worker_id, domain, count)
        return [dispatched_task_to_wire(self.core, row) for row in rows]

    @command
    def has_ready(self, task_type: str, domain: str | None = None) -> bool:
        """Returns whether a poll would find a task now."""
        queue = self.core.queues.get(queue_name(task_type, domain))
        return queue is not None and queue.has_ready(self.core.now())

    # -- update --------------------------------------------------------------------------------------

    @command
    def update(self, task_result: JsonObject) -> str:
        """Takes a worker's result. Returns the task's id."""
        return update(self.core, read_task_result(task_result)).task_id

    @command
    def update_v2(self, task_result: JsonObject) -> JsonObject | None:
        """Takes a worker's result, and dispatches the next task of the same type and domain, if one is ready."""
        result = read_task_result(task_result)
        row = update(self.core, result)
        if result["extendLease"] or not row.is_terminal:
            return None
        self.runner.run_pending()
        return self.poll(row.task_type, result.get("workerId"), row.domain)

    @command
    def update_by_ref_name(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> str | None:
        """Updates the open task of a reference name. Returns its id; None if none is open."""
        _check_status(status)
        execution = self.core.store.executions.get(workflow_id)
        row = pending_task(execution, task_reference_name) if execution is not None else None
        return self._update_row(row, status, output, worker_id) if row is not None else None

    @command
    def update_sync(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> JsonObject:
        """Updates the open task of a reference name. Returns the execution."""
        if self.update_by_ref_name(workflow_id, task_reference_name, status, output, worker_id) is None:
            msg = f"Found no running task {task_reference_name} of workflow {workflow_id} to update"
            raise NotFound(msg)
        self.runner.run_pending()
        return execution_to_wire(self.core.store.execution(workflow_id), now=self.core.now())

    @command
    def signal(self, workflow_id: str, status: str, output: JsonObject) -> str | None:
        """Updates the first open WAIT, also in a sub-workflow. Returns its execution's id; None if none is open."""
        _check_status(status)
        row = pending_wait(self.core, self.core.store.execution(workflow_id))
        if row is None:
            return None
        self._update_row(row, status, output, None)
        return row.workflow_id

    def _update_row(self, row: TaskRow, status: str, output: JsonObject, worker_id: str | None) -> str:
        result: JsonObject = {
            "workflowInstanceId": row.workflow_id,
            "taskId": row.task_id,
            "status": status,
            "outputData": {**row.output, **output},
            "reasonForIncompletion": row.reason,
            "callbackAfterSeconds": row.callback_after,
            "workerId": worker_id if worker_id and worker_id.strip() else row.worker_id,
            "subWorkflowId": row.sub_workflow_id,
            "extendLease": False,
        }
        return update(self.core, result).task_id

    # -- query ---------------------------------------------------------------------------------------

    @command
    def get(self, task_id: str) -> JsonObject:
        """Returns a task: one attempt of it."""
        row = self.core.store.tasks.get(task_id)
        if row is None:
            msg = f"Task not found for taskId: {task_id}"  # another message than that of `Store.task`
            raise NotFound(msg)
        return task_to_wire(row, self.core.now())

    @command
    def add_log(self, task_id: str, log: str) -> None:
        """Adds a line to a task's log."""
        self.core.store.add_log(task_id, log, self.core.now())

    @command
    def get_logs(self, task_id: str) -> list[JsonObject]:
        """Returns a task's log, which may be empty."""
        return sorted(self.core.store.logs.get(task_id, []), key=lambda line: line["createdTime"])

    # -- queues --------------------------------------------------------------------------------------

    @command
    def get_queue_size(self, task_type: str, domain: str | None = None) -> int:
        """Returns how many tasks are in a queue, including those that wait for their time."""
        queue = self.core.queues.get(queue_name(task_type, domain))
        return len(queue.messages) if queue is not None else 0

    @command
    def get_queue_sizes(self, task_types: Sequence[str]) -> dict[str, int]:
        """Returns the sizes of several queues, by task type."""
        return {task_type: self.get_queue_size(task_type) for task_type in task_types}

    @command
    def get_all_queue_sizes(self) -> dict[str, int]:
        """Returns the sizes of all queues, by name."""
        return self.core.queues.sizes()

    @command
    def get_all_queue_details(self) -> dict[str, dict[str, dict[str, int]]]:
        """Returns the sizes of all queues in the server's detailed form. Nothing is ever unacknowledged."""
        return {name: {"a": {"size": size, "uacked": 0}} for name, size in self.core.queues.sizes().items()}

    @command
    def get_poll_data(self, task_type: str) -> list[JsonObject]:
        """Returns the last poll of a type in each domain."""
        return list(self.core.polls.get(task_type, {}).values())

    @command
    def get_all_poll_data(self) -> list[JsonObject]:
        """Returns the last polls of all types."""
        return [data for domains in self.core.polls.values() for data in domains.values()]

    @command
    def requeue_pending(self, task_type: str) -> int:
        """Puts the scheduled tasks of a type into their queues again. Returns how many."""
        rows = [
            row
            for execution in self.core.store.executions.values()
            for row in execution.open.values()
            if row.task_type == task_type and row.status == "SCHEDULED" and not is_system(row)
        ]
        for row in rows:
            self.core.enqueue(row, row.callback_after * 1000)
        return len(rows)

    def get_external_storage_location(self, path: str, operation: str, payload_type: str) -> JsonObject:
        """Returns the path itself as location: the engine has no external payload storage."""
        known = {"WORKFLOW_INPUT", "WORKFLOW_OUTPUT", "TASK_INPUT", "TASK_OUTPUT"}
        if operation.upper() not in {"READ", "WRITE"} or payload_type.upper() not in known:
            msg = f"Invalid input - Operation: {operation}, PayloadType: {payload_type}"
            raise Invalid(msg)
        return {"path": path}


def _check_status(status: str) -> None:
    if status not in RESULT_STATUSES:
        msg = (
            "Method parameter 'status': Failed to convert value of type 'java.lang.String' to required type "
            "'com.netflix.conductor.common.metadata.tasks.TaskResult$Status'; Failed to convert from type "
            "[java.lang.String] to type [com.netflix.conductor.common.metadata.tasks.TaskResult$Status] "
            f"for value [{status}]"
        )
        raise Refused(msg)
