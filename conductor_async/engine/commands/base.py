"""How a command runs: what is due is done before it, and what it causes is done before it returns."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from conductor_async.engine.core import Work
from conductor_async.engine.decider.work import do_work
from conductor_async.engine.errors import EngineError
from conductor_async.engine.events import handle_events, handle_parked
from conductor_async.engine.schedules.firing import fire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conductor_async.engine.core import Core
    from conductor_async.models import JsonObject

__all__ = ["CommandRunner", "Commands", "bulk_response", "command"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Commands")


class CommandRunner:
    """Runs commands one at a time, each between two passes over the pending work.

    Attributes:
        on_change: Called with an execution's id when it has changed.
        on_queued: Called with a queue's name (`type` or `domain:type`) when a task in it has become ready.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.on_change: Callable[[str], None] | None = None
        self.on_queued: Callable[[str], None] | None = None
        self._is_running = False

    def run(self, action: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs a command. A command that calls another one is one command."""
        if self._is_running:
            return action(*args, **kwargs)
        self._is_running = True
        self.core.slice.begin()
        try:
            self.run_pending()
            return action(*args, **kwargs)
        finally:
            try:
                self.run_pending()  # a command that raised may have caused work too
            finally:
                self._is_running = False

    def run_pending(self) -> None:
        """Does what is due now, then notifies the listeners.

        Work beyond the time slice is postponed: `next_due` is then now, and `run_due` continues it.
        """
        while self.core.take_step():
            if not self._run_next():
                break
        else:
            self.core.postpone_work()
        self._notify()

    def _run_next(self) -> bool:
        """Does one piece of work, or returns False if none is due. The consequences of a command go before timers."""
        core = self.core
        if core.work:
            work = core.work.popleft()
            if work.kind == "event":
                handle_parked(core, work.key)
            else:
                do_work(core, work)
        elif core.events:
            handle_events(core)
        elif (timer := core.timers.pop_due(core.now())) is None:
            return False
        elif timer.kind == "schedule":
            fire(core, timer.key, timer.due)
        else:
            do_work(core, Work(timer.kind, timer.key))
        return True

    def _notify(self) -> None:
        changed, self.core.changed = self.core.changed, {}
        queued, self.core.queued = self.core.queued, {}
        for names, listener in ((changed, self.on_change), (queued, self.on_queued)):
            if listener is not None:
                for name in names:
                    listener(name)


class Commands:
    """The commands on one resource of the REST API."""

    def __init__(self, runner: CommandRunner) -> None:
        self.runner = runner
        self.core: Core = runner.core


def command(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """Makes a method a command: see `CommandRunner.run`."""

    @functools.wraps(method)
    def wrapped(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.runner.run(method, self, *args, **kwargs)

    return wrapped


def bulk_response(keys: Sequence[str], action: Callable[[str], None]) -> JsonObject:
    """Does something for each key. Returns a BulkResponse: the keys done, and the others with their errors."""
    errors: dict[str, str] = {}
    done: list[str] = []
    for key in keys:
        try:
            action(key)
            done.append(key)
        except EngineError as error:
            errors[key] = error.message
    return {"bulkErrorResults": errors, "bulkSuccessfulResults": done}
