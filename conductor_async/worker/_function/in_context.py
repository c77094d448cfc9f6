"""Running a coroutine in a context of its own, without starting an asyncio or trio task for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context

_T = TypeVar("_T")


class InContext(Generic[_T]):
    """Awaits a coroutine within a context: what it does to context variables stays in that context.

    Args:
        context: The context to run in. It must not be entered elsewhere meanwhile.
        coroutine: The coroutine. Await the object, or close the coroutine yourself.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, context: Context, coroutine: Coroutine[Any, Any, _T]) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, _T]:
        # `yield from` with each step run inside the context. A new task would do the same and cost much more.
        run, coroutine = self._context.run, self._coroutine
        send, throw = coroutine.send, coroutine.throw
        try:
            awaited = run(send, None)
            while True:
                try:
                    sent = yield awaited
                except BaseException as error:  # noqa: BLE001 - for the coroutine to handle: cancellation, for one
                    awaited = run(throw, error)
                else:
                    awaited = run(send, sent)
        except StopIteration as end:
            result: _T = end.value
            return result
