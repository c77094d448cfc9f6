"""What workers report, and responses that are lists: search results and bulk responses."""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BeforeValidator

from conductor_async.models._base import ConductorModel, JsonObject, Payload, empty_dict, empty_list
from conductor_async.models._enums import OpenTaskResultStatus, TaskResultStatus

__all__ = [
    "BulkResponse",
    "BulkSearchResponse",
    "ExternalStorageLocation",
    "SearchResult",
    "TaskExecLog",
    "TaskResult",
]

T = TypeVar("T")


class TaskExecLog(ConductorModel):
    """One line of a task's log. `created_time` is in epoch milliseconds."""

    log: str = ""
    task_id: str | None = None
    created_time: int = 0


def _line_of_text(value: Any) -> Any:
    """A line that is given as its text alone, as the server takes it too."""
    return TaskExecLog(log=value, created_time=time.time_ns() // 1_000_000) if isinstance(value, str) else value


_LogLine = Annotated[TaskExecLog, BeforeValidator(_line_of_text)]


class TaskResult(ConductorModel):
    """What a worker reports about a task: `TaskResult.complete().add_output_data("total", 3).log("added up")`.

    Attributes:
        workflow_instance_id: The execution that the task belongs to.
        task_id: The task.
        callback_after_seconds: With IN_PROGRESS: how long until the server hands the task out again.
        extend_lease: Extends the task's lease only; the server ignores the rest.
    """

    sends_null: ClassVar[bool] = False

    workflow_instance_id: str = ""
    task_id: str = ""
    reason_for_incompletion: str | None = None
    callback_after_seconds: int = 0
    worker_id: str | None = None
    status: OpenTaskResultStatus | None = None
    output_data: Payload = empty_dict()
    output_message: Payload | None = None
    execution_metadata: Payload | None = None
    logs: list[_LogLine] = empty_list()
    external_output_payload_storage_path: str | None = None
    sub_workflow_id: str | None = None
    extend_lease: bool = False
    supports_cancellation: bool | None = None

    @classmethod
    def complete(cls) -> Self:
        """Returns a COMPLETED result."""
        return cls(status=TaskResultStatus.COMPLETED)

    @classmethod
    def failed(cls, reason: str | None = None) -> Self:
        """Returns a FAILED result; the server retries the task if its definition says so."""
        result = cls(status=TaskResultStatus.FAILED)
        if reason is not None:
            result.reason_for_incompletion = reason
        return result

    @classmethod
    def in_progress(cls) -> Self:
        """Returns an IN_PROGRESS result, which hands the task back for later."""
        return cls(status=TaskResultStatus.IN_PROGRESS)

    def add_output_data(self, key: str, value: Any) -> Self:
        """Adds a value to the output. Returns this result, for chaining."""
        self.output_data[key] = value
        return self

    def log(self, text: str) -> Self:
        """Adds a line to the task's log, with the current time. Returns this result, for chaining."""
        self.logs.append(TaskExecLog(log=text, created_time=time.time_ns() // 1_000_000))
        return self


class SearchResult(ConductorModel, Generic[T]):
    """One page of matches, and the number of all matches (`total_hits`)."""

    element_fields: ClassVar[frozenset[str]] = frozenset({"results"})

    total_hits: int = 0
    results: list[T] = empty_list()


class _Bulk(ConductorModel):
    """The server's error message for each id that failed."""

    element_fields: ClassVar[frozenset[str]] = frozenset({"bulk_error_results", "bulk_successful_results"})

    bulk_error_results: dict[str, str] = empty_dict()


class BulkResponse(_Bulk):
    """The outcome of a bulk operation: error messages by id, and the ids (or names) that succeeded."""

    bulk_successful_results: list[str] = empty_list()


class BulkSearchResponse(_Bulk):
    """The executions of a bulk search, in the server's internal form, which resembles a `Workflow`."""

    bulk_successful_results: list[JsonObject] = empty_list()


class ExternalStorageLocation(ConductorModel):
    """Where a payload in external storage is read or written. `uri` is None if the storage has no URLs."""

    uri: str | None = None
    path: str = ""
