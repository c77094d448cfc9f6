"""Compares two workflow definitions by meaning, for reviews and deployments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from conductor_async._language.positions import Position, positions_in
from conductor_async._language.templates import child_path
from conductor_async.models import ConductorModel, JsonObject, JsonValue, SubWorkflowParams, WorkflowDef, WorkflowTask
from conductor_async.workflow.diagrams._outline import shortened

__all__ = ["Change", "ChangeKind", "DefinitionDiff", "diff"]

ChangeKind: TypeAlias = Literal["added", "removed", "changed", "moved"]

_SIGNS: Mapping[ChangeKind, str] = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


@dataclass(frozen=True)
class Change:
    """One difference between two definitions. `str()` is a line of text.

    Attributes:
        kind: `added`, `removed`, `changed` or `moved`.
        path: A setting (`timeoutSeconds`), a task by its reference name (`tasks['ship']`), or a part of one
            (`tasks['ship'].inputParameters.to`).
        before: The old value, the old definition of a task as JSON, or its old position. None if added.
        after: The new one. None if removed.
    """

    kind: ChangeKind
    path: str
    before: JsonValue = None
    after: JsonValue = None

    def __str__(self) -> str:
        return f"{_SIGNS[self.kind]} {self.path}: {self._what()}"

    def _what(self) -> str:
        if self.kind == "moved":
            return f"moved from {self.before} to {self.after}"
        if self.kind == "changed":
            return f"{_shown(self.before)} → {_shown(self.after)}"
        return _shown(self.after if self.kind == "added" else self.before)


class DefinitionDiff(tuple[Change, ...]):
    """All changes from one definition to another: a tuple of `Change`, falsy if there is none.

    `str()` lists them, one per line.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "no difference"

    def __repr__(self) -> str:
        return f"<DefinitionDiff: {len(self)} changes>"


def diff(before: WorkflowDef, after: WorkflowDef) -> DefinitionDiff:
    """Returns the changes from one definition to another, by meaning.

    Tasks are matched by reference name, in any position. What the server records itself (times, authors) is ignored,
    and a field that was not set equals its default.
    """
    return DefinitionDiff([*_settings(before, after), *_tasks(before, after)])


# -- settings ----------------------------------------------------------------------------------------

_RECORDED_BY_THE_SERVER = frozenset({"createTime", "updateTime", "createdBy", "updatedBy"})
_BRANCHES = "forkTasks.length"
_INSIDE = frozenset({"forkTasks", "decisionCases", "defaultCase", "loopOver"})


def _settings(before: WorkflowDef, after: WorkflowDef) -> Iterator[Change]:
    yield from _differences("", _meaning(before, {"tasks"}), _meaning(after, {"tasks"}))


def _meaning(model: ConductorModel, without: set[str] | frozenset[str] = frozenset()) -> dict[str, JsonValue]:
    """Returns all fields by their names on the wire, also those that were not set and those that are unknown."""
    fields = {field.alias or name: getattr(model, name) for name, field in type(model).model_fields.items()}
    given = {**fields, **(model.model_extra or {})}
    return {key: _plain(value) for key, value in given.items() if key not in without | _RECORDED_BY_THE_SERVER}


