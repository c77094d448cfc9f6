"""FORK_JOIN_DYNAMIC: a fork whose branches its input describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.java_values import hash_ordered
from conductor_async.engine.json_kinds import is_object
from conductor_async.engine.rows.kind import RowFactory, TaskKind
from conductor_async.engine.rows.making import make_rows
from conductor_async.engine.state.definition import TaskSpec
from conductor_async.engine.task_kinds.dynamic_fork_inputs import read_branches

if TYPE_CHECKING:
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DynamicForkKind"]


class DynamicForkKind(TaskKind):
    """Starts a branch for each task that the input describes, and the JOIN that has to follow."""

    type = "FORK_JOIN_DYNAMIC"
    is_system = False
    is_operator = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns the row of the fork, the first rows of each branch, and the row of the JOIN."""
        core, execution, spec = factory.core, factory.execution, factory.spec
        values = factory.input()
        branches = read_branches(factory, values)
        now = core.now()
        fork = factory.new_row(
            "COMPLETED",
            task_type="FORK",
            task_def_name="FORK",
            input=hash_ordered(
                {
                    "forkedTasks": [task.get("taskReferenceName") for task in branches.tasks],
                    "forkedTaskDefs": branches.tasks,
                    **values,
                }
            ),
            start_time=now,
            end_time=now,
            executed=True,
        )
        rows = [fork]
        join_on: list[str] = []
        if spec.reference_name not in execution.latest:
            for task in branches.tasks:
                branch = _branch_rows(factory, task, branches.inputs)
                rows += branch
                join_on.append(branch[-1].reference_name)
        join = execution.definition.next_after(spec.reference_name)
        if join is None or join.type != "JOIN":
            msg = "Dynamic join definition is not followed by a join task.  Check the workflow definition."
            raise WorkflowHalted(msg)
        join_input = {**join.input_parameters, "joinOn": join_on}
        join_factory = RowFactory(core, execution, join)
        rows.append(join_factory.started_row(task_type="JOIN", task_def_name="JOIN", input=join_input))
        return rows


def _branch_rows(factory: RowFactory, task: JsonObject, inputs: JsonObject) -> list[TaskRow]:
    """Returns the first rows of a branch."""
    given: JsonValue = inputs.get(task.get("taskReferenceName", "")) or {}
    if not is_object(given):
        msg = "Tasks could not be dynamically forked due to invalid input: the input of a task is not a map"
        raise WorkflowHalted(msg)
    task["inputParameters"] = {**task["inputParameters"], **given}
    spec = TaskSpec.compile(task)
    rows = make_rows(factory.core, factory.execution, spec, factory.retry_count)
    if not rows:
        msg = (
            f"No dynamic tasks could be created for the Workflow: {factory.execution.short_name}, "
            f"Dynamic Fork Task: {spec.name}/{spec.reference_name}"
        )
        if factory.execution.has_started(spec.reference_name):
            msg += f" attempted to create a duplicate task reference name: {spec.reference_name}"
        raise WorkflowHalted(msg)
    return rows
