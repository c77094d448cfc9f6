"""Running a worker function for one task: the boundary to the user's code."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from conductor_async.errors import PayloadError
from conductor_async.worker._function.arguments import UnfitInputError
from conductor_async.worker._function.outcome import failure_of, refusal, result_of
from conductor_async.worker.context import enter_task_context, leave_task_context
from conductor_async.worker.events import TaskFinished, TaskStarted

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import TaskResult
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker.context import TaskContext
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")


class Runner:
    """Calls one worker's function, and makes a result of whatever comes of it.

    Args:
        worker: The worker.
        worker_id: Who the server is told has the task.
        clock: The host's time.
        listeners: Who is told.
    """

    def __init__(self, worker: AnyWorker, worker_id: str, clock: Clock, listeners: Listeners) -> None:
        self._function = worker.function
        self._arguments = worker.arguments
        self._is_async = worker.is_async
        self._worker_id = worker_id
        self._clock = clock
        self._listeners = listeners
        self._limiter = CapacityLimiter(worker.options.concurrency)

    async def run(self, held: InFlightTask) -> TaskResult | None:
        """The result for this task; None if the call was cancelled by us: nobody's fault.

        Call it with context variables of its own: the function may change them.
        """
        context = held.context
        token = enter_task_context(context)
        result: TaskResult | None = None
        try:
            if self._listeners:
                self._listeners.emit(TaskStarted(self._worker_id, context.task))
            began = self._clock.now()
            with held.scope:
                result, error = await self._call(context)
                held.reusable = error is None
                if self._listeners:
                    seconds = self._clock.now() - began
                    self._listeners.emit(TaskFinished(self._worker_id, context.task, result, seconds, error))
        except RuntimeError:  # the scope cannot be left, as another is open within it: anyio is out of step
            logger.critical(
                "The worker for %r left a cancel scope, a timeout or a task group of anyio's open, which ends the host."
                " It is in an async generator that was not run to its end, perhaps: close it (contextlib.aclosing)",
                context.task_def_name,
            )
            raise
        finally:
            leave_task_context(token)
        return result

    async def _call(self, context: TaskContext) -> tuple[TaskResult, BaseException | None]:
        """What the server is to be told, and what the function raised, if it did."""
        try:
            arguments = self._arguments.bind(context.task, context)
            if self._is_async:
                value = await self._function(**arguments)
            else:
                value = await self._in_a_thread(arguments)
            return result_of(value, context, self._worker_id), None
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == float("-inf"):
                raise  # we are being cancelled
            # The function cancelled something and let it escape: a failure as any other.
            return failure_of(error, context, self._worker_id), error
        except UnfitInputError as error:
            return refusal(context.task, self._worker_id, str(error)), error
        except PayloadError as error:
            return refusal(context.task, self._worker_id, f"The worker's result cannot be sent: {error}"), error
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary of user code, where sys.exit() is a failure too
            return failure_of(error, context, self._worker_id), error

    async def _in_a_thread(self, arguments: dict[str, Any]) -> Any:
        def call() -> tuple[Any]:
            return (self._function(**arguments),)  # in a tuple, because trio lets no coroutine out of a thread

        # Nothing can stop a thread: when the host stops waiting for it, it runs on, and its task is handed back.
        (value,) = await to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        return await value if inspect.isawaitable(value) else value
