"""What the output of a worker is known to have."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConfigurationError
from conductor_async.worker.arguments import underlying
from conductor_async.worker.context import TaskInProgress
from conductor_async.workflow.validation.known_outputs import closed_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.workflow.validation.known_outputs import OutputFields


def output_fields(function: Callable[..., Any], returned: Callable[[], Any]) -> OutputFields | None:
    """The fields of the output of a worker function, by the names that are sent; None if it may have others.

    Args:
        function: What the worker calls.
        returned: Gives the type that it returns.
    """
    written = underlying(function)
    if _can_set_more(written):
        return None
    try:
        kind = returned()
        return None if kind is TaskInProgress else closed_output(kind)
    except ConfigurationError:  # its type is there for type checkers alone
        return None


def _can_set_more(function: Callable[..., Any]) -> bool:
    """Whether it may set output by its context, beside what it returns."""
    kinds = inspect.get_annotations(function).values()
    code = getattr(function, "__code__", None)
    return code is None or "get_task_context" in code.co_names or any("TaskContext" in str(kind) for kind in kinds)
