"""Results made ready to be sent: encoded once, and those that the server could not keep replaced by a failure."""

from __future__ import annotations

import logging
import operator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, cast

from conductor_async._http.request import EncodedJson
from conductor_async.errors import ConductorError, PayloadError
from conductor_async.models import TaskResult, TaskResultStatus, encode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.resources import TaskClient

logger = logging.getLogger("conductor_async")

_MEBIBYTE = 1024 * 1024
_KEPT_INSIDE = 3 * _MEBIBYTE
"""Bytes of output that a server keeps itself by default. It puts more into a storage outside, if it has one."""
_KEPT_AT_ALL = 10 * _MEBIBYTE
"""Bytes of output that it takes by default."""


_NOBODY_ELSE: Final = nullcontext()


class EncodedResult:
    """A result with the bytes that are sent for it.

    Attributes:
        result: The result.
        task_type: The task's name.
        content: What is sent.
        row: Where the outbox has it, if it has.
        tries: How often it was sent.
        since: When it was sent first, on the host's clock.
        way: Held while it is sent, if others may tell the server of the task too (see `InFlightTask`).
    """

    __slots__ = ("content", "result", "row", "since", "task_type", "tries", "way")

    def __init__(self, result: TaskResult, task_type: str, content: EncodedJson) -> None:
        self.result = result
        self.task_type = task_type
        self.content = content
        self.row: int | None = None
        self.tries = 0
        self.since = 0.0
        self.way: AbstractAsyncContextManager[Any] = _NOBODY_ELSE

    @property
    def is_final(self) -> bool:
        """Whether it ends the task. Sent again, however late, it does no harm."""
        return self.result.status != TaskResultStatus.IN_PROGRESS

    def replace(self, why: str) -> None:
        """Fails the task instead, because the server cannot have this result."""
        failed = _failed(self.result, why)
        self.result, self.content = failed, EncodedJson(encode_json(failed))


class ResultEncoder:
    """Makes parcels.

    Args:
        tasks: Where to ask what the server can keep.
        max_result_size: Bytes of output that the server takes. None: what it takes by default.
    """

    def __init__(self, tasks: TaskClient, max_result_size: int | None = None) -> None:
        self._tasks = tasks
        self._limit = max_result_size
        self._small = max_result_size or _KEPT_INSIDE

    async def pack(self, result: TaskResult, task_type: str) -> EncodedResult:
        """The parcel: of the result, or of a failure that says where in it something cannot be sent."""
        try:
            content = EncodedJson(encode_json(result))
        except PayloadError as error:
            return self._failure(result, task_type, f"The worker's result cannot be sent: {error}")
        if len(content) > self._small and (problem := await self._too_large(result)):
            return self._failure(result, task_type, problem)
        return EncodedResult(result, task_type, content)

    def _failure(self, result: TaskResult, task_type: str, why: str) -> EncodedResult:
        failed = _failed(result, why)
        return EncodedResult(failed, task_type, EncodedJson(encode_json(failed)))

    async def _too_large(self, result: TaskResult) -> str | None:
        size = len(encode_json(result.output_data))
        if size <= self._small:
            return None
        limit = self._limit if self._limit is not None else await self._ask_for_the_limit()
        if size <= limit:
            return None
        path, part = _heaviest(result.output_data)
        return (
            f"The worker's result is too large: its output has {size:,} bytes as JSON, {part:,} of them at {path},"
            f" and the server keeps {limit:,} at the most. Store it elsewhere and return where"
        )

    async def _ask_for_the_limit(self) -> int:
        """What the server keeps. Without a storage outside, it completes the task and loses the output."""
        try:
            place = await self._tasks.get_external_storage_location("", "WRITE", "TASK_OUTPUT")
        except ConductorError:
            return _KEPT_AT_ALL  # not known: what is refused is failed then
        self._limit = _KEPT_AT_ALL if place.uri else _KEPT_INSIDE
        return self._limit


def _failed(result: TaskResult, why: str) -> TaskResult:
    logger.error("Task %s is failed for good: %s", result.task_id, why)
    failed = TaskResult(
        task_id=result.task_id, workflow_instance_id=result.workflow_instance_id, worker_id=result.worker_id
    )
    failed.status = TaskResultStatus.FAILED_WITH_TERMINAL_ERROR
    failed.reason_for_incompletion = why
    return failed


def _heaviest(value: Any, path: str = "outputData") -> tuple[str, int]:
    """The deepest place that holds more than half of all, and its bytes."""
    whole = size = len(encode_json(value))
    while True:
        weighed = [(len(encode_json(each)), place, each) for place, each in _children(value, path)]
        heaviest = max(weighed, key=operator.itemgetter(0), default=(0, path, value))
        if heaviest[0] * 2 < whole:
            return path, size
        size, path, value = heaviest


def _children(value: Any, path: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict | list):
        return []
    if isinstance(value, dict):
        return [(f"{path}.{key}", each) for key, each in cast("dict[str, Any]", value).items()]
    return [(f"{path}[{index}]", each) for index, each in enumerate(cast("Sequence[Any]", value))]
