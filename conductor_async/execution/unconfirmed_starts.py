"""Starts whose answers were lost, and for how long each of them may still be on its way. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

_SLOW = 1.0
"""Seconds. A look that takes longer tells of a busy server."""

_SLOWER = 10.0
"""A start may take so many times as long as a look, on a busy server."""

Key = tuple[str, str]
"""A workflow's name, and the dedupe key."""


@dataclass
class UnconfirmedStart:
    """A start that may be on its way, or carried out, or neither.

    Attributes:
        since: When its answer was given up. All times are seconds on the event loop's clock.
        window: For how many seconds to look for it at least.
        slowest: Seconds that the slowest look for it has taken so far, answered or not.
    """

    since: float
    window: float
    slowest: float = 0.0

    @property
    def ends(self) -> float:
        """When it is sure that it is not carried out any more, if it has not shown up by then."""
        return self.since + max(self.window, _SLOWER * self.slowest if self.slowest > _SLOW else 0.0)


class UnconfirmedStarts:
    """What calls have left in doubt, by key. Those that have ended are forgotten."""

    def __init__(self) -> None:
        self._by_key: dict[Key, UnconfirmedStart] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, key: Key) -> UnconfirmedStart | None:
        """What there is of this key."""
        return self._by_key.get(key)

    def add(self, key: Key, now: float, window: float) -> None:
        """A start by this key is under way, or its answer was lost just now."""
        self._by_key = {each: doubt for each, doubt in self._by_key.items() if doubt.ends > now}
        self._by_key[key] = UnconfirmedStart(now, window)

    def resolve(self, key: Key) -> None:
        """It is known what became of it."""
        self._by_key.pop(key, None)
