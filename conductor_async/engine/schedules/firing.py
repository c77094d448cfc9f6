"""Timers of schedules, and the executions that they start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import EngineError, Invalid
from conductor_async.engine.executions.start_checks import check_start_request
from conductor_async.engine.executions.starting import start
from conductor_async.engine.schedules.times import next_firing

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.models import JsonObject

__all__ = ["fire", "set_timer"]

_MAX_RUNS = 10_000


def set_timer(core: Core, schedule: JsonObject) -> None:
    """Sets the timer for the next firing of a schedule, if there is one."""
    if schedule["paused"] or core.schedules_paused:
        return
    following = next_firing(schedule, core.now())
    if following is not None:
        core.timers.add(following[0], "schedule", schedule["name"])


def fire(core: Core, name: str, due: int) -> None:
    """Starts the workflow of a schedule, and sets the timer for the next firing."""
    schedule = core.schedules.get(name)
    if schedule is None or schedule["paused"] or core.schedules_paused:
        return
    expected = next_firing(schedule, due - 1)
    if expected is None or expected[0] != due:
        return  # the schedule has been changed since the timer was set
    _start(core, schedule, due, expected[1])
    set_timer(core, schedule)


def _start(core: Core, schedule: JsonObject, due: int, cron: str) -> None:
    execution_id = core.ids.new()
    request: JsonObject = schedule["startWorkflowRequest"]
    run: JsonObject = {
        "executionId": execution_id,
        "scheduleName": schedule["name"],
        "scheduledTime": due,
        "executionTime": core.now(),
        "workflowName": request.get("name", ""),
        "startWorkflowRequest": request,
        "state": "EXECUTED",
        "zoneId": schedule["zoneId"],
    }
    values = {
        **request["input"],
        "_startedByScheduler": schedule["name"],
        "_scheduledTime": due,
        "_executedTime": core.now(),
        "_executionId": execution_id,
        "_schedulerCron": cron,
    }
    try:
        start_request = {**request, "input": values}
        check_start_request(core, start_request)
        run["workflowId"] = start(core, start_request)
    except EngineError as error:
        reason = _reason(error)
        run |= {"state": "FAILED", "reason": reason, "stackTrace": reason}
    core.schedule_runs.append(run)
    del core.schedule_runs[:-_MAX_RUNS]


def _reason(error: EngineError) -> str:
    problems = error.validation_errors if isinstance(error, Invalid) else []
    return ", ".join(f"{problem['path']}: {problem['message']}" for problem in problems) or error.message
