"""What an execution needs next: which rows to schedule, and whether it is complete.

The shape is the server's, and with it come its ways; what is different is that only rows are looked at that have
changed, instead of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.decider.retries import retry
from conductor_async.engine.decider.scheduling import in_iteration, rows_for
from conductor_async.engine.decider.timeouts import check_task, check_workflow
from conductor_async.engine.errors import EngineError, WorkflowHalted
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import is_system

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["Decision", "decide"]


@dataclass(slots=True)
class Decision:
    """What is to be done: rows to schedule or to go on with, rows that have changed, and whether that was all."""

    to_schedule: list[TaskRow] = field(default_factory=list["TaskRow"])
    to_update: list[TaskRow] = field(default_factory=list["TaskRow"])
    complete: bool = False
    terminate_row: TaskRow | None = None
    seen: list[tuple[TaskRow, str]] = field(default_factory=list[tuple["TaskRow", str]])

    def forget(self, but: TaskRow | None) -> None:
        """Take back what was noted in the rows. The server stores none of it when it finds that the execution ends."""
        for row, status in self.seen:
            if row is but:
                continue
            row.executed = row.retried = False
            if row.status == "COMPLETED_WITH_ERRORS" and status in TERMINAL:
                row.status = status


def decide(core: Core, execution: Execution, decision: Decision) -> None:
    """Look at what has changed in a running execution, and put what is to be done into `decision`.

    Raises:
        WorkflowHalted: The execution has failed or timed out.
    """
    check_workflow(core, execution)
    if execution.status == "PAUSED":
        return
    chosen: dict[str, TaskRow] = {}
    if not execution.open and not execution.changed:
        chosen = {row.reference_name: row for row in _first_rows(core, execution)}
    before = _executed_names(execution)
    pending = _pending(execution)
    decision.seen = [(row, row.status) for row in pending]
    try:
        for row in pending:
            _look_at(core, execution, row, decision, chosen, before)
    except EngineError as error:
        if not isinstance(error, WorkflowHalted):
            # The server has stored nothing of this look, and comes back to these rows the next time.
            execution.changed.update((row.task_id, row) for row in pending)
        raise
    decision.to_schedule = [row for row in chosen.values() if not before.has(row.reference_name)]
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        decision.terminate_row = terminate
    if decision.terminate_row is not None or (not decision.to_schedule and _is_complete(execution)):
        _check_permissive(execution)
        decision.complete = True


# -- rows --------------------------------------------------------------------------------------------


class _ExecutedNames:
    """The reference names that were done with before this look. Those that are done now do not count."""

    def __init__(self, execution: Execution) -> None:
        self._latest = execution.latest
        self._now: set[str] = set()
        self._again: set[str] = set()

    def done_now(self, row: TaskRow) -> None:
        self._now.add(row.task_id)

    def again(self, reference_name: str) -> None:
        self._again.add(reference_name)

    def has(self, reference_name: str) -> bool:
        if reference_name in self._again:
            return False
        row = self._latest.get(reference_name)
        return row is not None and row.executed and row.task_id not in self._now


def _executed_names(execution: Execution) -> _ExecutedNames:
    return _ExecutedNames(execution)


def _pending(execution: Execution) -> list[TaskRow]:
    """Rows to look at: what changed, and what the engine has to go on with, in their order."""
    rows = dict(execution.changed)
    rows.update(execution.standing)
    execution.changed.clear()
    pending = [row for row in rows.values() if not row.retried and not row.executed and row.status != "SKIPPED"]
    if len(pending) > 1:
        pending.sort(key=lambda row: row.seq)
    return pending


def _look_at(
    core: Core,
    execution: Execution,
    row: TaskRow,
    decision: Decision,
    chosen: dict[str, TaskRow],
    before: _ExecutedNames,
) -> None:
    if row.status not in TERMINAL and is_system(row):
        chosen.setdefault(row.reference_name, row)
        before.again(row.reference_name)
    check_task(core, row)
    if row.status in TERMINAL and not row.is_successful:
        attempt = retry(core, execution, row)
        if attempt is not None:
            chosen[attempt.reference_name] = attempt
            before.again(attempt.reference_name)
            decision.to_update.append(row)
            execution.touch(row)
        elif row.optional or not row.permissive:
            row.status = "COMPLETED_WITH_ERRORS"
    if row.executed or row.retried or row.status not in TERMINAL:
        return
    row.executed = True
    before.done_now(row)
    try:
        following = _following(core, execution, row)
    except EngineError:
        row.executed = False
        raise
    for new in following:
        chosen.setdefault(new.reference_name, new)
    decision.to_update.append(row)
    execution.touch(row)
    execution.changed.pop(row.task_id, None)


def _first_rows(core: Core, execution: Execution) -> list[TaskRow]:
    tasks = execution.definition.tasks
    if not tasks:
        msg = "No tasks found to be executed"
        raise WorkflowHalted(msg, "COMPLETED")
    spec = _unskipped(execution, tasks[0])
    return rows_for(core, execution, spec) if spec is not None else []


def _following(core: Core, execution: Execution, row: TaskRow) -> list[TaskRow]:
    """The rows that come after one that has ended."""
    if row.task_type in {"DECISION", "SWITCH"} and row.input.get("hasChildren") is not None:
        return []
    name = base_name(row.reference_name) if row.iteration > 0 else row.reference_name
    spec = _unskipped(execution, execution.definition.next_after(name))
    if spec is None or (spec.type == "DO_WHILE" and spec.reference_name in execution.latest):
        return []
    rows = rows_for(core, execution, spec)
    if row.iteration > 0 and row.task_type != "DO_WHILE":
        in_iteration(rows, row.iteration)
        rows = [new for new in rows if not execution.has_started(new.reference_name)]
    return rows


def _unskipped(execution: Execution, spec: TaskSpec | None) -> TaskSpec | None:
    while spec is not None:
        row = execution.latest.get(spec.reference_name)
        if row is None or row.status != "SKIPPED":
            return spec
        spec = execution.definition.next_after(spec.reference_name)
    return None


# -- the end -----------------------------------------------------------------------------------------


def _is_complete(execution: Execution) -> bool:
    """Whether all rows have ended, all top-level tasks have one, and nothing follows that is not there."""
    if execution.open or not execution.tasks:
        return False
    latest = execution.latest
    if any(task.reference_name not in latest for task in execution.definition.tasks):
        return False
    for row in execution.tasks:
        if row.retried and row.executed:
            continue
        spec = _unskipped(execution, execution.definition.next_after(row.reference_name))
        if spec is not None and spec.reference_name not in latest:
            return False
    return True


def _check_permissive(execution: Execution) -> None:
    """A permissive task that failed lets the others go on, and fails the workflow at its end."""
    failed = [
        row
        for row in execution.latest.values()
        if row.permissive and not row.optional and row.is_terminal and not row.is_successful
    ]
    if failed:
        msg = ". ".join(
            f"Task {row.task_id} failed with status: {row.status} and reason: '{row.reason or 'null'}'"
            for row in failed
        )
        raise WorkflowHalted(msg)
