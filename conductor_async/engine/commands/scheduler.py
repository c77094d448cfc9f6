"""Commands on schedules, which start workflows at the times of a cron expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conductor_async.engine.commands.base import Commands, bulk_response, command
from conductor_async.engine.definitions.requests import read_schedule
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.engine.rows.rendering import without_nulls
from conductor_async.engine.schedules.cron import BadCronExpression
from conductor_async.engine.schedules.firing import set_timer
from conductor_async.engine.schedules.run_query import run_filter
from conductor_async.engine.schedules.times import next_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conductor_async.engine.views.search import SearchOptions
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["SchedulerCommands"]


_MAX_NAMES = 1000
_RUN_FIELDS = frozenset({"scheduledTime", "executionTime", "scheduleName", "workflowName", "state"})


class SchedulerCommands(Commands):
    """Commands on schedules, which start workflows at the times of a cron expression."""

    # -- schedules -----------------------------------------------------------------------------------

    @command
    def save(self, schedule: JsonObject) -> JsonObject:
        """Creates or replaces a schedule. As on the server, its expression may be one that never fires."""
        wire = self._with_defaults(schedule)
        self.core.schedules[wire["name"]] = wire
        set_timer(self.core, wire)
        return wire

    @command
    def get(self, name: str) -> JsonObject:
        """Returns a schedule."""
        return self._known(name)

    @command
    def get_all(self, workflow_name: str | None = None) -> list[JsonObject]:
        """Returns all schedules, or those of a workflow."""
        schedules = list(self.core.schedules.values())
        return schedules if not workflow_name else [one for one in schedules if _workflow(one) == workflow_name]

    @command
    def search(
        self,
        *,
        workflow_name: str | None = None,
        schedule_name: str | None = None,
        paused: bool | None = None,
        free_text: str = "*",
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
    ) -> JsonObject:
        """Returns a SearchResult of schedules."""
        found = [
            one
            for one in self.get_all(workflow_name)
            if (not schedule_name or schedule_name.lower() in one["name"].lower())
            and (paused is None or one["paused"] == paused)
            and (free_text in {"", "*"} or free_text.lower() in one["name"].lower())
        ]
        return _page(_sorted(found, sort), start, size)

    @command
    def delete(self, name: str) -> None:
        """Removes a schedule."""
        self.core.schedules.pop(name, None)

    @command
    def pause(self, name: str, reason: str | None = None) -> None:
        """Pauses a schedule."""
        changes: JsonObject = {"paused": True, "updatedTime": self.core.now()}
        if reason is not None:
            changes["pausedReason"] = reason
        self.core.schedules[name] = {**self._known(name), **changes}

    @command
    def resume(self, name: str) -> None:
        """Resumes a schedule."""
        kept = {key: value for key, value in self._known(name).items() if key != "pausedReason"}
        wire = {**kept, "paused": False, "updatedTime": self.core.now()}
        self.core.schedules[name] = wire
        set_timer(self.core, wire)

    # -- many ----------------------------------------------------------------------------------------

    @command
    def bulk_pause(self, names: list[str]) -> JsonObject:
        """Pauses several schedules. Returns a BulkResponse."""
        return _bulk(names, "pauseSchedules", self.pause)

    @command
    def bulk_resume(self, names: list[str]) -> JsonObject:
        """Resumes several schedules. Returns a BulkResponse."""
        return _bulk(names, "resumeSchedules", self.resume)

    @command
    def pause_all(self) -> JsonObject:
        """Pauses the scheduler: no schedule fires, paused or not."""
        self.core.schedules_paused = True
        return {"status": "done"}

    @command
    def resume_all(self) -> JsonObject:
        """Resumes the scheduler: schedules fire that are not paused themselves."""
        self.core.schedules_paused = False
        for schedule in self.core.schedules.values():
            set_timer(self.core, schedule)
        return {"status": "done"}

    def requeue_all_execution_records(self) -> JsonObject:
        """Returns the runs that were requeued: none, as the engine never loses one."""
        return {"sampleIds": [], "recordIds.size": 0}

    # -- times and runs ------------------------------------------------------------------------------

    def get_next_few(
        self,
        cron_expression: str,
        *,
        schedule_start_time: int | None = None,
        schedule_end_time: int | None = None,
        limit: int = 5,
    ) -> list[int]:
        """Returns the next times of a cron expression, in epoch milliseconds."""
        after = max(self.core.now(), (schedule_start_time or 0) - 1)
        times: list[int] = []
        try:
            while len(times) < limit:
                following = next_time(cron_expression, times[-1] if times else after, "UTC")
                if following is None or (schedule_end_time and following > schedule_end_time):
                    break
                times.append(following)
        except BadCronExpression as error:
            msg = "Invalid cron expression"
            raise Refused(msg) from error
        return times

    @command
    def search_executions(self, **options: Unpack[SearchOptions]) -> JsonObject:
        """Returns a SearchResult of the runs, the latest first. As on the server, `free_text` is ignored."""
        runs = filter(run_filter(options.get("query")), reversed(self.core.schedule_runs))
        return _page(_sorted_runs(runs, options.get("sort")), options.get("start", 0), options.get("size", 100))

    # -- parts ---------------------------------------------------------------------------------------

    def _known(self, name: str) -> JsonObject:
        schedule = self.core.schedules.get(name)
        if schedule is None:
            msg = f"Schedule '{name}' not found"
            raise NotFound(msg)
        return schedule

    def _with_defaults(self, given: JsonObject) -> JsonObject:
        """Returns a schedule in the server's form, with all defaults."""
        given = read_schedule(given)
        request: JsonObject = given.get("startWorkflowRequest", {})
        for column, value in (("scheduler_name", given.get("name")), ("workflow_name", request.get("name"))):
            if value is None:
                msg = f"A NOT NULL constraint failed (NOT NULL constraint failed: scheduler.{column})"
                raise Refused(msg)
        _check_zone(given["zoneId"])
        known = self.core.schedules.get(given["name"], {})
        now = self.core.now()
        wire: JsonObject = {
            "name": given["name"],
            "cronExpression": given.get("cronExpression"),
            "runCatchupScheduleInstances": given["runCatchupScheduleInstances"],
            "paused": given["paused"],
            "pausedReason": given.get("pausedReason"),
            "startWorkflowRequest": request,
            "zoneId": given["zoneId"],
            "scheduleStartTime": given.get("scheduleStartTime"),
            "scheduleEndTime": given.get("scheduleEndTime"),
            "createTime": known.get("createTime", now),
            "updatedTime": now,
            "createdBy": "",
            "updatedBy": "",
            "description": given.get("description"),
            "cronSchedules": given["cronSchedules"],
        }
        return without_nulls(wire)


