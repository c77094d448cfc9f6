"""One job of a sandbox, and its outcome."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConductorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["ComputationFailedError", "Job", "JobPending", "LimitExceededError", "SandboxUnavailableError"]


class ComputationFailedError(ConductorError):
    """What was to be computed failed by itself: its message is the library's."""


class LimitExceededError(ConductorError):
    """The job took too long or too much memory, and its process was ended.

    Attributes:
        resource: "time" or "memory".
    """

    def __init__(self, resource: str) -> None:
        super().__init__(f"The computation exceeded its limit of {resource}.")
        self.resource = resource


class SandboxUnavailableError(ConductorError):
    """The child process cannot start, or its library is not installed.

    Attributes:
        is_library_missing: Whether it is the library.
    """

    def __init__(self, message: str, *, is_library_missing: bool = False) -> None:
        super().__init__(message)
        self.is_library_missing = is_library_missing


class JobPending(Exception):  # noqa: N818 - an outcome, no error
    """A job is not finished yet. Ask again, in the same words, when it is.

    Attributes:
        job: The job: `wait()` returns when it is finished.
    """

    def __init__(self, job: Job) -> None:
        super().__init__("The job is not finished yet.")
        self.job = job


@dataclass(slots=True, eq=False)
class Job:
    """Something to compute, in a child process.

    Attributes:
        time_limit: The seconds that it may take.
        arguments: Its positional arguments.
        options: Its keyword arguments.
        cancelled: Whether nobody wants the result any more.
    """

    time_limit: float
    arguments: Sequence[Any]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cancelled: bool = False
    _finished: threading.Event = field(default_factory=threading.Event)
    _value: Any = None
    _error: ConductorError | None = None
    _cancel: Callable[[], object] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_finished(self) -> bool:
        """Whether `result` returns at once."""
        return self._finished.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Blocks until the job is finished, or the seconds are over. Returns whether it is finished."""
        return self._finished.wait(seconds)

    def result(self) -> Any:
        """Returns the result, when the job is finished.

        Raises:
            ComputationFailedError: The computation failed.
            LimitExceededError: It took too much time or memory.
            SandboxUnavailableError: The child process could not start.
        """
        self._finished.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """Ends the job if it runs, and keeps it from running if it does not."""
        with self._lock:  # once a job is finished, its process may run another one
            self.cancelled = True
            if self._cancel is not None:
                self._cancel()

    def begin(self, cancel: Callable[[], object]) -> None:
        """Notes how the job can be ended, now that it runs."""
        with self._lock:
            self._cancel = cancel
            if self.cancelled:
                cancel()

    def finish(self, value: Any = None, error: ConductorError | None = None) -> None:
        """Sets the outcome, and wakes those who wait."""
        with self._lock:
            self._cancel = None
        self._value, self._error = value, error
        self._finished.set()
