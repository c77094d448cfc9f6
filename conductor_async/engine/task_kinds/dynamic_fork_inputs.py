"""The branches of a FORK_JOIN_DYNAMIC, which its input describes in one of three forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conductor_async.engine.definitions.conversion import unreadable
from conductor_async.engine.definitions.defaults import with_workflow_task_defaults
from conductor_async.engine.errors import EngineError, Refused, WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["Branches", "read_branches"]

_SYSTEM_TYPES = frozenset(
    {
        "FORK", "JOIN", "EXCLUSIVE_JOIN", "SWITCH", "DECISION", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "EVENT",
        "WAIT", "HUMAN", "HTTP", "LAMBDA", "INLINE", "TERMINATE", "KAFKA_PUBLISH", "JSON_JQ_TRANSFORM", "SET_VARIABLE",
        "NOOP", "PULL_WORKFLOW_MESSAGES",
    }
)  # fmt: skip


_PACKAGE = "com.netflix.conductor.common.metadata.workflow"


class Branches(NamedTuple):
    """The first task of each branch, as in a definition, and the inputs by reference name."""

    tasks: list[JsonObject]
    inputs: JsonObject


def read_branches(factory: RowFactory, values: JsonObject) -> Branches:
    """Returns the branches that the fork's evaluated input describes.

    Raises:
        WorkflowHalted: It describes none.
        Refused: It is malformed, in a way on which the real server fails with an internal error.
    """
    return _one_task(factory, values) or _task_list(factory, values)


def _one_task(factory: RowFactory, values: JsonObject) -> Branches | None:
    """Reads the form with one task and many inputs: `forkTaskName` (or type, or workflow) and `forkTaskInputs`."""
    inputs = values.get("forkTaskInputs")
    if not is_array(inputs):
        return None
    workflow, kind, name = (values.get(f"forkTask{what}") for what in ("Workflow", "Type", "Name"))
    if name is None and kind in _SYSTEM_TYPES:
        name = kind
    name = name if name is not None else factory.spec.reference_name
    version = values.get("forkTaskWorkflowVersion")
    prefix = f"_{factory.spec.reference_name}_{name}" if factory.execution.has_dynamic_fork else f"_{name}"
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
            known = factory.core.metadata.tasks.get(name)
            if known is not None:
                task["taskDefinition"] = known
        task["taskReferenceName"] = f"{prefix}_{index}"
        task["inputParameters"] = {**parameters, "__index": index}
        if factory.spec.optional:
            task["optional"] = True
        tasks.append(task)
    return Branches(tasks, {task["taskReferenceName"]: task["inputParameters"] for task in tasks})


def _from_input(given: JsonValue) -> JsonObject:
    """Returns a task with the fields of a task that the input contains: the server takes these over."""
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


def _task_list(factory: RowFactory, values: JsonObject) -> Branches:
    """Reads the form with a list of tasks and a map of their inputs; or the older form, with both in one list."""
    wire = factory.spec.wire
    parameter = wire.get("dynamicForkTasksParam")
    if parameter is None:
        return _older(factory, values)
    given = values.get(parameter)
    tasks = _tasks(parameter, given)
    for task in tasks:
        _add_definition(factory, task)
    inputs = values.get(wire.get("dynamicForkTasksInputParamName") or "")
    if not is_object(inputs):
        msg = (
            "Input to the dynamically forked tasks is not a map -> expecting a map of K,V  but found "
            f"{as_java_string(inputs)}"
        )
        raise WorkflowHalted(msg)
    return Branches(tasks, inputs)


def _tasks(parameter: str, given: JsonValue) -> list[JsonObject]:
    problem = (
        f"Input '{parameter}' is invalid. Cannot deserialize a list of Workflow Tasks from '{as_java_string(given)}'"
    )
    given = [given] if is_object(given) else given  # the server accepts a single task
    if not is_array(given):
        raise WorkflowHalted(problem)
    try:
        tasks = [with_workflow_task_defaults(item) for item in given]
    except EngineError as error:
        raise WorkflowHalted(problem) from error
    if any(task.get("taskReferenceName") is None for task in tasks):
        raise WorkflowHalted(problem)
    return tasks


def _older(factory: RowFactory, values: JsonObject) -> Branches:
    parameter = factory.spec.wire.get("dynamicForkJoinTasksParam")
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
        _add_definition(factory, task)
        inputs[task.get("taskReferenceName", "")] = item.get("input") or {}
        tasks.append(task)
    return Branches(tasks, inputs)


def _listed(given: JsonValue) -> list[JsonObject]:
    """Returns the items of the older form's list.

    Raises:
        Refused: An item is malformed. The message is the server's.
    """
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


def _add_definition(factory: RowFactory, task: JsonObject) -> None:
    known = factory.core.metadata.tasks.get(task.get("name", ""))
    if "taskDefinition" not in task and known is not None:
        task["taskDefinition"] = known
