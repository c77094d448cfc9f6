"""One decision: which rows to schedule next, and whether the execution is complete.

The order of the steps is the server's, because it shows: in the order of rows, in what a failing execution still
schedules, in which statuses are stored. The one difference: the server looks at all rows in each decision, this looks
only at those that have changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.decider.retries import retry
from conductor_async.engine.decider.timeouts import check_task, check_workflow
from conductor_async.engine.errors import EngineError, WorkflowHalted
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.rows.making import assign_iteration, make_rows
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["Decision", "decide"]


@dataclass(slots=True)
class Decision:
    """What a decision found.

    Attributes:
        to_schedule: New rows, and open rows of system tasks that run within the decision.
        to_update: Rows that the decision has changed.
        complete: Whether the execution has ended.
        terminate_row: The TERMINATE task that ended it.
        considered: The rows that the decision looked at, with the status that they had before.
    """

    to_schedule: list[TaskRow] = field(default_factory=list["TaskRow"])
    to_update: list[TaskRow] = field(default_factory=list["TaskRow"])
    complete: bool = False
    terminate_row: TaskRow | None = None
    considered: list[tuple[TaskRow, str]] = field(default_factory=list[tuple["TaskRow", str]])

    def roll_back(self, *, except_for: str | None = None) -> None:
        """Takes back what was noted in the rows: the server stores none of it when the execution ends."""
        for row, status in self.considered:
            if row.task_id == except_for:
                continue
            row.executed = row.retried = False
            if row.status == "COMPLETED_WITH_ERRORS" and status in TERMINAL:
                row.status = status


def decide(core: Core, execution: Execution, decision: Decision) -> None:
    """Considers what has changed in a running execution, and fills in the decision.

    Raises:
        WorkflowHalted: The execution has failed or timed out.
    """
    check_workflow(core, execution)
    if execution.status == "PAUSED":
        return
    _Pass(core, execution, decision).run()
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        decision.terminate_row = terminate
    if decision.terminate_row is not None or (not decision.to_schedule and _is_complete(execution)):
        _check_permissive(execution)
        decision.complete = True


class _Pass:
    """One pass over the changed rows."""

    def __init__(self, core: Core, execution: Execution, decision: Decision) -> None:
        self._core = core
        self._execution = execution
        self._decision = decision
        self._candidates: dict[str, TaskRow] = {}  # by reference name: of two rows, the server schedules the first
        self._executed_now: set[str] = set()
        self._again: set[str] = set()

    def run(self) -> None:
        execution = self._execution
        if not execution.open and not execution.changed:
            self._candidates = {row.reference_name: row for row in _first_rows(self._core, execution)}
        pending = _take_pending(execution)
        self._decision.considered = [(row, row.status) for row in pending]
        try:
            for row in pending:
                self._consider(row)
        except EngineError as error:
            if not isinstance(error, WorkflowHalted):
                # The server stores nothing of a decision that fails, so that the next one finds these rows again.
                execution.changed.update((row.task_id, row) for row in pending)
            raise
        self._decision.to_schedule = [row for row in self._candidates.values() if not self._was_executed(row)]

    def _consider(self, row: TaskRow) -> None:
        if row.status not in TERMINAL and is_system(row):
            self._candidates.setdefault(row.reference_name, row)
            self._again.add(row.reference_name)
        check_task(self._core, row)
        if row.status in TERMINAL and not row.is_successful:
            self._retry(row)
        if row.status in TERMINAL and not row.executed and not row.retried:
            self._schedule_following(row)

    def _retry(self, row: TaskRow) -> None:
        attempt = retry(self._core, self._execution, row)
        if attempt is not None:
            self._candidates[attempt.reference_name] = attempt
            self._again.add(attempt.reference_name)
            self._decision.to_update.append(row)
            self._execution.touch(row)
        elif row.optional or not row.permissive:
            row.status = "COMPLETED_WITH_ERRORS"

    def _schedule_following(self, row: TaskRow) -> None:
        row.executed = True
        self._executed_now.add(row.task_id)
        try:
            following = _following(self._core, self._execution, row)
        except EngineError:
            row.executed = False
            raise
        for new in following:
            self._candidates.setdefault(new.reference_name, new)
        self._decision.to_update.append(row)
        self._execution.touch(row)
        self._execution.changed.pop(row.task_id, None)

    def _was_executed(self, candidate: TaskRow) -> bool:
        """Returns whether a row of that name was executed before this pass. Those of this pass do not count."""
        if candidate.reference_name in self._again:
            return False
        row = self._execution.latest.get(candidate.reference_name)
        return row is not None and row.executed and row.task_id not in self._executed_now


# -- rows --------------------------------------------------------------------------------------------


def _take_pending(execution: Execution) -> list[TaskRow]:
    """Takes out the rows to consider, in their order: those that changed, and those that are always rechecked."""
    rows = {**execution.changed, **execution.rechecked}
    execution.changed.clear()
    pending = [row for row in rows.values() if not row.retried and not row.executed and row.status != "SKIPPED"]
    if len(pending) > 1:
        pending.sort(key=lambda row: row.seq)
    return pending


def _first_rows(core: Core, execution: Execution) -> list[TaskRow]:
    tasks = execution.definition.tasks
    if not tasks:
        msg = "No tasks found to be executed"
        raise WorkflowHalted(msg, "COMPLETED")
    spec = _unskipped(execution, tasks[0])
    return make_rows(core, execution, spec) if spec is not None else []


def _following(core: Core, execution: Execution, row: TaskRow) -> list[TaskRow]:
    """Returns the rows of the task that follows one that has ended."""
    if row.task_type in {"DECISION", "SWITCH"} and row.input.get("hasChildren") is not None:
        return []  # its case was scheduled with it
    name = base_name(row.reference_name) if row.iteration > 0 else row.reference_name
    spec = _unskipped(execution, execution.definition.next_after(name))
    if spec is None or (spec.type == "DO_WHILE" and spec.reference_name in execution.latest):
        return []  # the loop itself begins its next iteration
    rows = make_rows(core, execution, spec)
    if row.iteration > 0 and row.task_type != "DO_WHILE":
        assign_iteration(rows, row.iteration)
        rows = [new for new in rows if not execution.has_started(new.reference_name)]
    return rows


def _unskipped(execution: Execution, spec: TaskSpec | None) -> TaskSpec | None:
    """Returns the task, or the first one after it that nobody has skipped."""
    while spec is not None:
        row = execution.latest.get(spec.reference_name)
        if row is None or row.status != "SKIPPED":
            return spec
        spec = execution.definition.next_after(spec.reference_name)
    return None


# -- the end -----------------------------------------------------------------------------------------


def _is_complete(execution: Execution) -> bool:
    """Returns whether all rows have ended, all top-level tasks have a row, and no following task lacks one."""
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
    """Fails the workflow at its end for permissive tasks that failed: they only let the other branches continue."""
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
