"""Tasks that wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from conductor_async import ConductorWorkflow, ConfigurationError
from conductor_async.tasks import (
    HumanTask,
    PullWorkflowMessagesTask,
    WaitForDurationTask,
    WaitForWebHookTask,
    WaitTask,
    WaitUntilTask,
    wait_for_webhook,
)

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def inputs(task):
    return wire(task).get("inputParameters")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (60, "60s"),
        (0, "0s"),
        (1.2, "2s"),
        (timedelta(hours=1, milliseconds=1), "3601s"),
        ("1 day 2h", "1 day 2h"),
        (workflow.input.seconds, "${workflow.input.seconds}s"),
    ],
)
def test_wait_for_a_duration(given, sent):
    assert inputs(WaitTask("w", wait_for_seconds=given)) == {"duration": sent}
    assert inputs(WaitForDurationTask("w", given)) == {"duration": sent}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (datetime(2030, 5, 6, 7, 8, tzinfo=UTC), "2030-05-06 07:08 UTC"),
        (datetime(2030, 5, 6, 7, 8, 0, 1, tzinfo=UTC), "2030-05-06 07:09 UTC"),  # never too early
        (datetime(2030, 12, 31, 23, 59, 30, tzinfo=UTC), "2031-01-01 00:00 UTC"),
        (datetime(2030, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2030-05-06 01:38 UTC"),
        ("2030-05-06 07:08 PST", "2030-05-06 07:08 PST"),
        (workflow.input.when, "${workflow.input.when}"),
    ],
)
def test_wait_until_a_point_in_time(given, sent):
    assert inputs(WaitTask("w", given)) == {"until": sent}
    assert inputs(WaitUntilTask("w", given)) == {"until": sent}


def test_a_datetime_without_zone_is_an_error():
    with pytest.raises(ConfigurationError, match="no time zone"):
        WaitUntilTask("w", datetime(2030, 5, 6))


def test_both_kinds_of_wait_at_once_are_an_error():
    with pytest.raises(ConfigurationError, match="not both"):
        WaitTask("w", "2030-05-06", 5)
    with pytest.raises(ConfigurationError, match="wait_for_seconds"):
        WaitTask("w", wait_for_seconds=-1)
    task = WaitTask("w")
    assert inputs(task) is None
    task.wait_until = datetime(2030, 5, 6, tzinfo=UTC)
    assert (task.wait_until, task.wait_for_seconds) == ("2030-05-06 00:00 UTC", None)
    task.wait_for_seconds = 5
    assert (task.wait_until, task.wait_for_seconds) == (None, "5s")
    task.wait_for_seconds = None
    assert inputs(task) is None


def test_human():
    assert wire(HumanTask("h")) == {"name": "h", "taskReferenceName": "h", "type": "HUMAN"}
    task = HumanTask("h", "Approve", "form", 2, assignments=[{"assignee": workflow.input.boss}])
    assert inputs(task) == {
        "__humanTaskDefinition": {
            "assignmentCompletionStrategy": "LEAVE_OPEN",
            "displayName": "Approve",
            "userFormTemplate": {"name": "form", "version": 2},
            "assignments": [{"assignee": "${workflow.input.boss}"}],
        }
    }


def test_webhook():
    task = WaitForWebHookTask("h", {"$['id']": workflow.input.id})
    assert wire(task) == {
        "name": "h",
        "taskReferenceName": "h",
        "type": "WAIT_FOR_WEBHOOK",
        "inputParameters": {"matches": {"$['id']": "${workflow.input.id}"}},
    }
    assert wait_for_webhook("h", {}, "paid").name == "paid"
    assert wait_for_webhook("h", {}).name == "h"


def test_pull_workflow_messages():
    task = PullWorkflowMessagesTask("p", 10, blocking=False)
    assert (wire(task)["type"], inputs(task)) == ("PULL_WORKFLOW_MESSAGES", {"batchSize": 10, "blocking": False})
    assert inputs(PullWorkflowMessagesTask("p")) == {"batchSize": 1}
    assert (str(task.messages[0].payload), str(task.count)) == (
        "${p.output.messages[0].payload}",
        "${p.output.count}",
    )


# -- on the real server


@pytest.mark.server
@pytest.mark.anyio
async def test_waits_of_some_seconds_and_of_none_end(perform):
    begun = time.monotonic()
    run = await perform(
        WaitForDurationTask("none", 0),
        WaitForDurationTask("past", timedelta()),
        WaitUntilTask("gone", datetime.now(UTC) - timedelta(minutes=5)),
        WaitTask("one", wait_for_seconds=workflow.input.seconds),
        given={"seconds": 1},
    )
    assert run.status == "COMPLETED"
    assert 1 <= time.monotonic() - begun < 30


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-8))], ids=["utc", "west"])
async def test_the_server_reads_the_same_time(conductor, new_workflow, zone):
    when = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
    handle = await new_workflow(WaitUntilTask("w", when.astimezone(zone))).start()
    held = await conductor.workflow.get_workflow(handle.workflow_id)
    await conductor.workflow.terminate_workflow(handle.workflow_id)
    wakes = held.tasks[0].start_time / 1000 + held.tasks[0].callback_after_seconds
    assert abs(wakes - when.timestamp()) <= 2


@pytest.mark.thorough
@pytest.mark.server
@pytest.mark.anyio
async def test_a_wait_ends_at_its_time(new_workflow):
    when = datetime.now(UTC) + timedelta(seconds=1)  # to the server, the next full minute
    wakes = (when + timedelta(minutes=1)).replace(second=0, microsecond=0)
    run = await new_workflow(WaitUntilTask("w", when)).execute(timeout=100)
    assert run.status == "COMPLETED"
    assert -1 <= run.tasks[0].end_time / 1000 - wakes.timestamp() < 20


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("task", [WaitTask("w"), HumanTask("w", "Approve", "form")], ids=["wait", "human"])
async def test_a_wait_without_time_ends_when_it_is_completed(conductor, new_workflow, task):
    handle = await new_workflow(task).start()
    held = await conductor.workflow.get_workflow(handle.workflow_id)
    assert (held.status, held.tasks[0].status) == ("RUNNING", "IN_PROGRESS")
    await conductor.task.update_task_by_ref_name(handle.workflow_id, "w", "COMPLETED", {"approved": True})
    held = await conductor.workflow.get_workflow(handle.workflow_id)
    assert (held.status, held.output) == ("COMPLETED", {"approved": True})


@pytest.mark.server
@pytest.mark.anyio
async def test_tasks_of_other_servers_are_stored_unchanged(read_back):
    await read_back(
        WaitForWebHookTask("h", {"$['id']": workflow.input.id}), PullWorkflowMessagesTask("p", 5, blocking=False)
    )
