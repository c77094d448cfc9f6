"""Making a new execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import Invalid
from conductor_async.engine.rows.timeout_timers import set_workflow_timer
from conductor_async.engine.state.execution import Execution

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import Definition
    from conductor_async.models import JsonObject

__all__ = ["new_execution"]


def new_execution(
    core: Core,
    definition: Definition,
    workflow_input: JsonObject | None,
    *,
    workflow_id: str | None = None,
    correlation_id: str | None = None,
    priority: int | None = None,
    task_to_domain: dict[str, str] | None = None,
    parent_workflow_id: str | None = None,
    parent_task_id: str | None = None,
    event: str | None = None,
    created_by: str | None = None,
) -> Execution:
    """Stores a new execution, which nobody has decided yet.

    As on the server, the input template is merged only into non-empty input.

    Raises:
        Invalid: The input is null.
    """
    if workflow_input is None:
        msg = "NULL input passed when starting workflow"
        raise Invalid(msg)
    template = definition.wire["inputTemplate"]
    if workflow_input and template:
        given = {key: value for key, value in workflow_input.items() if value is not None}
        workflow_input = {**workflow_input, **template, **given}
    execution = Execution(
        workflow_id=workflow_id or core.ids.new(),
        definition=definition,
        input=workflow_input,
        correlation_id=correlation_id,
        priority=priority or 0,
        create_time=core.now(),
        parent_workflow_id=parent_workflow_id,
        parent_task_id=parent_task_id,
        event=event,
        created_by=created_by,
        variables=dict(definition.wire["variables"]),
        task_to_domain=dict(task_to_domain or {}),
    )
    core.store.add(execution)
    core.mark_changed(execution)
    set_workflow_timer(core, execution)
    return execution
