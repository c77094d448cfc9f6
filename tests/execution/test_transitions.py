"""The events between two polls, without any I/O."""

from __future__ import annotations

import dataclasses

import pytest

from conductor_async import Workflow
from conductor_async.execution import TaskStatusChanged, WorkflowStatusChanged
from conductor_async.execution._transitions import TransitionTracker


def polled(status: str, *tasks: tuple[str, str, str]) -> Workflow:
    made = [{"taskId": task_id, "referenceTaskName": name, "status": state} for task_id, name, state in tasks]
    return Workflow.model_validate({"workflowId": "w", "status": status, "tasks": made})


def transitions(tracker: TransitionTracker, execution: Workflow) -> list[tuple[str, str | None, str]]:
    return [
        (getattr(event, "task_reference_name", "workflow"), event.previous, event.status)
        for event in tracker.transitions(execution)
    ]


def test_the_first_poll_yields_all_that_exists():
    first = polled("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED"))
    assert transitions(TransitionTracker(), first) == [
        ("workflow", None, "RUNNING"),
        ("a", None, "COMPLETED"),
        ("b", None, "SCHEDULED"),
    ]


def test_later_polls_yield_what_has_changed():
    tracker = TransitionTracker()
    transitions(tracker, polled("RUNNING", ("1", "a", "SCHEDULED")))
    assert transitions(tracker, polled("RUNNING", ("1", "a", "SCHEDULED"))) == []
    assert transitions(tracker, polled("RUNNING", ("1", "a", "IN_PROGRESS"))) == [("a", "SCHEDULED", "IN_PROGRESS")]
    assert transitions(tracker, polled("PAUSED", ("1", "a", "FAILED"), ("2", "a", "SCHEDULED"))) == [
        ("workflow", "RUNNING", "PAUSED"),
        ("a", "IN_PROGRESS", "FAILED"),
        ("a", None, "SCHEDULED"),  # another attempt
    ]


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "TERMINATED", "TIMED_OUT"])
def test_the_end_comes_last(end):
    tracker = TransitionTracker()
    transitions(tracker, polled("RUNNING", ("1", "a", "SCHEDULED")))
    assert transitions(tracker, polled(end, ("1", "a", "COMPLETED"))) == [
        ("a", "SCHEDULED", "COMPLETED"),
        ("workflow", "RUNNING", end),
    ]
    assert transitions(TransitionTracker(), polled(end, ("1", "a", "COMPLETED")))[-1] == ("workflow", None, end)


def test_tasks_that_a_rerun_removes_are_new_when_they_come_again():
    tracker = TransitionTracker()
    transitions(tracker, polled("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED")))
    assert transitions(tracker, polled("RUNNING", ("1", "a", "SCHEDULED"))) == [("a", "COMPLETED", "SCHEDULED")]
    assert transitions(tracker, polled("RUNNING", ("1", "a", "COMPLETED"), ("2", "b", "SCHEDULED"))) == [
        ("a", "SCHEDULED", "COMPLETED"),
        ("b", None, "SCHEDULED"),
    ]


def test_events_are_frozen_and_show_no_payload():
    execution = polled("RUNNING", ("1", "a", "SCHEDULED"))
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
