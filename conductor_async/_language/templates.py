"""The texts of a task: those in which the server replaces `${…}`, and the scripts, which are another matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from conductor_async._language.expressions import expressions_in
from conductor_async.models import ConductorModel, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import WorkflowTask
    from conductor_async.workflow.references import InputValue

__all__ = ["scripts", "substituted", "texts_in"]


def texts_in(value: InputValue, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a value, with its path. Keys are not among them: the server never substitutes those."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[object, InputValue]", value).items():
            yield from texts_in(item, below(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[InputValue]", value)):
            yield from texts_in(item, f"{path}[{index}]")


def below(path: str, key: object) -> str:
    """The path of a key: `a.b`, or `a['b c']`."""
    return f"{path}.{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"{path}[{key!r}]"


_PLAIN_KEY = re.compile(r"[\w-]+")


def substituted(task: WorkflowTask, path: str) -> Iterator[tuple[str, str]]:
    """The texts in which the server replaces expressions, with their paths."""
    pasted = {field for field, script, is_substituted in scripts(task) if is_substituted and not _is_whole(script)}
    for key, value in task.input_parameters.items():
        if f"inputParameters.{key}" not in pasted:
            yield from texts_in(value, below(f"{path}.inputParameters", key))
    yield from texts_in(task.sink, f"{path}.sink")
    yield from texts_in(task.items, f"{path}.items")
    if (param := task.sub_workflow_param) is not None:
        within = f"{path}.subWorkflowParam"
        for field in ("name", "priority", "task_to_domain", "workflow_definition", "idempotency_key"):
            value = getattr(param, field)
            if not isinstance(value, ConductorModel):
                yield from texts_in(value, f"{within}.{_WIRE_NAMES.get(field, field)}")


_WIRE_NAMES = {
    "task_to_domain": "taskToDomain",
    "workflow_definition": "workflowDefinition",
    "idempotency_key": "idempotencyKey",
}


def scripts(task: WorkflowTask) -> Iterator[tuple[str, str, bool]]:
    """The scripts of a task: the field, the script, and whether the server pastes values into it first."""
    inputs = task.input_parameters
    found: tuple[tuple[str, object, bool], ...] = ()
    if task.type == TaskType.SWITCH:  # a value-param is a name, in which nothing is replaced either
        found = (("expression", task.expression, False),)
    elif task.type == TaskType.DECISION:
        found = (("caseExpression", task.case_expression, False),)
    elif task.type == TaskType.DO_WHILE:
        found = (("loopCondition", task.loop_condition, False),)
    elif task.type == TaskType.LAMBDA:
        found = (("inputParameters.scriptExpression", inputs.get("scriptExpression"), True),)
    elif task.type == TaskType.INLINE and inputs.get("evaluatorType") != "value-param":
        found = (("inputParameters.expression", inputs.get("expression"), True),)
    for field, script, is_substituted in found:
        if isinstance(script, str) and "${" in script:
            yield field, script, is_substituted


def _is_whole(script: str) -> bool:
    return any(found.text == script for found in expressions_in(script))
