"""Schedules: when they fire, and with what input."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import NotFound, Refused
from tests.engine.bench import Bench, set_variable


def _save(bench: Bench, cron: str | None = "*/2 * * * * *", **fields: object) -> dict:
    bench.register("w", set_variable("s", got="${workflow.input}"))
    request = {"name": "w", "version": 1, "input": {"a": 1}, "correlationId": "sc"}
    schedule = {"name": "tick", "cronExpression": cron, "startWorkflowRequest": request, **fields}
    return bench.engine.schedules.save(schedule)


def _started(bench: Bench) -> list[dict]:
    return [bench.execution(one) for one in bench.engine.core.store.executions]


def test_a_schedule_adds_the_servers_input_values(bench: Bench) -> None:
    _save(bench)
    start = round(bench.clock.now() * 1000)
    bench.pass_time(4)
    first, second = _started(bench)
    assert first["correlationId"] == "sc"
    values = first["input"]
    assert values.pop("_executionId") == bench.engine.schedules.search_executions()["results"][-1]["executionId"]
    assert values == {
        "a": 1,
        "_startedByScheduler": "tick",
        "_scheduledTime": start + 2000,
        "_executedTime": start + 2000,
        "_schedulerCron": "*/2 * * * * * UTC",
    }
    assert second["input"]["_scheduledTime"] == start + 4000


def test_a_saved_schedule_has_all_defaults(bench: Bench) -> None:
    now = round(bench.clock.now() * 1000)
    assert _save(bench) == {
        "name": "tick",
        "cronExpression": "*/2 * * * * *",
        "runCatchupScheduleInstances": False,
        "paused": False,
        "startWorkflowRequest": {
            "name": "w",
            "version": 1,
            "correlationId": "sc",
            "input": {"a": 1},
            "taskToDomain": {},
            "priority": 0,
        },
        "zoneId": "UTC",
        "createTime": now,
        "updatedTime": now,
        "createdBy": "",
        "updatedBy": "",
        "cronSchedules": [],
    }
    assert bench.engine.schedules.get("tick") in bench.engine.schedules.get_all("w")
    assert bench.engine.schedules.search(workflow_name="other")["totalHits"] == 0


def test_schedules_can_be_paused_and_resumed(bench: Bench) -> None:
    _save(bench)
    bench.engine.schedules.pause("tick", "why")
    assert bench.engine.schedules.get("tick")["pausedReason"] == "why"
    bench.pass_time(10)
    assert (_started(bench), bench.engine.next_due()) == ([], None)
    bench.engine.schedules.resume("tick")
    bench.pass_time(2)
    assert len(_started(bench)) == 1
    assert bench.engine.schedules.pause_all() == {"status": "done"}
    bench.pass_time(10)
    assert bench.engine.schedules.resume_all() == {"status": "done"}
    bench.pass_time(2)
    assert len(_started(bench)) == 2
    bench.engine.schedules.delete("tick")
    bench.pass_time(10)
    assert len(_started(bench)) == 2


def test_a_changed_schedule_fires_by_its_new_expression_only(bench: Bench) -> None:
    _save(bench)
    _save(bench, "0 0 * * * *")
    bench.pass_time(3599)
    assert _started(bench) == []
    bench.pass_time(1)
    assert len(_started(bench)) == 1


def test_several_expressions_in_their_zones_between_two_times(bench: Bench) -> None:
    several = [{"cronExpression": "0 0 1 * * *", "zoneId": "Europe/Paris"}, {"cronExpression": "0 0 2 * * *"}]
    now = round(bench.clock.now() * 1000)
    _save(bench, None, cronSchedules=several, scheduleStartTime=now + 86_400_000, scheduleEndTime=now + 2 * 86_400_000)
    bench.pass_time(5 * 86400)
    times = [one["input"]["_scheduledTime"] - now for one in _started(bench)]
    assert times == [86_400_000, 86_400_000 + 2 * 3_600_000, 2 * 86_400_000]


def test_invalid_schedules_are_rejected(bench: Bench) -> None:
    assert _save(bench, "bogus")["cronExpression"] == "bogus"
    assert bench.engine.next_due() is None
    with pytest.raises(Refused, match="Unknown time-zone ID: Mars/X"):
        _save(bench, zoneId="Mars/X")
    with pytest.raises(Refused):
        bench.engine.schedules.save({"name": "x", "cronExpression": "0 0 0 * * *"})
    with pytest.raises(Refused, match=r"scheduler\.workflow_name"):
        bench.engine.schedules.save({"name": "x", "startWorkflowRequest": {"version": 1}})
    with pytest.raises(Refused, match=r"scheduler\.scheduler_name"):
        bench.engine.schedules.save({"cronExpression": "0 0 0 * * *", "startWorkflowRequest": {"name": "x"}})
    with pytest.raises(NotFound, match="Schedule 'nope' not found"):
        bench.engine.schedules.get("nope")
    with pytest.raises(Refused, match="Invalid cron expression"):
        bench.engine.schedules.get_next_few("* * * * *")
    assert bench.engine.schedules.bulk_pause(["tick", "nope"]) == {
        "bulkErrorResults": {"nope": "Schedule 'nope' not found"},
        "bulkSuccessfulResults": ["tick"],
    }


def test_the_next_few_times(bench: Bench) -> None:
    noon = round(bench.clock.now() * 1000) + 12 * 3_600_000
    day = 86_400_000
    assert bench.engine.schedules.get_next_few("0 0 12 * * ?", limit=3) == [noon, noon + day, noon + 2 * day]


def test_a_run_of_an_unknown_workflow_is_recorded_as_failed(bench: Bench) -> None:
    _save(bench, startWorkflowRequest={"name": "nope"})
    bench.pass_time(2)
    (run,) = bench.engine.schedules.search_executions()["results"]
    assert (run["state"], run["reason"]) == ("FAILED", "No such workflow defined. name=nope, version=null")
