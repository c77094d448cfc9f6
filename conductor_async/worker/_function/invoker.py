"""Invokes a worker function for a task: the boundary between the host and the user's code."""

from __future__ import annotations

import inspect
import logging
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from conductor_async._detached import DetachedTask, is_trio
from conductor_async._type_guards import is_group
from conductor_async.errors import PayloadError
from conductor_async.worker._function.attempt_log import AttemptLog
from conductor_async.worker._function.input_validator import InputValidationError
from conductor_async.worker._function.interrupts import is_interrupt
from conductor_async.worker._function.task_results import (
    failed_result,
    result_from_exception,
    result_from_return_value,
)
from conductor_async.worker.context import enter_task_context, leave_task_context
from conductor_async.worker.events import TaskFinished, TaskStarted

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import TaskResult
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker.context import TaskContext
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")


class Invoker:
    """Invokes one worker's function and turns what it returns or raises into a result.

    Each invocation has a task of its own on the event loop, in a context of its own: what a function raises, cancels,
    sets or leaves open acts on nothing else.

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
        self._variables = copy_context()
        self._on_trio = is_trio()

    async def invoke(self, in_flight: InFlightTask) -> TaskResult | None:
        """Returns the task's result; None if the host cancelled the function."""
        if in_flight.context.cancelled is not None:
            return None
        # A copy of the variables for each: the next task must not see what the function of this one has set.
        call = in_flight.call = DetachedTask(self._observed(in_flight), self._variables.copy(), trio=self._on_trio)
        try:
            await call.wait()
        except BaseException:
            call.cancel()
            raise
        if call.error is not None and in_flight.context.cancelled is None:
            return result_from_exception(call.error, in_flight.context, self._worker_id)
        return call.result

    async def _observed(self, in_flight: InFlightTask) -> TaskResult | None:
        """Calls the function, and tells the listeners, which run in its context."""
        context = in_flight.context
        token = enter_task_context(context)
        result: TaskResult | None = None
        error: BaseException | None = None
        try:
            if self._listeners:
                self._listeners.emit(TaskStarted(self._worker_id, context.task))
            began = self._clock.now()
            with anyio.CancelScope():
                result, error = await self._call(context)
                if result is not None and self._listeners:
                    seconds = self._clock.now() - began
                    self._listeners.emit(TaskFinished(self._worker_id, context.task, result, seconds, error))
        except RuntimeError:
            if result is None:
                raise
            # Our scope cannot be left, because the function left another one open. Both end with this task.
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

    async def _call(self, context: TaskContext) -> tuple[TaskResult | None, BaseException | None]:
        """Returns the result, and the exception that the function raised, if any. No result: the host cancelled it."""
        try:
            arguments = self._binder.bind(context.task, context)
            if self._is_async:
                value = await self._function(**arguments)
            else:
                value = await self._call_in_thread(arguments)
            return result_from_return_value(value, context, self._worker_id), None
        except InputValidationError as error:
            return failed_result(context.task, self._worker_id, str(error)), error
        except PayloadError as error:
            reason = f"The worker's result cannot be sent: {error}"
            return failed_result(context.task, self._worker_id, reason), error
        except BaseException as error:
            if context.cancelled is not None and _is_cancellation(error):
                return None, error
            if is_interrupt(error):
                raise
            return result_from_exception(error, context, self._worker_id), error

    async def _call_in_thread(self, arguments: dict[str, Any]) -> Any:
        def call() -> tuple[Any, BaseException | None]:
            # In a tuple: trio does not let a thread return a coroutine, nor asyncio let one raise a StopIteration.
            try:
                return self._function(**arguments), None
            except BaseException as error:  # noqa: BLE001 - raised again on the event loop
                return None, error

        # A thread cannot be stopped: when the host abandons it, it runs on, and its task is handed back.
        value, error = await to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        if error is not None:
            raise error
        return await value if inspect.isawaitable(value) else value


def _is_cancellation(error: BaseException) -> bool:
    """Returns whether it is the cancellation of the event loop, or a group of nothing else."""
    if is_group(error):
        return all(_is_cancellation(each) for each in error.exceptions)
    return isinstance(error, anyio.get_cancelled_exc_class())
