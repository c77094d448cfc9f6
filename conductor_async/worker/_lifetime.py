"""One lifetime of a `WorkerHost`: from `start()` until everything has ended, in a task of its own."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio

from conductor_async._detached import DetachedTask, Interruption, wait_despite_cancellation
from conductor_async._type_guards import is_group
from conductor_async.worker._host_run import HostRun

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._host_run import HostOptions

logger = logging.getLogger("conductor_async")

_REQUEST_TIMEOUT = 10.0
"""Seconds for a request of a host, beside the wait of a poll. If it gives a poll up too soon, a task has no owner."""


class Lifetime:
    """A host while it starts, runs and stops. Awaitable: returns when it has ended, and raises what ended it.

    It runs in a task of its own, so that it may be left by another task than the one that entered it.

    Args:
        options: The host's options.
        api: Reaches the server.
        around: Context managers to hold while it runs.

    Attributes:
        run: The run, once it has begun.
        interruption: Ends what the caller does in its `async with`, if the host ends before that.
    """

    def __init__(self, options: HostOptions, api: WorkerApi, *around: AbstractContextManager[object]) -> None:
        self._options = options
        self._api = api
        self._around = around
        self._entered = ExitStack()
        self._stopping = anyio.Event()
        self._force_stop = anyio.Event()
        self._ended = anyio.Event()
        self._was_told = False
        self._task: DetachedTask[None] | None = None
        self._error: BaseException | None = None
        self.run: HostRun | None = None
        self.interruption: Interruption | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def begin(self) -> None:
        """Begins to run."""
        for each in self._around:
            self._entered.enter_context(each)
        self._task = DetachedTask(self._serve())

    def stop(self, *, at_once: bool = False) -> None:
        """Makes it stop, and returns at once."""
        self._was_told = True
        self._stopping.set()
        if at_once:
            self._force_stop.set()

    def end(self) -> None:
        """Ends it if it never began."""
        self._stopping.set()
        self._ended.set()

    async def wait_for_end(self) -> None:
        """Returns when it has ended, whatever ended it. Can be cancelled."""
        await self._ended.wait()

    async def finish(self, *, raises: bool = True) -> None:
        """Waits until it has ended, also when this is cancelled: results are on their way.

        Raises:
            BaseException: What ended it, if it did not just stop. Only once, and only if `raises`.
        """
        await wait_despite_cancellation(self._ended)
        error, self._error = self._error, None
        if error is not None and raises:
            raise error

    def __await__(self) -> Generator[Any, None, None]:
        return self.finish().__await__()

    async def _serve(self) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._stop_when_cancelled)
                with anyio.CancelScope(shield=True):  # a program that ends stops the host in the host's own way
                    await self._run_once()
                group.cancel_scope.cancel()
        except BaseException as error:  # noqa: BLE001 - raised by whoever leaves the host
            self._error = _innermost(error)
            logger.error(
                "The worker host %s has ended: %s: %s", self._options.worker_id, type(error).__name__, self._error
            )
            if self.interruption is not None and not self._was_told:
                self.interruption.interrupt(self._error)
        finally:
            self._entered.close()
            self.end()

    async def _stop_when_cancelled(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self._stopping.set()

    async def _run_once(self) -> None:
        async with self._api.dedicated(self._options.connections, timeout=_REQUEST_TIMEOUT) as api:
            run = self.run = HostRun(self._options, api, self._stopping, self._force_stop)
            await run.run()


def _innermost(error: BaseException) -> BaseException:
    """Returns the only error in nested groups of one, or the group that has several."""
    return _innermost(error.exceptions[0]) if is_group(error) and len(error.exceptions) == 1 else error
