"""A coroutine with context variables of its own, without an (asyncio or trio) task of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context

_T = TypeVar("_T")


class InContext(Generic[_T]):
    """Await it to run a coroutine within a context: what it does to context variables stays there.

    Args:
        context: The variables that it sees and sets. Nothing else may run in it meanwhile.
        coroutine: What to run. It must be awaited, or closed.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, context: Context, coroutine: Coroutine[Any, Any, _T]) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, _T]:
        run, coroutine = self._context.run, self._coroutine
        send, throw = coroutine.send, coroutine.throw
        try:
            awaited = run(send, None)
            while True:
                try:
                    answer = yield awaited
                except BaseException as error:  # noqa: BLE001 - it is the coroutine's: cancellation, for one
                    awaited = run(throw, error)
                else:
                    awaited = run(send, answer)
        except StopIteration as end:
            result: _T = end.value
            return result
