"""What the server refuses at registration, in its words and with its paths.

The functions take definitions with their defaults filled in (see `defaults`). `at` is where the server says that a
definition came in: its method and argument, such as `registerWorkflowDef.arg0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from conductor_async._language.task_rules import RuleContext, violations
from conductor_async.engine.definitions.expression_checks import broken_expressions
from conductor_async.engine.errors import Invalid, Refused
from conductor_async.engine.json_kinds import is_object

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from conductor_async.models import JsonObject, JsonValue

__all__ = [
    "ValidationError",
    "check_event_handler",
    "check_task_def",
    "check_workflow_def",
    "event_handler_errors",
    "refuse",
    "refuse_null_lists",
    "task_def_errors",
    "workflow_def_errors",
]


ValidationError: TypeAlias = "dict[str, object]"
"""`path`, `message` and, for a plain value, `invalidValue` as text."""


_EMPTY_CONTEXT = RuleContext()


def refuse(errors: Collection[ValidationError]) -> None:
    """Raises `Invalid` if there are errors."""
    if errors:
        raise Invalid.of_errors(list(errors))


def refuse_null_lists(given: JsonValue) -> None:
    """Raises `Refused` for nulls at which the server's own checks throw. Takes the definition as it came in."""
    if is_object(given) and (given.get("tasks", ()) is None or any(map(_makes_checks_throw, given.get("tasks") or ()))):
        raise Refused("HV000028: Unexpected exception during isValid call.")


def _makes_checks_throw(task: JsonValue) -> bool:
    if not is_object(task):
        return True
    task_type = task.get("type", "SIMPLE")
    has_null_cases = None in (task.get("decisionCases", ()), task.get("defaultCase", ()))
    return task_type is None or (task_type in {"SWITCH", "DECISION"} and has_null_cases)


def check_workflow_def(wire: JsonObject, at: str, context: RuleContext = _EMPTY_CONTEXT) -> None:
    """Raises `Invalid` for a workflow definition that the server refuses."""
    refuse(workflow_def_errors(wire, at, context))


def check_task_def(wire: JsonObject, at: str) -> None:
    """Raises `Invalid` for a task definition that the server refuses."""
    refuse(task_def_errors(wire, at))


def check_event_handler(wire: JsonObject, at: str) -> None:
    """Raises `Invalid` for an event handler that the server refuses."""
    refuse(event_handler_errors(wire, at))


# -- task definitions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Minimum:
    value: int
    message: str


_TASK_DEF_MINIMUMS = {
    "retryCount": _Minimum(0, "TaskDef retryCount: 0 must be >= 0"),
    "responseTimeoutSeconds": _Minimum(1, "TaskDef responseTimeoutSeconds: 0 should be minimum 1 second"),
    "pollTimeoutSeconds": _Minimum(0, "TaskDef pollTimeoutSeconds: 0 must be >= 0"),
    "backoffScaleFactor": _Minimum(1, "Backoff scale factor. Applicable for LINEAR_BACKOFF"),
    "maxRetryDelaySeconds": _Minimum(0, "TaskDef maxRetryDelaySeconds: 0 must be >= 0"),
    "backoffJitterMs": _Minimum(0, "TaskDef backoffJitterMs: 0 must be >= 0"),
    "totalTimeoutSeconds": _Minimum(0, "TaskDef totalTimeoutSeconds: 0 must be >= 0"),
}


def task_def_errors(wire: JsonObject, at: str) -> list[ValidationError]:
    """Returns what the server refuses of a task definition."""
    errors = [*_missing(wire, "name", "TaskDef name cannot be null or empty", at)]
    for limit, minimum in _TASK_DEF_MINIMUMS.items():
        value = wire.get(limit)
        if value is not None and value < minimum.value:
            errors.append({"path": f"{at}.{limit}", "message": minimum.message, "invalidValue": str(value)})
    name, timeout, response = wire.get("name"), wire["timeoutSeconds"], wire["responseTimeoutSeconds"]
    total = wire["totalTimeoutSeconds"]
    if 0 < timeout < response:
        message = f"TaskDef: {name} responseTimeoutSeconds: {response} must be less than timeoutSeconds: {timeout}"
        errors.append({"path": at, "message": message})
    if 0 < total < timeout:
        message = (
            f"TaskDef: {name} timeoutSeconds: {timeout} must be less than or equal to totalTimeoutSeconds: {total}"
        )
        errors.append({"path": at, "message": message})
    return errors


