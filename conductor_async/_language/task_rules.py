"""The rules of each task type: what a task needs for its type.

One table serves both sides. The workflow builder reports every violation, with a hint of how to mend it; the engine
refuses a definition only for what the server refuses at registration, in the server's words. What the server accepts
and then fails at, or waits at for ever, has no refusal.

A type without rules (a plug-in's, Orkes' own, a future one) is never refused for its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

from conductor_async._language.expressions import is_blank
from conductor_async._language.wait_times import UnknownZoneError, WaitTimeError, parse_duration, parse_until
from conductor_async.models import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conductor_async.models import JsonObject

__all__ = ["RuleContext", "TaskFields", "Violation", "violations"]


class TaskFields(Protocol):
    """A task of a definition, read by the server's names of its fields."""

    def __getitem__(self, name: str, /) -> Any:
        """Returns the field, or its default."""
        ...

    def get(self, name: str, /) -> Any:
        """Returns the field; None if it is not set and has no default."""
        ...


class Violation(NamedTuple):
    """A rule that a task breaks.

    Attributes:
        field: Where, below the task: `inputParameters.duration`; empty for the task itself.
        problem: What is wrong and how to mend it. None if the server may accept it, and only the engine does not.
        refusals: What the server says when it refuses the definition for it; empty if it accepts the definition.
    """

    field: str
    problem: str | None
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What the rules ask about the world around a definition.

    Attributes:
        find_task_def: Finds a task definition by name: its `inputTemplate` may supply inputs that a task lacks.
        script_error: Returns what is wrong with the syntax of a script, or None. Without it scripts are not checked.
    """

    find_task_def: Callable[[str], JsonObject | None] | None = None
    script_error: Callable[[str], str | None] | None = None

    def input_template(self, task: TaskFields) -> Mapping[str, Any]:
        """Returns the inputs that the task's definition supplies."""
        definition = task.get("taskDefinition")
        if definition is None and self.find_task_def is not None:
            definition = self.find_task_def(task.get("name") or "")
        return (definition.get("inputTemplate") if definition is not None else None) or {}

    def script_violations(self, field: str, script: str | None, task: TaskFields) -> Iterator[Violation]:
        """Yields the syntax error of a script."""
        error = None if self.script_error is None or script is None else self.script_error(script)
        if error is not None:
            refusal = f"Expression is not well formatted: {error}, taskType: {task['type']} taskName {_name(task)}"
            yield Violation(field, error, (refusal,))


