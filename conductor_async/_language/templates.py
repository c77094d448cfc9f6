"""The strings of a task in which the server replaces `${…}`, and its scripts, in which it mostly does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from conductor_async._language.expressions import expressions_in
from conductor_async.models import ConductorModel, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import WorkflowTask

__all__ = ["Script", "child_path", "scripts_of", "strings_in", "templates_of"]


def strings_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yields path and text of all strings in a value. Keys are not among them: the server replaces nothing there."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[object, Any]", value).items():
            yield from strings_in(item, child_path(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from strings_in(item, f"{path}[{index}]")


def child_path(path: str, key: object) -> str:
    """Returns the path of a key below `path`: `a.b`, or `a['b c']`."""
    return f"{path}.{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"{path}[{key!r}]"


_PLAIN_KEY = re.compile(r"[\w-]+")


def templates_of(task: WorkflowTask, path: str) -> Iterator[tuple[str, str]]:
    """Yields path and text of the strings in which the server replaces expressions."""
    # A script with values pasted in is looked at as a script; one that is a single expression, as a template.
    pasted = {script.field for script in scripts_of(task) if script.is_template and not script.is_single_expression}
    for key, value in task.input_parameters.items():
        if f"inputParameters.{key}" not in pasted:
            yield from strings_in(value, child_path(f"{path}.inputParameters", key))
    yield from strings_in(task.sink, f"{path}.sink")
    yield from strings_in(task.items, f"{path}.items")
    if (param := task.sub_workflow_param) is not None:
        for name, value in (
            ("name", param.name),
            ("priority", param.priority),
            ("taskToDomain", param.task_to_domain),
            ("workflowDefinition", param.workflow_definition),
            ("idempotencyKey", param.idempotency_key),
        ):
            if not isinstance(value, ConductorModel):
                yield from strings_in(value, f"{path}.subWorkflowParam.{name}")


class Script(NamedTuple):
    """A script of a task that has `${…}` in it.

    Attributes:
        field: Where it is: `loopCondition`, `inputParameters.expression`.
        source: The script.
        is_template: Whether the server pastes the values of expressions into it before it runs.
    """

    field: str
    source: str
    is_template: bool

    @property
    def is_single_expression(self) -> bool:
        """Whether one expression is all of it: the whole script then comes from elsewhere, which works."""
        return any(found.text == self.source for found in expressions_in(self.source))


def scripts_of(task: WorkflowTask) -> Iterator[Script]:
    """Yields the scripts of a task that have `${…}` in them."""
    inputs = task.input_parameters
    field, source = "", None
    if task.type == TaskType.SWITCH:  # of a value-param the "script" is a name, in which nothing is replaced either
        field, source = "expression", task.expression
    elif task.type == TaskType.DECISION:
        field, source = "caseExpression", task.case_expression
    elif task.type == TaskType.DO_WHILE:
        field, source = "loopCondition", task.loop_condition
    elif task.type == TaskType.LAMBDA:
        field, source = "inputParameters.scriptExpression", inputs.get("scriptExpression")
    elif task.type == TaskType.INLINE and inputs.get("evaluatorType") != "value-param":
        field, source = "inputParameters.expression", inputs.get("expression")
    if isinstance(source, str) and "${" in source:
        yield Script(field, source, field.startswith("inputParameters."))
