"""Finds what is wrong with a definition before it is sent: all of it at once, each problem with its path.

A problem is whatever the server would reject, and what it accepts but cannot run: an expression that is always null, a
join that waits for ever, a script that never sees the value meant. What runs is no problem, however odd it looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from conductor_async._language.names import checked_name
from conductor_async._language.task_rules import RuleContext, violations
from conductor_async._language.templates import strings_in, templates_of
from conductor_async.errors import ConfigurationError, WorkflowDefinitionError
from conductor_async.models import ConductorModel, SubWorkflowParams, TaskDef, TaskType, WorkflowDef, WorkflowTask
from conductor_async.workflow._validation.context import ValidationContext
from conductor_async.workflow._validation.definition_index import DefinitionIndex
from conductor_async.workflow._validation.expression_checks import ExpressionChecker
from conductor_async.workflow._validation.serializable import unserializable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async._language.positions import Position

__all__ = ["check", "problems_of"]

_EMPTY_CONTEXT = ValidationContext()


def check(
    definition: WorkflowDef, context: ValidationContext = _EMPTY_CONTEXT, build_problems: Sequence[str] = ()
) -> None:
    """Raises if the server would reject the definition, or could not run it.

    Args:
        definition: The definition.
        context: What is known of the workflow besides.
        build_problems: Problems that were found while the definition was built.

    Raises:
        WorkflowDefinitionError: With all problems, each starting with its path.
    """
    if problems := [*build_problems, *problems_of(definition, context)]:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise WorkflowDefinitionError(f"Workflow {definition.name!r} cannot work:\n{listed}", problems=problems)


def problems_of(definition: WorkflowDef, context: ValidationContext = _EMPTY_CONTEXT) -> list[str]:
    """Returns all problems of the definition, each starting with its path in the server's terms."""
    problems = dict.fromkeys(_DefinitionChecker(definition, context).problems())
    return [problem for problem in problems if problem not in context.accepted_problems]


