"""What stands inside another task: a branch of a fork, a case of a switch, the body of a loop."""

from __future__ import annotations

from conductor_async.workflow.tasks.base import Composable, TaskSequence

__all__ = ["sequence_of"]


def sequence_of(steps: Composable) -> TaskSequence:
    """The tasks of a body, one after the other: a list is a sequence here, and a fork only inside of another list."""
    return TaskSequence(*steps) if isinstance(steps, list | tuple) else TaskSequence(steps)
