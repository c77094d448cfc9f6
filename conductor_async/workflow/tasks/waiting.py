"""Tasks that wait: for a time, a person, a webhook, a message."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from conductor_async._language.durations import whole_seconds
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.fields import field
from conductor_async.workflow.tasks.inputs import Flag, InputTask, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from dataclasses import KW_ONLY, InitVar

__all__ = [
    "AssignmentCompletionStrategy",
    "HumanTask",
    "PullWorkflowMessagesTask",
    "TriggerType",
    "WaitForDurationTask",
    "WaitForWebHookTask",
    "WaitTask",
    "WaitUntilTask",
    "wait_for_webhook",
]

Duration: TypeAlias = float | timedelta | str | Reference
"""Seconds, as a number or as an expression for one; or the server's own format: `"1 day 2h 30m 5s"`."""

Moment: TypeAlias = datetime | str | Reference
"""A point in time with its zone, or the server's own format: `"2030-12-31 23:30 UTC"`."""


class WaitTask(TaskInterface, task_type=TaskType.WAIT):
    """Waits until a point in time, for a duration, or, without either, until it is completed from outside.

    Every wait can be completed earlier: `conductor.task.update_task_by_ref_name(…)`.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        wait_until: When to go on: a datetime with a time zone, an expression, or text as the server reads it:
            `"2030-12-31 23:30 UTC"`, or `GMT+02:00`, `+0200`, `PST`, or without a zone, which is then the server's
            own. The server's format has no seconds, so a datetime is rounded up to the next minute.
        wait_for_seconds: How long to wait: seconds, rounded up to whole ones, a timedelta, an expression for seconds,
            or text as the server reads it: `"1 day 2h 30m 5s"`.
        options: See `TaskInterface`.

    Raises:
        ConfigurationError: Both were given, or the time is not valid.
    """

    def __init__(
        self,
        task_ref_name: str,
        wait_until: Moment | None = None,
        wait_for_seconds: Duration | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        if wait_until is not None and wait_for_seconds is not None:
            raise ConfigurationError(f"{self!r} waits until a time or for a time: give one of them, not both.")
        self.wait_until = wait_until
        self.wait_for_seconds = wait_for_seconds

    @property
    def wait_until(self) -> Moment | None:
        """The point in time, as it is sent."""
        return self.input_parameters.get("until")

    @wait_until.setter
    def wait_until(self, wait_until: Moment | None) -> None:
        self._only("until", None if wait_until is None else _moment(wait_until))

    @property
    def wait_for_seconds(self) -> Duration | None:
        """The duration, as it is sent."""
        return self.input_parameters.get("duration")

    @wait_for_seconds.setter
    def wait_for_seconds(self, wait_for_seconds: Duration | None) -> None:
        self._only("duration", None if wait_for_seconds is None else _duration(wait_for_seconds))

    def _only(self, key: str, value: str | None) -> None:
        # The server rejects a task that has both.
        if value is None:
            self.input_parameters.pop(key, None)
        else:
            self.input_parameters.pop("duration" if key == "until" else "until", None)
            self.input_parameters[key] = value


class WaitForDurationTask(WaitTask):
    """Waits for a duration.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        duration_time_seconds: Seconds, a timedelta, an expression for seconds, or text such as `1h`.
        options: See `TaskInterface`.
    """

    def __init__(self, task_ref_name: str, duration_time_seconds: Duration, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, None, duration_time_seconds, **options)


class WaitUntilTask(WaitTask):
    """Waits until a point in time; goes on at once if that has passed.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        date_time: When to go on: a datetime with a time zone, an expression, or text such as `2030-12-31 23:30 UTC`.
        options: See `TaskInterface`.
    """

    def __init__(self, task_ref_name: str, date_time: Moment, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, date_time, **options)


def _duration(duration: Duration) -> str:
    if isinstance(duration, str):
        return duration
    if isinstance(duration, Reference):
        return f"{duration}s"
    return f"{whole_seconds(duration, 'wait_for_seconds')}s"


def _moment(moment: Moment) -> str:
    if not isinstance(moment, datetime):
        return str(moment)
    if moment.tzinfo is None:
        raise ConfigurationError(
            f"{moment!r} has no time zone, and the server's may differ from yours: give it one, as in"
            " datetime(…, tzinfo=UTC), or call .astimezone() on it, which takes it as your local time."
        )
    minutes = math.ceil((moment - _EPOCH) / timedelta(minutes=1))
    return f"{_EPOCH + timedelta(minutes=minutes):%Y-%m-%d %H:%M} UTC"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# -- people ------------------------------------------------------------------------------------------


class AssignmentCompletionStrategy(StrEnum):
    """What happens when the last assignment of a human task expires (Orkes)."""

    LEAVE_OPEN = "LEAVE_OPEN"
    TERMINATE = "TERMINATE"


class TriggerType(StrEnum):
    """The events of a human task that can start a workflow (Orkes)."""

    ASSIGNED = "ASSIGNED"
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    TIMED_OUT = "TIMED_OUT"
    ASSIGNEE_CHANGED = "ASSIGNEE_CHANGED"


class HumanTask(TaskInterface, task_type=TaskType.HUMAN):
    """Waits until somebody completes it: `conductor.task.update_task_by_ref_name(…)`, or a person in Orkes.

    The form and the assignments are for Orkes; the open-source server only stores them.

    Args:
        display_name: The name that people see.
        form_template: The name of the form.
        form_version: Its version; 0 for the latest.
        assignment_completion_strategy: What happens when the last assignment expires.
        assignments: Who gets the task, in turn.
        task_triggers: Workflows to start on its events (see `TriggerType`).

    Further arguments: see `TaskInterface`.
    """

    display_name: InitVar[Text | None] = None
    form_template: InitVar[Text | None] = None
    form_version: InitVar[int] = 0
    assignment_completion_strategy: InitVar[AssignmentCompletionStrategy | str | None] = None
    _: KW_ONLY
    assignments: InitVar[Sequence[Mapping[str, InputValue]] | None] = None
    task_triggers: InitVar[Sequence[Mapping[str, InputValue]] | None] = None
    human_task_definition: dict[str, InputValue] | None = field(init=False, key="__humanTaskDefinition")

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        template = given["form_template"]
        definition: dict[str, Any] = {
            "assignmentCompletionStrategy": given["assignment_completion_strategy"],
            "displayName": given["display_name"],
            "userFormTemplate": None if template is None else {"name": template, "version": given["form_version"]},
            "assignments": given["assignments"],
            "taskTriggers": given["task_triggers"],
        }
        definition = {key: value for key, value in definition.items() if value is not None}
        if definition:
            definition.setdefault("assignmentCompletionStrategy", AssignmentCompletionStrategy.LEAVE_OPEN)
        self.human_task_definition = definition or None


# -- messages ----------------------------------------------------------------------------------------


class WaitForWebHookTask(InputTask, task_type="WAIT_FOR_WEBHOOK"):
    """Waits for a webhook whose payload matches (Orkes).

    Args:
        matches: What the payload must contain: values by JSONPath, `{"$['type']": "paid"}`.

    Further arguments: see `TaskInterface`.
    """

    matches: Mapping[str, InputValue] | Text


def wait_for_webhook(
    task_ref_name: str, matches: Mapping[str, InputValue] | Text, task_def_name: str | None = None
) -> WaitForWebHookTask:
    """Returns a `WaitForWebHookTask`, named after a task definition if you give one."""
    return WaitForWebHookTask(task_ref_name, matches, name=task_def_name)


class PullWorkflowMessagesTask(InputTask, task_type=TaskType.PULL_WORKFLOW_MESSAGES):
    """Takes messages that were sent to this execution: `task.messages` and `task.count`.

    The server needs `conductor.workflow-message-queue.enabled=true`. Without it the task never starts.

    Args:
        batch_size: The maximum number of messages, up to 100.
        blocking: Whether to wait for the first message. Default: True.

    Further arguments: see `TaskInterface`.
    """

    batch_size: Number = 1
    _: KW_ONLY
    blocking: Flag | None = None

    @property
    def messages(self) -> Reference:
        """The messages: each has its `id`, `payload`, `receivedAt` and `workflowId`."""
        return self._reference("messages")

    @property
    def count(self) -> Reference:
        """How many there are."""
        return self._reference("count")
