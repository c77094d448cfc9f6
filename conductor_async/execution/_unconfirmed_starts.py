"""Starts whose outcome is unknown, and for how long the server may still carry each of them out. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

_SLOW_LOOKUP = 1.0
"""Seconds. A lookup that takes longer means that the server is overloaded."""

_SLOWEST_LOOKUPS = 10.0
"""On an overloaded server, a start may take this many times as long as the slowest lookup."""

Key = tuple[str, str]
"""The name of a workflow, and the dedupe key."""


@dataclass(slots=True)
class UnconfirmedStart:
    """A start without a response: the server has carried it out, will carry it out, or never received it.

    Attributes:
        since: When the response was lost. All times are seconds on the event loop's clock.
        window: How long to search for the execution at least, in seconds.
        slowest_lookup: Seconds that the slowest lookup has taken so far, whether it was answered or failed.
    """

    since: float
    window: float
    slowest_lookup: float = 0.0

    @property
    def expires_at(self) -> float:
        """When the server cannot carry the start out any more, if the execution has not appeared by then."""
        overload = _SLOWEST_LOOKUPS * self.slowest_lookup if self.slowest_lookup > _SLOW_LOOKUP else 0.0
        return self.since + max(self.window, overload)


class UnconfirmedStarts:
    """The unconfirmed starts of one executor by key. It forgets those that have expired."""

    def __init__(self) -> None:
        self._by_key: dict[Key, UnconfirmedStart] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Key) -> UnconfirmedStart | None:
        """Returns the unconfirmed start of this key, expired or not."""
        return self._by_key.get(key)

    def pending(self, key: Key, now: float) -> UnconfirmedStart | None:
        """Returns the unconfirmed start of this key if the server may still carry it out."""
        start = self._by_key.get(key)
        return start if start is not None and start.expires_at > now else None

    def add(self, key: Key, now: float, window: float) -> None:
        """Remembers that the response to a start of this key was lost just now."""
        self._by_key = {each: start for each, start in self._by_key.items() if start.expires_at > now}
        self._by_key[key] = UnconfirmedStart(now, window)

    def record_lookup(self, key: Key, duration: float) -> None:
        """Records how many seconds a lookup of this key took."""
        if (start := self._by_key.get(key)) is not None:
            start.slowest_lookup = max(start.slowest_lookup, duration)

    def resolve(self, key: Key) -> None:
        """Forgets the key: the outcome of its start is known."""
        self._by_key.pop(key, None)
