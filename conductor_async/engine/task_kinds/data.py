"""Tasks that compute: NOOP, SET_VARIABLE, INLINE, LAMBDA, JSON_JQ_TRANSFORM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conductor_async.engine.rows.kind import TaskKind, continue_later
from conductor_async.engine.sandbox.job import JobPending
from conductor_async.engine.scripts.evaluators import evaluate_script, known_evaluator, run_javascript, run_jq
from conductor_async.engine.scripts.interface import ScriptError

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["InlineKind", "JsonJqTransformKind", "LambdaKind", "NoopKind", "SetVariableKind"]

_MAX_VARIABLES_KB = 256


class NoopKind(TaskKind):
    """Does nothing."""

    type = "NOOP"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress. Input parameters are ignored."""
        return [factory.started_row()]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Completes the task."""
        row.status = "COMPLETED"
        return True


class SetVariableKind(TaskKind):
    """Sets variables of the execution: each key of its input is one."""

    type = "SET_VARIABLE"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        return [factory.started_row(input=factory.input())]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Sets the variables, unless they become larger than the server's limit."""
        variables = {**execution.variables, **row.input}
        size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
        if size > _MAX_VARIABLES_KB * 1024:
            row.reason = (
                f"The variables payload size: {size} of workflow: {execution.workflow_id} is greater than "
                f"the permissible limit: {_MAX_VARIABLES_KB} kilobytes"
            )
            row.status = "FAILED_WITH_TERMINAL_ERROR"
            return True
        execution.variables = variables
        row.status = "COMPLETED"
        return True


class _Script(TaskKind):
    """A task that runs a script over its input, which the input template of its definition completes."""

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        task_id = factory.core.ids.new()
        values = factory.input(factory.definition(), task_id)
        return [factory.started_row(task_id=task_id, input=values)]


class InlineKind(_Script):
    """Evaluates an expression."""

    type = "INLINE"

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Evaluates. A script error is final: the same script fails again."""
        evaluator = row.input.get("evaluatorType")
        evaluator = "javascript" if evaluator is None else evaluator
        expression = row.input.get("expression")
        try:
            self._check(evaluator, expression)
            value = evaluate_script(core, evaluator, expression, row.input)
        except JobPending as pending:
            return continue_later(core, row, pending)
        except ScriptError as error:
            row.status = "FAILED" if error.may_succeed_later else "FAILED_WITH_TERMINAL_ERROR"
            row.reason = error.message
            row.output = {"error": error.message}
            return True
        row.output = {"result": value}
        row.status = "COMPLETED"
        return True

    @staticmethod
    def _check(evaluator: object, expression: object) -> None:
        if not isinstance(evaluator, str) or not evaluator.strip():
            msg = "Empty 'evaluatorType' in INLINE task's input parameters. A non-empty String value must be provided."
            raise ScriptError(msg)
        if not known_evaluator(evaluator):
            msg = f"Unknown evaluator '{evaluator}' in INLINE task."
            raise ScriptError(msg)
        if not isinstance(expression, str) or not expression.strip():
            msg = "Empty 'expression' in Inline task's input parameters. A non-empty String value must be provided."
            raise ScriptError(msg)


class LambdaKind(_Script):
    """Runs the body of a JavaScript function."""

    type = "LAMBDA"

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Runs the script."""
        source = row.input.get("scriptExpression")
        if not isinstance(source, str) or not source.strip():
            row.reason = (
                "Empty 'scriptExpression' in Lambda task's input parameters. A non-empty String value must be provided."
            )
            row.status = "FAILED"
            return True
        try:
            value = run_javascript(core, f"function scriptFun(){{{source}}} scriptFun();", row.input)
        except JobPending as pending:
            return continue_later(core, row, pending)
        except ScriptError as error:
            row.status = "FAILED"
            row.reason = error.message
            row.output = {"error": error.message}
            return True
        row.output = {"result": value}
        row.status = "COMPLETED"
        return True


class JsonJqTransformKind(_Script):
    """Runs a jq query over its whole input."""

    type = "JSON_JQ_TRANSFORM"

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Runs the query."""
        self.execute(core, execution, row)

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Runs the query, or fetches the results of one that took longer."""
        query = row.input.get("queryExpression")
        if query is None:
            row.reason = "Missing 'queryExpression' in input parameters"
            row.status = "FAILED"
            return True
        try:
            results = run_jq(core, query, row.input)
        except JobPending as pending:
            return continue_later(core, row, pending)
        except ScriptError as error:
            row.status = "FAILED"
            row.reason = error.message
            row.output = {"error": error.message}
            return True
        row.output = {"result": results[0] if results else None, "resultList": results}
        row.status = "COMPLETED"
        return True
