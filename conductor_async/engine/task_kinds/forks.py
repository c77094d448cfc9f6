"""Parallel branches: FORK_JOIN, and the joins that wait for them. The dynamic fork is in `dynamic_forks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.rows.kind import TaskKind
from conductor_async.engine.rows.making import make_rows
from conductor_async.engine.state.task_row import TERMINAL, join_names

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["ExclusiveJoinKind", "ForkJoinKind", "ForkKind", "JoinKind"]


class ForkKind(TaskKind):
    """The row of a fork, which is complete when it is made."""

    row_type = "FORK"
    is_operator = True


class ForkJoinKind(TaskKind):
    """Starts several branches, and the JOIN that has to follow."""

    type = "FORK_JOIN"
    is_system = False
    is_operator = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns the row of the fork, the first rows of each branch, and the row of the JOIN."""
        core, execution, spec = factory.core, factory.execution, factory.spec
        now = core.now()
        fork = factory.new_row(
            "COMPLETED", task_type="FORK", task_def_name="FORK", input=factory.input(), start_time=now, end_time=now
        )
        rows = [fork]
        for branch in spec.branches:
            rows += make_rows(core, execution, branch[0], factory.retry_count)
        join = execution.definition.next_after(spec.reference_name)
        if join is None or join.type != "JOIN":
            msg = "Fork task definition is not followed by a join task.  Check the blueprint"
            raise WorkflowHalted(msg)
        return rows + make_rows(core, execution, join, factory.retry_count)


def _reasons(execution: Execution, names: list[str]) -> str:
    rows = [execution.latest[name] for name in names if name in execution.latest]
    return " ".join(row.reason or "null" for row in rows if not row.is_successful)


class JoinKind(TaskKind):
    """Waits for the tasks that it names. `decider.joins` says when it runs."""

    type = "JOIN"
    is_async = True
    is_operator = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        values = {"joinOn": factory.spec.wire["joinOn"]}
        return [factory.started_row(task_type="JOIN", task_def_name="JOIN", input=values)]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Collects outputs. Ends when all tasks have ended, or when one fails that must not."""
        names = join_names(row)
        latest = execution.latest
        joined = [latest.get(name) for name in names]
        all_ended = all(task is not None and task.status in TERMINAL for task in joined)
        tolerated: list[str] = []
        output = dict(row.output)
        for name, task in zip(names, joined, strict=True):
            if task is None:
                continue
            if task.output:
                output[name] = task.output
            if not task.is_successful and not task.optional and (not task.permissive or all_ended):
                row.output = output
                row.reason = _reasons(execution, names)
                row.status = "CANCELED" if task.status == "CANCELED" else "FAILED"
                return True
            if task.optional and task.status == "COMPLETED_WITH_ERRORS":
                tolerated.append(f"{task.task_def_name}/{task.task_id} ")
        row.output = output
        if not all_ended:
            pairs = zip(names, joined, strict=True)
            execution.joins[row.task_id] = {name for name, task in pairs if task is None or task.status not in TERMINAL}
            return False
        row.status = "COMPLETED_WITH_ERRORS" if tolerated else "COMPLETED"
        if tolerated:
            row.reason = "".join(tolerated) + "completed with errors"
        return True


class ExclusiveJoinKind(TaskKind):
    """Takes the output of the first of its tasks that was executed."""

    type = "EXCLUSIVE_JOIN"
    is_operator = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        wire = factory.spec.wire
        values = {"joinOn": wire["joinOn"], "defaultExclusiveJoinTask": wire["defaultExclusiveJoinTask"]}
        return [factory.started_row(task_type="EXCLUSIVE_JOIN", task_def_name="EXCLUSIVE_JOIN", input=values)]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Completes with the first task that was executed, else with the first default task."""
        names = join_names(row)
        task = self._first(execution, names)
        failed = task is not None and not task.is_successful
        if task is not None and failed:
            others = [execution.latest.get(name) for name in names]
            failed = not task.permissive or all(other is not None and other.is_terminal for other in others)
        reason = _reasons(execution, names) if failed else ""
        if task is None or task.status not in TERMINAL:
            task = self._first(execution, row.input.get("defaultExclusiveJoinTask") or []) or task
            failed = failed or (task is not None and not task.is_successful)
            reason = reason or f"{task.reason or 'null'} " if failed and task is not None else reason
        if failed:
            row.reason = reason
            row.status = "FAILED"
            return True
        if task is None or task.status not in TERMINAL:
            return False
        row.output = task.output
        row.status = "COMPLETED"
        return True

    @staticmethod
    def _first(execution: Execution, names: list[str]) -> TaskRow | None:
        rows = (execution.latest.get(name) for name in names)
        return next((row for row in rows if row is not None and row.status != "SKIPPED"), None)
