"""FORK_JOIN_DYNAMIC: the branches come with the input, in one of three forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conductor_async.engine.decider.scheduling import rows_for
from conductor_async.engine.definitions.conversion import unreadable
from conductor_async.engine.definitions.defaults import with_workflow_task_defaults
from conductor_async.engine.errors import EngineError, Refused, WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.state.definition import TaskSpec
from conductor_async.engine.task_kinds.base import Place, TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DynamicForkKind"]

_SYSTEM_TYPES = frozenset(
    {
        "FORK", "JOIN", "EXCLUSIVE_JOIN", "SWITCH", "DECISION", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "EVENT",
        "WAIT", "HUMAN", "HTTP", "LAMBDA", "INLINE", "TERMINATE", "KAFKA_PUBLISH", "JSON_JQ_TRANSFORM", "SET_VARIABLE",
        "NOOP", "PULL_WORKFLOW_MESSAGES",
    }
)  # fmt: skip


_PACKAGE = "com.netflix.conductor.common.metadata.workflow"


class _Forked(NamedTuple):
    """What a dynamic fork begins: tasks of a definition, and the input of each by its reference name."""

    tasks: list[JsonObject]
    inputs: JsonObject


class DynamicForkKind(TaskKind):
    """Begins a branch for each task that the input brings, and the JOIN that has to follow."""

    type = "FORK_JOIN_DYNAMIC"
    is_system = False
    is_operator = True

    def rows(self, place: Place) -> list[TaskRow]:
        """The fork's row, the first of each branch, the join's."""
        core, execution, spec = place.core, place.execution, place.spec
        values = place.input()
        forked = _simple(place, values) or _lists(place, values)
        now = core.now()
        fork = place.row(
            "COMPLETED",
            task_type="FORK",
            task_def_name="FORK",
            input=hash_ordered(
                {
                    "forkedTasks": [task.get("taskReferenceName") for task in forked.tasks],
                    "forkedTaskDefs": forked.tasks,
                    **values,
                }
            ),
            start_time=now,
            end_time=now,
            executed=True,
        )
        rows = [fork]
        join_on: list[str] = []
        if spec.reference_name not in execution.latest:
            for task in forked.tasks:
                branch = _begin(place, task, forked.inputs)
                rows += branch
                join_on.append(branch[-1].reference_name)
        join = execution.definition.next_after(spec.reference_name)
        if join is None or join.type != "JOIN":
            msg = "Dynamic join definition is not followed by a join task.  Check the workflow definition."
            raise WorkflowHalted(msg)
        join_place = Place(core, execution, join)
        rows.append(
            join_place.row(
                "IN_PROGRESS",
                task_type="JOIN",
                task_def_name="JOIN",
                input={**join.input_parameters, "joinOn": join_on},
                start_time=now,
            )
        )
        return rows


def _begin(place: Place, task: JsonObject, inputs: JsonObject) -> list[TaskRow]:
    """The rows of one branch."""
    given: JsonValue = inputs.get(task.get("taskReferenceName", "")) or {}
    if not is_object(given):
        msg = "Tasks could not be dynamically forked due to invalid input: the input of a task is not a map"
        raise WorkflowHalted(msg)
    task["inputParameters"] = {**task["inputParameters"], **given}
    spec = TaskSpec.compile(task)
    rows = rows_for(place.core, place.execution, spec, place.retry_count)
    if not rows:
        msg = (
            f"No dynamic tasks could be created for the Workflow: {place.execution.short_name}, "
            f"Dynamic Fork Task: {spec.name}/{spec.reference_name}"
        )
        if place.execution.has_started(spec.reference_name):
            msg += f" attempted to create a duplicate task reference name: {spec.reference_name}"
        raise WorkflowHalted(msg)
    return rows


# -- the three forms ---------------------------------------------------------------------------------


def _simple(place: Place, values: JsonObject) -> _Forked | None:
    """One task, many inputs: `forkTaskName` (or type, or workflow) and `forkTaskInputs`."""
    inputs = values.get("forkTaskInputs")
    if not is_array(inputs):
        return None
    workflow, kind, name = (values.get(f"forkTask{what}") for what in ("Workflow", "Type", "Name"))
    if name is None and kind in _SYSTEM_TYPES:
        name = kind
    name = name if name is not None else place.spec.reference_name
    version = values.get("forkTaskWorkflowVersion")
    prefix = f"_{place.spec.reference_name}_{name}" if place.execution.has_dynamic_fork else f"_{name}"
    tasks: list[JsonObject] = []
    for index, given in enumerate(inputs):
        if given is None:
            raise Refused(_null_argument(f"{_PACKAGE}.WorkflowTask.setName(String)", "forkTask"))
        task = _from_input(given)
        parameters = dict(given) if is_object(given) else {"input": given}
        if workflow is not None:
            task |= {"name": workflow, "type": "SUB_WORKFLOW"}
            task["subWorkflowParam"] = _sub_workflow(workflow, version, given)
        else:
            task |= {"name": name, "type": kind or "SIMPLE"}
            task.pop("taskDefinition", None)
            known = place.core.metadata.tasks.get(name)
            if known is not None:
                task["taskDefinition"] = known
        task["taskReferenceName"] = f"{prefix}_{index}"
        task["inputParameters"] = {**parameters, "__index": index}
        if place.spec.optional:
            task["optional"] = True
        tasks.append(task)
    return _Forked(tasks, {task["taskReferenceName"]: task["inputParameters"] for task in tasks})


def _from_input(given: JsonValue) -> JsonObject:
    """The input may have fields of a task in it, and the server takes them along."""
    if is_object(given):
        try:
            return with_workflow_task_defaults(given)
        except EngineError:
            pass
    return with_workflow_task_defaults({})


def _sub_workflow(name: str, version: JsonValue, given: JsonValue) -> JsonObject:
    params: JsonObject = {"name": name}
    if isinstance(version, str) and version.strip().lstrip("+-").isdigit():
        params["version"] = int(version)
    if is_object(given) and given.get("taskToDomain") is not None:
        params["taskToDomain"] = given["taskToDomain"]
    return params


def _lists(place: Place, values: JsonObject) -> _Forked:
    """A list of tasks and a map of their inputs; or the older form, with both in one list."""
    wire = place.spec.wire
    parameter = wire.get("dynamicForkTasksParam")
    if parameter is None:
        return _older(place, values)
    given = values.get(parameter)
    tasks = _tasks(parameter, given)
    for task in tasks:
        _add_definition(place, task)
    inputs = values.get(wire.get("dynamicForkTasksInputParamName") or "")
    if not is_object(inputs):
        msg = (
            "Input to the dynamically forked tasks is not a map -> expecting a map of K,V  but found "
            f"{as_java_string(inputs)}"
        )
        raise WorkflowHalted(msg)
    return _Forked(tasks, inputs)


def _tasks(parameter: str, given: JsonValue) -> list[JsonObject]:
    problem = (
        f"Input '{parameter}' is invalid. Cannot deserialize a list of Workflow Tasks from '{as_java_string(given)}'"
    )
    given = [given] if is_object(given) else given  # the server takes one task for a list of one
    if not is_array(given):
        raise WorkflowHalted(problem)
    try:
        tasks = [with_workflow_task_defaults(item) for item in given]
    except EngineError as error:
        raise WorkflowHalted(problem) from error
    if any(task.get("taskReferenceName") is None for task in tasks):
        raise WorkflowHalted(problem)
    return tasks


def _older(place: Place, values: JsonObject) -> _Forked:
    parameter = place.spec.wire.get("dynamicForkJoinTasksParam")
    given = values.get(parameter or "")
    if given is None:
        msg = (
            f"Dynamic tasks could not be created. The value of {as_java_string(parameter)} from task's input "
            f"{as_java_string(hash_ordered(values))} has no dynamic tasks to be scheduled"
        )
        raise WorkflowHalted(msg)
    tasks: list[JsonObject] = []
    inputs: JsonObject = {}
    for item in _listed(given):
        kind = item.get("type", "SIMPLE")
        task = with_workflow_task_defaults(
            {
                "name": item.get("taskName"),
                "taskReferenceName": item.get("referenceName"),
                "type": "USER_DEFINED" if kind is None else kind,
            }
        )
        _add_definition(place, task)
        inputs[task.get("taskReferenceName", "")] = item.get("input") or {}
        tasks.append(task)
    return _Forked(tasks, inputs)


def _listed(given: JsonValue) -> list[JsonObject]:
    """The items of the older form's list. What cannot be one is refused in the server's words."""
    if not is_object(given):
        raise unreadable(given, f"{_PACKAGE}.DynamicForkJoinTaskList")
    listed = given.get("dynamicTasks", [])
    path = [f'{_PACKAGE}.DynamicForkJoinTaskList["dynamicTasks"]']
    if listed is None:
        raise Refused(_null("java.util.List.stream", f"{_PACKAGE}.DynamicForkJoinTaskList.getDynamicTasks"))
    if not is_array(listed):
        raise unreadable(listed, f"java.util.ArrayList<{_PACKAGE}.DynamicForkJoinTask>", *path)
    items: list[JsonObject] = []
    for at, item in enumerate(listed):
        inside = [*path, f"java.util.ArrayList[{at}]"]
        if item is None:
            raise Refused(_null_argument(f"{_PACKAGE}.DynamicForkJoinTask.getReferenceName()", "dynamicForkJoinTask"))
        if not is_object(item):
            raise unreadable(item, f"{_PACKAGE}.DynamicForkJoinTask", *inside)
        for key in ("taskName", "referenceName", "type"):
            if is_object(item.get(key)) or is_array(item.get(key)):
                raise unreadable(item[key], "java.lang.String", *inside, f'{_PACKAGE}.DynamicForkJoinTask["{key}"]')
        task_input = item.get("input")
        if task_input is not None and not is_object(task_input):
            field = f'{_PACKAGE}.DynamicForkJoinTask["input"]'
            raise unreadable(task_input, "java.util.LinkedHashMap<java.lang.String,java.lang.Object>", *inside, field)
        items.append(item)
    return items


def _null_argument(called: str, name: str) -> str:
    return f'Cannot invoke "{called}" because "{name}" is null'


def _null(called: str, returned: str) -> str:
    return f'Cannot invoke "{called}()" because the return value of "{returned}()" is null'


def _add_definition(place: Place, task: JsonObject) -> None:
    known = place.core.metadata.tasks.get(task.get("name", ""))
    if "taskDefinition" not in task and known is not None:
        task["taskDefinition"] = known
