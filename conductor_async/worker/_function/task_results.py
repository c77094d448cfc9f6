"""Makes the `TaskResult` of a task from what its worker function returned or raised."""

from __future__ import annotations

import time
import traceback
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

from conductor_async._type_guards import is_group
from conductor_async.errors import NonRetryableException, PayloadError
from conductor_async.models import TaskExecLog, TaskResult, TaskResultStatus
from conductor_async.models._json import simplified
from conductor_async.resources._worker_api import printable, reason_text
from conductor_async.worker.context import TaskInProgress

if TYPE_CHECKING:
    from types import TracebackType

    from conductor_async.models import JsonObject, Task
    from conductor_async.worker.context import TaskContext

_MAX_TRACEBACK = 32_000  # characters
_INTERNAL_PACKAGES = ("conductor_async", "anyio", "trio", "outcome")


def result_from_return_value(value: Any, context: TaskContext, worker_id: str) -> TaskResult:
    """Returns the result for a function's return value.

    What is an object in JSON is the output, None an empty output, anything else becomes `{"result": value}`. A
    `TaskResult` is used as it is, with missing ids filled in. A `TaskInProgress` hands the task back for later.

    Raises:
        PayloadError: The value cannot be serialized.
    """
    callback_after, output, logs = context.reported()
    if isinstance(value, TaskResult):
        result = _with_ids(value, context.task, worker_id)
        result.output_data = {**output, **result.output_data}
    else:
        result = _new_result(context.task, worker_id, TaskResultStatus.COMPLETED)
        if isinstance(value, TaskInProgress):
            callback_after, value = cast("int", value.callback_after_seconds), value.output
        if value is None and callback_after is not None:
            result.output_data = context.output  # the server replaces the whole output, so send the earlier one again
        else:
            returned = _to_output(value)
            result.output_data = {**output, **returned} if output else returned
    if callback_after is not None:
        result.status = TaskResultStatus.IN_PROGRESS
        result.callback_after_seconds = callback_after
    if logs:
        result.logs = [*logs, *result.logs]
    return result


def result_from_exception(error: BaseException, context: TaskContext, worker_id: str) -> TaskResult:
    """Returns the result for an exception that a function raised, with its traceback as the last line of the log.

    It is FAILED, or FAILED_WITH_TERMINAL_ERROR for a `NonRetryableException` or a group of nothing else, and for a
    `GeneratorExit`: a bug that shows each time.
    """
    terminal = all(isinstance(each, NonRetryableException | GeneratorExit) for each in _leaves(error))
    result = failed_result(context.task, worker_id, describe(error), terminal=terminal)
    _, _, logs = context.reported()
    result.output_data = context.output
    text = printable(_format_traceback(error))[-_MAX_TRACEBACK:]
    result.logs = [
        *logs,
        TaskExecLog(log=text, task_id=context.task_id, created_time=time.time_ns() // 1_000_000),
    ]
    return result


def failed_result(task: Task, worker_id: str, reason: str, *, terminal: bool = True) -> TaskResult:
    """Returns a result that fails the task, without a retry if `terminal`."""
    status = TaskResultStatus.FAILED_WITH_TERMINAL_ERROR if terminal else TaskResultStatus.FAILED
    result = _new_result(task, worker_id, status)
    result.reason_for_incompletion = reason_text(reason)
    return result


def describe(error: BaseException) -> str:
    """Returns `Type: message`, or `Type` if there is no message; of a group, also what is in it. Never raises."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException as failure:  # noqa: BLE001 - `__str__` is user code
        text = f"(its message is unavailable: str() raised {type(failure).__name__})"
    described = f"{name}: {text}" if text.strip() else name
    if is_group(error):
        described += f": {'; '.join(describe(each) for each in _leaves(error))}"
    return described


def _leaves(error: BaseException) -> list[BaseException]:
    """Returns the exceptions in a group and its nested groups; of one that is no group, itself."""
    if not is_group(error):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]


def _new_result(task: Task, worker_id: str, status: TaskResultStatus) -> TaskResult:
    return TaskResult(
        workflow_instance_id=task.workflow_instance_id, task_id=task.task_id, worker_id=worker_id, status=status
    )


def _with_ids(given: TaskResult, task: Task, worker_id: str) -> TaskResult:
    """Returns a copy with the missing fields filled in. A copy, because other tasks may return the same object."""
    result = given.model_copy()
    result.task_id = given.task_id or task.task_id
    result.workflow_instance_id = given.workflow_instance_id or task.workflow_instance_id
    result.worker_id = given.worker_id or worker_id
    result.status = given.status or TaskResultStatus.COMPLETED
    result.logs = [_log_line(each, task) for each in given.logs]
    return result


def _log_line(line: Any, task: Task) -> TaskExecLog:
    """Returns a line of a log, which may be given as a text."""
    if isinstance(line, TaskExecLog):
        return line
    return TaskExecLog(log=str(line), task_id=task.task_id, created_time=time.time_ns() // 1_000_000)


def _to_output(value: Any) -> JsonObject:
    """Returns the task's output for a return value: what it serializes to, if that is an object, else its `result`.

    Nested values are serialized later, when the result is sent.

    Raises:
        PayloadError: A serializer failed.
    """
    if type(value) is dict:
        return cast("JsonObject", value)
    if value is not None and not isinstance(value, _JSON_VALUES):
        value = _simplified(value)
    if value is None:
        return {}
    return cast("JsonObject", value) if isinstance(value, dict) else {"result": value}


_JSON_VALUES = (str, int, float, list, tuple)
_PLAIN: tuple[type[Any], ...] = (NoneType, dict, *_JSON_VALUES)


def _simplified(value: Any) -> Any:
    try:
        plain = simplified(value)
    except TypeError:
        return value  # the encoder refuses it, and says where it is
    except Exception as error:  # a model's serializers are user code
        raise PayloadError(
            f"the {type(value).__name__} cannot be serialized: {describe(error)}", path="output"
        ) from error
    return plain if isinstance(plain, _PLAIN) else _simplified(plain)  # such as the value of an enum


def user_traceback(error: BaseException) -> TracebackType | None:
    """Returns the traceback from the first frame of the user's code on."""
    first: TracebackType | None = error.__traceback__
    while first is not None and first.tb_next is not None and _is_internal(first):
        first = first.tb_next
    return first


def _format_traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, user_traceback(error)))
    except BaseException as failure:  # noqa: BLE001 - `__str__` is user code
        return f"{describe(error)}\n(its traceback is unavailable: formatting it raised {type(failure).__name__})"


def _is_internal(frame: TracebackType) -> bool:
    package = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in _INTERNAL_PACKAGES
