"""Which requests of a poller are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class PollTracker:
    """Numbers the requests of one poller that may bring tasks: polls, and results sent by update-v2.

    Args:
        task_type: What the poller polls for.
        worker_id: The worker id that it polls with.

    Attributes:
        last_sent: The number of the last request.
        suspected_until: While orphan recovery searches for tasks of this poller: when, on the host's clock, the server
            has surely ended all requests that failed. None: there is no search.
    """

    __slots__ = ("_under_way", "last_sent", "suspected_until", "task_type", "worker_id")

    def __init__(self, task_type: str, worker_id: str) -> None:
        self.task_type = task_type
        self.worker_id = worker_id
        self.last_sent = 0
        self.suspected_until: float | None = None
        self._under_way: set[int] = set()

    def request(self) -> _Request:
        """Returns a context manager to hold while a request is under way, and until its tasks are in flight."""
        self.last_sent += 1
        return _Request(self._under_way, self.last_sent)

    def has_ended(self, number: int) -> bool:
        """Returns whether all requests up to this one have ended."""
        return not self._under_way or min(self._under_way) > number


class _Request:
    __slots__ = ("_number", "_under_way")

    def __init__(self, under_way: set[int], number: int) -> None:
        self._under_way = under_way
        self._number = number

    def __enter__(self) -> None:
        self._under_way.add(self._number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._under_way.discard(self._number)
