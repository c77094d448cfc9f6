"""What workers report, and the answers that are lists: search results and bulk responses."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field

from conductor_async.models._base import ConductorModel, JsonObject, Payload, empty_dict, empty_list

__all__ = [
    "BulkResponse",
    "BulkSearchResponse",
    "ExternalStorageLocation",
    "SearchResult",
    "TaskExecLog",
    "TaskResult",
    "TaskResultStatus",
]

T = TypeVar("T")


class TaskResultStatus(StrEnum):
    """What a worker can say of a task. IN_PROGRESS hands it back for later."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    CANCELED = "CANCELED"


class TaskExecLog(ConductorModel):
    """One line of a task's log. `created_time` is in epoch milliseconds."""

    log: str = ""
    task_id: str | None = None
    created_time: int = 0


class TaskResult(ConductorModel):
    """What a worker reports of a task: `TaskResult.complete().add_output_data("total", 3).log("added up")`.

    Attributes:
        workflow_instance_id: The execution that the task belongs to.
        task_id: The task.
        callback_after_seconds: With IN_PROGRESS: how long until the task is handed out again.
        extend_lease: Only says that the worker is alive; the rest is ignored.
    """

    sends_null: ClassVar[bool] = False

    workflow_instance_id: str = ""
    task_id: str = ""
    reason_for_incompletion: str | None = None
    callback_after_seconds: int = 0
    worker_id: str | None = None
    status: Annotated[TaskResultStatus | str | None, Field(union_mode="left_to_right")] = None
    output_data: Payload = empty_dict()
    output_message: Payload | None = None
    execution_metadata: Payload | None = None
    logs: list[TaskExecLog] = empty_list()
    external_output_payload_storage_path: str | None = None
    sub_workflow_id: str | None = None
    extend_lease: bool = False
    supports_cancellation: bool | None = None

    @classmethod
    def complete(cls) -> Self:
        """A result that says COMPLETED."""
        return cls(status=TaskResultStatus.COMPLETED)

    @classmethod
    def failed(cls, reason: str | None = None) -> Self:
        """A result that says FAILED; the server retries the task if its definition says so."""
        result = cls(status=TaskResultStatus.FAILED)
        if reason is not None:
            result.reason_for_incompletion = reason
        return result

    @classmethod
    def in_progress(cls) -> Self:
        """A result that hands the task back for later."""
        return cls(status=TaskResultStatus.IN_PROGRESS)

    def add_output_data(self, key: str, value: Any) -> Self:
        """Put a value into the output. Returns this result, for chains."""
        self.output_data[key] = value
        return self

    def log(self, text: str) -> Self:
        """Add a line to the task's log, stamped with the time of now. Returns this result, for chains."""
        self.logs.append(TaskExecLog(log=text, created_time=time.time_ns() // 1_000_000))
        return self


class SearchResult(ConductorModel, Generic[T]):
    """One page of what was found, and how much there is in all (`total_hits`)."""

    total_hits: int = 0
    results: list[T] = empty_list()


class _Bulk(ConductorModel):
    """What became of each of many: the server's message for each that failed, by id."""

    bulk_error_results: dict[str, str] = empty_dict()


class BulkResponse(_Bulk):
    """What became of each of many: messages for those that failed, and the ids (or names) of the others."""

    bulk_successful_results: list[str] = empty_list()


class BulkSearchResponse(_Bulk):
    """What a bulk search found: the server's internal form of each execution, which is close to a `Workflow`."""

    bulk_successful_results: list[JsonObject] = empty_list()


class ExternalStorageLocation(ConductorModel):
    """Where a payload that is too big for the server can be put or fetched. The server may know no `uri`."""

    uri: str | None = None
    path: str = ""
