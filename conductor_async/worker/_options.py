"""The options of a worker, and the checks of their values."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.config import seconds
from conductor_async.errors import ConfigurationError
from conductor_async.resources._worker_api import LONGEST_POLL

if TYPE_CHECKING:
    from datetime import timedelta

    from conductor_async.models import TaskDef


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a host runs a worker. All times are in seconds.

    Attributes:
        poll_interval: The minimum time from the start of one idle poll to the next; 0 polls without a pause.
        poll_timeout: How long a poll waits at the server for a task. None uses the host's.
        domain: Polls for tasks of this domain only.
        worker_id: The worker id that the server stores with the task. None uses the host's.
        concurrency: How many tasks run at once.
        register_task_def: Registers the task's definition when the host starts.
        task_def: The definition to register. None registers one with the server's defaults.
        overwrite_task_def: Replaces an existing definition.
        strict_schema: Fails tasks with inputs that the function has no parameter for.
        lease_extend_enabled: Extends the task's lease while the function runs.
        task_log_level: Copies what the function logs, from this level on, to the task's log. None uses the host's.
        paused: Does not poll. It can only be set in the environment: `CONDUCTOR_WORKER_ALL_PAUSED=true`.
    """

    poll_interval: float = 0.0
    poll_timeout: float | None = None
    domain: str | None = None
    worker_id: str | None = None
    concurrency: int = 1
    register_task_def: bool = False
    task_def: TaskDef | None = None
    overwrite_task_def: bool = True
    strict_schema: bool = False
    lease_extend_enabled: bool = True
    task_log_level: int | None = None
    paused: bool = False


def checked_poll_timeout(value: float | timedelta) -> float:
    """Returns a poll timeout in seconds.

    Raises:
        ConfigurationError: It is longer than the server allows, or not positive.
    """
    number = seconds(value, "poll_timeout")
    if number > LONGEST_POLL:
        raise ConfigurationError(
            f"poll_timeout is {number:g} seconds, but the server allows at most 5. It is in seconds here (in"
            f" conductor-python it is in milliseconds): did you mean {number / 1000:g}?"
        )
    return number


def checked_poll_interval(interval: float | timedelta | None, milliseconds: float | None) -> float:
    """Returns a poll interval in seconds.

    Raises:
        ConfigurationError: It is negative, or given in both units.
    """
    if interval is not None and milliseconds is not None:
        raise ConfigurationError("give poll_interval (seconds) or poll_interval_millis, not both")
    if milliseconds is not None:
        return seconds(milliseconds, "poll_interval_millis", positive=False) / 1000
    return 0.0 if interval is None else seconds(interval, "poll_interval", positive=False)


def checked_concurrency(concurrency: int | None, thread_count: int | None) -> int:
    """Returns the number of tasks that run at once.

    Raises:
        ConfigurationError: It is not a positive integer, or the two differ.
    """
    if concurrency is not None and thread_count is not None and concurrency != thread_count:
        raise ConfigurationError("concurrency and thread_count are two names of the same option: give one of them")
    number = next((each for each in (concurrency, thread_count) if each is not None), 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ConfigurationError(f"concurrency must be an integer of at least 1, not {number!r}")
    return number


def checked_log_level(level: int | str | None) -> int | None:
    """Returns the number of a level of the standard library's `logging`, given by name or number.

    Raises:
        ConfigurationError: There is no such level.
    """
    if level is None or (isinstance(level, int) and not isinstance(level, bool)):
        return level
    number = logging.getLevelNamesMapping().get(level.upper()) if isinstance(level, str) else None
    if number is None:
        raise ConfigurationError(f"task_log_level must be a level of logging, such as 'INFO', not {level!r}")
    return number
