"""Tasks that choose what follows, or end the workflow: SWITCH, DECISION, TERMINATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.json_kinds import is_object
from conductor_async.engine.rows.domains import assign_domains
from conductor_async.engine.rows.kind import RowFactory, TaskKind, continue_later
from conductor_async.engine.rows.making import assign_iteration, make_rows
from conductor_async.engine.rows.scheduling import add_new, schedule
from conductor_async.engine.sandbox.job import JobPending
from conductor_async.engine.scripts.evaluators import evaluate_script, known_evaluator, run_javascript
from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["DecisionKind", "SwitchKind", "TerminateKind"]


class _Choice(TaskKind):
    """The common part of SWITCH and DECISION.

    The case is chosen when the row is made, unless its script takes longer. Then the row is in progress without an
    output, and the case is chosen when the script has ended.
    """

    is_operator = True
    takes_secrets = False

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Completes the task, if its case is chosen."""
        spec = row.spec
        if not row.output and spec is not None:
            factory = RowFactory(core, execution, spec, row.retry_count, row.retried_task_id)
            try:
                _, *inner = self._choose(factory, row, row.input)
            except JobPending as pending:
                return continue_later(core, row, pending)
            if row.status in TERMINAL:
                return True
            if row.iteration > 0:
                assign_iteration(inner, row.iteration)
            assign_domains(core, execution, inner)
            schedule(core, execution, add_new(execution, inner))
        row.status = "COMPLETED"
        return True

    def _choose(self, factory: RowFactory, row: TaskRow, task_input: JsonObject) -> list[TaskRow]:
        """Fills in the case in the row. Returns it and the first rows of the case. Raises `JobPending`."""
        raise NotImplementedError

    def _with_case(self, factory: RowFactory, row: TaskRow, tasks: list[TaskSpec]) -> list[TaskRow]:
        """Returns the row and the first rows of the chosen case."""
        if not tasks:
            return [row]
        inner = make_rows(factory.core, factory.execution, tasks[0], factory.retry_count, factory.retried_task_id)
        row.input["hasChildren"] = "true"
        return [row, *inner]


class SwitchKind(_Choice):
    """Chooses a case by an input or a script. A case without tasks does nothing."""

    type = "SWITCH"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns the row of the choice and the first rows of the chosen case."""
        spec = factory.spec
        evaluator = spec.wire.get("evaluatorType")
        if not known_evaluator(evaluator):
            msg = f"No evaluator registered for type: {evaluator or 'null'}"
            raise WorkflowHalted(msg)
        task_input = factory.input()
        row = factory.started_row(task_type="SWITCH", task_def_name="SWITCH", input=task_input)
        try:
            return self._choose(factory, row, task_input)
        except JobPending:
            return [row]

    def _choose(self, factory: RowFactory, row: TaskRow, task_input: JsonObject) -> list[TaskRow]:
        spec = factory.spec
        expression = spec.wire.get("expression")
        try:
            value = evaluate_script(factory.core, spec.wire.get("evaluatorType"), expression, dict(task_input))
        except ScriptError as error:
            row.status = "FAILED"
            row.reason = error.message
            return [row]
        case = as_java_string(value)
        row.input["case"] = case
        row.output = {"evaluationResult": [case], "selectedCase": case}
        rows = self._with_case(factory, row, spec.cases.get(case, spec.default_case))
        row.input = hash_ordered(row.input, copied=len(task_input))
        return rows


class DecisionKind(_Choice):
    """Chooses a case by an input or a script. Unlike SWITCH, a case without tasks means the default case."""

    type = "DECISION"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns the row of the choice and the first rows of the chosen case."""
        task_input = factory.input()
        row = factory.started_row(task_type="DECISION", task_def_name="DECISION", input=task_input)
        try:
            return self._choose(factory, row, task_input)
        except JobPending:
            return [row]

    def _choose(self, factory: RowFactory, row: TaskRow, task_input: JsonObject) -> list[TaskRow]:
        spec = factory.spec
        case = self._case(factory, task_input)
        row.input, row.output = {"case": case}, {"caseOutput": [case]}
        rows = self._with_case(factory, row, spec.cases.get(case) or spec.default_case)
        row.input = hash_ordered(row.input)
        return rows

    def _case(self, factory: RowFactory, task_input: JsonObject) -> str:
        expression = factory.spec.wire.get("caseExpression")
        if not expression or not expression.strip():
            return as_java_string(task_input.get(factory.spec.wire.get("caseValueParam") or ""))
        try:
            return as_java_string(run_javascript(factory.core, expression, task_input))
        except ScriptError as error:
            msg = f"Error while evaluating script: {expression}"
            raise WorkflowHalted(msg) from error


class TerminateKind(TaskKind):
    """Ends the execution with a status, a reason and an output. The decider does so when the row is complete."""

    type = "TERMINATE"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        task_id = factory.core.ids.new()
        values = factory.input(None, task_id)
        return [factory.started_row(task_id=task_id, input=values)]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Sets the task's output, which becomes the execution's."""
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
