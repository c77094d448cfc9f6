"""Starts with a dedupe key: one execution for each key, even if the response to a start is lost.

The open-source server ignores idempotency keys, so the client has to deduplicate. The key is stored as the correlation
id of the execution, by which the server can look executions up:

1. Look the key up. If an execution has it, that is the result.
2. Otherwise start one: `POST /workflow`.
3. If the outcome of the start is ambiguous (the connection broke, the time was up, the response is unreadable), the
   start is *unconfirmed*. Look the key up again and again, until an execution appears or the dedupe window ends.
4. If none has appeared, and the server answered the last lookup, send the start once more. The outcome of that may be
   ambiguous, too: then step 3 is repeated.
5. If the outcome is still unknown, raise `AmbiguousOutcomeError`. The executor remembers the key, so that the next call
   with it searches first (step 3). It sends no start while the server may still carry out the earlier one.

Two things make step 3 more than a loop:

- An overloaded server may carry the start out long after the window. If a lookup takes longer than a second, the start
  stays unconfirmed for ten times the slowest lookup.
- An execution may be *incomplete*: the server stores it first, and schedules its first task afterwards. If the start
  fails in between, the server removes the execution. If the server is killed in between, the execution stays RUNNING
  without a task for ever. So an incomplete execution has until the end of the window to get its first task. Then we ask
  the server to decide it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio

from conductor_async._backoff import Backoff
from conductor_async.config import RetryPolicy
from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    ClientClosedError,
    ConductorError,
    NotFoundError,
    RateLimitedError,
    ResponseDecodeError,
    ServerError,
    WrongEventLoopError,
)
from conductor_async.execution._start_lookup import StartLookup
from conductor_async.execution._start_request import with_dedupe_key
from conductor_async.execution._unconfirmed_starts import UnconfirmedStarts
from conductor_async.resources import WorkflowClient
from conductor_async.resources._worker_api import WorkerApi

if TYPE_CHECKING:
    from conductor_async._http.call import Api
    from conductor_async.execution._unconfirmed_starts import Key
    from conductor_async.models import StartWorkflowRequest

logger = logging.getLogger("conductor_async")

_LOOKUP_BACKOFF = Backoff(0.05, limit=2.0, jitter=0.0)
_MAX_STARTS = 2


class SafeStart:
    """Starts executions with dedupe keys, for one executor.

    Args:
        api: Sends the requests.

    Attributes:
        unconfirmed_starts: The starts whose outcome is unknown.
        locks: One lock for each key in use.
    """

    def __init__(self, api: Api) -> None:
        self.unconfirmed_starts = UnconfirmedStarts()
        # Without a lock, two concurrent starts with one key would both find nothing, and both start.
        self.locks: WeakValueDictionary[Key, anyio.Lock] = WeakValueDictionary()
        self._workflow_client = WorkflowClient(api)
        self._worker_api = WorkerApi(api)
        self._client = StartLookup(api, self.unconfirmed_starts)
        # The search is itself a loop of retries: its lookups should not be retried as well.
        self._probe_client = StartLookup(api.with_options(retry=RetryPolicy(max_attempts=1)), self.unconfirmed_starts)

    async def start(self, request: StartWorkflowRequest, dedupe_key: str, window: float) -> str:
        """Returns the id of the execution with this key: the existing one, or else a new one.

        Args:
            request: What to start. It is not changed.
            dedupe_key: Identifies the start.
            window: Seconds to search for the execution after a response was lost.

        Raises:
            AmbiguousOutcomeError: The response to a start was lost, and the search could not tell its outcome.
        """
        request = with_dedupe_key(request, dedupe_key)
        # The server takes the name from the definition, if the request carries one.
        name = request.workflow_def.name if request.workflow_def is not None else request.name
        key = (name, dedupe_key)
        lock = self.locks.setdefault(key, anyio.Lock())
        async with lock:
            found = await self._client.find(key)
            if found is not None and found.is_complete:
                workflow_id = found.workflow_id
            else:
                workflow_id = await self._start(request, key, window, incomplete=found is not None)
            self.unconfirmed_starts.resolve(key)
            return workflow_id

    async def _start(self, request: StartWorkflowRequest, key: Key, window: float, *, incomplete: bool) -> str:
        lost: ConductorError | None = None
        starts = 0
        while True:
            if starts or incomplete or self.unconfirmed_starts.pending(key, anyio.current_time()):
                logger.info("Searching for an unconfirmed start of workflow %r with the dedupe key %r", *key)
                workflow_id, uncertainty = await self._search(key, window)
                if workflow_id is not None:
                    return workflow_id
                if not may_repeat_start(starts, known_absent=uncertainty is None):
                    raise _unknown_outcome(lost, key, window, uncertainty)
                incomplete = False
            starts += 1
            try:
                return await self._send(request, key, window)
            except (AmbiguousOutcomeError, ResponseDecodeError) as error:
                lost = error
            except ConductorError as error:
                if starts > 1:
                    error.add_note("The response to an earlier start with this key was lost; no execution appeared.")
                raise

    async def _send(self, request: StartWorkflowRequest, key: Key, window: float) -> str:
        try:
            return await self._workflow_client.start_workflow(request)
        except (AmbiguousOutcomeError, ResponseDecodeError, anyio.get_cancelled_exc_class()):
            self.unconfirmed_starts.add(key, anyio.current_time(), window)
            raise

    async def _search(self, key: Key, window: float) -> tuple[str | None, ConductorError | str | None]:
        """Looks the key up until its execution has a task, or the window ends.

        Returns:
            The execution's id, or None if the search found none. In the latter case also the reason why one may exist
            nevertheless; None means that there certainly is none.
        """
        unconfirmed = self.unconfirmed_starts.get(key)
        started_at = anyio.current_time()
        lookups = 0
        incomplete: str | None = None
        uncertainty: ConductorError | str | None = None
        while (delay := delay_before_lookup(lookups, anyio.current_time() - started_at, window)) is not None:
            await anyio.sleep(delay)
            lookups += 1
            try:
                found = await self._probe_client.find(key)
            except (ClientClosedError, WrongEventLoopError) as error:
                return None, error  # no later lookup can succeed
            except ConductorError as error:
                uncertainty = error
                continue
            if found is not None and found.is_complete:
                return found.workflow_id, None
            incomplete = None if found is None else found.workflow_id
            uncertainty = None
        # A 404 may come from a gateway, so it does not prove that the execution is gone: only a lookup does.
        if incomplete is not None and (await self._trigger_decision(incomplete) or await self._client.find(key)):
            return incomplete, None
        if uncertainty is None and unconfirmed is not None and unconfirmed.expires_at > anyio.current_time():
            uncertainty = (
                f"the server is overloaded (a lookup took {unconfirmed.slowest_lookup:.1f} s) and may still carry the"
                " start out"
            )
        return None, uncertainty

    async def _trigger_decision(self, workflow_id: str) -> bool:
        """Asks the server to sweep an incomplete execution from now on, and to decide it: to schedule its first task.

        A server that was killed right after it had stored the execution does neither by itself. Only for the end of the
        window: a start that is still in progress may fail if the execution is decided at the same time.

        Returns:
            Whether the execution exists, as far as the server's answers tell.

        Raises:
            ConductorError: The requests could not be sent, or the server failed. A rejection is only logged.
        """
        logger.warning("Execution %s has no tasks yet: asking the server to decide it", workflow_id)
        for request in (self._worker_api.requeue, self._workflow_client.decide):
            try:
                await request(workflow_id)
            except (ServerError, RateLimitedError):
                raise
            except NotFoundError:
                return False
            except APIError as error:
                logger.warning(
                    "The server rejected a request to decide execution %s: %s. If it stays RUNNING without tasks, call"
                    " `decide`, or terminate it.",
                    workflow_id,
                    error,
                )
        return True


def delay_before_lookup(lookups: int, waited: float, window: float) -> float | None:
    """Returns the seconds until the next lookup of an unconfirmed start; None after the last one.

    The first lookup is immediate. The next ones follow after 50, 100, 200 ms and so on up to 2 s, and the last one when
    the window ends.

    Args:
        lookups: How many lookups have been made.
        waited: Seconds since the search began.
        window: Seconds for which to search.
    """
    if lookups == 0:
        return 0.0
    if waited >= window:
        return None
    return min(_LOOKUP_BACKOFF.ceiling(lookups), window - waited)


def may_repeat_start(starts: int, *, known_absent: bool) -> bool:
    """Returns whether to send a start (again) when the search has found no execution.

    If the server did not answer the lookups, or is overloaded, an execution may exist: a repeated start could be the
    second one.

    Args:
        starts: How many starts this call has sent.
        known_absent: Whether the server is known to have no execution with the key.
    """
    return known_absent and starts < _MAX_STARTS


def _unknown_outcome(
    lost: ConductorError | None, key: Key, window: float, uncertainty: ConductorError | str | None
) -> AmbiguousOutcomeError:
    name, dedupe_key = key
    reason = f"no execution with this key appeared within {window:g} s"
    if isinstance(uncertainty, ConductorError):
        reason = f"the lookup of this key failed ({uncertainty})"
    elif uncertainty is not None:
        reason += f", but {uncertainty}"
    error = AmbiguousOutcomeError(
        f"The outcome of the start of workflow {name!r} with the dedupe key {dedupe_key!r} is unknown: the response was"
        f" lost, and {reason}. Call again with the same key: it looks for the execution before it starts another one",
        method="POST",
        route="/workflow",
        attempts=lost.attempts if isinstance(lost, AmbiguousOutcomeError) else 1,
        workflow_name=name,
        correlation_id=dedupe_key,
    )
    error.__cause__ = uncertainty if isinstance(uncertainty, ConductorError) else lost
    return error
