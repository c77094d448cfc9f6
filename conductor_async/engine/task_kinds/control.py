"""Tasks that choose the way, or end it: SWITCH, DECISION, TERMINATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.scheduling import rows_for
from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.json_kinds import is_object
from conductor_async.engine.scripts.evaluators import evaluate_script, known_evaluator, run_javascript
from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place
    from conductor_async.models import JsonObject

__all__ = ["DecisionKind", "SwitchKind", "TerminateKind"]


class _Choice(TaskKind):
    """What SWITCH and DECISION share."""

    is_operator = True

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """The choice was made when the row was."""
        row.status = "COMPLETED"
        return True

    def _with_case(self, place: Place, row: TaskRow, tasks: list[TaskSpec]) -> list[TaskRow]:
        """The row, and those that the chosen case begins with."""
        if not tasks:
            return [row]
        inner = rows_for(place.core, place.execution, tasks[0], place.retry_count, place.retried_task_id)
        row.input["hasChildren"] = "true"
        return [row, *inner]


class SwitchKind(_Choice):
    """Chooses by an input or by a script. A case without tasks means: nothing to do."""

    type = "SWITCH"

    def rows(self, place: Place) -> list[TaskRow]:
        """The row of the choice, and what was chosen."""
        spec = place.spec
        evaluator = spec.wire.get("evaluatorType")
        if not known_evaluator(evaluator):
            msg = f"No evaluator registered for type: {evaluator or 'null'}"
            raise WorkflowHalted(msg)
        task_input = place.input()
        row = place.row(
            "IN_PROGRESS",
            task_type="SWITCH",
            task_def_name="SWITCH",
            input=task_input,
            start_time=place.core.now(),
        )
        try:
            value = evaluate_script(place.core, evaluator, spec.wire.get("expression"), dict(task_input))
        except ScriptError as error:
            row.status = "FAILED"
            row.reason = error.message
            return [row]
        case = as_java_string(value)
        row.input["case"] = case
        row.output = {"evaluationResult": [case], "selectedCase": case}
        rows = self._with_case(place, row, spec.cases.get(case, spec.default_case))
        row.input = hash_ordered(row.input, copied=len(task_input))
        return rows


class DecisionKind(_Choice):
    """Chooses by an input or by a script. A case without tasks means the default case."""

    type = "DECISION"

    def rows(self, place: Place) -> list[TaskRow]:
        """The row of the choice, and what was chosen."""
        spec = place.spec
        case = self._case(place)
        row = place.row(
            "IN_PROGRESS",
            task_type="DECISION",
            task_def_name="DECISION",
            input={"case": case},
            output={"caseOutput": [case]},
            start_time=place.core.now(),
        )
        rows = self._with_case(place, row, spec.cases.get(case) or spec.default_case)
        row.input = hash_ordered(row.input)
        return rows

    def _case(self, place: Place) -> str:
        expression = place.spec.wire.get("caseExpression")
        task_input = place.input()
        if not expression or not expression.strip():
            return as_java_string(task_input.get(place.spec.wire.get("caseValueParam") or ""))
        try:
            return as_java_string(run_javascript(place.core, expression, task_input))
        except ScriptError as error:
            msg = f"Error while evaluating script: {expression}"
            raise WorkflowHalted(msg) from error


class TerminateKind(TaskKind):
    """Ends the execution with a status, a reason and an output."""

    type = "TERMINATE"

    def rows(self, place: Place) -> list[TaskRow]:
        """One row."""
        task_id = place.core.ids.new()
        values = place.input(None, task_id)
        return [place.row("IN_PROGRESS", task_id=task_id, input=values, start_time=place.core.now())]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Say what the execution puts out. That it has ended is seen by the decider."""
        if row.input.get("terminationStatus") not in {"COMPLETED", "FAILED", "TERMINATED"}:
            row.reason = "given termination status is not valid"
            row.status = "FAILED"
            return False
        row.output = _output(row.input.get("workflowOutput"))
        row.status = "COMPLETED"
        return True


def _output(value: object) -> JsonObject:
    if value is None:
        return {}
    return dict(value) if is_object(value) else {"output": value}
