"""What all commands have in common: what is due is done before them, and what they cause is done before they return."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from conductor_async.engine.core import Work
from conductor_async.engine.decider.loop import do_work
from conductor_async.engine.errors import EngineError, Invalid
from conductor_async.engine.events import handle_events
from conductor_async.engine.schedules.firing import fire

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.engine.core import Core
    from conductor_async.models import JsonObject

__all__ = ["VALIDATION_FAILED", "Commands", "bulk", "command"]

VALIDATION_FAILED = "Validation failed, check below errors for detail."

_MOST_AT_ONCE = 1000
_MOST_STEPS = 5_000
"""A part of a second."""

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Commands")


class Commands:
    """The state that commands work on, and the way in which they begin and end."""

    core: Core
    on_change: Callable[[str], None] | None = None
    on_queued: Callable[[str], None] | None = None
    _depth: int = 0

    def settle(self) -> None:
        """Do what is due now, then tell who waits for changes.

        An execution that goes on and on by itself is left after a while, and taken up by `run_due`.
        """
        core = self.core
        while True:
            core.steps_left -= 1
            if core.steps_left < 0:
                core.postponed += core.work
                core.work.clear()
                break
            if core.work:
                do_work(core, core.work.popleft())
                continue
            if core.events:
                handle_events(core)
                continue
            timer = core.timers.pop_due(core.now())
            if timer is None:
                break
            if timer.kind == "schedule":
                fire(core, timer.key, timer.due)
            else:
                do_work(core, Work(timer.kind, timer.key))
        self._notify()

    def _notify(self) -> None:
        changed, self.core.changed = self.core.changed, {}
        queued, self.core.queued = self.core.queued, {}
        if self.on_change is not None:
            for workflow_id in changed:
                self.on_change(workflow_id)
        if self.on_queued is not None:
            for name in queued:
                self.on_queued(name)


def command(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """Do what is due before the method and what it causes after it, also when it raises."""

    @functools.wraps(method)
    def wrapped(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._depth:
            return method(self, *args, **kwargs)
        self._depth += 1
        core = self.core
        core.steps_left = _MOST_STEPS
        try:
            self.settle()
            core.steps_left = _MOST_STEPS
            return method(self, *args, **kwargs)
        finally:
            try:
                self.settle()
            finally:
                self._depth -= 1

    return wrapped


def bulk(workflow_ids: list[str], method: str, action: Callable[[str], None]) -> JsonObject:
    """Do something to many executions. Returns a BulkResponse. `method` is what the server calls this."""
    problem = None
    if not workflow_ids:
        problem = "WorkflowIds list cannot be null."
    elif len(workflow_ids) > _MOST_AT_ONCE:
        problem = "Cannot process more than 1000 workflows. Please use multiple requests."
    if problem is not None:
        raise Invalid(VALIDATION_FAILED, [{"path": f"{method}.arg0", "message": problem}])
    errors: dict[str, str] = {}
    done: list[str] = []
    for workflow_id in workflow_ids:
        try:
            action(workflow_id)
            done.append(workflow_id)
        except EngineError as error:
            errors[workflow_id] = error.message
    return {"bulkErrorResults": errors, "bulkSuccessfulResults": done}
