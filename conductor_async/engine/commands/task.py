"""Tasks: hand out, update, look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import JsonObject

__all__ = ["TaskCommands"]


class TaskCommands:
    """Tasks: hand out, update, look at."""

    def poll_task(self, task_type: str, worker_id: str | None = None, domain: str | None = None) -> JsonObject | None:
        """Hand out one task, if there is one."""
        raise NotImplementedError

    def batch_poll_tasks(
        self, task_type: str, worker_id: str | None = None, *, count: int = 1, domain: str | None = None
    ) -> list[JsonObject]:
        """Hand out up to `count` tasks that are ready now."""
        raise NotImplementedError

    def update_task(self, task_result: JsonObject) -> str:
        """Take a worker's report. Returns the task's id."""
        raise NotImplementedError

    def update_task_v2(self, task_result: JsonObject) -> JsonObject | None:
        """Take a worker's report and hand out the next task of the same type and domain, if one is ready."""
        raise NotImplementedError

    def update_task_by_ref_name(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> str | None:
        """Update the pending task of that name. Returns its id, or None if nothing is pending."""
        raise NotImplementedError

    def update_task_sync(
        self, workflow_id: str, task_reference_name: str, status: str, output: JsonObject, worker_id: str | None = None
    ) -> JsonObject:
        """The same, and returns the execution."""
        raise NotImplementedError

    def signal_workflow_task(self, workflow_id: str, status: str, output: JsonObject) -> str | None:
        """Update the first pending WAIT, also one in a sub-workflow. Returns the id of its execution, or None."""
        raise NotImplementedError

    def get_task(self, task_id: str) -> JsonObject:
        """One attempt of a task."""
        raise NotImplementedError

    def add_task_log(self, task_id: str, log: str) -> None:
        """Add a line to the task's log."""
        raise NotImplementedError

    def get_task_logs(self, task_id: str) -> list[JsonObject]:
        """The task's log; empty if there is none."""
        raise NotImplementedError

    def get_queue_size_for_task(self, task_type: str, domain: str | None = None) -> int:
        """How many tasks wait in a queue, postponed ones included."""
        raise NotImplementedError

    def get_queue_sizes_for_tasks(self, task_types: Sequence[str]) -> dict[str, int]:
        """The same for several queues."""
        raise NotImplementedError

    def get_all_queue_sizes(self) -> dict[str, int]:
        """The sizes of all queues."""
        raise NotImplementedError

    def get_all_queue_details(self) -> dict[str, dict[str, dict[str, int]]]:
        """The same, with what is unacknowledged."""
        raise NotImplementedError

    def get_task_poll_data(self, task_type: str) -> list[JsonObject]:
        """Who polled for a type last, by domain."""
        raise NotImplementedError

    def get_all_poll_data(self) -> list[JsonObject]:
        """The same for all types."""
        raise NotImplementedError

    def requeue_pending_tasks(self, task_type: str) -> int:
        """Put scheduled tasks that are in no queue back into theirs. Returns how many."""
        raise NotImplementedError

    def get_external_storage_location(self, path: str, operation: str, payload_type: str) -> JsonObject:
        """Where a payload could be kept: there is no such place here."""
        raise NotImplementedError
