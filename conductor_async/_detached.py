"""Runs a coroutine in an asyncio or trio task of its own, outside of every task group and cancel scope.

Two kinds of code need this. A context that may be left by another task than the one that entered it cannot hold a task
group. And code that is not ours must not share a task with the host: what it leaves open (cancel scopes, timeouts,
task groups of a generator that was not run to its end) would act on whatever runs in that task next.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context

_T = TypeVar("_T")

_PLUMBING = ("asyncio", "anyio", "trio", "conductor_async")
"""Packages in which a coroutine may wait, and which say nothing of whose it is."""


def is_trio() -> bool:
    """Returns whether the running event loop is trio's."""
    return "trio" in type(anyio.lowlevel.current_token().native_token).__module__


class DetachedTask(Generic[_T]):
    """A coroutine in a task of its own.

    Args:
        coroutine: The coroutine.
        context: The context that it runs in. By default a copy of the current one.
        trio: Whether the event loop is trio's. By default it is looked up.

    Attributes:
        result: What the coroutine returned; None before it has ended, or if it did not return.
        error: What it raised, if it did.
        has_ended: Whether it has returned, raised, or was left behind.
    """

    __slots__ = ("_ended", "_is_left_behind", "_task", "coroutine", "error", "has_ended", "result")

    def __init__(
        self, coroutine: Coroutine[Any, Any, _T], context: Context | None = None, *, trio: bool | None = None
    ) -> None:
        self.coroutine = coroutine
        self.result: _T | None = None
        self.error: BaseException | None = None
        self.has_ended = False
        self._is_left_behind = False
        self._ended: anyio.Event | None = None
        context = copy_context() if context is None else context
        if is_trio() if trio is None else trio:
            self._task: _TrioTask | asyncio.Task[None] = _TrioTask(self._run, self._on_end, context)
        else:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="conductor_async", context=context)
            self._task.add_done_callback(self._on_end)  # a task that is cancelled before its first step never runs

    async def wait(self) -> None:
        """Returns when the coroutine has ended. It does not raise what the coroutine raised."""
        if not self.has_ended:
            if self._ended is None:
                self._ended = anyio.Event()
            await self._ended.wait()

    def cancel(self) -> None:
        """Cancels the coroutine: once on asyncio, so that its cleanup can await; at each checkpoint on trio."""
        self._task.cancel()

    def leave_behind(self) -> None:
        """Ends the task although the coroutine goes on after it was cancelled: it is not resumed any more."""
        if not self.has_ended and not self._is_left_behind:
            self._is_left_behind = True
            _make_immortal(self.coroutine)
            self._task.cancel()
            self._on_end()

    def position(self) -> str:
        """Returns the line at which the coroutine waits, as `file:line`."""
        awaited: Any = self.coroutine
        line = "an unknown line"
        while awaited is not None:
            frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
            if frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] not in _PLUMBING:
                line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
        return line

    async def _run(self) -> None:
        try:
            self.result = await self
        except BaseException as error:
            self.error = error
            if isinstance(error, KeyboardInterrupt):
                raise  # Ctrl-C is for the program

    def __await__(self) -> Generator[Any, Any, _T]:
        # `yield from` that can stop resuming the coroutine.
        send, throw = self.coroutine.send, self.coroutine.throw
        try:
            awaited = send(None)
            while True:
                try:
                    sent = yield awaited
                    self._check_that_it_is_wanted()  # on trio, a cancellation is sent, too
                except BaseException as error:  # noqa: BLE001 - for the coroutine to handle: cancellation, for one
                    self._check_that_it_is_wanted()
                    awaited = throw(error)
                else:
                    awaited = send(sent)
        except StopIteration as end:
            result: _T = end.value
            return result

    def _check_that_it_is_wanted(self) -> None:
        if self._is_left_behind:
            raise _LeftBehindError

    def _on_end(self, _: object = None) -> None:
        self.has_ended = True
        if not self._is_left_behind:
            self.coroutine.close()  # it has ended, or has never begun
        if self._ended is not None:
            self._ended.set()


class _LeftBehindError(BaseException):
    """Ends the task of a coroutine that does not end."""


class _TrioTask:
    """A system task of trio, which has no parent among the tasks of the program."""

    def __init__(
        self, function: Callable[[], Coroutine[Any, Any, None]], on_end: Callable[[], object], context: Context
    ) -> None:
        import trio

        self._function = function
        self._on_end = on_end
        self._scope = trio.CancelScope()
        trio.lowlevel.spawn_system_task(self._run, name="conductor_async", context=context)

    def cancel(self) -> None:
        self._scope.cancel()

    async def _run(self) -> None:
        import trio

        try:
            with self._scope:
                # Another task, because our scope could not be left in one that has a scope of the function open.
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_protected_from_interrupts(), self._function)
        except BaseException:  # noqa: BLE001, S110 - trio complains of a nursery that the function left open
            pass
        finally:
            self._on_end()


@functools.cache
def _protected_from_interrupts() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]]:
    """Returns a function that calls another one in which Ctrl-C raises nothing: it is for the program's main task."""
    import trio

    @trio.lowlevel.enable_ki_protection
    async def call(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await function()

    return call


class Interruption:
    """Can end what the current task does between here and `leave()`.

    It may be left by another task, and then does not.
    """

    __slots__ = ("_cancelling", "_cause", "_scope", "_task", "_task_id")

    def __init__(self) -> None:
        self._cause: BaseException | None = None
        self._task_id = anyio.get_current_task().id
        # Not a scope on asyncio: a task that left it open would be cancelled without end.
        self._scope = anyio.CancelScope().__enter__() if is_trio() else None
        self._task = None if self._scope is not None else asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()

    def interrupt(self, cause: BaseException) -> None:
        """Cancels the task."""
        self._cause = cause
        if self._scope is not None:
            self._scope.cancel()
        elif self._task is not None:
            self._task.cancel()

    def leave(self, error: BaseException | None) -> BaseException | None:
        """Ends it. Returns the cause if the exception that leaves the context is this cancellation, else None."""
        if anyio.get_current_task().id != self._task_id:
            return None
        if self._scope is not None:
            is_ours = self._scope.__exit__(
                type(error) if error else None, error, error.__traceback__ if error else None
            )
        else:
            is_ours = self._cause is not None and self._task is not None and self._task.uncancel() <= self._cancelling
            is_ours = is_ours and isinstance(error, asyncio.CancelledError)
        return self._cause if is_ours and error is not None else None


def _make_immortal(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Keeps a coroutine from ever being finalized, the end of the interpreter included.

    That would close it: throw an exception into code that may ignore it, and then go on for ever.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(coroutine))


async def wait_despite_cancellation(event: anyio.Event) -> None:
    """Returns when the event is set. Cancellation is raised after that."""
    cancelled: BaseException | None = None
    with anyio.CancelScope(shield=True):
        while not event.is_set():
            try:
                await event.wait()
            except anyio.get_cancelled_exc_class() as error:  # asyncio's own: the shield holds off anyio's
                cancelled = error
    if cancelled is not None:
        raise cancelled
