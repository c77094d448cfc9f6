"""Runs one task to its result: from the moment it is handed out until the server has the result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import ClientClosedError, ConductorError, WrongEventLoopError
from conductor_async.resources._worker_api import UNREADABLE_INPUT_CALLBACK, hand_back
from conductor_async.worker._failures import may_have_handed_out
from conductor_async.worker._function.invoker import Invoker
from conductor_async.worker._function.task_results import failed_result
from conductor_async.worker._in_flight.quarantine import quarantine_reason
from conductor_async.worker._in_flight.tasks import InFlightTask
from conductor_async.worker._results.update_v2_policy import UpdateV2Policy
from conductor_async.worker.events import TaskAbandoned, TaskHandedBack

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async.models import Task, TaskResult
    from conductor_async.worker._host_state import HostState
    from conductor_async.worker._polling.limits import Slots
    from conductor_async.worker._polling.poll_tracker import PollTracker
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_TIME_TO_HAND_BACK = 10.0
"""Seconds to hand a task back when the host is cancelled from within."""


class TaskRunner:
    """Runs the tasks of one worker: calls the function, sends the result, and goes on with the task that it brings.

    Args:
        worker: The worker.
        worker_id: The worker id that its tasks have at the server.
        host: What all workers of the host share.
        slots: One for each task in flight. The poller reserves them, the runner releases them.
        polls: The requests that may bring tasks.

    Attributes:
        update_v2_policy: Whether sending a result should bring the next task.
        in_flight: How many tasks are in flight.
    """

    def __init__(self, worker: AnyWorker, worker_id: str, host: HostState, slots: Slots, polls: PollTracker) -> None:
        options = worker.options
        self._host = host
        self._clock = host.clock
        self._listeners = host.listeners
        self._task_type = worker.task_definition_name
        self._domain = options.domain
        self._is_async = worker.is_async
        self._extends_leases = options.lease_extend_enabled
        # Other processes may poll with an id of the user's: then nobody can tell whose its tasks are.
        self._has_unique_id = options.worker_id is None
        self._worker_id = worker_id
        self._slots = slots
        self._polls = polls
        self.update_v2_policy = UpdateV2Policy()
        self.in_flight = 0
        self._invoker = Invoker(worker, self._worker_id, self._clock, self._listeners)

    def start(self, task: Task, running: TaskGroup) -> None:
        """Runs a task in the task group. A slot of the worker is reserved for it."""
        self._start(self._add(task), running)

    def suspect_orphans(self, error: ConductorError, server_wait: float) -> None:
        """Has tasks searched for that a failed request may have brought: see `OrphanRecovery.suspect`."""
        if self._has_unique_id and may_have_handed_out(error):
            self._host.orphan_recovery.suspect(self._polls, error, server_wait)

    # -- in flight ---------------------------------------------------------------------------------

    def _add(self, task: Task) -> InFlightTask:
        in_flight = InFlightTask(task, self._worker_id, is_async=self._is_async)
        self._host.in_flight.add(in_flight)
        self.in_flight += 1
        return in_flight

    def _remove(self, in_flight: InFlightTask) -> None:
        self._host.in_flight.remove(in_flight)
        self.in_flight -= 1

    def _start(self, in_flight: InFlightTask, running: TaskGroup) -> None:
        """Runs the task, or hands it back if the host stops or has no slot for it."""
        if self._host.stopping.is_set():
            running.start_soon(self._reject, in_flight, "the host stops")
        elif self._host.slots.free <= 0:
            running.start_soon(self._reject, in_flight, "the host has as many tasks as it may run at once")
        else:
            self._host.slots.reserve()
            running.start_soon(self._run, in_flight, running)

    async def _reject(self, in_flight: InFlightTask, reason: str) -> None:
        """Hands back a task that was not started."""
        try:
            await self._hand_back(in_flight, reason)
        finally:
            self._remove(in_flight)
            self._slots.release()

    async def _run(self, in_flight: InFlightTask, running: TaskGroup) -> None:
        """Runs a task, then the one that its result brought, and so on."""
        while True:
            following = await self._run_one(in_flight)
            if following is None:
                return
            if self._host.stopping.is_set():
                self._host.slots.release()
                self._start(following, running)
                return
            in_flight = following

    async def _run_one(self, in_flight: InFlightTask) -> InFlightTask | None:
        """Calls the function and sends the result. Returns the next task for the same slot, if it brought one."""
        self._host.cancellation_watcher.add(in_flight)
        if self._extends_leases:
            self._host.lease_extender.add(in_flight)
        try:
            with self._clock.working(self._task_type, self._domain):
                result = await self._result_of(in_flight)
                return await self._finish(in_flight, result)
        except anyio.get_cancelled_exc_class():
            await self._end(in_flight)
            raise
        except BaseException:
            self._release(in_flight, None)
            raise

    async def _finish(self, in_flight: InFlightTask, result: TaskResult | None) -> InFlightTask | None:
        """Sends the result, if there is one to send, and lets go of the task. Returns the task that it brought."""
        following: InFlightTask | None = None
        if result is not None:
            with self._polls.request():
                if (task := await self._send(in_flight, result)) is not None:
                    following = self._add(task)
        self._release(in_flight, following)
        return following

    async def _end(self, in_flight: InFlightTask) -> None:
        """Hands the task back when another part of the host failed, or its time is up: another worker can have it."""
        try:
            await self._hand_back(in_flight, "the host ends", timeout=_TIME_TO_HAND_BACK)
        finally:
            self._release(in_flight, None)

    def _release(self, in_flight: InFlightTask, following: InFlightTask | None) -> None:
        """Lets go of a task. Its slot is free, unless the task that follows takes it."""
        self._host.cancellation_watcher.remove(in_flight)
        self._host.lease_extender.remove(in_flight)
        self._remove(in_flight)
        if following is None:
            self._slots.release()
            self._host.slots.release()

    # -- the function --------------------------------------------------------------------------------

    async def _result_of(self, in_flight: InFlightTask) -> TaskResult | None:
        """Returns the result to send; None if the task was handed back, or the server does not want the result."""
        task = in_flight.task
        if (reason := quarantine_reason(self._host.quarantine, task)) is not None:
            return failed_result(task, self._worker_id, reason)
        is_external = task.external_input_payload_storage_path or task.external_output_payload_storage_path
        if is_external and not await self._fetch_payloads(in_flight):
            return None
        began = self._clock.now()
        result = await self._invoker.invoke(in_flight)
        self._host.cancellation_watcher.remove(in_flight)
        if in_flight.abandoned:
            self._abandoned(in_flight, began)
            return None
        if result is None:
            await self._hand_back(in_flight, in_flight.context.cancelled or "the host stops")
        return result

    async def _fetch_payloads(self, in_flight: InFlightTask) -> bool:
        """Fetches payloads from external storage. If that fails, hands the task back: without input it never runs."""
        try:
            await self._host.api.fetch_payloads(in_flight.task)
        except (ClientClosedError, WrongEventLoopError):
            raise
        except ConductorError as error:
            reason = f"its input cannot be fetched: {error}"
            logger.warning("Task %s (%s) is handed back: %s", in_flight.task.task_id, self._task_type, reason)
            await self._hand_back(in_flight, reason, callback_after=UNREADABLE_INPUT_CALLBACK)
            return False
        return True

    def _abandoned(self, in_flight: InFlightTask, began: float) -> None:
        reason = in_flight.context.cancelled or ""
        logger.info("The result of task %s is not sent: %s", in_flight.task.task_id, reason)
        if self._listeners:
            seconds = self._clock.now() - began
            self._listeners.emit(TaskAbandoned(self._worker_id, in_flight.task, reason, seconds))

    # -- the result ----------------------------------------------------------------------------------

    async def _send(self, in_flight: InFlightTask, result: TaskResult) -> Task | None:
        """Sends the result. Returns the next task, if the server handed one out."""
        following, error = await self._host.result_sender.send(
            result,
            self._task_type,
            self.update_v2_policy,
            poll_count=in_flight.task.poll_count,
            update_lock=in_flight.update_lock,
        )
        if error is not None:
            self.suspect_orphans(error, 0.0)
        return following

    async def _hand_back(
        self, in_flight: InFlightTask, reason: str, *, callback_after: int = 0, timeout: float | None = None
    ) -> None:
        """Hands the task back with the output and the log lines so far. Only a task with a delay shows the reason."""
        if self._listeners:
            self._listeners.emit(TaskHandedBack(self._worker_id, in_flight.task, reason))
        _, _, logs = in_flight.context.reported()
        result = hand_back(
            in_flight.task,
            worker_id=self._worker_id,
            callback_after=callback_after,
            reason=reason if callback_after else None,
            output=in_flight.context.output,
            logs=logs,
        )
        await self._host.result_sender.send(
            result,
            self._task_type,
            poll_count=in_flight.task.poll_count,
            timeout=timeout,
            update_lock=in_flight.update_lock,
        )
