"""Tasks: hand out, update, look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.decider.polling import poll, queue_name
from conductor_async.engine.decider.results import RESULT_STATUSES, pending_task, pending_wait, update
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.engine.task_kinds.base import is_system
from conductor_async.engine.views.rendering import execution_to_wire, task_to_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["TaskCommands"]


class TaskCommands(Commands):
    """Tasks: hand out, update, look at."""

    # -- hand out ------------------------------------------------------------------------------------

    @command
    def poll(self, task_type: str, worker_id: str | None = None, domain: str | None = None) -> JsonObject | None:
        """Hand out one task, if there is one."""
        return next(iter(poll(self.core, task_type, worker_id, domain, 1)), None)

    @command
    def batch_poll(
        self, task_type: str, worker_id: str | None = None, *, count: int = 1, domain: str | None = None
    ) -> list[JsonObject]:
        """Hand out up to `count` tasks that are ready now."""
        return poll(self.core, task_type, worker_id, domain, count)

    @command
    def has_ready(self, task_type: str, domain: str | None = None) -> bool:
        """Returns whether a poll would find a task now."""
        queue = self.core.queues.get(queue_name(task_type, domain))
        return queue is not None and queue.has_ready(self.core.now())

    # -- update --------------------------------------------------------------------------------------

    @command
    def update(self, task_result: JsonObject) -> str:
        """Take a worker's report. Returns the task's id."""
        return update(self.core, task_result).task_id

    @command
    def update_v2(self, task_result: JsonObject) -> JsonObject | None:
        """Take a worker's report and hand out the next task of the same type and domain, if one is ready."""
        row = update(self.core, task_result)
        if task_result.get("extendLease") or not row.is_terminal:
            return None
        self.runner.run_pending()
        return self.poll(row.task_type, task_result.get("workerId"), row.domain)

    @command
    def update_by_ref_name(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> str | None:
        """Update the pending task of that name. Returns its id, or None if nothing is pending."""
        _check_status(status)
        execution = self.core.store.executions.get(workflow_id)
        row = pending_task(execution, task_reference_name) if execution is not None else None
        return self._update_row(row, status, output, worker_id) if row is not None else None

    @command
    def update_sync(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> JsonObject:
        """The same, and returns the execution."""
        if self.update_by_ref_name(workflow_id, task_reference_name, status, output, worker_id) is None:
            msg = f"Found no running task {task_reference_name} of workflow {workflow_id} to update"
            raise NotFound(msg)
        self.runner.run_pending()
        return execution_to_wire(self.core.store.execution(workflow_id), now=self.core.now())

    @command
    def signal(self, workflow_id: str, status: str, output: JsonObject) -> str | None:
        """Update the first pending WAIT, also one in a sub-workflow. Returns the id of its execution, or None."""
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
        }
        return update(self.core, result).task_id

    # -- look at -------------------------------------------------------------------------------------

    @command
    def get(self, task_id: str) -> JsonObject:
        """One attempt of a task."""
        row = self.core.store.tasks.get(task_id)
        if row is None:
            msg = f"Task not found for taskId: {task_id}"
            raise NotFound(msg)
        return task_to_wire(row, self.core.now())

    @command
    def add_log(self, task_id: str, log: str) -> None:
        """Add a line to the task's log."""
        line = {"log": log, "taskId": task_id, "createdTime": self.core.now()}
        self.core.store.logs.setdefault(task_id, []).append(line)

    @command
    def get_logs(self, task_id: str) -> list[JsonObject]:
        """The task's log; empty if there is none."""
        return sorted(self.core.store.logs.get(task_id, []), key=lambda line: line["createdTime"])

    # -- queues --------------------------------------------------------------------------------------

    @command
    def get_queue_size(self, task_type: str, domain: str | None = None) -> int:
        """Returns how many tasks are in a queue, including those that wait for their time."""
        queue = self.core.queues.get(queue_name(task_type, domain))
        return len(queue.messages) if queue is not None else 0

    @command
    def get_queue_sizes(self, task_types: Sequence[str]) -> dict[str, int]:
        """The same for several queues."""
        return {task_type: self.get_queue_size(task_type) for task_type in task_types}

    @command
    def get_all_queue_sizes(self) -> dict[str, int]:
        """The sizes of all queues."""
        return self.core.queues.sizes()

    @command
    def get_all_queue_details(self) -> dict[str, dict[str, dict[str, int]]]:
        """The same, with what is unacknowledged."""
        return {name: {"a": {"size": size, "uacked": 0}} for name, size in self.core.queues.sizes().items()}

    @command
    def get_poll_data(self, task_type: str) -> list[JsonObject]:
        """Who polled for a type last, by domain."""
        return list(self.core.polls.get(task_type, {}).values())

    @command
    def get_all_poll_data(self) -> list[JsonObject]:
        """The same for all types."""
        return [data for domains in self.core.polls.values() for data in domains.values()]

    @command
    def requeue_pending(self, task_type: str) -> int:
        """Put scheduled tasks that are in no queue back into theirs. Returns how many."""
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
        """Where a payload could be kept: there is no such place here."""
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
