"""Sets of statuses."""

from __future__ import annotations

from conductor_async._language.statuses import (
    RETRIABLE_TASK_STATUSES,
    SUCCESSFUL_TASK_STATUSES,
    TERMINAL_TASK_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
)
from conductor_async.models import Task, TaskStatus, Workflow, WorkflowStatus


def test_every_status_of_an_execution_is_terminal_or_running() -> None:
    running = {status for status in WorkflowStatus if Workflow(status=status).is_running()}
    assert running | TERMINAL_WORKFLOW_STATUSES == set(WorkflowStatus)
    assert not running & TERMINAL_WORKFLOW_STATUSES


def test_only_scheduled_and_in_progress_attempts_are_not_terminal() -> None:
    assert set(TaskStatus) - TERMINAL_TASK_STATUSES == {"SCHEDULED", "IN_PROGRESS"}
    assert {status for status in TaskStatus if Task(status=status).is_completed()} == TERMINAL_TASK_STATUSES


def test_the_server_counts_open_attempts_as_successful_and_retriable() -> None:
    assert set(TaskStatus) - SUCCESSFUL_TASK_STATUSES == {
        "FAILED",
        "FAILED_WITH_TERMINAL_ERROR",
        "TIMED_OUT",
        "CANCELED",
    }
    assert set(TaskStatus) - RETRIABLE_TASK_STATUSES == {"FAILED_WITH_TERMINAL_ERROR", "CANCELED", "SKIPPED"}
