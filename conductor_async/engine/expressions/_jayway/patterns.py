"""Regular expressions in filters: matched here if they cannot take long, else in a child process that can be ended."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.expressions.budget import OverBudgetError
from conductor_async.engine.sandbox.job import ComputationFailedError, Job, LimitExceededError, SandboxUnavailableError
from conductor_async.engine.sandbox.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.expressions.budget import Budget

__all__ = ["compile_pattern", "matches"]

_POOL = Pool("regex")
_MAX_STEPS_HERE = 20_000
_START_SECONDS = 2


def compile_pattern(text: str, flags: re.RegexFlag) -> re.Pattern[str]:
    """Returns the compiled pattern. If it may take long, it gets a child process ready.

    Raises:
        re.error: The text is no pattern.
    """
    pattern = re.compile(text, flags)
    if _choices(text, pattern.flags) is None:
        _POOL.warm_up()
    return pattern


def matches(pattern: re.Pattern[str], texts: Sequence[str], budget: Budget) -> bool:
    """Returns whether the pattern matches the whole of any of the texts.

    Raises:
        OverBudgetError: It took too long.
    """
    steps = _most_steps(pattern, sum(map(len, texts)))
    if steps is not None and steps <= _MAX_STEPS_HERE:
        budget.spend(1 + steps // 10)
        return any(pattern.fullmatch(text) for text in texts)
    return _matches_in_child(pattern, texts, budget)


def _matches_in_child(pattern: re.Pattern[str], texts: Sequence[str], budget: Budget) -> bool:
    budget.spend(100)
    _POOL.wait_until_warm(_START_SECONDS)  # happens once in a process, whatever the pattern
    job = Job(max(budget.wait_seconds, 0.001), [pattern.pattern, int(pattern.flags & ~re.UNICODE), list(texts)])
    began = time.monotonic()
    _POOL.submit(job)
    is_finished = job.wait(budget.wait_seconds)
    budget.wait_seconds = max(0.0, budget.wait_seconds - (time.monotonic() - began))
    if not is_finished:
        job.cancel()
        raise OverBudgetError
    try:
        found: bool = job.result()
    except (ComputationFailedError, LimitExceededError, SandboxUnavailableError):
        raise OverBudgetError from None
    return found


def _most_steps(pattern: re.Pattern[str], length: int) -> int | None:
    choices = _choices(pattern.pattern, pattern.flags)
    return None if choices is None else (length + 1) ** choices[0] * 2 ** choices[1]


@lru_cache(maxsize=1024)
def _choices(pattern: str, flags: int) -> tuple[int, int] | None:
    """Returns how many quantifiers and alternatives a pattern has; None if a group may be repeated or referred to.

    Each quantifier multiplies the steps of a match by the length of the text at most; each alternative doubles them.
    """
    plain = _CLASSES.sub("x", pattern)
    if flags & re.VERBOSE or _REPEATED_OR_REFERRED.search(plain):
        return None
    return len(_QUANTIFIERS.findall(plain)), plain.count("|")


_CLASSES = re.compile(r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED_OR_REFERRED = re.compile(r"\)\s*[*+?{]|\\[1-9]|\(\?[P(]|\(\?#")
_QUANTIFIERS = re.compile(r"(?<!\()[*+?{]")
