"""Starting an execution by a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Conflict, EngineError, PayloadOutOfReach
from conductor_async.engine.rows.executions import new_execution

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import Definition
    from conductor_async.models import JsonObject

__all__ = ["start"]


def start(core: Core, request: JsonObject, *, event: str | None = None) -> str:
    """Starts an execution and decides it. Returns its id.

    As on the server, an execution whose first decision fails is removed again.

    Raises:
        EngineError: It cannot be started, or its first decision failed.
    """
    existing = _find_existing(core, request)
    if existing is not None:
        return existing
    definition = _definition(core, request)
    external_path = request.get("externalInputPayloadStoragePath")
    if external_path and external_path.strip() and request.get("input") == {}:
        raise PayloadOutOfReach(external_path)
    execution = new_execution(
        core,
        definition,
        request.get("input"),
        correlation_id=request.get("correlationId"),
        priority=request["priority"],
        task_to_domain=request["taskToDomain"],
        event=event,
        created_by=request.get("createdBy"),
    )
    _store_key(core, request, execution.workflow_id)
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


def _find_existing(core: Core, request: JsonObject) -> str | None:
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


def _store_key(core: Core, request: JsonObject, workflow_id: str) -> None:
    key = _key(core, request)
    if key is not None:
        core.idempotency_keys[key] = workflow_id


def _key(core: Core, request: JsonObject) -> tuple[str, str] | None:
    key = request.get("idempotencyKey")
    return (request["name"], key) if core.honour_idempotency_keys and key else None
