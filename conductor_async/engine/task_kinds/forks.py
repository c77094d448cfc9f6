"""Tasks side by side: FORK_JOIN, and the joins that wait for them. The dynamic fork is in `dynamic_forks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.scheduling import rows_for
from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.state.execution import TERMINAL, join_names
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place

__all__ = ["ExclusiveJoinKind", "ForkJoinKind", "ForkKind", "JoinKind"]


class ForkKind(TaskKind):
    """The row of a fork. It is done when it is made."""

    row_type = "FORK"
    is_operator = True


class ForkJoinKind(TaskKind):
    """Begins several branches, and the JOIN that has to follow."""

    type = "FORK_JOIN"
    is_system = False
    is_operator = True

    def rows(self, place: Place) -> list[TaskRow]:
        """The fork's row, the first of each branch, the join's."""
        core, execution, spec = place.core, place.execution, place.spec
        now = core.now()
        fork = place.row(
            "COMPLETED", task_type="FORK", task_def_name="FORK", input=place.input(), start_time=now, end_time=now
        )
        rows = [fork]
        for branch in spec.branches:
            rows += rows_for(core, execution, branch[0], place.retry_count)
        join = execution.definition.next_after(spec.reference_name)
        if join is None or join.type != "JOIN":
            msg = "Fork task definition is not followed by a join task.  Check the blueprint"
            raise WorkflowHalted(msg)
        return rows + rows_for(core, execution, join, place.retry_count)


def _reasons(execution: Execution, names: list[str]) -> str:
    rows = [execution.latest[name] for name in names if name in execution.latest]
    return " ".join(row.reason or "null" for row in rows if not row.is_successful)


class JoinKind(TaskKind):
    """Waits for the tasks that it names."""

    type = "JOIN"
    is_async = True
    is_operator = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row, in progress."""
        values = {"joinOn": place.spec.wire["joinOn"]}
        return [
            place.row("IN_PROGRESS", task_type="JOIN", task_def_name="JOIN", input=values, start_time=place.core.now())
        ]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Collect outputs; end when all have ended, or as soon as one has failed that may not."""
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
                row.status = "FAILED"
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
    """Goes on with the output of the first of its tasks that was executed."""

    type = "EXCLUSIVE_JOIN"
    is_operator = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row, in progress."""
        wire = place.spec.wire
        values = {"joinOn": wire["joinOn"], "defaultExclusiveJoinTask": wire["defaultExclusiveJoinTask"]}
        return [
            place.row(
                "IN_PROGRESS",
                task_type="EXCLUSIVE_JOIN",
                task_def_name="EXCLUSIVE_JOIN",
                input=values,
                start_time=place.core.now(),
            )
        ]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Look for the task that was executed."""
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
