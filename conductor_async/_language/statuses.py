"""Sets of statuses, as plain strings. Those that the models need themselves are written there."""

from __future__ import annotations

from conductor_async.models._statuses import (
    COMPLETED_TASK_STATUSES,
    OPEN_TASK_STATUSES,
    TERMINAL_TASK_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
)

__all__ = [
    "RETRIABLE_TASK_STATUSES",
    "SUCCESSFUL_TASK_STATUSES",
    "TERMINAL_TASK_STATUSES",
    "TERMINAL_WORKFLOW_STATUSES",
]

SUCCESSFUL_TASK_STATUSES = OPEN_TASK_STATUSES | COMPLETED_TASK_STATUSES
"""Nothing has gone wrong so far. The server counts open attempts as successful, too."""

RETRIABLE_TASK_STATUSES = OPEN_TASK_STATUSES | {"COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "TIMED_OUT"}
"""The server may make another attempt after this one."""
