"""Finds `${…}` that are null when they are evaluated, or that the server cannot read or never evaluates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conductor_async._language.expressions import TASK_FIELDS, WORKFLOW_FIELDS, expressions_in, keys_after
from conductor_async._language.templates import scripts_of
from conductor_async.models import TaskType
from conductor_async.workflow._validation.definition_index import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from conductor_async._language.expressions import Expression
    from conductor_async._language.positions import Position
    from conductor_async.models import WorkflowTask
    from conductor_async.workflow._validation.context import OutputFields
    from conductor_async.workflow._validation.definition_index import DefinitionIndex

__all__ = ["ExpressionChecker"]


class ExpressionChecker:
    """Checks the expressions of one definition.

    Args:
        index: The definition's tasks.
        outputs: The fields of the tasks' outputs, by reference name, as far as they are known.
    """

    def __init__(self, index: DefinitionIndex, outputs: Mapping[str, OutputFields]) -> None:
        self._index = index
        self._outputs = outputs

    # -- templates

    def template_problems(self, path: str, text: str, position: Position | None) -> Iterator[str]:
        """Yields the problems of the expressions in a string.

        Args:
            path: Where the string is.
            text: The string.
            position: The task that it belongs to; None for the workflow's output.
        """
        if "${" not in text:
            return
        for expression in expressions_in(text):
            if (problem := self._template_problem(expression, position)) is not None:
                yield f"{path}: {problem}"

    def _template_problem(self, expression: Expression, position: Position | None) -> str | None:
        content, root = expression.content, expression.root
        if content is None:
            return self._unclosed_problem(expression)
        if (problem := self._unreadable_problem(content, expression)) is not None or not root:
            return problem
        if root == "workflow":
            return _misspelt_field(expression, "workflow", WORKFLOW_FIELDS)
        target = self._index.by_reference.get(root)
        if target is None:
            return None if self._may_be_known_elsewhere(content, position) else self._unknown_task(expression)
        if position is not None and (reason := target.why_not_before(position)) is not None:
            return f"{expression.text} is null here: {root!r} {reason}"
        return _misspelt_field(expression, "task", TASK_FIELDS) or self._unknown_output_field(content, root)

    def _unclosed_problem(self, expression: Expression) -> str | None:
        root, dot, _ = expression.text.removeprefix("${").partition(".")
        is_meant = dot and (root == "workflow" or root in self._index.by_reference)
        return f"{expression.text!r:.80} is never closed: a brace is missing" if is_meant else None

    def _unreadable_problem(self, content: str, expression: Expression) -> str | None:
        for name in self._index.unreferable:
            if content == name or content.startswith(f"{name}."):
                return (
                    f"the server cannot find {name!r} in {expression.text}: give the task a reference name without"
                    " dots, blanks, brackets and $"
                )
        if not content.strip() or _BLANK.search(_BRACKETS.sub("", content)):
            advice = "write keys with blanks as ['…'], and literal text as $${…}"
            return f"the server cannot read {expression.text}: {advice}"
        return None

    def _may_be_known_elsewhere(self, content: str, position: Position | None) -> bool:
        # ${NAME} is a variable of the server's environment, and ${java.home} a property of its Java.
        is_of_server = _SERVER_ENVIRONMENT.fullmatch(content) is not None
        return is_of_server or self._index.may_be_created_before(position)

    def _unknown_task(self, expression: Expression) -> str:
        base, _, iteration = expression.root.rpartition("__")
        target = self._index.by_reference.get(base)
        if target is None or not iteration.isdecimal():
            hint = self._index.suggest_reference(expression.root)
            return f"there is no task {expression.root!r} for {expression.text}{hint}"
        rest = (expression.content or "").removeprefix(expression.root)
        hint = f"the server cannot find {expression.root!r}: ${{{base}{rest}}} is the latest iteration"
        loop = next((level.task for level in reversed(target.levels[:-1]) if level.task.loop_over), None)
        if loop is None:
            return hint
        path = f"{loop.task_reference_name}.output.{iteration}.{base}{rest.removeprefix('.output')}"
        return f"{hint}; iteration {iteration} is ${{{path}}}"

    def _unknown_output_field(self, content: str, root: str) -> str | None:
        fields, parents = self._outputs.get(root), ""
        for key in keys_after(content, f"{root}.output"):
            if fields is None:
                return None
            if key not in fields:
                listed = ", ".join(fields) or "none at all"
                return f"the output of {root!r} has no {parents}{key}{suggestion(key, fields)} (it has {listed})"
            fields, parents = fields[key], f"{parents}{key}."
        return None

    # -- scripts

    def script_problems(self, position: Position) -> Iterator[str]:
        """Yields the problems of the expressions in a task's script."""
        for script in scripts_of(position.task):
            for expression in expressions_in(script.source):
                if expression.content is None or (script.is_template and expression.text == script.source):
                    continue  # a script that comes as a whole from elsewhere
                if script.is_template or self._is_meant(expression, script.source):
                    problem = self._script_problem(expression, position.task, is_template=script.is_template)
                    yield f"{position.path}.{script.field}: {problem}"

    def _script_problem(self, expression: Expression, task: WorkflowTask, *, is_template: bool) -> str:
        text, root = expression.text, expression.root
        if is_template:
            return f"{text} would be pasted into the script as text: {_AS_INPUT}"
        if task.evaluator_type == "value-param":
            return f"the expression of a value-param is the name of an input parameter: move {text} into that parameter"
        if task.type == TaskType.DO_WHILE and root in self._index.by_reference:
            path = (expression.content or "").removeprefix(root).removeprefix(".output")
            return f"{text} is not replaced in a condition: write $.{root}{path}, or {_AS_INPUT}"
        return f"{text} is not replaced in a script: {_AS_INPUT}"

    def _is_meant(self, expression: Expression, script: str) -> bool:
        """Whether it is an expression of Conductor's, and no placeholder in a template literal of JavaScript."""
        return expression.root in self._index.by_reference or expression.root == "workflow" or "`" not in script


_AS_INPUT = "pass the value as an input parameter, and read it as $.name"

_BRACKETS = re.compile(r"\[[^\]]*\]|\$\{[^}]*\}")
_BLANK = re.compile(r"[ \t]")
_SERVER_ENVIRONMENT = re.compile(
    r"[\w-]+|java\.[\w.]+|(?:user|os|file|path|line|native|sun|jdk)\.(?!(?:in|out)put\b)[\w.]+"
)


def _misspelt_field(expression: Expression, owner: str, fields: Collection[str]) -> str | None:
    """Returns why the expression is null, if what follows the root is unknown and looks like a known field.

    What looks like none is accepted: other servers may have more fields.
    """
    field = next(keys_after(expression.content or "", expression.root), None)
    if field is None or field in fields or not (hint := suggestion(field, fields)):
        return None
    return f"{expression.text} is null: a {owner} has no {field!r}{hint}"