def violations(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    """Yields the rules of its type that a task breaks."""
    if rule := _RULES.get(task["type"]):
        yield from rule(task, context)


# -- the server's words ------------------------------------------------------------------------------


def _name(task: TaskFields) -> str:
    name = task.get("name")
    return "null" if name is None else str(name)


def _required(field: str, task: TaskFields, *, unless: object = None) -> tuple[str, ...]:
    """The refusal for a missing field. The server only misses what is null (`unless` is None), not what is empty."""
    if unless is not None:
        return ()
    return (f"{field} field is required for taskType: {task['type']} taskName: {_name(task)}",)


def _at_least_one(field: str, task: TaskFields) -> tuple[str, ...]:
    return (f"{field} should have atleast one task for taskType: {task['type']} taskName: {_name(task)}",)


# -- which tasks run ---------------------------------------------------------------------------------


def _fork(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    branches = task["forkTasks"]
    if not branches:
        yield Violation("forkTasks", "a fork needs at least one branch", _at_least_one("forkTasks", task))
    for index, branch in enumerate(branches):
        if not branch:
            yield Violation(f"forkTasks[{index}]", "a branch of a fork needs at least one task")


def _dynamic_fork(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    inputs = task["inputParameters"]
    if "forkTaskInputs" in inputs:
        return
    fields = ("dynamicForkTasksParam", "dynamicForkTasksInputParamName")
    names = [task.get(field) for field in fields]
    combined = task.get("dynamicForkJoinTasksParam")
    if combined is not None and names != [None, None]:
        refusal = (
            "dynamicForkJoinTasksParam or combination of dynamicForkTasksInputParamName and dynamicForkTasksParam "
            f"cam be used for taskType: FORK_JOIN_DYNAMIC taskName: {_name(task)}"
        )
        problem = "give either this or dynamicForkTasksParam with its inputs, not both"
        yield Violation("dynamicForkJoinTasksParam", problem, (refusal,))
    elif combined:
        return
    elif not all(names):
        refusals = [
            each for field, name in zip(fields, names, strict=True) for each in _required(field, task, unless=name)
        ]
        yield Violation(
            fields[1] if names[0] else fields[0],
            "a dynamic fork needs dynamicForkTasksParam and dynamicForkTasksInputParamName, or forkTaskInputs among"
            " its input parameters",
            tuple(refusals) if combined is None else (),
        )
    else:
        for name in names:
            if inputs.get(name) is None:
                yield Violation(
                    "inputParameters", f"{name!r} is missing: the fork takes its tasks or their inputs from it"
                )


def _exclusive_join(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    if not task["joinOn"] and not task["defaultExclusiveJoinTask"]:
        yield Violation("joinOn", "without it an EXCLUSIVE_JOIN never ends: name the tasks to join on")


def _switch(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    evaluator, script = task.get("evaluatorType"), task.get("expression")
    if not evaluator:
        refusals = _required("evaluatorType", task, unless=evaluator)
        yield Violation(
            "evaluatorType", "a SWITCH needs an evaluator type: value-param, graaljs or javascript", refusals
        )
    if script is None:
        # The server stops at the first of the two that is missing.
        refusals = () if evaluator is None else _required("expression", task)
        yield Violation(
            "expression", "a SWITCH needs an expression: the name of an input parameter, or a script", refusals
        )
    yield from _cases(task)
    if evaluator == "javascript":  # scripts for graaljs the server does not check
        yield from context.script_violations("expression", script, task)


def _decision(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    parameter, script = task.get("caseValueParam"), task.get("caseExpression")
    if not (parameter or script):
        is_null = parameter is None and script is None
        refusals = _required("caseValueParam or caseExpression", task) if is_null else ()
        yield Violation("caseValueParam", "a DECISION needs caseValueParam or caseExpression", refusals)
    yield from _cases(task)
    yield from context.script_violations("caseExpression", script, task)


def _cases(task: TaskFields) -> Iterator[Violation]:
    if not task["decisionCases"]:
        problem = f"a {task['type']} needs at least one case beside its default"
        yield Violation("decisionCases", problem, _at_least_one("decisionCases", task))


def _loop(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    if task.get("loopCondition") is None:
        problem = "a DO_WHILE needs a loop condition; with items it may be an empty string"
        yield Violation("loopCondition", problem, _required("loopCondition", task))
    if not task["loopOver"]:
        yield Violation("loopOver", "a DO_WHILE needs at least one task", _required("loopOver", task))


def _dynamic(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    name = task.get("dynamicTaskNameParam")
    if not name:
        problem = "a DYNAMIC task needs the name of the input parameter that names the task type to run"
        refusals = _required("dynamicTaskNameParam", task, unless=name)
        yield Violation("dynamicTaskNameParam", problem, refusals)
    elif task["inputParameters"].get(name) in (None, ""):
        yield Violation("inputParameters", f"{name!r} is missing: it names the task type to run")


def _sub_workflow(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    params = task.get("subWorkflowParam")
    problem = "a sub-workflow needs the name of a workflow, or a definition"
    if params is None:
        yield Violation("subWorkflowParam", problem, _required("subWorkflowParam", task))
    elif not params.get("name") and not params.get("workflowDefinition"):
        yield Violation("subWorkflowParam.name", problem)


def _start_workflow(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    request = _mapping(task["inputParameters"].get("startWorkflow"))
    if request is not None and not any(map(request.get, ("name", "workflowDefinition", "workflowDef"))):
        yield Violation("inputParameters.startWorkflow.name", "a START_WORKFLOW needs the name of a workflow")


def _terminate(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    if task["optional"]:
        refusal = f"terminate task cannot be optional, taskName: {_name(task)}"
        yield Violation("optional", "a TERMINATE cannot be optional", (refusal,))
    status = task["inputParameters"].get("terminationStatus")
    if status not in ("COMPLETED", "FAILED", "TERMINATED"):
        refusal = (
            "terminate task must have an terminationStatus parameter and must be set to COMPLETED or FAILED, "
            f"taskName: {_name(task)}"
        )
        problem = f"it must be COMPLETED, FAILED or TERMINATED, not {status!r}; expressions are not allowed here"
        yield Violation("inputParameters.terminationStatus", problem, (refusal,))


# -- what tasks do -----------------------------------------------------------------------------------


def _http(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    inputs: Mapping[str, Any] = task["inputParameters"]
    is_given = inputs.keys() & {"http_request", "uri", "method"}
    if not is_given and "http_request" not in context.input_template(task):
        refusals = _required("inputParameters.http_request or inputParameters.uri", task)
        yield Violation("inputParameters", "an HTTP task needs http_request, or uri and method", refusals)
    request, path = inputs, "inputParameters"
    if (nested := _mapping(inputs.get("http_request"))) is not None:
        request, path = nested, "inputParameters.http_request"
        # Only here: in the flat form, the input template of a task definition may supply what is missing.
        if not any(request.get(key) or inputs.get(key) for key in ("uri", "vipAddress")):
            yield Violation(f"{path}.uri", "an HTTP request needs a URI")
        if not (request.get("method") or inputs.get("method")):
            yield Violation(f"{path}.method", "an HTTP request needs a method, such as GET")
    method = request.get("method")
    if isinstance(method, str) and "$" not in method and method != method.upper():
        yield Violation(f"{path}.method", f"the server accepts only {method.upper()}, not {method}")


def _kafka(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    inputs = task["inputParameters"]
    message = _mapping(inputs.get("kafka_request"))
    if "kafka_request" not in inputs and "kafka_request" not in context.input_template(task):
        refusals = _required("inputParameters.kafka_request", task)
        yield Violation("inputParameters.kafka_request", "a KAFKA_PUBLISH needs its message", refusals)
    elif message is not None:
        for key in ("bootStrapServers", "topic", "value"):
            if message.get(key) is None:
                yield Violation(f"inputParameters.kafka_request.{key}", "a Kafka message needs this field")


def _event(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    sink = task.get("sink")
    queues = "conductor:<name>, sqs:<queue>, kafka:<topic> …"
    if not sink:
        yield Violation("sink", f"an EVENT needs a sink: {queues}", _required("sink", task, unless=sink))
    elif ":" not in sink and "${" not in sink and sink != "conductor":
        yield Violation("sink", f"{sink!r} is no sink: use {queues}, or just conductor")


def _jq(task: TaskFields, context: RuleContext) -> Iterator[Violation]:
    inputs, field = task["inputParameters"], "inputParameters.queryExpression"
    problem = "a JSON_JQ_TRANSFORM needs its query"
    if "queryExpression" in inputs:
        if not _is_set(inputs["queryExpression"]):
            yield Violation(field, problem)
    elif "queryExpression" not in context.input_template(task):
        yield Violation(field, problem, _required(field, task))


def _inline(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    inputs = task["inputParameters"]
    # If the input is not there at all, the input template of a task definition may supply it.
    if "expression" in inputs and not _is_set(inputs["expression"]):
        yield Violation("inputParameters.expression", "an INLINE needs its script")


def _wait(task: TaskFields, _: RuleContext) -> Iterator[Violation]:
    duration, until = (task["inputParameters"].get(key) for key in ("duration", "until"))
    if _is_set(duration) and _is_set(until):
        refusal = "Both 'duration' and 'until' specified. Please provide only one input"
        yield Violation("inputParameters", "a WAIT has a duration or until, not both", (refusal,))
    is_checked = _is_set(duration) and not _is_expression(duration)
    if is_checked:
        error = _read_error(parse_duration, duration)
        yield from _unreadable("duration", duration, error, "'30s', '1h 30m' or '2 days'", _BAD_DURATION)
    if _is_set(until) and not _is_expression(until):
        error = _read_error(parse_until, until)
        refusals = () if is_checked else _BAD_DATE  # beside a duration, the server does not look at it
        examples = "'2030-12-31', '2030-12-31 23:30' or '2030-12-31 23:30 UTC'"
        yield from _unreadable("until", until, error, examples, refusals)


_BAD_DURATION = ("Either date or duration is passed as null ",)
_BAD_DATE = ("Unable to parse date ",)


def _unreadable(
    key: str, value: object, error: WaitTimeError | None, examples: str, refusals: tuple[str, ...]
) -> Iterator[Violation]:
    if error is not None:
        problem = f"the server cannot read {value!r}; it reads {examples}, or a single expression"
        # The real server knows more names of zones than this package.
        yield Violation(f"inputParameters.{key}", None if isinstance(error, UnknownZoneError) else problem, refusals)


def _read_error(parse: Callable[[str], int], value: object) -> WaitTimeError | None:
    if not isinstance(value, str):
        return WaitTimeError()
    try:
        parse(value)
    except WaitTimeError as error:
        return error
    return None


def _is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith("${")


def _is_set(value: object) -> bool:
    """Whether there is a value that is not blank."""
    return not is_blank(value) if isinstance(value, str) else value is not None


def _mapping(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None


_Rule: TypeAlias = "Callable[[TaskFields, RuleContext], Iterator[Violation]]"

_RULES: Mapping[str, _Rule] = {
    TaskType.FORK_JOIN: _fork,
    TaskType.FORK_JOIN_DYNAMIC: _dynamic_fork,
    TaskType.EXCLUSIVE_JOIN: _exclusive_join,
    TaskType.SWITCH: _switch,
    TaskType.DECISION: _decision,
    TaskType.DO_WHILE: _loop,
    TaskType.DYNAMIC: _dynamic,
    TaskType.SUB_WORKFLOW: _sub_workflow,
    TaskType.START_WORKFLOW: _start_workflow,
    TaskType.TERMINATE: _terminate,
    TaskType.HTTP: _http,
    TaskType.KAFKA_PUBLISH: _kafka,
    TaskType.EVENT: _event,
    TaskType.JSON_JQ_TRANSFORM: _jq,
    TaskType.INLINE: _inline,
    TaskType.WAIT: _wait,
}
