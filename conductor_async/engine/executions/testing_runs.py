"""`/workflow/test`: a real execution whose tasks are given the outputs that the request brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.results import report
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import system_kind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["feed", "isolated"]


def isolated(core: Core, request: JsonObject) -> JsonObject:
    """The request to start with: in a domain of its own, where no worker takes its tasks."""
    return {**request, "taskToDomain": {"*": core.ids.new()}}


def feed(core: Core, execution: Execution, request: JsonObject) -> bool:
    """Give the first open task that has a mock its outcome. Whether there was one."""
    mocks: dict[str, list[JsonObject]] = request.get("taskRefToMockOutput") or {}
    children: JsonObject = request.get("subWorkflowTestRequest") or {}
    for row in sorted(execution.open.values(), key=lambda row: row.seq):
        kind = system_kind(row)
        if row.status in TERMINAL or (kind is not None and kind.is_operator):
            continue
        inner = children.get(row.reference_name)
        child = core.store.executions.get(row.sub_workflow_id or "")
        if inner is not None and child is not None:
            if feed(core, child, inner):
                return True
            continue
        outcomes = mocks.get(row.reference_name) or mocks.get(row.base_name)
        if outcomes:
            outcome = outcomes.pop(0)
            status = outcome.get("status") or "COMPLETED"
            report(core, execution, row, status, outcome.get("output") or {}, None)
            decide_execution(core, execution)
            return True
    return False
