"""Tasks that are carried out outside the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["ExternalWork"]


@dataclass(frozen=True, slots=True)
class ExternalWork:
    """A task for the runtime to carry out, and to report by `Engine.complete_external`.

    Attributes:
        task_id: The task.
        workflow_id: The execution that it belongs to.
        kind: Its type in the definition, such as HTTP.
        task_name: The name of its definition.
        reference_name: Its name in the workflow, with the iteration.
        input: Its input, with secrets filled in.
        is_mock: Whether a mock carries it out.
    """

    task_id: str
    workflow_id: str
    kind: str
    task_name: str
    reference_name: str
    input: JsonObject
    is_mock: bool = False
