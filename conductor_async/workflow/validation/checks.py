"""What is wrong with a definition, found before it is sent: all of it at once, each with its path.

Refused is what the server refuses, and what it takes but cannot work: an expression that is always null, a join that
waits for ever, a script that never sees the value meant. What runs fine is not refused, however odd it looks.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from conductor_async._http.routes import checked_name
from conductor_async._language.expressions import (
    PARTS_OF_TASK,
    PARTS_OF_WORKFLOW,
    expressions_in,
    steps_below,
)
from conductor_async._language.positions import Place, placed_tasks
from conductor_async._language.templates import scripts, substituted, texts_in
from conductor_async.errors import ConfigurationError, WorkflowDefinitionError
from conductor_async.models import TaskType, WorkflowDef
from conductor_async.workflow.validation.requirements import missing_in
from conductor_async.workflow.validation.serializable import unserializable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from conductor_async._language.expressions import Expression
    from conductor_async.models import WorkflowTask
    from conductor_async.workflow.validation.known_outputs import OutputFields

__all__ = ["Known", "check", "placed_tasks", "problems_of"]


class Known(NamedTuple):
    """What is known of a workflow beside its definition.

    Attributes:
        outputs: The fields of its tasks' outputs that are known, by reference name.
        children: The same of the workflows inside of it, by the reference name of the task that runs one.
        problems: Problems to pass over: those that a definition from elsewhere has already.
    """

    outputs: Mapping[str, OutputFields] = {}
    children: Mapping[str, Known] = {}
    problems: Collection[str] = ()


NOTHING = Known()


def check(definition: WorkflowDef, known: Known = NOTHING, found: Sequence[str] = ()) -> None:
    """Raises if the definition cannot work.

    Args:
        definition: What to look at.
        known: What is known of it beside.
        found: What was found to be wrong while it was made.

    Raises:
        WorkflowDefinitionError: With all its problems, each starting with its path.
    """
    if problems := [*found, *problems_of(definition, known)]:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise WorkflowDefinitionError(f"Workflow {definition.name!r} cannot work:\n{listed}", problems=problems)


def problems_of(definition: WorkflowDef, known: Known = NOTHING) -> list[str]:
    """All that is wrong with the definition, each starting with its path in the server's terms."""
    found = dict.fromkeys(_Checked(definition, known).problems())
    return [problem for problem in found if problem not in known.problems]


