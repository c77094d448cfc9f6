"""Tasks that are failed for good instead of run, by a rule that the host was given."""

from __future__ import annotations

import logging
from collections.abc import Callable

from conductor_async.models import Task

logger = logging.getLogger("conductor_async")

Quarantine = Callable[[Task], str | None]
"""Looks at a task before it is run: the reason why it must not be, or None."""


def reason_against(rule: Quarantine | None, task: Task) -> str | None:
    """Why the task must not be run. A rule that fails holds no task up."""
    if rule is None:
        return None
    try:
        reason = rule(task)
    except Exception:
        logger.exception("The rule for quarantine failed, and task %s is run", task.task_id)
        return None
    if reason is not None:
        logger.error("Task %s (%s) is failed for good, and not run: %s", task.task_id, task.task_def_name, reason)
    return reason