# -- workflow definitions ----------------------------------------------------------------------------


def workflow_def_errors(wire: JsonObject, at: str, context: RuleContext = _EMPTY_CONTEXT) -> list[ValidationError]:
    """Returns what the server refuses of a workflow definition."""
    errors = [*_missing(wire, "name", "WorkflowDef name cannot be null or empty", at)]
    if not wire["tasks"]:
        errors.append({"path": f"{at}.tasks", "message": "WorkflowTask list cannot be empty"})
    version = wire["schemaVersion"]
    if version != 2:
        message = "workflowDef schemaVersion: 2 is only supported"
        errors.append({"path": f"{at}.schemaVersion", "message": message, "invalidValue": str(version)})
    references = [task.get("taskReferenceName") for task in _all_tasks(wire["tasks"])]
    messages = [
        *_repeated_references(references, wire.get("name")),
        *broken_expressions(wire["tasks"], set(references)),
    ]
    errors.extend({"path": at, "message": message} for message in dict.fromkeys(messages))
    errors.extend(_task_list_errors(wire["tasks"], f"{at}.tasks", context))
    return errors


def _task_list_errors(tasks: list[JsonObject], at: str, context: RuleContext) -> Iterator[ValidationError]:
    for number, task in enumerate(tasks):
        yield from _task_errors(task, f"{at}[{number}]", context)


def _task_errors(task: JsonObject, at: str, context: RuleContext) -> Iterator[ValidationError]:
    for message in dict.fromkeys(each for violation in violations(task, context) for each in violation.refusals):
        yield {"path": at, "message": message}
    yield from _missing(task, "name", "WorkflowTask name cannot be empty or null", at)
    yield from _missing(task, "taskReferenceName", "WorkflowTask taskReferenceName name cannot be empty or null", at)
    if task["startDelay"] < 0:
        message = "must be greater than or equal to 0"
        yield {"path": f"{at}.startDelay", "message": message, "invalidValue": str(task["startDelay"])}
    for case, tasks in task["decisionCases"].items():
        yield from _task_list_errors(tasks, f"{at}.decisionCases[{case}].<map value>", context)
    yield from _task_list_errors(task["defaultCase"], f"{at}.defaultCase", context)
    for number, branch in enumerate(task["forkTasks"]):
        yield from _task_list_errors(branch, f"{at}.forkTasks[{number}].<list element>", context)
    # The server does not check the tasks in loopOver.


def _missing(wire: JsonObject, field: str, message: str, at: str) -> Iterator[ValidationError]:
    value = wire.get(field)
    if value is None:
        yield {"path": f"{at}.{field}", "message": message}
    elif value == "":
        yield {"path": f"{at}.{field}", "message": message, "invalidValue": ""}


def _repeated_references(references: list[str | None], workflow_name: str | None) -> Iterator[str]:
    seen: set[str | None] = set()
    for reference in references:
        if reference in seen:
            yield (
                f"taskReferenceName: {_or_null(reference)} should be unique across tasks "
                f"for a given workflowDefinition: {_or_null(workflow_name)}"
            )
        seen.add(reference)


def _all_tasks(tasks: list[JsonObject]) -> Iterator[JsonObject]:
    for task in tasks:
        yield task
        for inner in _children(task):
            yield from _all_tasks(inner)


def _children(task: JsonObject) -> Iterator[list[JsonObject]]:
    match task["type"]:
        case "SWITCH" | "DECISION":
            yield from task["decisionCases"].values()
            yield task["defaultCase"]
        case "FORK_JOIN":
            yield from task["forkTasks"]
        case "DO_WHILE":
            yield task["loopOver"]
        case _:
            pass


def _or_null(text: str | None) -> str:
    return "null" if text is None else text


# -- event handlers ----------------------------------------------------------------------------------


def event_handler_errors(wire: JsonObject, at: str) -> list[ValidationError]:
    """Returns what the server refuses of an event handler."""
    errors = [
        *_missing(wire, "name", "Missing event handler name", at),
        *_missing(wire, "event", "Missing event location", at),
    ]
    if not wire.get("actions"):
        message = "No actions specified. Please specify at-least one action"
        errors.append({"path": f"{at}.actions", "message": message})
    if wire.get("actions", ()) is None:
        errors.append({"path": f"{at}.actions", "message": "must not be null"})
    return errors