class _Checked:
    """One workflow that is looked at: its places, and which of them a reference name means."""

    def __init__(self, definition: WorkflowDef, known: Known) -> None:
        self.definition = definition
        self.known = known
        self.suggestions_left = _SUGGESTIONS
        self.places = list(placed_tasks(definition.tasks))
        self.by_reference: dict[str, Place] = {}
        for place in self.places:
            self.by_reference.setdefault(place.task.task_reference_name, place)
        # The tasks that these create have names that nobody knows yet.
        self.creators = [each for each in self.places if each.task.type in _CREATORS]
        self.unusual = [name for name in self.by_reference if name and not _REFERABLE.fullmatch(name)]

    def problems(self) -> Iterator[str]:
        if not self.definition.name:
            yield "name: a workflow needs a name"
        else:
            yield from _name_problems("name", "workflow name", self.definition.name)
        if self.definition.schema_version != 2:
            yield f"schemaVersion: the server knows 2 only, not {self.definition.schema_version!r}"
        for place in self.places:
            yield from self._task_problems(place)
        for path, text in texts_in(self.definition.output_parameters, "outputParameters"):
            yield from self._text_problems(path, text, None)
        yield from unserializable(self.definition, self.places)

    # -- tasks

    def _task_problems(self, place: Place) -> Iterator[str]:
        yield from self._identity_problems(place)
        for problem in missing_in(place):
            yield f"{place.path}{'.' if problem.below else ''}{problem.below}: {problem.text}"
        yield from self._join_problems(place)
        yield from self._script_problems(place)
        for path, text in substituted(place.task, place.path):
            yield from self._text_problems(path, text, place)
        param = place.task.sub_workflow_param
        if param is not None and isinstance(param.workflow_definition, WorkflowDef):
            child = param.workflow_definition
            if not child.name and param.name:  # the server takes the other name then
                child = child.model_copy(update={"name": param.name})
            for inner in problems_of(child, self.known.children.get(place.task.task_reference_name, NOTHING)):
                yield f"{place.path}.subWorkflowParam.workflowDefinition.{inner}"

    def _identity_problems(self, place: Place) -> Iterator[str]:
        task, path = place.task, place.path
        reference = task.task_reference_name
        if task.name and task.type == TaskType.SIMPLE:  # the name is what workers poll for
            yield from _name_problems(f"{path}.name", "task name", task.name)
        elif not task.name and reference:
            yield f"{path}: the task {reference!r} needs a name"
        if not reference:
            yield f"{path}: the task {task.name!r} needs a reference name{'' if task.name else ' and a name'}"
            return
        first = self.by_reference[reference]
        if first is not place:
            yield (
                f"{path}: the reference name {reference!r} is that of {first.path} already;"
                " each task of a workflow has its own, and one task object stands in one place only"
            )
        yield from _name_problems(f"{path}.taskReferenceName", "reference name", reference)
        if "__" in reference and place.in_loop:
            yield (
                f"{path}.taskReferenceName: in a loop {reference!r} cannot have two underscores in a row: the server"
                " cuts names there, and would never get to the end"
            )
        if reference == "workflow" and self._mentions_workflow():
            yield (
                f"{path}.taskReferenceName: a task named 'workflow' hides the workflow itself from every"
                " expression that starts with ${workflow. : choose another"
            )

    def _mentions_workflow(self) -> bool:
        texts = (text for place in self.places for _, text in substituted(place.task, place.path))
        return any("${workflow." in text for text in texts)

    def _join_problems(self, place: Place) -> Iterator[str]:
        if place.task.type not in (TaskType.JOIN, TaskType.EXCLUSIVE_JOIN):
            return
        lists = (("joinOn", place.task.join_on), ("defaultExclusiveJoinTask", place.task.default_exclusive_join_task))
        for field, names in lists:
            for index, name in enumerate(names):
                path = f"{place.path}.{field}[{index}]"
                target = self.by_reference.get(name)
                if target is None:
                    if not self._may_be_created_before(place):
                        yield f"{path}: there is no task {name!r} to wait for{self._suggestion(name)}"
                elif target is place or target.runs_only_after(place):
                    yield f"{path}: {name!r} runs only after this join, which would wait for it for ever"

    # -- scripts

    def _script_problems(self, place: Place) -> Iterator[str]:
        for field, script, is_pasted in scripts(place.task):
            for found in expressions_in(script):
                if found.content is None or (is_pasted and found.text == script):
                    continue  # a script that comes as a whole from elsewhere
                if is_pasted or self._is_meant(found, script):
                    yield f"{place.path}.{field}: {self._script_problem(found, place.task, is_pasted)}"

    def _script_problem(self, found: Expression, task: WorkflowTask, is_pasted: bool) -> str:
        if is_pasted:
            return f"{found.text} would become part of the script, as text: {_AS_INPUT}"
        if task.evaluator_type == "value-param":
            return f"a value-param is the name of an input parameter: put {found.text} there"
        if task.type == TaskType.DO_WHILE and found.root in self.by_reference:
            path = (found.content or "").removeprefix(found.root).removeprefix(".output")
            return f"{found.text} is not replaced in a condition: write $.{found.root}{path}, or {_AS_INPUT}"
        return f"{found.text} is not replaced in a script: {_AS_INPUT}"

    def _is_meant(self, found: Expression, script: str) -> bool:
        """Whether it is an expression of Conductor, and not a placeholder in JavaScript's own template text."""
        return found.root in self.by_reference or found.root == "workflow" or "`" not in script

    # -- expressions

    def _text_problems(self, path: str, text: str, place: Place | None) -> Iterator[str]:
        if "${" not in text:
            return
        for found in expressions_in(text):
            if (problem := self._expression_problem(found, place)) is not None:
                yield f"{path}: {problem}"

    def _expression_problem(self, found: Expression, place: Place | None) -> str | None:
        content, root = found.content, found.root
        if content is None:
            start = found.text.removeprefix("${").partition(".")
            is_meant = start[1] and (start[0] == "workflow" or start[0] in self.by_reference)
            return f"{found.text!r:.80} is never closed: a brace is missing" if is_meant else None
        for name in self.unusual:
            if content == name or content.startswith(f"{name}."):
                return (
                    f"the server cannot find {name!r} in {found.text}: give the task a reference name without"
                    " dots, blanks, brackets and $"
                )
        if not content.strip() or _BLANK.search(_BRACKETS.sub("", content)):
            return (
                f"the server cannot read {found.text}; blanks go between ['…'], and text that is not meant for the"
                " server is written with $${"
            )
        if not root:
            return None
        if root == "workflow":
            return _misspelt_part(found, "workflow", PARTS_OF_WORKFLOW)
        target = self.by_reference.get(root)
        if target is None:
            return None if self._is_known_elsewhere(content, root, place) else self._unknown(found)
        if place is not None and (why := target.why_not_before(place)) is not None:
            return f"{found.text} is null here: {root!r} {why}"
        return _misspelt_part(found, "task", PARTS_OF_TASK) or self._unknown_field(found, root)

    def _is_known_elsewhere(self, content: str, root: str, place: Place | None) -> bool:
        # ${NAME} is one of the server's environment; so are the properties of its Java, which have dots.
        is_of_the_server = _OF_THE_SERVER.fullmatch(content) is not None
        return is_of_the_server or self._may_be_created_before(place)

    def _unknown(self, found: Expression) -> str:
        plain, _, iteration = found.root.rpartition("__")
        target = self.by_reference.get(plain)
        if target is not None and iteration.isdecimal():
            rest = (found.content or "").removeprefix(found.root)
            loop = next(
                (each.tasks[each.index] for each in reversed(target.frames[:-1]) if each.tasks[each.index].loop_over),
                None,
            )
            of_one = (
                ""
                if loop is None
                else f"; iteration {iteration} is ${{{loop.task_reference_name}.output.{iteration}.{plain}"
                f"{rest.removeprefix('.output')}}}"
            )
            return f"the server cannot find {found.root!r}: ${{{plain}{rest}}} is the latest iteration{of_one}"
        return f"there is no task {found.root!r} for {found.text}{self._suggestion(found.root)}"

    def _unknown_field(self, found: Expression, root: str) -> str | None:
        fields, name = self.known.outputs.get(root), f"{root}.output"
        for step in steps_below(found.content or "", name):
            if fields is None:
                return None
            if step not in fields:
                listed = ", ".join(fields) or "none at all"
                return (
                    f"the output of {root!r} has no {name.removeprefix(f'{root}.output').lstrip('.')}"
                    f"{'.' if name != f'{root}.output' else ''}{step}{_near(step, fields)} (it has {listed})"
                )
            fields, name = fields[step], f"{name}.{step}"
        return None

    def _may_be_created_before(self, place: Place | None) -> bool:
        return any(place is None or each.why_not_before(place) is None for each in self.creators if each is not place)

    def _suggestion(self, name: str) -> str:
        # To find near names takes long among thousands, and nobody reads that many suggestions.
        self.suggestions_left -= 1
        return _near(name, [each for each in self.by_reference if each]) if self.suggestions_left >= 0 else ""


