"""What each type of task has to have in a definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conductor_async._language.wait_times import parse_duration, parse_until
from conductor_async.engine.errors import Invalid
from conductor_async.engine.expressions.java_values import as_java_string, is_blank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["Surroundings", "requirements_broken"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a definition is checked against.

    Attributes:
        find_task_def: A task definition by its name: its `inputTemplate` may give what a task lacks.
        script_error: What is wrong with the syntax of a script, None if nothing. Without it scripts are not checked.
        process_environment: The names that `${NAME}` stands for.
    """

    find_task_def: Callable[[str], JsonObject | None] | None = None
    script_error: Callable[[str], str | None] | None = None
    process_environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def input_template(self, task: JsonObject) -> JsonObject:
        """What the definition of a task gives for its input."""
        definition = task.get("taskDefinition")
        if definition is None and self.find_task_def is not None:
            definition = self.find_task_def(task.get("name") or "")
        template: JsonObject = (definition or {}).get("inputTemplate") or {}
        return template

    def script_problem(self, script: str, kind: str, name: str) -> Iterator[str]:
        """What is wrong with the syntax of a task's script."""
        error = None if self.script_error is None else self.script_error(script)
        if error is not None:
            yield f"Expression is not well formatted: {error}, taskType: {kind} taskName {name}"


def requirements_broken(task: JsonObject, surroundings: Surroundings) -> list[str]:
    """What a task lacks for its type."""
    check = _CHECKS.get(task["type"])
    return [] if check is None else list(check(task, _name(task), surroundings))


def _name(task: JsonObject) -> str:
    name = task.get("name")
    return "null" if name is None else str(name)


def _required(field_name: str, kind: str, name: str) -> str:
    return f"{field_name} field is required for taskType: {kind} taskName: {name}"


def _at_least_one(field_name: str, kind: str, name: str) -> str:
    return f"{field_name} should have atleast one task for taskType: {kind} taskName: {name}"


def _event(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if task.get("sink") is None:
        yield _required("sink", "EVENT", name)


def _decision(task: JsonObject, name: str, surroundings: Surroundings) -> Iterator[str]:
    script = task.get("caseExpression")
    if task.get("caseValueParam") is None and script is None:
        yield _required("caseValueParam or caseExpression", "DECISION", name)
    if not task["decisionCases"]:
        yield _at_least_one("decisionCases", "DECISION", name)
    if script is not None:
        yield from surroundings.script_problem(script, "DECISION", name)


def _switch(task: JsonObject, name: str, surroundings: Surroundings) -> Iterator[str]:
    script = task.get("expression")
    if task.get("evaluatorType") is None:
        yield _required("evaluatorType", "SWITCH", name)
    elif script is None:
        yield _required("expression", "SWITCH", name)
    if not task["decisionCases"]:
        yield _at_least_one("decisionCases", "SWITCH", name)
    if task.get("evaluatorType") == "javascript" and script is not None:
        yield from surroundings.script_problem(script, "SWITCH", name)


def _dynamic(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if task.get("dynamicTaskNameParam") is None:
        yield _required("dynamicTaskNameParam", "DYNAMIC", name)


def _dynamic_fork(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    kind = "FORK_JOIN_DYNAMIC"
    pair = ("dynamicForkTasksParam", "dynamicForkTasksInputParamName")
    if "forkTaskInputs" in task["inputParameters"]:
        return
    if task.get("dynamicForkJoinTasksParam") is not None:
        if any(task.get(each) is not None for each in pair):
            yield (
                "dynamicForkJoinTasksParam or combination of dynamicForkTasksInputParamName and dynamicForkTasksParam "
                f"cam be used for taskType: {kind} taskName: {name}"
            )
        return
    for each in pair:
        if task.get(each) is None:
            yield _required(each, kind, name)


def _fork(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if not task["forkTasks"]:
        yield _at_least_one("forkTasks", "FORK_JOIN", name)


def _terminate(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if task["optional"]:
        yield f"terminate task cannot be optional, taskName: {name}"
    status = task["inputParameters"].get("terminationStatus")
    if status is None or as_java_string(status) not in {"COMPLETED", "FAILED", "TERMINATED"}:
        yield (
            "terminate task must have an terminationStatus parameter and must be set to COMPLETED or FAILED, "
            f"taskName: {name}"
        )


def _do_while(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if task.get("loopCondition") is None:
        yield _required("loopCondition", "DO_WHILE", name)
    if not task["loopOver"]:
        yield _required("loopOver", "DO_WHILE", name)


def _sub_workflow(task: JsonObject, name: str, _: Surroundings) -> Iterator[str]:
    if task.get("subWorkflowParam") is None:
        yield _required("subWorkflowParam", "SUB_WORKFLOW", name)


def _http(task: JsonObject, name: str, surroundings: Surroundings) -> Iterator[str]:
    given = {"http_request", "uri", "method"} & {*task["inputParameters"]}
    if not given and "http_request" not in surroundings.input_template(task):
        yield _required("inputParameters.http_request or inputParameters.uri", "HTTP", name)


def _needs_input(parameter: str, kind: str) -> Callable[[JsonObject, str, Surroundings], Iterator[str]]:
    def check(task: JsonObject, name: str, surroundings: Surroundings) -> Iterator[str]:
        if parameter not in task["inputParameters"] and parameter not in surroundings.input_template(task):
            yield _required(f"inputParameters.{parameter}", kind, name)

    return check


def _wait(task: JsonObject, _name: str, _: Surroundings) -> Iterator[str]:
    duration, until = (_as_text(task["inputParameters"].get(each)) for each in ("duration", "until"))
    if duration and until:
        yield "Both 'duration' and 'until' specified. Please provide only one input"
    try:
        if duration and not duration.startswith("${"):
            parse_duration(duration)
        elif until and not until.startswith("${"):
            parse_until(until)
    except Invalid:
        yield "Either date or duration is passed as null " if duration and not duration.startswith("${") else _BAD_DATE


_BAD_DATE = "Unable to parse date "


def _as_text(value: JsonValue) -> str:
    text = "" if value is None else as_java_string(value)
    return "" if is_blank(text) else text


_CHECKS: Mapping[str, Callable[[JsonObject, str, Surroundings], Iterator[str]]] = {
    "EVENT": _event,
    "DECISION": _decision,
    "SWITCH": _switch,
    "DYNAMIC": _dynamic,
    "FORK_JOIN_DYNAMIC": _dynamic_fork,
    "FORK_JOIN": _fork,
    "TERMINATE": _terminate,
    "DO_WHILE": _do_while,
    "SUB_WORKFLOW": _sub_workflow,
    "HTTP": _http,
    "KAFKA_PUBLISH": _needs_input("kafka_request", "KAFKA_PUBLISH"),
    "JSON_JQ_TRANSFORM": _needs_input("queryExpression", "JSON_JQ_TRANSFORM"),
    "WAIT": _wait,
}
