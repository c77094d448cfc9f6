"""Where assertions, which are no coroutines, may look an execution up: in the environments that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from conductor_async.models import Workflow

__all__ = ["Source", "close_source", "execution_of", "open_source"]


class Source(Protocol):
    """Knows executions, and says so at once."""

    def look_up(self, workflow_id: str) -> Workflow | None:
        """The execution; None if it is not there, or cannot be told now."""
        ...


_open: list[Source] = []


def open_source(source: Source) -> None:
    """From now on it is asked."""
    _open.append(source)


def close_source(source: Source) -> None:
    """It is asked no more."""
    if source in _open:
        _open.remove(source)


def execution_of(workflow_id: str) -> Workflow | None:
    """The execution, from the environment opened last that knows it."""
    for source in reversed(_open):
        found = source.look_up(workflow_id)
        if found is not None:
            return found
    return None
