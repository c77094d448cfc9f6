"""What has happened between two looks, without any I/O."""

from __future__ import annotations

import dataclasses

import pytest

from conductor_async import Workflow
from conductor_async.execution.events import TaskStatusChanged, TransitionTracker, WorkflowStatusChanged


def look(status: str, *tasks: tuple[str, str, str]) -> Workflow:
    made = [{"taskId": task_id, "referenceTaskName": name, "status": state} for task_id, name, state in tasks]
    return Workflow.model_validate({"workflowId": "w", "status": status, "tasks": made})


def news(seen: TransitionTracker, execution: Workflow) -> list[tuple[str, str | None, str]]:
    return [
        (getattr(event, "task_reference_name", "workflow"), event.previous, event.status)
        for event in seen.transitions(execution)
    ]


def test_the_first_look_tells_all_that_is_there():
    first = look("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED"))
    assert news(TransitionTracker(), first) == [
        ("workflow", None, "RUNNING"),
        ("a", None, "COMPLETED"),
        ("b", None, "SCHEDULED"),
    ]


def test_later_looks_tell_what_is_new():
    seen = TransitionTracker()
    news(seen, look("RUNNING", ("1", "a", "SCHEDULED")))
    assert news(seen, look("RUNNING", ("1", "a", "SCHEDULED"))) == []
    assert news(seen, look("RUNNING", ("1", "a", "IN_PROGRESS"))) == [("a", "SCHEDULED", "IN_PROGRESS")]
    assert news(seen, look("PAUSED", ("1", "a", "FAILED"), ("2", "a", "SCHEDULED"))) == [
        ("workflow", "RUNNING", "PAUSED"),
        ("a", "IN_PROGRESS", "FAILED"),
        ("a", None, "SCHEDULED"),  # another attempt
    ]


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "TERMINATED", "TIMED_OUT"])
def test_an_end_comes_last(end):
    seen = TransitionTracker()
    news(seen, look("RUNNING", ("1", "a", "SCHEDULED")))
    assert news(seen, look(end, ("1", "a", "COMPLETED"))) == [
        ("a", "SCHEDULED", "COMPLETED"),
        ("workflow", "RUNNING", end),
    ]
    assert news(TransitionTracker(), look(end, ("1", "a", "COMPLETED")))[-1] == ("workflow", None, end)


def test_a_rerun_begins_again_with_what_is_left():
    seen = TransitionTracker()
    news(seen, look("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED")))
    assert news(seen, look("RUNNING", ("1", "a", "SCHEDULED"))) == [("a", "COMPLETED", "SCHEDULED")]
    assert news(seen, look("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED"))) == [
        ("a", "SCHEDULED", "COMPLETED"),
        ("b", None, "SCHEDULED"),
    ]


def test_events_are_frozen_and_show_no_payload():
    execution = look("RUNNING", ("1", "a", "SCHEDULED"))
    execution.input = {"secret": "canary"}
    execution.tasks[0].input_data = {"secret": "canary"}
    first, second = TransitionTracker().transitions(execution)
    assert isinstance(first, WorkflowStatusChanged)
    assert isinstance(second, TaskStatusChanged)
    assert "canary" not in repr([first, second])
    assert first.execution is execution
    assert second.task is execution.tasks[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.status = "FAILED"  # type: ignore[misc]
