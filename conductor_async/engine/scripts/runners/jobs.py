"""The jobs of one set of scripts: each runs in a child process, and is found again by those who come back for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conductor_async.engine.sandbox.job import Job, JobPending

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from conductor_async.engine.sandbox.pool import Pool
    from conductor_async.models import JsonValue

__all__ = ["Jobs"]

_MAX_UNCLAIMED = 1000
"""Results that nobody comes back for are dropped: their execution has ended meanwhile."""


class Jobs:
    """Runs jobs and keeps those that were not finished in time.

    Args:
        time_limit: Seconds that a job may take.
    """

    def __init__(self, time_limit: float) -> None:
        self.time_limit = time_limit
        self._pending: dict[Hashable, Job] = {}

    def run(self, pool: Pool, timeout: float | None, *arguments: str, data: JsonValue = None, **options: Any) -> Any:
        """Returns the result of a job.

        Args:
            pool: Runs it.
            timeout: Seconds to wait for the result; None: until it is there.
            arguments: The job's arguments.
            data: What the arguments are made of, to find the job again: the order of keys may change meanwhile.
            options: The job's options.

        Raises:
            JobPending: It was not finished within the timeout. The same call returns its result when it is finished.
            ComputationFailedError: The computation failed.
            LimitExceededError: It took too much time or memory.
            SandboxUnavailableError: The child process could not start.
        """
        job = self._pending.pop(_key(pool, arguments, data), None) if self._pending else None
        if job is None:
            job = Job(self.time_limit, arguments, options)
            pool.submit(job)
        elif timeout is not None:
            timeout = 0
        if not job.wait(timeout):
            self._keep(_key(pool, arguments, data), job)
            raise JobPending(job)
        return job.result()

    def _keep(self, key: Hashable, job: Job) -> None:
        if len(self._pending) >= _MAX_UNCLAIMED:
            oldest = next(iter(self._pending))
            self._pending.pop(oldest).cancel()
        self._pending[key] = job

    def cancel_all(self) -> None:
        """Ends the jobs that are not finished."""
        pending, self._pending = self._pending, {}
        for job in pending.values():
            job.cancel()


def _key(pool: Pool, arguments: Sequence[str], data: JsonValue) -> Hashable:
    if data is None:
        return id(pool), *arguments
    return id(pool), json.dumps(data, sort_keys=True)
