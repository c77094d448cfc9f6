"""Sets of statuses, as plain strings: a newer server may have statuses that the enums do not know."""

from __future__ import annotations

__all__ = [
    "COMPLETED_TASK_STATUSES",
    "FAILED_TASK_STATUSES",
    "OPEN_TASK_STATUSES",
    "OPEN_WORKFLOW_STATUSES",
    "TERMINAL_TASK_STATUSES",
    "TERMINAL_WORKFLOW_STATUSES",
]

OPEN_WORKFLOW_STATUSES = frozenset({"RUNNING", "PAUSED"})
"""The execution goes on."""

TERMINAL_WORKFLOW_STATUSES = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})
"""The execution has ended."""

OPEN_TASK_STATUSES = frozenset({"SCHEDULED", "IN_PROGRESS"})
"""The attempt goes on."""

COMPLETED_TASK_STATUSES = frozenset({"COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED"})
"""The attempt has ended, and the workflow goes on from it."""

FAILED_TASK_STATUSES = frozenset({"FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"})
"""The attempt has failed."""

TERMINAL_TASK_STATUSES = COMPLETED_TASK_STATUSES | FAILED_TASK_STATUSES | {"CANCELED"}
"""The attempt has ended."""
