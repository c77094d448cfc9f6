"""Starting an execution because somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Conflict, EngineError, PayloadOutOfReach
from conductor_async.engine.executions.starting import create

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import Definition
    from conductor_async.models import JsonObject

__all__ = ["begin"]


def begin(core: Core, request: JsonObject, *, event: str | None = None) -> str:
    """Start an execution and take it as far as it goes. If that cannot be, it never was. Returns its id."""
    kept = _known(core, request)
    if kept is not None:
        return kept
    definition = _definition(core, request)
    outside = request.get("externalInputPayloadStoragePath")
    if outside and outside.strip() and request.get("input") == {}:
        raise PayloadOutOfReach(outside)
    execution = create(
        core,
        definition,
        request.get("input"),
        correlation_id=request.get("correlationId"),
        priority=request["priority"],
        task_to_domain=request["taskToDomain"],
        event=event,
        created_by=request.get("createdBy"),
    )
    _remember(core, request, execution.workflow_id)
    try:
        decide_execution(core, execution)
    except EngineError:
        for row in execution.tasks:
            core.queues.remove(row.queue, row.task_id)
        core.store.remove(execution)
        raise
    return execution.workflow_id


def _definition(core: Core, request: JsonObject) -> Definition:
    given = request.get("workflowDef")
    if given is None:
        return core.metadata.snapshot(request["name"], request.get("version"))
    return core.metadata.populated(given)


# -- idempotency, which the open-source server ignores -----------------------------------------------


def _known(core: Core, request: JsonObject) -> str | None:
    key = _key(core, request)
    workflow_id = core.idempotency_keys.get(key) if key is not None else None
    execution = core.store.executions.get(workflow_id or "")
    if execution is None:
        return None
    strategy = request.get("idempotencyStrategy") or "FAIL"
    if strategy == "RETURN_EXISTING":
        return workflow_id
    if strategy == "FAIL" or not execution.is_terminal:
        msg = f"A workflow with the idempotency key {request['idempotencyKey']} was started before: {workflow_id}"
        raise Conflict(msg)
    return None


def _remember(core: Core, request: JsonObject, workflow_id: str) -> None:
    key = _key(core, request)
    if key is not None:
        core.idempotency_keys[key] = workflow_id


def _key(core: Core, request: JsonObject) -> tuple[str, str] | None:
    key = request.get("idempotencyKey")
    return (request["name"], key) if core.honour_idempotency_keys and key else None
