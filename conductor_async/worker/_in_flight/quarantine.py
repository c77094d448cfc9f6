"""Quarantine: tasks that fail for good instead of being run, by a rule that the host was given."""

from __future__ import annotations

import logging
from collections.abc import Callable

from conductor_async.models import Task

logger = logging.getLogger("conductor_async")

Quarantine = Callable[[Task], str | None]
"""Called with a task before it runs: returns the reason why it must not, or None."""


def quarantine_reason(rule: Quarantine | None, task: Task) -> str | None:
    """Returns why the task must not run, or None. If the rule itself fails, that is logged and the task runs."""
    if rule is None:
        return None
    try:
        reason = rule(task)
    except BaseException:
        logger.exception("The quarantine rule failed for task %s (%s). The task runs", task.task_id, task.task_def_name)
        return None
    if reason is not None:
        logger.error(
            "Task %s (%s) is quarantined: it fails for good and does not run: %s",
            task.task_id,
            task.task_def_name,
            reason,
        )
    return reason
