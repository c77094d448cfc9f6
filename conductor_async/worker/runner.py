"""Running a worker function for one task: the boundary to the user's code."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from conductor_async.errors import PayloadError
from conductor_async.worker.arguments import UnfitInputError
from conductor_async.worker.context import TaskContext, enter_task_context
from conductor_async.worker.outcome import failure_of, hand_back, refusal, result_of

if TYPE_CHECKING:
    from conductor_async.models import Task, TaskResult
    from conductor_async.worker.decorator import AnyWorker


class _Execution:
    """One call under way."""

    __slots__ = ("context", "scope")

    def __init__(self, context: TaskContext) -> None:
        self.context = context
        self.scope = anyio.CancelScope()


class Runner:
    """Calls one worker's function, and makes a result of whatever comes of it.

    Args:
        worker: The worker.
        worker_id: Who the server is told has the task.
    """

    def __init__(self, worker: AnyWorker, worker_id: str) -> None:
        self._function = worker.function
        self._arguments = worker.arguments
        self._is_async = worker.is_async
        self._worker_id = worker_id
        self._limiter = CapacityLimiter(worker.options.concurrency)
        self._under_way: set[_Execution] = set()

    async def run(self, task: Task) -> TaskResult:
        """The result for this task. Call it in a task of its own: the function may change context variables."""
        context = TaskContext(task)
        enter_task_context(context)
        execution = _Execution(context)
        self._under_way.add(execution)
        try:
            with execution.scope:
                return await self._call(context)
        finally:
            self._under_way.discard(execution)
        # Only when the host cancelled it: nobody's fault, so another worker may have it at once.
        return hand_back(task, self._worker_id)

    def cancel_all(self, reason: str) -> None:
        """Ends what runs. Its tasks are handed back."""
        for execution in self._under_way:
            execution.context.cancelled = reason
            execution.scope.cancel(reason)

    async def _call(self, context: TaskContext) -> TaskResult:
        try:
            arguments = self._arguments.bind(context.task, context)
            if self._is_async:
                value = await self._function(**arguments)
            else:
                value = await self._in_a_thread(arguments)
            return result_of(value, context, self._worker_id)
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == float("-inf"):
                raise  # we are being cancelled
            # The function cancelled something and let it escape: a failure as any other.
            return failure_of(error, context, self._worker_id)
        except UnfitInputError as error:
            return refusal(context.task, self._worker_id, str(error))
        except PayloadError as error:
            return refusal(context.task, self._worker_id, f"The worker's result cannot be sent: {error}")
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary of user code, where sys.exit() is a failure too
            return failure_of(error, context, self._worker_id)

    async def _in_a_thread(self, arguments: dict[str, Any]) -> Any:
        def call() -> tuple[Any]:
            return (self._function(**arguments),)  # in a tuple, because trio lets no coroutine out of a thread

        # Nothing can stop a thread: when the host stops waiting for it, it runs on, and its task is handed back.
        (value,) = await to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        return await value if inspect.isawaitable(value) else value
