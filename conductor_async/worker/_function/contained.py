"""Awaiting a coroutine of the user's so that nothing which it raises, of whatever class, can end the host."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from types import TracebackType

_T = TypeVar("_T")

_RAISE = dis.opmap["RAISE_VARARGS"]
_SIGNAL_HANDLERS = ("asyncio", "trio", "signal")


class Contained(Generic[_T]):
    """Awaits a coroutine, and gives what it returns, or what it raises, as a pair: one of the two is None.

    `GeneratorExit`, `KeyboardInterrupt` and `SystemExit` end an event loop if they leave a task. Here, they are values
    like any other exception; so is the cancellation that the host throws in, for the host to raise again.

    Args:
        coroutine: The coroutine. Await the object, or close the coroutine yourself.
    """

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, _T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, tuple[_T | None, BaseException | None]]:
        # `yield from` would not tell a GeneratorExit of the coroutine's own from one that closes this generator.
        coroutine = self._coroutine
        send, argument = coroutine.send, None
        while True:
            try:
                awaited = send(argument)
            except StopIteration as end:
                return end.value, None
            except BaseException as error:  # noqa: BLE001 - the boundary of user code
                return None, error
            try:
                argument = yield awaited
                send = coroutine.send
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - for the coroutine to handle: cancellation, for one
                send, argument = coroutine.throw, error


def is_interrupt(error: BaseException) -> bool:
    """Returns whether Ctrl-C raised it: not a `raise` statement of the user's, but a signal handler."""
    trace: TracebackType | None = error.__traceback__
    if not isinstance(error, KeyboardInterrupt) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    # Python's own handler has no frame: the interrupt seems to come from whatever instruction was running.
    return module in _SIGNAL_HANDLERS or trace.tb_frame.f_code.co_code[trace.tb_lasti] != _RAISE
