"""DO_WHILE: repeats its body as long as a condition holds, or for each item of a list.

The rows of the body have the iteration in their names: `ref__2`. As on the server, a loop inside a loop shares the
iteration of the outer loop, so that nested loops do not repeat as one expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.errors import EngineError
from conductor_async.engine.expressions.java_values import hash_ordered
from conductor_async.engine.json_kinds import is_array
from conductor_async.engine.rows.domains import assign_domains
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.rows.kind import TaskKind, continue_later
from conductor_async.engine.rows.making import assign_iteration, make_rows
from conductor_async.engine.rows.scheduling import schedule
from conductor_async.engine.sandbox.job import JobPending
from conductor_async.engine.scripts.conditions import compare
from conductor_async.engine.scripts.evaluators import run_javascript, truth
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DoWhileKind"]


class DoWhileKind(TaskKind):
    """The row of the loop itself: open as long as the loop runs, with the outputs of all iterations."""

    type = "DO_WHILE"
    is_operator = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress; none if the loop has ended."""
        existing = factory.execution.latest.get(factory.spec.reference_name)
        if existing is not None and existing.is_terminal:
            return []
        definition = factory.definition()
        task_id = factory.core.ids.new()
        values = factory.input(definition, task_id)
        row = factory.started_row(
            task_id=task_id,
            input=values,
            retry_count=factory.retry_count,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 1,
        )
        return [row]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Starts the first iteration, or ends the current one if all its tasks have ended."""
        spec = row.spec
        if spec is None:
            return False
        body = _body_rows(execution, row, spec)
        if not body:
            return self._start(core, execution, row, spec)
        output: JsonObject = {}
        reason = ""
        for task in body.values():
            output[base_name(task.reference_name)] = task.output
            if not task.is_successful:
                reason = f"{task.reason if task.reason is not None else 'null'} "
                break
        if not reason and not _is_iteration_over(row, spec, body):
            execution.unfinished_iterations[row.task_id] = body
            return False
        row.output = {**row.output, str(row.iteration): hash_ordered(output)}
        self._drop_old_iterations(core, execution, row, spec)
        if reason:
            row.reason = reason
            row.status = "FAILED"
            return True
        return self._next_iteration(core, execution, row, spec)

    def _start(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        if _has_items(spec) and not _items(core, execution, row, spec):
            row.output = {**row.output, "iteration": 0}
            row.status = "COMPLETED"
            return True
        row.iteration = 1
        return self._iterate(core, execution, row, spec)

    def _end(self, row: TaskRow) -> bool:
        """Completes the loop. Its output has the key order of a Java hash map, unless it was stored in between."""
        if not row.stored:
            row.output = hash_ordered(row.output)
        row.status = "COMPLETED"
        return True

    def _next_iteration(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        try:
            if not _condition(core, execution, row, spec):
                return self._end(row)
            row.iteration += 1
            return self._iterate(core, execution, row, spec)
        except JobPending as pending:
            return continue_later(core, row, pending)
        except EngineError as error:
            condition = spec.wire.get("loopCondition")
            row.reason = f"Unable to evaluate condition {condition}, exception {error.message}"
            row.status = "FAILED_WITH_TERMINAL_ERROR"
            return True

    def _iterate(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        """Schedules the first task of the body. The decider schedules the others."""
        row.output = {**row.output, "iteration": row.iteration}
        if _has_items(spec):
            items = _items(core, execution, row, spec)
            index = row.iteration - 1
            row.output["loopIndex"] = index
            if index < len(items):
                row.output["loopItem"] = items[index]
        rows = make_rows(core, execution, spec.loop_over[0], row.retry_count)
        assign_domains(core, execution, rows)
        assign_iteration(rows, row.iteration)
        schedule(core, execution, rows)
        for new in rows:
            execution.add(new)
        return True

    def _drop_old_iterations(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> None:
        """Removes old iterations, if the definition has `keepLastN`."""
        keep = spec.input_parameters.get("keepLastN")
        if not isinstance(keep, int) or row.iteration <= keep:
            return
        oldest = row.iteration - keep
        row.output = {key: value for key, value in row.output.items() if not key.isdigit() or int(key) > oldest}
        gone = [
            task
            for iteration in list(execution.iterations)
            if iteration <= oldest
            for task in execution.iterations[iteration]
            if spec.has(base_name(task.reference_name)) and task.reference_name != row.reference_name
        ]
        if gone:
            ids = {task.task_id for task in gone}
            for task in gone:
                core.store.remove_task(task)
            execution.drop(ids)


def _body_rows(execution: Execution, row: TaskRow, spec: TaskSpec) -> dict[str, TaskRow]:
    """Returns the rows of the current iteration: the last attempt of each task."""
    rows: dict[str, TaskRow] = {}
    for task in execution.iterations.get(row.iteration, []):
        name = task.reference_name
        if name == row.reference_name or not spec.has(base_name(name)):
            continue
        known = rows.get(name)
        if known is None or task.retry_count > known.retry_count:
            rows[name] = task
    return rows


def _is_iteration_over(row: TaskRow, spec: TaskSpec, body: dict[str, TaskRow]) -> bool:
    for task in spec.loop_over:
        first = body.get(f"{task.reference_name}__{row.iteration}")
        if first is None or first.status not in TERMINAL:
            return False
    if any(task.status not in TERMINAL for task in body.values()):
        return False
    for known in body.values():
        following = spec.next_after(base_name(known.reference_name))
        if (
            following is not None
            and following.reference_name != spec.reference_name
            and f"{following.reference_name}__{row.iteration}" not in body
        ):
            return False
    return True


# -- items and condition -----------------------------------------------------------------------------


def _has_items(spec: TaskSpec) -> bool:
    items = spec.wire.get("items")
    if isinstance(items, str) and items.strip():
        return True
    value = spec.input_parameters.get("_items")
    return is_array(value) or (isinstance(value, str) and bool(value.strip()))


def _items(core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> list[JsonValue]:
    definition = row.definition
    value: JsonValue = None
    expression = spec.wire.get("items")
    if isinstance(expression, str) and expression.strip():
        wanted = {"items": expression}
        value = evaluate(core, execution, wanted, definition=definition, task_id=row.task_id)["items"]
    if value is None:
        values = evaluate(core, execution, spec.input_parameters, definition=definition, task_id=row.task_id)
        value = values.get("_items")
    if value is None:
        return []
    return value if is_array(value) else [value]


def _condition(core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
    """Returns whether there is another iteration."""
    condition = spec.wire.get("loopCondition")
    if not _has_items(spec):
        return condition is not None and _holds(core, condition, _scope(core, execution, row, spec))
    items = _items(core, execution, row, spec)
    index = row.iteration - 1
    has_more = index < len(items) - 1
    if condition is None or not condition.strip():
        return has_more
    scope = _scope(core, execution, row, spec)
    scope["loopIndex"] = index
    if index < len(items):
        scope["loopItem"] = items[index]
    return _holds(core, condition, scope) and has_more


def _holds(core: Core, condition: str, scope: JsonObject) -> bool:
    known = compare(condition, scope)
    return known if known is not None else truth(run_javascript(core, condition, scope))


def _scope(core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> JsonObject:
    """Returns what the condition can use: the loop's input, its output so far, and the outputs of the tasks inside."""
    scope = evaluate(core, execution, spec.input_parameters, definition=row.definition, task_id=row.task_id)
    scope[row.reference_name] = row.output
    for name in spec.names:
        task = execution.by_base.get(name)
        if task is not None and task.reference_name != row.reference_name:
            scope[name] = task.output
    return scope