def _bulk(names: list[str], method: str, action: Callable[[str], None]) -> JsonObject:
    problem = None
    if not names:
        problem = "Schedule names list cannot be null."
    elif len(names) > _MAX_NAMES:
        problem = "Cannot process more than 1000 schedules. Please use multiple requests."
    if problem is not None:
        raise Invalid.of_errors([{"path": f"{method}.arg0", "message": problem}])
    return bulk_response(names, action)


def _workflow(schedule: JsonObject) -> str | None:
    name: str | None = schedule["startWorkflowRequest"].get("name")
    return name


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError) as error:
        msg = f"Unknown time-zone ID: {name}"
        raise Refused(msg) from error


def _sorted(found: list[JsonObject], sort: str | None) -> list[JsonObject]:
    for part in reversed((sort or "").split("|")):
        name, _, direction = part.partition(":")
        if name and all(name in one for one in found):

            def key(one: JsonObject, name: str = name) -> JsonValue:
                return one[name]

            found = sorted(found, key=key, reverse=direction.upper() == "DESC")
    return found


def _sorted_runs(runs: Iterable[JsonObject], sort: str | None) -> list[JsonObject]:
    """Returns runs in the order of `field:ASC`, or descending; by their scheduled time if the field is another."""
    name, _, direction = (sort or "").partition(":")
    field = name if name in _RUN_FIELDS else "scheduledTime"
    return sorted(runs, key=lambda run: run[field], reverse=direction.upper() != "ASC")


def _page(found: list[JsonObject], start: int, size: int) -> JsonObject:
    first = max(start, 0)
    return {"totalHits": len(found), "results": found[first : first + max(size, 0)]}
