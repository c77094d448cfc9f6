"""What the server refuses: definitions that break its rules, with its words and its paths.

All of these take definitions as `normalising` leaves them, and name places as the server does: `at` is the method and
argument that the definition came in by, such as `registerWorkflowDef.arg0`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from conductor_async.engine.definitions.task_requirements import Surroundings, requirements_broken
from conductor_async.engine.errors import Invalid, Refused
from conductor_async.engine.expressions._jayway import PathError, compile_path
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from conductor_async.models import JsonObject, JsonValue

__all__ = [
    "VALIDATION_FAILED",
    "Surroundings",
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

VALIDATION_FAILED = "Validation failed, check below errors for detail."

ValidationError: TypeAlias = "dict[str, object]"
"""`path`, `message` and, for a plain value, `invalidValue` as text."""

_PREDEFINED = frozenset({"CPEWF_TASK_ID", "NETFLIX_ENV", "NETFLIX_STACK"})


def refuse(errors: Collection[ValidationError]) -> None:
    """Raise `Invalid` if there are errors."""
    if errors:
        raise Invalid(VALIDATION_FAILED, list(errors))


def refuse_null_lists(given: JsonValue) -> None:
    """Raise `Refused` for nulls over which the server's own checks stumble. Takes the definition as it came in."""
    if is_object(given) and (given.get("tasks", ()) is None or any(map(_trips, given.get("tasks") or ()))):
        raise Refused("HV000028: Unexpected exception during isValid call.")


def _trips(task: JsonValue) -> bool:
    if not is_object(task):
        return True
    kind = task.get("type", "SIMPLE")
    cases = kind in {"SWITCH", "DECISION"} and None in (task.get("decisionCases", ()), task.get("defaultCase", ()))
    return kind is None or cases


def check_workflow_def(wire: JsonObject, at: str, surroundings: Surroundings | None = None) -> None:
    """Raise `Invalid` for a workflow definition that the server would not take."""
    refuse(workflow_def_errors(wire, at, surroundings))


def check_task_def(wire: JsonObject, at: str) -> None:
    """Raise `Invalid` for a task definition that the server would not take."""
    refuse(task_def_errors(wire, at))


def check_event_handler(wire: JsonObject, at: str) -> None:
    """Raise `Invalid` for an event handler that the server would not take."""
    refuse(event_handler_errors(wire, at))


# -- task definitions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _AtLeast:
    least: int
    message: str


_TASK_DEF_LIMITS = {
    "retryCount": _AtLeast(0, "TaskDef retryCount: 0 must be >= 0"),
    "responseTimeoutSeconds": _AtLeast(1, "TaskDef responseTimeoutSeconds: 0 should be minimum 1 second"),
    "pollTimeoutSeconds": _AtLeast(0, "TaskDef pollTimeoutSeconds: 0 must be >= 0"),
    "backoffScaleFactor": _AtLeast(1, "Backoff scale factor. Applicable for LINEAR_BACKOFF"),
    "maxRetryDelaySeconds": _AtLeast(0, "TaskDef maxRetryDelaySeconds: 0 must be >= 0"),
    "backoffJitterMs": _AtLeast(0, "TaskDef backoffJitterMs: 0 must be >= 0"),
    "totalTimeoutSeconds": _AtLeast(0, "TaskDef totalTimeoutSeconds: 0 must be >= 0"),
}


def task_def_errors(wire: JsonObject, at: str) -> list[ValidationError]:
    """What is wrong with a task definition."""
    errors = [*_missing(wire, "name", "TaskDef name cannot be null or empty", at)]
    for field, limit in _TASK_DEF_LIMITS.items():
        value = wire.get(field)
        if value is not None and value < limit.least:
            errors.append({"path": f"{at}.{field}", "message": limit.message, "invalidValue": str(value)})
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


def workflow_def_errors(wire: JsonObject, at: str, surroundings: Surroundings | None = None) -> list[ValidationError]:
    """What is wrong with a workflow definition."""
    surroundings = surroundings or Surroundings()
    errors = [*_missing(wire, "name", "WorkflowDef name cannot be null or empty", at)]
    if not wire["tasks"]:
        errors.append({"path": f"{at}.tasks", "message": "WorkflowTask list cannot be empty"})
    version = wire["schemaVersion"]
    if version != 2:
        message = "workflowDef schemaVersion: 2 is only supported"
        errors.append({"path": f"{at}.schemaVersion", "message": message, "invalidValue": str(version)})
    of_the_whole = dict.fromkeys([*_repeated_references(wire), *_broken_expressions(wire, surroundings)])
    errors.extend({"path": at, "message": message} for message in of_the_whole)
    errors.extend(_of_tasks(wire["tasks"], f"{at}.tasks", surroundings))
    return errors


