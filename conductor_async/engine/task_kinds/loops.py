"""DO_WHILE: its body again and again, as long as a condition holds or there are items.

The rows of the body have the iteration in their names: `ref__2`. A loop inside a loop shares its outer loop's counting,
as on the server, which makes nested loops good for little there and here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.decider.scheduling import in_iteration, rows_for, schedule, set_domains
from conductor_async.engine.errors import EngineError
from conductor_async.engine.expressions.inputs import evaluate
from conductor_async.engine.expressions.java_values import hash_ordered
from conductor_async.engine.json_kinds import is_array
from conductor_async.engine.scripts.conditions import compare
from conductor_async.engine.scripts.evaluators import run_javascript, truth
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DoWhileKind"]


class DoWhileKind(TaskKind):
    """The loop's own row: it lasts as long as the loop, and collects what the iterations put out."""

    type = "DO_WHILE"
    is_operator = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row; none if the loop is over."""
        existing = place.execution.latest.get(place.spec.reference_name)
        if existing is not None and existing.is_terminal:
            return []
        definition = place.spec.definition or place.core.metadata.task_definition(place.spec.name)
        task_id = place.core.ids.new()
        values = place.input(definition, task_id)
        row = place.row(
            "IN_PROGRESS",
            task_id=task_id,
            input=values,
            start_time=place.core.now(),
            retry_count=place.retry_count,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 1,
        )
        return [row]

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Begin the body, or see how far it is."""
        spec = row.spec
        if spec is None:
            return False
        body = _body_rows(execution, row, spec)
        if not body:
            return self._begin(core, execution, row, spec)
        output: JsonObject = {}
        reason = ""
        for task in body.values():
            output[base_name(task.reference_name)] = task.output
            if not task.is_successful:
                reason = f"{task.reason if task.reason is not None else 'null'} "
                break
        if not reason and not _is_iteration_over(row, spec, body):
            execution.loops_seen[row.task_id] = body
            return False
        row.output = {**row.output, str(row.iteration): hash_ordered(output)}
        self._drop_old(core, execution, row, spec)
        if reason:
            row.reason = reason
            row.status = "FAILED"
            return True
        return self._go_on(core, execution, row, spec)

    def _begin(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        if _has_items(spec) and not _items(core, execution, row, spec):
            row.output = {**row.output, "iteration": 0}
            row.status = "COMPLETED"
            return True
        row.iteration = 1
        return self._iterate(core, execution, row, spec)

    def _end(self, row: TaskRow) -> bool:
        """What was not stored in between has the order of a hash map."""
        if not row.stored:
            row.output = hash_ordered(row.output)
        row.status = "COMPLETED"
        return True

    def _go_on(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        try:
            goes_on = _condition(core, execution, row, spec)
            if not goes_on:
                return self._end(row)
            row.iteration += 1
            return self._iterate(core, execution, row, spec)
        except EngineError as error:
            condition = spec.wire.get("loopCondition")
            row.reason = f"Unable to evaluate condition {condition}, exception {error.message}"
            row.status = "FAILED_WITH_TERMINAL_ERROR"
            return True

    def _iterate(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> bool:
        """Schedule the first task of the body; the others follow by themselves."""
        row.output = {**row.output, "iteration": row.iteration}
        if _has_items(spec):
            items = _items(core, execution, row, spec)
            index = row.iteration - 1
            row.output["loopIndex"] = index
            if index < len(items):
                row.output["loopItem"] = items[index]
        rows = rows_for(core, execution, spec.loop_over[0], row.retry_count)
        set_domains(core, execution, rows)
        in_iteration(rows, row.iteration)
        schedule(core, execution, rows)
        for new in rows:
            execution.add(new)
        return True

    def _drop_old(self, core: Core, execution: Execution, row: TaskRow, spec: TaskSpec) -> None:
        """Keep only the last iterations, if the definition says so."""
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
                core.store.forget_task(task)
            execution.drop(ids)


def _body_rows(execution: Execution, row: TaskRow, spec: TaskSpec) -> dict[str, TaskRow]:
    """The rows of the current iteration, the last attempt of each."""
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
    """Whether there is another iteration."""
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
    """What the condition sees: the loop's input, its output so far, and the outputs of the tasks inside."""
    scope = evaluate(core, execution, spec.input_parameters, definition=row.definition, task_id=row.task_id)
    scope[row.reference_name] = row.output
    for name in spec.names:
        task = execution.by_base.get(name)
        if task is not None and task.reference_name != row.reference_name:
            scope[name] = task.output
    return scope
