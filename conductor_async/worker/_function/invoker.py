"""Invokes a worker function for a task: the boundary between the host and the user's code."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from conductor_async.errors import PayloadError
from conductor_async.worker._function.attempt_log import AttemptLog
from conductor_async.worker._function.contained import Contained, is_interrupt
from conductor_async.worker._function.input_validator import InputValidationError
from conductor_async.worker._function.open_scopes import close_scopes_within
from conductor_async.worker._function.task_results import (
    failed_result,
    result_from_exception,
    result_from_return_value,
)
from conductor_async.worker.context import enter_task_context, leave_task_context
from conductor_async.worker.events import TaskFinished, TaskStarted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from conductor_async.clock import Clock
    from conductor_async.models import TaskResult
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker.context import TaskContext
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")


class Invoker:
    """Invokes one worker's function and turns what it returns or raises into a result.

    Args:
        worker: The worker.
        worker_id: The worker id that results carry.
        clock: The host's clock.
        listeners: The host's listeners.
    """

    def __init__(self, worker: AnyWorker, worker_id: str, clock: Clock, listeners: Listeners) -> None:
        self._function = worker.function
        self._binder = worker.binder
        self._is_async = worker.is_async
        self._worker_id = worker_id
        self._clock = clock
        self._listeners = listeners
        self._attempts = AttemptLog(worker.task_definition_name, worker.options.task_def)
        self._limiter = CapacityLimiter(worker.options.concurrency)

    async def invoke(self, in_flight: InFlightTask) -> TaskResult | None:
        """Returns the task's result; None if the task's scope was cancelled.

        Call it in a context of its own: the function may set context variables.
        """
        context = in_flight.context
        token = enter_task_context(context)
        result: TaskResult | None = None
        error: BaseException | None = None
        try:
            if self._listeners:
                self._listeners.emit(TaskStarted(self._worker_id, context.task))
            began = self._clock.now()
            with in_flight.scope:
                result, error = await self._call(context)
                in_flight.reusable = error is None
                if self._listeners:
                    seconds = self._clock.now() - began
                    self._listeners.emit(TaskFinished(self._worker_id, context.task, result, seconds, error))
        except RuntimeError:
            # The scope cannot be left, because the function left another one open.
            if result is None or not close_scopes_within(in_flight.scope):
                raise
            in_flight.reusable = False
            logger.error(
                "Worker %r left a cancel scope, timeout or task group of anyio open in task %s. A likely cause is an"
                " async generator that was not run to its end: close it with contextlib.aclosing(). The task's result"
                " is sent, and the other tasks go on",
                context.task_def_name,
                context.task_id,
            )
        finally:
            leave_task_context(token)
        if result is not None:
            self._attempts.record(context.task, result, error)
        return result

    async def _call(self, context: TaskContext) -> tuple[TaskResult, BaseException | None]:
        """Returns the result, and the exception that the function raised, if any."""
        value, raised = await self._outcome(context)
        result, error = (None, raised) if raised is not None else self._result(value, context)
        if result is not None:
            return result, None
        assert error is not None
        if is_interrupt(error) or (_is_cancellation(error) and _is_cancelled_by_host()):
            raise error
        return self._failure(error, context), error

    async def _outcome(self, context: TaskContext) -> tuple[Any, BaseException | None]:
        """Returns what the function returned, or what it raised, whatever that is."""
        try:
            arguments = self._binder.bind(context.task, context)
            coroutine = self._function(**arguments) if self._is_async else None
        except BaseException as error:  # noqa: BLE001 - the boundary of user code
            return None, error
        if coroutine is not None:
            return await Contained(coroutine)
        outcome = await self._call_in_thread(arguments)
        return await Contained(_awaiting(outcome[0])) if inspect.isawaitable(outcome[0]) else outcome

    async def _call_in_thread(self, arguments: dict[str, Any]) -> tuple[Any, BaseException | None]:
        def call() -> tuple[Any, BaseException | None]:
            try:
                return self._function(**arguments), None
            except BaseException as error:  # noqa: BLE001 - the boundary of user code
                return None, error

        # A thread cannot be stopped: when the host abandons it, it runs on, and its task is handed back.
        return await to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)

    def _result(self, value: Any, context: TaskContext) -> tuple[TaskResult | None, BaseException | None]:
        try:
            return result_from_return_value(value, context, self._worker_id), None
        except BaseException as error:  # noqa: BLE001 - the boundary of user code: its serializers
            return None, error

    def _failure(self, error: BaseException, context: TaskContext) -> TaskResult:
        if isinstance(error, InputValidationError):
            return failed_result(context.task, self._worker_id, str(error))
        if isinstance(error, PayloadError):
            reason = f"The worker's result cannot be sent: {error}"
            return failed_result(context.task, self._worker_id, reason)
        return result_from_exception(error, context, self._worker_id)


async def _awaiting(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _is_cancellation(error: BaseException) -> bool:
    """Returns whether it is the cancellation of the event loop, or a group of nothing else."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_cancellation(each) for each in error.exceptions)
    return isinstance(error, anyio.get_cancelled_exc_class())


def _is_cancelled_by_host() -> bool:
    """Returns whether a scope around the call is cancelled; otherwise the function cancelled something of its own."""
    return anyio.current_effective_deadline() == float("-inf")
