"""How much the expressions of one step of the engine may compute, before it gives up on them.

Expressions are evaluated in the event loop's thread, because nearly all are paths of a few names. The others (deep
scans, filters, functions) take as long as the document and the path make them.
"""

from __future__ import annotations

import time

__all__ = ["Budget", "OverBudgetError"]

_MAX_STEPS = 3_000_000
_MAX_CPU_SECONDS = 0.05
_MAX_WAIT_SECONDS = 0.06
_STEPS_BETWEEN_CHECKS = 1_000


class OverBudgetError(Exception):
    """The expressions of this step compute too much."""


class Budget:
    """What is left to compute. `refill` it for each step of the engine."""

    __slots__ = ("_began", "_next_check", "_steps", "wait_seconds")

    def __init__(self) -> None:
        self.refill()

    def refill(self) -> None:
        """Allows a new step to compute as much as the last."""
        self._steps = 0
        self._next_check = _STEPS_BETWEEN_CHECKS
        self._began: float | None = None
        self.wait_seconds: float = _MAX_WAIT_SECONDS

    def spend(self, steps: int = 1) -> None:
        """Counts values that are visited or compared, some before they are.

        Raises:
            OverBudgetError: They are too many, or have taken too much of the thread's time.
        """
        self._steps += steps
        if self._steps >= self._next_check:
            self._check()

    def _check(self) -> None:
        now = time.thread_time()  # a busy machine does not change what an expression evaluates to
        self._began = now if self._began is None else self._began
        if self._steps > _MAX_STEPS or now - self._began > _MAX_CPU_SECONDS:
            raise OverBudgetError
        self._next_check = self._steps + _STEPS_BETWEEN_CHECKS
