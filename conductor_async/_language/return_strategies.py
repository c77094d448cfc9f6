"""What a synchronous execution or a signal can be asked to return."""

from __future__ import annotations

__all__ = ["RETURN_STRATEGIES", "TARGET_WORKFLOW"]

TARGET_WORKFLOW = "TARGET_WORKFLOW"
"""The execution that was started or signalled: the server's default."""

RETURN_STRATEGIES = (TARGET_WORKFLOW, "BLOCKING_WORKFLOW", "BLOCKING_TASK", "BLOCKING_TASK_INPUT")
"""All of them. `BLOCKING_…` means the sub-workflow, or its task, at which the execution waits."""