_AS_INPUT = "give the value as an input parameter, and read it as $.name"

_SUGGESTIONS = 20

_CREATORS = frozenset({TaskType.FORK_JOIN_DYNAMIC, TaskType.DYNAMIC})

_BRACKETS = re.compile(r"\[[^\]]*\]|\$\{[^}]*\}")
_BLANK = re.compile(r"[ \t]")
_OF_THE_SERVER = re.compile(r"[\w-]+|java\.[\w.]+|(?:user|os|file|path|line|native|sun|jdk)\.(?!(?:in|out)put\b)[\w.]+")

# Others can be reference names too, but no expression leads to them.
_REFERABLE = re.compile(r"[^\s.\[\](){}$*][^\s.\[\](){}]*")


def _near(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def _misspelt_part(found: Expression, what: str, parts: Collection[str]) -> str | None:
    """Why it is null, if what comes after the root looks like a part that there is, and is none.

    Only then: other servers may know of more parts.
    """
    part = next(steps_below(found.content or "", found.root), None)
    if part is None or part in parts or not (near := _near(part, parts)):
        return None
    return f"{found.text} is null: a {what} has no {part!r}{near}"


def _name_problems(path: str, what: str, name: str) -> Iterator[str]:
    try:
        checked_name(what, name)
    except ConfigurationError as error:
        yield f"{path}: {error}"
