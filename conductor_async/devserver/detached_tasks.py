"""A task group that can be opened in one task and closed in another.

Notebook cells and test fixtures enter and leave a context in different tasks. A plain task group must be left by the
task that entered it, so this one is held by a task of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.abc import TaskGroup

__all__ = ["DetachedTaskGroup"]


class DetachedTaskGroup:
    """Runs coroutines until it is closed. If one raises, the others are cancelled, and `aclose` raises the error."""

    def __init__(self) -> None:
        self._group: TaskGroup | None = None
        self._closing = anyio.Event()
        self._closed = anyio.Event()
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None  # the event loop holds only weak references to tasks

    async def open(self) -> None:
        """Starts the task group."""
        opened = anyio.Event()
        if "trio" in type(anyio.lowlevel.current_token().native_token).__module__:
            import trio

            trio.lowlevel.spawn_system_task(self._run, opened, name="conductor_async")
        else:
            self._task = asyncio.get_running_loop().create_task(self._run(opened), name="conductor_async")
        await opened.wait()

    def start_soon(self, function: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Runs a coroutine function, unless the group is closed or was never opened."""
        if self._group is not None and not self._closing.is_set():
            self._group.start_soon(function, *args)

    async def aclose(self) -> None:
        """Cancels what runs and waits until it has ended. Idempotent.

        Raises:
            BaseException: What one of the coroutines raised; a group if there were several.
        """
        self._closing.set()
        if self._group is None:
            return
        self._group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._closed.wait()
        error, self._error = self._error, None
        if error is not None:
            raise error

    async def _run(self, opened: anyio.Event) -> None:
        try:
            async with anyio.create_task_group() as self._group:
                opened.set()
                await self._closing.wait()
        except BaseExceptionGroup as errors:
            self._error = errors.exceptions[0] if len(errors.exceptions) == 1 else errors
        finally:
            self._closed.set()
