"""Invokes a worker function for a task: the boundary between the host and the user's code."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from conductor_async.errors import PayloadError
from conductor_async.worker._function.input_validator import InputValidationError
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
        self._limiter = CapacityLimiter(worker.options.concurrency)

    async def invoke(self, in_flight: InFlightTask) -> TaskResult | None:
        """Returns the task's result; None if the task's scope was cancelled.

        Call it in a context of its own: the function may set context variables.
        """
        context = in_flight.context
        token = enter_task_context(context)
        result: TaskResult | None = None
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
            # anyio cannot leave the scope, because the function left another one open. From here on anyio would
            # deliver cancellations to the wrong scopes, so the host must end.
            logger.critical(
                "Worker %r left a cancel scope, timeout or task group of anyio open: the worker host stops. A likely"
                " cause is an async generator that was not run to its end: close it with contextlib.aclosing()",
                context.task_def_name,
            )
            raise
        finally:
            leave_task_context(token)
        return result

    async def _call(self, context: TaskContext) -> tuple[TaskResult, BaseException | None]:
        """Returns the result, and the exception that the function raised, if any."""
        try:
            arguments = self._binder.bind(context.task, context)
            if self._is_async:
                value = await self._function(**arguments)
            else:
                value = await self._call_in_thread(arguments)
            return result_from_return_value(value, context, self._worker_id), None
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == float("-inf"):
                raise  # the host cancelled the call
            # The function cancelled something of its own and let the exception escape: a failure like any other.
            return result_from_exception(error, context, self._worker_id), error
        except InputValidationError as error:
            return failed_result(context.task, self._worker_id, str(error)), error
        except PayloadError as error:
            reason = f"The worker's result cannot be sent: {error}"
            return failed_result(context.task, self._worker_id, reason), error
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary of user code, where sys.exit() is a failure too
            return result_from_exception(error, context, self._worker_id), error

    async def _call_in_thread(self, arguments: dict[str, Any]) -> Any:
        def call() -> tuple[Any]:
            return (self._function(**arguments),)  # in a tuple, because trio does not let a thread return a coroutine

        # A thread cannot be stopped: when the host abandons it, it runs on, and its task is handed back.
        (value,) = await to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        return await value if inspect.isawaitable(value) else value
