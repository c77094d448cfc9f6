"""`/workflow/test`: an execution whose tasks get their outputs from the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.results import report
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["isolated", "report_next"]


def isolated(core: Core, request: JsonObject) -> JsonObject:
    """Returns the start request with a new domain for all tasks, so that no worker polls them."""
    return {**request, "taskToDomain": {"*": core.ids.new()}}


def report_next(core: Core, execution: Execution, request: JsonObject) -> bool:
    """Reports the next outcome from the request for the first open task that has one. Returns whether there was one."""
    mocks: dict[str, list[JsonObject]] = request["taskRefToMockOutput"]
    children: JsonObject = request["subWorkflowTestRequest"]
    for row in execution.open_in_order:
        kind = system_kind(row)
        if row.status in TERMINAL or (kind is not None and kind.is_operator):
            continue
        inner = children.get(row.reference_name)
        child = core.store.executions.get(row.sub_workflow_id or "")
        if inner is not None and child is not None:
            if report_next(core, child, inner):
                return True
            continue
        outcomes = mocks.get(row.reference_name) or mocks.get(row.base_name)
        if outcomes:
            outcome = outcomes.pop(0)
            report(core, execution, row, outcome["status"], outcome["output"], None)
            decide_execution(core, execution)
            return True
    return False
