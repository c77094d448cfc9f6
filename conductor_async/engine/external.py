"""Work that is done outside the engine, and handed in when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.engine.expressions.inputs import with_secrets

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["ExternalWork", "dispatch"]


@dataclass(frozen=True, slots=True)
class ExternalWork:
    """A task that the runtime is to carry out, and to report by `Engine.complete_external`.

    Attributes:
        task_id: The task.
        workflow_id: The execution that it belongs to.
        kind: Its type, such as HTTP; for a mock the name by which the mock goes.
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


def dispatch(core: Core, row: TaskRow) -> None:
    """Add a task to the work for the runtime."""
    work = ExternalWork(
        task_id=row.task_id,
        workflow_id=row.workflow_id,
        kind=row.spec.type if row.spec is not None else row.task_type,
        task_name=row.task_def_name or "",
        reference_name=row.reference_name,
        input=with_secrets(core, row.input),
        is_mock=row.mocked,
    )
    core.external_work.append(work)
