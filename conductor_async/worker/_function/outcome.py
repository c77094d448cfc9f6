"""What the server is told when a worker function has returned, or raised."""

from __future__ import annotations

import dataclasses
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from conductor_async.errors import NonRetryableException, PayloadError
from conductor_async.models import ConductorModel, TaskExecLog, TaskResult, TaskResultStatus
from conductor_async.resources._worker_api import printable
from conductor_async.worker.context import TaskInProgress

if TYPE_CHECKING:
    from types import TracebackType

    from conductor_async.models import JsonObject, Task
    from conductor_async.worker.context import TaskContext

_LONGEST_REASON = 4_000  # characters
_LONGEST_TRACEBACK = 32_000  # characters


def result_of(value: Any, context: TaskContext, worker_id: str) -> TaskResult:
    """The result for what a function returned.

    A dict, a dataclass or a model is the output; None is an empty one; everything else becomes `{"result": value}`. A
    `TaskResult` is taken as it is, its ids filled in; a `TaskInProgress` gives the task back.
    """
    after, output, logs = context.said()
    if isinstance(value, TaskResult):
        result = _completed(value, context.task, worker_id)
        result.output_data = {**output, **result.output_data}
    else:
        result = _blank(context.task, worker_id)
        result.status = TaskResultStatus.COMPLETED
        if isinstance(value, TaskInProgress):
            after, value = cast("int", value.callback_after_seconds), value.output
        if value is None and after is not None:
            result.output_data = context.output  # the server replaces what it has: so say it again
        else:
            returned = _as_output(value)
            result.output_data = {**output, **returned} if output else returned
    if after is not None:
        result.status = TaskResultStatus.IN_PROGRESS
        result.callback_after_seconds = after
    if logs:
        result.logs = [*logs, *result.logs]
    return result


def failure_of(error: BaseException, context: TaskContext, worker_id: str) -> TaskResult:
    """The result for what a function raised: FAILED, for good after a `NonRetryableException`. The log says where."""
    result = refusal(context.task, worker_id, reason_of(error), final=isinstance(error, NonRetryableException))
    _, _, logs = context.said()
    result.output_data = context.output
    now = time.time_ns() // 1_000_000
    text = printable(_traceback(error))[-_LONGEST_TRACEBACK:]
    result.logs = [*logs, TaskExecLog(log=text, task_id=context.task_id, created_time=now)]
    return result


def refusal(task: Task, worker_id: str, reason: str, *, final: bool = True) -> TaskResult:
    """A result that fails the task with a reason; for good, if `final`."""
    result = _blank(task, worker_id)
    result.status = TaskResultStatus.FAILED_WITH_TERMINAL_ERROR if final else TaskResultStatus.FAILED
    result.reason_for_incompletion = printable(reason)[:_LONGEST_REASON]
    return result


def reason_of(error: BaseException) -> str:
    """`Type: message`, and never empty."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 - the user's own __str__ failed
        text = f"(its text cannot be had: {type(broken).__name__})"
    return f"{name}: {text}" if text.strip() else name


def _blank(task: Task, worker_id: str) -> TaskResult:
    return TaskResult(workflow_instance_id=task.workflow_instance_id, task_id=task.task_id, worker_id=worker_id)


def _completed(given: TaskResult, task: Task, worker_id: str) -> TaskResult:
    """A copy of the user's result, with what it left out: it may be an object that other tasks return too."""
    result = given.model_copy()
    result.task_id = given.task_id or task.task_id
    result.workflow_instance_id = given.workflow_instance_id or task.workflow_instance_id
    result.worker_id = given.worker_id or worker_id
    result.status = given.status or TaskResultStatus.COMPLETED
    return result


def _as_output(value: Any) -> JsonObject:
    """What the function returned as a JSON object. What is inside is looked at when it is sent.

    Raises:
        PayloadError: A model's own serialiser failed.
    """
    if type(value) is dict:
        return cast("JsonObject", value)
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if isinstance(value, ConductorModel):
        return value.to_wire()
    kind: Any = value.__class__
    has_fields = not getattr(kind, "__pydantic_root_model__", False)  # importing RootModel takes 15 ms
    if has_fields and hasattr(kind, "__pydantic_serializer__"):
        return _dumped(value)
    if has_fields and dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    return {"result": value}


def _dumped(value: Any) -> JsonObject:
    """A pydantic model or dataclass: it knows its aliases, and may have serialisers of its own."""
    try:
        return cast("JsonObject", value.__pydantic_serializer__.to_python(value, mode="json", by_alias=True))
    except Exception as error:
        # The serialisers of a model are user code.
        raise PayloadError(
            f"the {type(value).__name__} cannot be serialised: {reason_of(error)}", path="output"
        ) from error


def _traceback(error: BaseException) -> str:
    """The traceback from the user's first frame on."""
    shown: TracebackType | None = error.__traceback__
    while shown is not None and shown.tb_next is not None and _is_ours(shown):
        shown = shown.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, shown))
    except Exception as broken:  # noqa: BLE001 - the user's own __str__ failed
        return f"{reason_of(error)}\n(its traceback cannot be had: {type(broken).__name__})"


def _is_ours(frame: TracebackType) -> bool:
    package = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("conductor_async", "anyio", "trio", "outcome")
