"""Event handlers: what happens when an event is published to one of the engine's own queues.

As on the server, a handler whose condition or action fails has no effect, and does not affect the others.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.core import Work
from conductor_async.engine.decider.results import update
from conductor_async.engine.definitions.defaults import with_start_request_defaults
from conductor_async.engine.errors import EngineError
from conductor_async.engine.executions.start_checks import check_start_request
from conductor_async.engine.executions.starting import start
from conductor_async.engine.expressions.evaluation import resolve
from conductor_async.engine.expressions.scope import Scope
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.sandbox.job import JobPending
from conductor_async.engine.scripts.evaluators import evaluate_script, truth

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["handle_events", "handle_parked"]


def handle_events(core: Core) -> None:
    """Runs the actions of all handlers that apply to the events published since the last call."""
    events, core.events = core.events, []
    for queue, message_id, payload in events:
        about = {"conductor.event.messageId": message_id, "conductor.event.name": queue}
        for handler in list(core.handlers.values()):
            if handler["active"] and handler["event"] == queue:
                _handle(core, handler, payload, about)


def handle_parked(core: Core, key: str) -> None:
    """Has a handler continue with an event, because the script of its condition has ended."""
    queue, message_id, name, payload = core.parked_events.pop(key)
    handler = core.handlers.get(name)
    if handler is not None:
        _handle(core, handler, payload, {"conductor.event.messageId": message_id, "conductor.event.name": queue})


def _handle(core: Core, handler: JsonObject, payload: JsonObject, about: JsonObject) -> None:
    try:
        applies = _applies(core, handler, payload)
    except JobPending as pending:
        key = core.ids.new()
        message_id, queue = about["conductor.event.messageId"], about["conductor.event.name"]
        core.parked_events[key] = queue, message_id, handler["name"], payload
        core.when_finished(pending.job, Work("event", key))
        return
    if applies:
        for action in filter(None, handler["actions"]):
            _run_action(core, action, payload, about)


def _applies(core: Core, handler: JsonObject, payload: JsonObject) -> bool:
    condition = handler.get("condition")
    if not condition or not condition.strip():
        return True
    try:
        return truth(evaluate_script(core, handler.get("evaluatorType") or "javascript", condition, payload))
    except EngineError:
        return False


def _run_action(core: Core, action: JsonObject, payload: JsonObject, about: JsonObject) -> None:
    document = _expanded(payload) if action.get("expandInlineJSON") else payload
    kind = action.get("action")
    details: JsonObject = action.get(str(kind)) or {}
    try:
        if kind == "start_workflow":
            _start_workflow(core, details, document, about)
        elif kind in {"complete_task", "fail_task"}:
            _end_task(core, details, document, about, "COMPLETED" if kind == "complete_task" else "FAILED")
    except EngineError:
        # The server logs the error and repeats the action later; the publisher does not see it.
        return


def _start_workflow(core: Core, details: JsonObject, payload: JsonObject, about: JsonObject) -> None:
    values = _replaced(details.get("input") or {}, payload)
    correlation_id = details.get("correlationId")
    if correlation_id is not None:
        correlation_id = _replaced({"it": correlation_id}, payload)["it"] or correlation_id
    request = with_start_request_defaults(
        {
            "name": details.get("name"),
            "version": details.get("version"),
            "correlationId": correlation_id,
            "taskToDomain": details.get("taskToDomain") or payload.get("taskToDomain"),
            "input": {**values, **about},
        }
    )
    check_start_request(core, request)
    start(core, request, event=str(about["conductor.event.name"]))


def _end_task(core: Core, details: JsonObject, payload: JsonObject, about: JsonObject, status: str) -> None:
    given = {key: details.get(key) for key in ("workflowId", "taskId", "taskRefName", "reasonForIncompletion")}
    values = _replaced({**given, **(details.get("output") or {})}, payload)
    row = _task(core, values)
    if row is None:
        return
    reason = values.get("reasonForIncompletion")
    update(
        core,
        {
            "workflowInstanceId": row.workflow_id,
            "taskId": row.task_id,
            "status": status,
            "reasonForIncompletion": str(reason) if status == "FAILED" and reason is not None else row.reason,
            "callbackAfterSeconds": row.callback_after,
            "workerId": row.worker_id,
            "outputData": {**values, **about},
            "extendLease": False,
        },
    )


def _task(core: Core, values: JsonObject) -> TaskRow | None:
    """Finds a task by its id; or by execution and name, in a loop the one of the last iteration."""
    if values.get("taskId"):
        return core.store.tasks.get(str(values["taskId"]))
    execution = core.store.executions.get(str(values.get("workflowId")))
    name = values.get("taskRefName")
    if execution is None or not name:
        return None
    rows = [row for row in execution.tasks if base_name(row.reference_name) == name]
    return max(rows, key=lambda row: row.iteration, default=None)


def _replaced(values: JsonObject, payload: JsonObject) -> JsonObject:
    replaced: JsonObject = resolve(values, Scope(payload, environment=None))
    return replaced


def _expanded(value: JsonValue) -> JsonValue:
    """Returns a value with all strings parsed that are JSON objects or lists."""
    if is_object(value):
        return {key: _expanded(item) for key, item in value.items()}
    if is_array(value):
        return [_expanded(item) for item in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _expanded(json.loads(value))
        except ValueError:
            return value
    return value
