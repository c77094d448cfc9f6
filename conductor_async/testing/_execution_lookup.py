"""Finds executions for assertions: these are not coroutines, and ask the open environments synchronously."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from conductor_async.models import Workflow

__all__ = ["ExecutionSource", "add_source", "find_execution", "remove_source"]


class ExecutionSource(Protocol):
    """Something that has executions."""

    def find_execution(self, workflow_id: str) -> Workflow | None:
        """Returns the execution; None if it does not exist or cannot be fetched."""
        ...


_sources: list[ExecutionSource] = []


def add_source(source: ExecutionSource) -> None:
    """Adds a source, which takes precedence over earlier ones."""
    _sources.append(source)


def remove_source(source: ExecutionSource) -> None:
    """Removes a source. Idempotent."""
    if source in _sources:
        _sources.remove(source)


def find_execution(workflow_id: str) -> Workflow | None:
    """Returns the execution from the latest source that has it; None if none has it."""
    for source in reversed(_sources):
        found = source.find_execution(workflow_id)
        if found is not None:
            return found
    return None
