"""What each type of task needs. Only what the server refuses, or surely fails on: not what is bad taste.

A type that is not here (a plug-in's, Orkes' own, one of tomorrow's) is never refused for its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from conductor_async.models import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conductor_async._language.positions import Place
    from conductor_async.models import WorkflowTask

__all__ = ["Problem", "missing_in"]


class Problem(NamedTuple):
    """What is wrong, and where below the task: `inputParameters.duration`; nothing for the task itself."""

    below: str
    text: str


Rule: TypeAlias = "Callable[[Place], Iterator[Problem]]"


def missing_in(place: Place) -> Iterator[Problem]:
    """What the task lacks, or has wrong, for its type."""
    if rule := _RULES.get(place.task.type):
        yield from rule(place)


# -- which tasks run ---------------------------------------------------------------------------------


def _fork(place: Place) -> Iterator[Problem]:
    branches = place.task.fork_tasks
    if not branches:
        yield Problem("forkTasks", "a fork needs at least one branch")
    for index, branch in enumerate(branches):
        if not branch:
            yield Problem(f"forkTasks[{index}]", "a branch of a fork needs at least one task")
    yield from _joined(place)


def _dynamic_fork(place: Place) -> Iterator[Problem]:
    task = place.task
    tasks, inputs = task.dynamic_fork_tasks_param, task.dynamic_fork_tasks_input_param_name
    if "forkTaskInputs" not in task.input_parameters:
        if task.dynamic_fork_join_tasks_param:
            if tasks or inputs:
                yield Problem(
                    "dynamicForkJoinTasksParam", "give either this or dynamicForkTasksParam with its inputs, not both"
                )
        elif not (tasks and inputs):
            missing = "dynamicForkTasksInputParamName" if tasks else "dynamicForkTasksParam"
            yield Problem(
                missing,
                "a dynamic fork needs dynamicForkTasksParam and dynamicForkTasksInputParamName, or forkTaskInputs"
                " among its input parameters",
            )
        else:
            for name in (tasks, inputs):
                if task.input_parameters.get(name) is None:
                    yield Problem(
                        "inputParameters", f"{name!r} is missing, from which the fork takes its tasks and their inputs"
                    )
    yield from _joined(place)


def _joined(place: Place) -> Iterator[Problem]:
    after = place.following()
    if after is None or after.type != TaskType.JOIN:
        found = "nothing follows it" if after is None else f"{after.task_reference_name!r} follows it"
        yield Problem("", f"a fork is followed by its JOIN, and {found}: the server fails such a workflow")


def _exclusive_join(place: Place) -> Iterator[Problem]:
    if not place.task.join_on and not place.task.default_exclusive_join_task:
        yield Problem("joinOn", "an EXCLUSIVE_JOIN without it never ends: name the tasks to look at")


def _switch(place: Place) -> Iterator[Problem]:
    task = place.task
    if not task.evaluator_type:
        yield Problem("evaluatorType", "a switch needs one: value-param, graaljs or javascript")
    if task.expression is None:
        yield Problem("expression", "a switch needs one: the name of an input parameter, or a script")
    yield from _cases(task)


def _decision(place: Place) -> Iterator[Problem]:
    if not (place.task.case_value_param or place.task.case_expression):
        yield Problem("caseValueParam", "a decision needs caseValueParam or caseExpression")
    yield from _cases(place.task)


def _cases(task: WorkflowTask) -> Iterator[Problem]:
    if not task.decision_cases:
        yield Problem("decisionCases", f"a {task.type} needs at least one case beside its default")


def _loop(place: Place) -> Iterator[Problem]:
    if place.task.loop_condition is None:
        yield Problem("loopCondition", "a loop needs one; for a loop over items it may be empty text")
    if not place.task.loop_over:
        yield Problem("loopOver", "a loop needs at least one task")


def _dynamic(place: Place) -> Iterator[Problem]:
    name = place.task.dynamic_task_name_param
    if not name:
        yield Problem("dynamicTaskNameParam", "a dynamic task needs the name of the input that says what to run")
    elif not _is_given(place.task.input_parameters.get(name)):
        yield Problem("inputParameters", f"{name!r} is missing, which says what to run")


def _sub_workflow(place: Place) -> Iterator[Problem]:
    params = place.task.sub_workflow_param
    if params is None:
        yield Problem("subWorkflowParam", "a sub-workflow needs the name of a workflow, or a definition")
    elif not params.name and not params.workflow_definition:
        yield Problem("subWorkflowParam.name", "a sub-workflow needs the name of a workflow, or a definition")


def _start_workflow(place: Place) -> Iterator[Problem]:
    request = place.task.input_parameters.get("startWorkflow")
    if isinstance(request, Mapping):
        wanted = cast("Mapping[str, Any]", request)
        if not (wanted.get("name") or wanted.get("workflowDefinition") or wanted.get("workflowDef")):
            yield Problem("inputParameters.startWorkflow.name", "a START_WORKFLOW needs the name of a workflow")


def _terminate(place: Place) -> Iterator[Problem]:
    status = place.task.input_parameters.get("terminationStatus")
    if status not in ("COMPLETED", "FAILED", "TERMINATED"):
        yield Problem(
            "inputParameters.terminationStatus",
            f"it is COMPLETED, FAILED or TERMINATED, and no expression, not {status!r}",
        )
    if place.task.optional:
        yield Problem("optional", "a TERMINATE cannot be optional")


# -- what tasks do -----------------------------------------------------------------------------------


def _http(place: Place) -> Iterator[Problem]:
    given = place.task.input_parameters
    if not given.keys() & {"http_request", "uri", "method"}:
        yield Problem("inputParameters", "an HTTP task needs http_request, or uri and method")
    request: Mapping[str, Any] = given
    path = "inputParameters"
    if isinstance(given.get("http_request"), Mapping):
        request, path = cast("Mapping[str, Any]", given["http_request"]), "inputParameters.http_request"
        # Not of the flat form: there the input template of a task definition may supply what is missing.
        if not any(request.get(key) or given.get(key) for key in ("uri", "vipAddress")):
            yield Problem(f"{path}.uri", "an HTTP request needs one")
        if not (request.get("method") or given.get("method")):
            yield Problem(f"{path}.method", "an HTTP request needs one, such as GET")
    method = request.get("method")
    if isinstance(method, str) and "$" not in method and method != method.upper():
        yield Problem(f"{path}.method", f"the server knows {method.upper()} only, not {method}")


def _kafka(place: Place) -> Iterator[Problem]:
    request = place.task.input_parameters.get("kafka_request")
    if "kafka_request" not in place.task.input_parameters:
        yield Problem("inputParameters.kafka_request", "a KAFKA_PUBLISH needs its message")
    elif isinstance(request, Mapping):
        for key in ("bootStrapServers", "topic", "value"):
            if cast("Mapping[str, Any]", request).get(key) is None:
                yield Problem(f"inputParameters.kafka_request.{key}", "a message for Kafka needs it")


def _event(place: Place) -> Iterator[Problem]:
    sink = place.task.sink
    if not sink:
        yield Problem("sink", f"an EVENT needs to know where to: {_QUEUES}")
    elif ":" not in sink and "${" not in sink and sink != "conductor":
        yield Problem("sink", f"{sink!r} names no queue: an EVENT goes to {_QUEUES}, or just conductor")


_QUEUES = "conductor:<name>, sqs:<queue>, kafka:<topic> …"


def _jq(place: Place) -> Iterator[Problem]:
    if _is_blank(place.task.input_parameters.get("queryExpression")):
        yield Problem("inputParameters.queryExpression", "a JSON_JQ_TRANSFORM needs its query")


def _inline(place: Place) -> Iterator[Problem]:
    given = place.task.input_parameters
    # The input template of a task definition may supply what is not there at all.
    if "expression" in given and _is_blank(given["expression"]):
        yield Problem("inputParameters.expression", "an INLINE needs its script")


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _wait(place: Place) -> Iterator[Problem]:
    duration, until = (place.task.input_parameters.get(key) for key in ("duration", "until"))
    if _is_given(duration) and _is_given(until):
        yield Problem("inputParameters", "a WAIT has a duration or until, not both")
    for key, value, form, examples in (
        ("duration", duration, _DURATION, "'30s', '1h 30m' or '2 days'"),
        ("until", until, _MOMENT, "'2030-12-31', '2030-12-31 23:30' or '2030-12-31 23:30 UTC'"),
    ):
        if _is_given(value) and not _is_readable(value, form):
            yield Problem(
                f"inputParameters.{key}", f"the server cannot read {value!r}; it reads {examples}, or one expression"
            )


def _is_given(value: object) -> bool:
    return value is not None and value != ""


def _is_readable(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and (value.startswith("${") or form.fullmatch(value) is not None)


def _amount(*units: str) -> str:
    return rf"(?:[0-9]+\s*(?:{'|'.join(units)}))?\s*"


_DURATION = re.compile(
    r"\s*"
    + _amount("days", "day", "d")
    + _amount("hours", "hour", "hrs", "hr", "h")
    + _amount("minutes", "minute", "mins", "min", "m")
    + _amount("seconds", "second", "secs", "sec", "s"),
    re.IGNORECASE,
)
# Zones are names without a region ("UTC", "PST", "Pacific Standard Time"), +0200 or GMT+02:00.
_MOMENT = re.compile(
    r"\s*[0-9]+-[0-9]+-[0-9]+(?:\s+[0-9]+:[0-9]+(?:\s+(?:[+-][0-9]{4}|GMT[+-][0-9]+:[0-9]+|[^\W\d][^/\d+:]*[^\s\d/+:]))?)?",
    re.IGNORECASE,
)


_RULES: Mapping[str, Rule] = {
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
