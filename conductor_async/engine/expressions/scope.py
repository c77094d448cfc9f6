"""What expressions can refer to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conductor_async.engine.expressions.budget import Budget
from conductor_async.engine.expressions.java_values import PathResults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonValue

__all__ = ["Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions can refer to.

    Attributes:
        roots: What a path can start with: `workflow`, and the reference names of tasks; in the action of an event
            handler, the payload's keys. May compute its values on access.
        task_id: The value of `${CPEWF_TASK_ID}`. None leaves the expression as it is.
        environment: The values of `${workflow.env.NAME}`. None makes it a path like any other, as in event handlers.
        budget: What its expressions may compute.
        path_results: Collects the values of paths that may lead to several values.
    """

    roots: Mapping[str, JsonValue]
    task_id: str | None = None
    environment: Mapping[str, str] | None = field(default_factory=dict[str, str])
    budget: Budget = field(default_factory=Budget)
    path_results: list[PathResults] = field(default_factory=list[PathResults])
