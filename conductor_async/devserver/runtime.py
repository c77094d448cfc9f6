"""What makes an engine go by itself: its time, the work it leaves to others, and those who wait for it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.lowlevel

from conductor_async.devserver.detached_tasks import DetachedTaskGroup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from conductor_async.devserver.virtual_clock import VirtualClock
    from conductor_async.engine import Engine, ExternalWork
    from conductor_async.models import JsonObject

__all__ = ["Outcome", "Runtime"]

logger = logging.getLogger("conductor_async")

_QUIET = 0.001
"""Real seconds in which nothing may have happened before time is skipped."""


class Outcome(NamedTuple):
    """What became of work that the engine left to others."""

    status: str
    output: JsonObject | None = None
    reason: str | None = None


class Runtime:
    """Runs an engine on the event loop.

    Args:
        engine: The engine. It has to go by `time`.
        time: What time it is.
        perform: Does the work that the engine leaves to others. Returning None leaves a task as it is, until its
            timeouts end it.

    Attributes:
        engine: The engine.
        time: What time it is.
        closing: Whether those who wait are to be answered now.
    """

    def __init__(
        self, engine: Engine, time: VirtualClock, perform: Callable[[ExternalWork], Awaitable[Outcome | None]]
    ) -> None:
        self.engine = engine
        self.time = time
        self.closing = False
        self._perform = perform
        self._background = DetachedTaskGroup()
        self._queue_waits: dict[str, set[anyio.Event]] = {}
        self._change_waits: dict[str, set[anyio.Event]] = {}
        self._earlier = anyio.Event()
        self._planned: float | None = None
        self._busy = 0
        self._pulse = 0
        self._asked = False
        engine.on_queued = self._queued
        engine.on_change = self._changed
        time.on_sooner = self._plan
        time.on_activity = self.note_activity

    async def open(self) -> None:
        """Starts to keep the time."""
        await self._background.open()
        self._background.start_soon(self._keep_time)

    def answer_all(self) -> None:
        """Has every request that waits be answered now; those that come later do not wait."""
        self.closing = True
        for waits in (self._queue_waits, self._change_waits):
            for events in list(waits.values()):
                for event in events:
                    event.set()

    async def aclose(self) -> None:
        """Answers those who wait and ends all that runs here.

        Raises:
            BaseException: What went wrong in the background.
        """
        self.answer_all()
        await self._background.aclose()

    # -- after every command -----------------------------------------------------------------------

    def note_activity(self) -> None:
        """Something was done that time must not overtake."""
        self._pulse += 1

    def note_request(self) -> None:
        """Somebody asked for something else than a task."""
        self._asked = True

    def settle(self) -> None:
        """To be called when the engine may have changed: starts what it leaves to others, and looks at its timers."""
        engine = self.engine
        if engine.external_work:
            work, engine.external_work[:] = list(engine.external_work), ()
            for each in work:
                self._busy += 1
                self._background.start_soon(self._do, each)
        due = engine.next_due()
        if due is not None:
            self._plan(due)

    async def _do(self, work: ExternalWork) -> None:
        try:
            outcome = await self._perform(work)
        finally:
            self._busy -= 1
            self._pulse += 1
        if outcome is not None:
            with _not_fatal(f"The end of task {work.task_id}"):
                self.engine.complete_external(
                    work.task_id, status=outcome.status, output=outcome.output, reason=outcome.reason
                )
            self.settle()

    @contextmanager
    def idle(self) -> Generator[None]:
        """Held by work that only waits for others meanwhile: it does not keep time from being skipped."""
        self._busy -= 1
        try:
            yield
        finally:
            self._busy += 1

    # -- waiting for the engine ---------------------------------------------------------------------

    @contextmanager
    def queued(self, task_type: str, domain: str | None) -> Generator[anyio.Event]:
        """An event that is set when a task of this type has become ready."""
        with _listed(self._queue_waits, f"{domain}:{task_type}" if domain else task_type) as event:
            yield event

    @contextmanager
    def changed(self, workflow_id: str) -> Generator[anyio.Event]:
        """An event that is set when the execution, or one below it, has changed."""
        with _listed(self._change_waits, workflow_id) as event:
            yield event

    def _queued(self, queue: str) -> None:
        self._pulse += 1
        for event in self._queue_waits.get(queue, ()):
            event.set()

    def _changed(self, workflow_id: str) -> None:
        self._pulse += 1
        around: str | None = workflow_id
        while self._change_waits and around is not None:  # who waits for an execution waits for those below it too
            for event in self._change_waits.get(around, ()):
                event.set()
            around = self.engine.workflows.get_parent(around)

    # -- time --------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Moves time on, timer by timer. Returns when all that was due has been done and attached hosts rest again.

        Tasks that run when it is called need not have ended: a worker may call it.
        """
        before = self._unrest()
        until = self.time.now() + seconds
        await self._rest(before)
        while (due := self._next_due()) is not None and due <= until:
            self._move_to(due)
            await self._rest(before)
        self._move_to(until)
        await self._rest(before)

    def _unrest(self) -> int:
        return self._busy + self.time.pending_work

    async def _rest(self, pending_work: int) -> None:
        """Returns when for a moment nothing has happened, and nothing goes on that did not before."""
        while True:
            pulse = self._pulse
            await anyio.sleep(_QUIET)
            if self._pulse == pulse and self._unrest() <= pending_work and (pending_work or not self._has_takers()):
                return

    async def _keep_time(self) -> None:
        while True:
            due = self._next_due()
            wait = None if due is None else due - self.time.now()
            if wait is not None and wait <= 0:
                self._move_to(self.time.now())
                await anyio.lowlevel.checkpoint()
            elif wait is None or due is None or self.time.kind == "manual":
                await self._until_planned(due, None)
            elif self.time.kind == "real":
                await self._until_planned(due, wait)
            else:
                await self._skip(due, wait)

    async def _skip(self, due: float, wait: float) -> None:
        """Jumps to `due` if nobody needs the time until then."""
        pulse = self._pulse
        await self._until_planned(due, min(wait, _QUIET))
        if self._pulse != pulse or self._next_due() != due or not self._may_skip():
            return
        if self.engine.next_due() == due and self.engine.next_is_schedule():
            # A schedule has no end. Unless somebody has looked since it fired last, it does not fire again.
            if not self._asked:
                return
            self._asked = False
        self._move_to(due)

    def _may_skip(self) -> bool:
        """Whether nothing goes on, and something waits for time to pass: a host that merely sleeps is no reason."""
        if self._unrest() or self._has_takers():
            return False
        return self.engine.next_due() is not None or self.time.next_due(at_server=True) is not None

    def _has_takers(self) -> bool:
        """Whether an attached host is about to get a task."""
        return any(self.engine.tasks.has_ready(task_type, domain) for task_type, domain in self.time.attached)

    def _next_due(self) -> float | None:
        """When something is to be done next: a timer of the engine's, or a sleeper to be woken."""
        dues = [due for due in (self.engine.next_due(), self.time.next_due()) if due is not None]
        return min(dues, default=None)

    def _move_to(self, when: float) -> None:
        self.time.move_to(when)
        with _not_fatal("What was due"):
            self.engine.run_due()
        self._pulse += 1
        self.settle()

    def _plan(self, due: float) -> None:
        """Wakes the keeper of the time if it would wake too late for this."""
        if self._planned is None or due < self._planned:
            self._planned = due
            self._earlier.set()

    async def _until_planned(self, due: float | None, seconds: float | None) -> None:
        self._planned = due
        self._earlier = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._earlier.wait()


@contextmanager
def _not_fatal(what: str) -> Generator[None]:
    """The boundary of what the engine does on its own: where one execution breaks it, the others go on."""
    try:
        yield
    except Exception:
        logger.exception("%s broke the embedded Conductor", what)


@contextmanager
def _listed(waits: dict[str, set[anyio.Event]], key: str) -> Generator[anyio.Event]:
    event = anyio.Event()
    waits.setdefault(key, set()).add(event)
    try:
        yield event
    finally:
        listed = waits[key]
        listed.discard(event)
        if not listed:
            del waits[key]
