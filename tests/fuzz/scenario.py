"""What runs on both sides: a workflow, and all that its tasks need to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PREFIX = "fuzzprefix"
"""Stands in all names for what a run makes unique."""

RUN = "fz"
"""What takes its place begins so."""

SITE = "http://fuzzsite"
"""Stands for the address of the web server that HTTP tasks ask."""


@dataclass(frozen=True)
class Scenario:
    """One workflow and what becomes of it.

    Attributes:
        definition: The workflow, which is not registered.
        task_definitions: Those that are registered before.
        input: The workflow's input.
        behaviours: What workers do with each task, by reference or name, and by attempt.
        workflow_definitions: Workflows that are registered before.
    """

    definition: dict[str, Any]
    task_definitions: list[dict[str, Any]]
    input: dict[str, Any]
    behaviours: dict[str, list[dict[str, Any]]]
    workflow_definitions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def to_wire(self) -> dict[str, Any]:
        return dict(vars(self))
