"""Encodes results: each once. A result that the server could not keep is replaced by a failure."""

from __future__ import annotations

import logging
import operator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, cast

from conductor_async._http.body import EncodedJson
from conductor_async.errors import ConductorError, PayloadError
from conductor_async.models import TaskResult, TaskResultStatus, encode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.resources import TaskClient

logger = logging.getLogger("conductor_async")

_MEBIBYTE = 1024 * 1024
_INLINE_LIMIT = 3 * _MEBIBYTE
"""Bytes of output that a server keeps itself by default. It puts more into external storage, if it has one."""
_OVERALL_LIMIT = 10 * _MEBIBYTE
"""Bytes of output that a server with external storage accepts by default."""

_NO_LOCK: Final = nullcontext()


class EncodedResult:
    """A result with the bytes that are sent for it.

    Attributes:
        result: The result.
        task_type: The task's name.
        content: The bytes.
        row: Its row in the outbox, if it is there.
        attempts: How often it was sent.
        since: When it was first sent, on the host's clock.
        poll_count: The number of the poll that brought its task, if it does not end the task.
        is_replacement: Whether it is a failure that replaces what the server would not accept.
        update_lock: Held while it is sent, if other updates of the task may be sent too (see `UpdateLock`).
    """

    __slots__ = (
        "attempts",
        "content",
        "is_replacement",
        "poll_count",
        "result",
        "row",
        "since",
        "task_type",
        "update_lock",
    )

    def __init__(self, result: TaskResult, task_type: str, content: EncodedJson) -> None:
        self.result = result
        self.task_type = task_type
        self.content = content
        self.row: int | None = None
        self.attempts = 0
        self.since = 0.0
        self.poll_count = 0
        self.is_replacement = False
        self.update_lock: AbstractAsyncContextManager[Any] = _NO_LOCK

    @property
    def is_final(self) -> bool:
        """Whether it ends the task. Then it can be sent again, however late, and does no harm (see `Ownership`)."""
        return self.result.status != TaskResultStatus.IN_PROGRESS

    def replace_by_failure(self, why: str) -> None:
        """Fails the task for good instead, because the server does not accept this result."""
        failed = _failure(self.result, why)
        self.result, self.content, self.is_replacement = failed, EncodedJson(encode_json(failed)), True


class ResultEncoder:
    """Encodes results, and checks that the server can keep them.

    Args:
        tasks: Asks the server whether it has external storage.
        max_result_size: Bytes of output that the server accepts. None: what it accepts by default.
    """

    def __init__(self, tasks: TaskClient, max_result_size: int | None = None) -> None:
        self._tasks = tasks
        self._limit = max_result_size
        self._unchecked_size = max_result_size or _INLINE_LIMIT

    async def encode(self, result: TaskResult, task_type: str) -> EncodedResult:
        """Returns the encoded result; or a failure that says which value in it cannot be sent."""
        try:
            content = EncodedJson(encode_json(result))
        except PayloadError as error:
            return _encoded_failure(result, task_type, f"The worker's result cannot be sent: {error}")
        if len(content) > self._unchecked_size and (problem := await self._too_large(result)):
            return _encoded_failure(result, task_type, problem)
        return EncodedResult(result, task_type, content)

    async def _too_large(self, result: TaskResult) -> str | None:
        size = len(encode_json(result.output_data))
        if size <= self._unchecked_size:
            return None
        limit = self._limit if self._limit is not None else await self._fetch_limit()
        if size <= limit:
            return None
        path, part = _largest_part(result.output_data)
        return (
            f"The worker's result is too large: its output has {size:,} bytes as JSON, {part:,} of them at {path},"
            f" and the server keeps {limit:,} at most. Store the data elsewhere, and return a reference to it"
        )

    async def _fetch_limit(self) -> int:
        """Returns the bytes that the server keeps. One without external storage loses more, and completes the task."""
        try:
            location = await self._tasks.get_external_storage_location("", "WRITE", "TASK_OUTPUT")
        except ConductorError:
            return _OVERALL_LIMIT  # unknown: send it, and fail the task if the server rejects it
        self._limit = _OVERALL_LIMIT if location.uri else _INLINE_LIMIT
        return self._limit


def _failure(result: TaskResult, why: str) -> TaskResult:
    logger.error("Task %s fails for good: %s", result.task_id, why)
    failed = TaskResult(
        task_id=result.task_id, workflow_instance_id=result.workflow_instance_id, worker_id=result.worker_id
    )
    failed.status = TaskResultStatus.FAILED_WITH_TERMINAL_ERROR
    failed.reason_for_incompletion = why
    return failed


def _encoded_failure(result: TaskResult, task_type: str, why: str) -> EncodedResult:
    failed = _failure(result, why)
    return EncodedResult(failed, task_type, EncodedJson(encode_json(failed)))


def _largest_part(value: Any) -> tuple[str, int]:
    """Returns the path of the deepest value that makes up more than half of the whole, and its bytes."""
    path = "outputData"
    whole = size = len(encode_json(value))
    while True:
        weighed = [(len(encode_json(child)), child_path, child) for child, child_path in _children(value, path)]
        largest = max(weighed, key=operator.itemgetter(0), default=(0, path, value))
        if largest[0] * 2 < whole:
            return path, size
        size, path, value = largest


def _children(value: Any, path: str) -> list[tuple[Any, str]]:
    if isinstance(value, dict):
        return [(child, f"{path}.{key}") for key, child in cast("dict[str, Any]", value).items()]
    if isinstance(value, list):
        return [(child, f"{path}[{index}]") for index, child in enumerate(cast("Sequence[Any]", value))]
    return []