def _plain(value: Any) -> JsonValue:
    if isinstance(value, WorkflowDef):
        return value  # compared as a workflow
    if isinstance(value, ConductorModel):
        return _sub_workflow(value) if isinstance(value, SubWorkflowParams) else _meaning(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _sub_workflow(params: SubWorkflowParams) -> JsonObject:
    """Fills in name and version from an inline definition if they are not given, as the server does."""
    found, child = _meaning(params), params.workflow_definition
    if isinstance(child, WorkflowDef):
        found["name"] = params.name or child.name
        found["version"] = child.version if params.version is None else params.version
    return found


def _differences(path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
    """Yields the changes of a value, each as deep inside as possible."""
    if isinstance(before, WorkflowDef) and isinstance(after, WorkflowDef):
        for change in diff(before, after):
            yield Change(change.kind, f"{path}.{change.path}", change.before, change.after)
    elif isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _key_differences(_below(path, key), old, new, key)
    elif (pairs := _pairs(before, after)) is not None:
        for index, (one, other) in enumerate(pairs):
            yield from _differences(f"{path}[{index}]", one, other)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        kind: ChangeKind = "added" if before is None else "removed" if after is None else "changed"
        yield Change(kind, path, _sent(before), _sent(after))


def _below(path: str, key: str) -> str:
    if key == _BRANCHES:
        return f"{path}.{key}"
    return child_path(path, key) if path else str(key)


def _pairs(before: JsonValue, after: JsonValue) -> list[tuple[JsonValue, JsonValue]] | None:
    """Returns the pairs of items of two lists of the same length; None for other values."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return None
    old, new = cast("Sequence[Any]", before), cast("Sequence[Any]", after)
    return list(zip(old, new, strict=True)) if len(old) == len(new) else None


def _key_differences(path: str, before: dict[str, Any], after: dict[str, Any], key: str) -> Iterator[Change]:
    if key not in after:
        yield Change("removed", path, _sent(before[key]))
    elif key not in before:
        yield Change("added", path, None, _sent(after[key]))
    else:
        yield from _differences(path, before[key], after[key])


def _sent(value: JsonValue) -> JsonValue:
    return value.to_wire() if isinstance(value, ConductorModel) else value


# -- tasks -------------------------------------------------------------------------------------------


class _Location(NamedTuple):
    """A task and where it is: in which list, and after which task."""

    position: Position
    list_name: str
    predecessor: str

    @property
    def task(self) -> WorkflowTask:
        return self.position.task

    def described(self) -> str:
        where = f" in {self.list_name}" if self.list_name else ""
        return (
            f"after {self.predecessor!r}{where}"
            if self.predecessor
            else f"the start{f' of {self.list_name}' if where else ''}"
        )


def _locations(definition: WorkflowDef) -> dict[str, _Location]:
    found: dict[str, _Location] = {}
    for position in positions_in(definition.tasks):
        level = position.levels[-1]
        predecessor = level.tasks[level.index - 1].task_reference_name if level.index else ""
        reference = position.task.task_reference_name
        while reference in found:  # no valid definition has it twice
            reference += "'"
        found[reference] = _Location(position, _list_name(position), predecessor)
    return found


def _list_name(position: Position) -> str:
    """Returns the name of the list that a task is in: it starts with the reference name of the parent task."""
    if len(position.levels) == 1:
        return ""
    *_, around, level = position.levels
    return f"tasks[{around.task.task_reference_name!r}].{level.name}"


def _tasks(before: WorkflowDef, after: WorkflowDef) -> Iterator[Change]:
    old, new = _locations(before), _locations(after)
    moved = _moved(old, new)
    for reference, location in new.items():
        path = f"tasks[{reference!r}]"
        if reference not in old:
            yield Change("added", path, None, location.task.to_wire())
            continue
        if reference in moved:
            yield Change("moved", path, old[reference].described(), location.described())
        yield from _differences(path, _own(old[reference].task), _own(location.task))
        yield from _cases(f"{path}.decisionCases", old[reference].task, location.task)
    for reference, location in old.items():
        if reference not in new:
            yield Change("removed", f"tasks[{reference!r}]", location.task.to_wire())


def _own(task: WorkflowTask) -> dict[str, JsonValue]:
    """Returns the task's own fields, without the tasks inside of it, and the number of its branches."""
    return {**_meaning(task, _INSIDE), _BRANCHES: len(task.fork_tasks)}


def _cases(path: str, before: WorkflowTask, after: WorkflowTask) -> Iterator[Change]:
    for case, tasks in before.decision_cases.items():
        if case not in after.decision_cases:
            yield Change("removed", f"{path}[{case!r}]", [task.task_reference_name for task in tasks])
    for case, tasks in after.decision_cases.items():
        if case not in before.decision_cases:
            yield Change("added", f"{path}[{case!r}]", None, [task.task_reference_name for task in tasks])


def _moved(old: Mapping[str, _Location], new: Mapping[str, _Location]) -> set[str]:
    """Returns the tasks that are in another list now, and those whose order in their list changed."""
    both = [reference for reference in new if reference in old]
    moved = {reference for reference in both if old[reference].list_name != new[reference].list_name}
    for name in {new[reference].list_name for reference in both}:
        was = [each for each in old if each in new and each not in moved and old[each].list_name == name]
        now = [each for each in both if each not in moved and new[each].list_name == name]
        blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
        kept = {each for block in blocks for each in now[block.b : block.b + block.size]}
        moved.update(each for each in now if each not in kept)
    return moved


# -- text -------------------------------------------------------------------------------------------


def _shown(value: JsonValue) -> str:
    if isinstance(value, dict) and (reference := cast("dict[str, Any]", value).get("taskReferenceName")):
        found = cast("dict[str, Any]", value)
        return f"{found.get('type', 'SIMPLE')} task {found.get('name', reference)!r}"
    return shortened(json.dumps(value, ensure_ascii=False, default=str))
