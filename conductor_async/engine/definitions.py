"""Definitions as the engine works with them: read once when they come in, shared by all executions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["Definition", "TaskSpec"]


@dataclass(slots=True, eq=False)
class TaskSpec:
    """One task of a workflow definition."""

    wire: JsonObject
    name: str
    reference_name: str
    type: str


@dataclass(slots=True, eq=False)
class Definition:
    """A workflow definition."""

    wire: JsonObject
    name: str
    version: int