class _DefinitionChecker:
    def __init__(self, definition: WorkflowDef, context: ValidationContext) -> None:
        self.definition = definition
        self.context = context
        self.index = DefinitionIndex(definition)
        self.expressions = ExpressionChecker(self.index, context.outputs)

    def problems(self) -> Iterator[str]:
        if not self.definition.name:
            yield "name: a workflow needs a name"
        else:
            yield from _name_problems("name", "workflow name", self.definition.name)
        if self.definition.schema_version != 2:
            yield f"schemaVersion: the server only supports 2, not {self.definition.schema_version!r}"
        for position in self.index.positions:
            yield from self._task_problems(position)
        for path, text in strings_in(self.definition.output_parameters, "outputParameters"):
            yield from self.expressions.template_problems(path, text, None)
        yield from unserializable(self.definition, self.index.positions)

    def _task_problems(self, position: Position) -> Iterator[str]:
        task, path = position.task, position.path
        yield from self._name_problems(position)
        for field, problem, _ in violations(_WireView(task), _NO_RULE_CONTEXT):
            if problem is not None:
                yield f"{path}{'.' if field else ''}{field}: {problem}"
        yield from _loop_problems(position)
        yield from self._fork_problems(position)
        yield from self._join_problems(position)
        yield from self.expressions.script_problems(position)
        for text_path, text in templates_of(task, path):
            yield from self.expressions.template_problems(text_path, text, position)
        yield from self._child_problems(position)

    def _name_problems(self, position: Position) -> Iterator[str]:
        task, path = position.task, position.path
        reference = task.task_reference_name
        if task.name and task.type == TaskType.SIMPLE:  # workers poll for the name
            yield from _name_problems(f"{path}.name", "task name", task.name)
        elif not task.name and reference:
            yield f"{path}: the task {reference!r} needs a name"
        if not reference:
            yield f"{path}: the task {task.name!r} needs a reference name{'' if task.name else ' and a name'}"
            return
        first = self.index.by_reference[reference]
        if first is not position:
            yield (
                f"{path}: the reference name {reference!r} is already used by {first.path}; each task needs its own,"
                " and a task object can be added only once"
            )
        yield from _name_problems(f"{path}.taskReferenceName", "reference name", reference)
        if "__" in reference and position.in_loop:
            yield (
                f"{path}.taskReferenceName: in a loop {reference!r} cannot have two underscores in a row: the server"
                " cuts names there, and the loop would never end"
            )
        if reference == "workflow" and self.index.mentions_workflow():
            yield (
                f"{path}.taskReferenceName: a task named 'workflow' hides the workflow itself from every"
                " expression that starts with ${workflow. : choose another name"
            )

    def _fork_problems(self, position: Position) -> Iterator[str]:
        if position.task.type not in (TaskType.FORK_JOIN, TaskType.FORK_JOIN_DYNAMIC):
            return
        after = position.next_task()
        if after is None or after.type != TaskType.JOIN:
            what = "nothing follows it" if after is None else f"{after.task_reference_name!r} follows it"
            yield f"{position.path}: a fork must be followed by its JOIN, but {what}: the server fails such a workflow"

    def _join_problems(self, position: Position) -> Iterator[str]:
        task = position.task
        if task.type not in (TaskType.JOIN, TaskType.EXCLUSIVE_JOIN):
            return
        lists = (("joinOn", task.join_on), ("defaultExclusiveJoinTask", task.default_exclusive_join_task))
        for field, names in lists:
            for index, name in enumerate(names):
                path = f"{position.path}.{field}[{index}]"
                target = self.index.by_reference.get(name)
                if target is None:
                    if not self.index.may_be_created_before(position):
                        yield f"{path}: there is no task {name!r} to wait for{self.index.suggest_reference(name)}"
                elif target is position or target.runs_only_after(position):
                    yield f"{path}: {name!r} runs only after this join, which would wait for it forever"

    def _child_problems(self, position: Position) -> Iterator[str]:
        param = position.task.sub_workflow_param
        if param is None or not isinstance(param.workflow_definition, WorkflowDef):
            return
        child = param.workflow_definition
        if not child.name and param.name:  # the server then takes the name beside the definition
            child = child.model_copy(update={"name": param.name})
        context = self.context.children.get(position.task.task_reference_name, _EMPTY_CONTEXT)
        for problem in problems_of(child, context):
            yield f"{position.path}.subWorkflowParam.workflowDefinition.{problem}"


def _name_problems(path: str, what: str, name: str) -> Iterator[str]:
    try:
        checked_name(what, name)
    except ConfigurationError as error:
        yield f"{path}: {error}"


_NO_RULE_CONTEXT = RuleContext()

# Models know the server's names as attributes, too, but more slowly.
_ATTRIBUTES = {
    to_camel(name): name for model in (WorkflowTask, SubWorkflowParams, TaskDef) for name in model.model_fields
}


def _loop_problems(position: Position) -> Iterator[str]:
    """A loop straight inside a loop fails in its first iteration, or begins its second one again and again."""
    task = position.task
    for number, inner in enumerate(task.loop_over if task.type == TaskType.DO_WHILE else ()):
        if inner.type == TaskType.DO_WHILE:
            yield (
                f"{position.path}.loopOver[{number}]: the server cannot run a loop straight inside a loop: put"
                f" {inner.task_reference_name!r} into a workflow of its own, and a SUB_WORKFLOW task in its place"
            )


class _WireView:
    """A model read by the server's names of its fields, as the rules of task types read it."""

    __slots__ = ("_model",)

    def __init__(self, model: ConductorModel) -> None:
        self._model = model

    def __getitem__(self, name: str, /) -> Any:
        value = getattr(self._model, _ATTRIBUTES[name])
        return _WireView(value) if isinstance(value, ConductorModel) else value

    get = __getitem__