def _of_tasks(tasks: list[JsonObject], at: str, surroundings: Surroundings) -> Iterator[ValidationError]:
    for number, task in enumerate(tasks):
        yield from _of_task(task, f"{at}[{number}]", surroundings)


def _of_task(task: JsonObject, at: str, surroundings: Surroundings) -> Iterator[ValidationError]:
    for message in dict.fromkeys(requirements_broken(task, surroundings)):
        yield {"path": at, "message": message}
    yield from _missing(task, "name", "WorkflowTask name cannot be empty or null", at)
    yield from _missing(task, "taskReferenceName", "WorkflowTask taskReferenceName name cannot be empty or null", at)
    if task["startDelay"] < 0:
        message = "must be greater than or equal to 0"
        yield {"path": f"{at}.startDelay", "message": message, "invalidValue": str(task["startDelay"])}
    for case, tasks in task["decisionCases"].items():
        yield from _of_tasks(tasks, f"{at}.decisionCases[{case}].<map value>", surroundings)
    yield from _of_tasks(task["defaultCase"], f"{at}.defaultCase", surroundings)
    for number, branch in enumerate(task["forkTasks"]):
        yield from _of_tasks(branch, f"{at}.forkTasks[{number}].<list element>", surroundings)
    # What is in loopOver the server does not look at.


def _missing(wire: JsonObject, field: str, message: str, at: str) -> Iterator[ValidationError]:
    value = wire.get(field)
    if value is None:
        yield {"path": f"{at}.{field}", "message": message}
    elif value == "":
        yield {"path": f"{at}.{field}", "message": message, "invalidValue": ""}


def _repeated_references(wire: JsonObject) -> Iterator[str]:
    seen: set[str | None] = set()
    for task in _all_tasks(wire["tasks"]):
        reference = task.get("taskReferenceName")
        if reference in seen:
            yield (
                f"taskReferenceName: {_or_null(reference)} should be unique across tasks "
                f"for a given workflowDefinition: {_or_null(wire.get('name'))}"
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


# -- expressions in inputParameters ------------------------------------------------------------------


def _broken_expressions(wire: JsonObject, surroundings: Surroundings) -> Iterator[str]:
    """Only those of the tasks at the top are looked at."""
    references = {task.get("taskReferenceName") for task in _all_tasks(wire["tasks"])}

    def is_known(name: str) -> bool:
        return name == "workflow" or name in references

    for task in wire["tasks"]:
        for key, text in _texts(task["inputParameters"]):
            yield from _broken_in(text, key, _or_null(task.get("name")), is_known, surroundings)


def _texts(values: JsonObject) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        yield from _texts_in(key, value)


def _texts_in(key: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif is_object(value):
        yield from _texts(value)
    elif is_array(value):
        for item in value:
            yield from _texts_in(key, item)


def _broken_in(
    text: str, key: str, task_name: str, is_known: Callable[[str], bool], surroundings: Surroundings
) -> Iterator[str]:
    for piece in _PIECES.split(text):
        if not (piece.startswith("${") and piece.endswith("}")):
            continue
        path = piece[2:-1]
        root = path.partition(".")[0]
        if not _is_path(path):
            yield f"key: {key} input parameter value: {path} is not valid"
        elif path not in _PREDEFINED and path not in surroundings.process_environment and not is_known(root):
            yield (
                f"taskReferenceName: {root} for given task: {task_name} input value: {key} of input parameter: {text} "
                "is not defined in workflow definition."
            )


# Before each `${` but not before that of `$${`, and after each brace.
_PIECES = re.compile(r"(?=(?<!\$)\$\{)|(?<=\})")


def _is_path(text: str) -> bool:
    try:
        compile_path(text)
    except PathError:
        return False
    return bool(text)


def _or_null(value: JsonValue) -> str:
    return "null" if value is None else str(value)


# -- event handlers ----------------------------------------------------------------------------------


def event_handler_errors(wire: JsonObject, at: str) -> list[ValidationError]:
    """What is wrong with an event handler."""
    errors = [
        *_missing(wire, "name", "Missing event handler name", at),
        *_missing(wire, "event", "Missing event location", at),
    ]
    if not wire.get("actions"):
        message = "No actions specified. Please specify at-least one action"
        errors.append({"path": f"{at}.actions", "message": message})
    if "actions" in wire and wire["actions"] is None:
        errors.append({"path": f"{at}.actions", "message": "must not be null"})
    return errors
