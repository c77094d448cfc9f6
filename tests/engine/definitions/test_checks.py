"""What is refused at registration: tables that the engine and the real server check alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from conductor_async._language.task_rules import RuleContext
from conductor_async.engine.definitions.checks import (
    event_handler_errors,
    refuse_null_lists,
    task_def_errors,
    workflow_def_errors,
)
from conductor_async.engine.definitions.defaults import with_task_defaults, with_workflow_defaults
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

Wire = dict[str, Any]
AT = "validateWorkflowDef.arg0"


def workflow(*tasks: Wire | None, **more: Any) -> Wire:
    return {"name": "checked", "version": 1, "schemaVersion": 2, "ownerEmail": "a@b.c", "tasks": list(tasks), **more}


def task(ref: str = "r", kind: str = "SIMPLE", **more: Any) -> Wire:
    return {"name": "t", "taskReferenceName": ref, "type": kind, **more}


NAMELESS = {"taskReferenceName": "nameless", "type": "SIMPLE"}
NO_NAME = "WorkflowTask name cannot be empty or null"
EVERY_KIND = (
    *("EVENT", "DECISION", "SWITCH", "DYNAMIC", "FORK_JOIN_DYNAMIC", "FORK_JOIN", "HTTP", "TERMINATE", "KAFKA_PUBLISH"),
    *("DO_WHILE", "SUB_WORKFLOW", "JSON_JQ_TRANSFORM", "WAIT", "INLINE", "LAMBDA", "SET_VARIABLE", "JOIN", "HUMAN"),
    *("START_WORKFLOW", "NOOP", "EXCLUSIVE_JOIN", "PULL_WORKFLOW_MESSAGES", "LLM_CHAT_COMPLETE", "AGENT", "MY_OWN"),
)

WORKFLOWS: dict[str, Wire] = {
    "good": workflow(task()),
    "no name": workflow(task(), name=None),
    "empty name": workflow(task(), name=""),
    "no tasks": workflow(),
    "schema version": workflow(task(), schemaVersion=1),
    "several": workflow(task("", name=""), name="", schemaVersion=3),
    "task without name": workflow(NAMELESS),
    "task without reference": workflow({"name": "t", "type": "SIMPLE"}),
    "negative delay": workflow(task(startDelay=-1)),
    "repeated reference": workflow(task("a"), task("a"), task("a")),
    "repeated in a loop": workflow(task("a", "DO_WHILE", loopCondition="true", loopOver=[task("a")])),
    "nameless in a case": workflow(
        task(
            "s",
            "SWITCH",
            evaluatorType="value-param",
            expression="q",
            decisionCases={"a": [task("a"), NAMELESS]},
            defaultCase=[{**NAMELESS, "taskReferenceName": "other"}],
        )
    ),
    "nameless in a branch": workflow(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b"), NAMELESS]]), task("j", "JOIN")
    ),
    "nameless in a loop": workflow(task("l", "DO_WHILE", loopCondition="true", loopOver=[NAMELESS])),
    "expressions": workflow(
        task(
            "a",
            inputParameters={
                "empty": "${}",
                "blank": "${ }",
                "second": "${a.x} ${nope.y}",
                "list": ["${nope2.z}", {"deep": "${ x }"}],
                "map": {"deeper": "${nope3}"},
                "escaped": "$${nope4.x}",
                "passed over": "${workflow.input.x[}",
                "nested": "${workflow.${nope5.x}}",
                "unclosed": "${unclosed",
                "task id": "${CPEWF_TASK_ID}",
                "quoted": "${a['x'].y}",
                "bracket": "${a['x']}",
                "root": "${$.workflow.input.x}",
                "dots": "${workflow.input.x..}",
                "braces": "${nope.{y}}",
            },
        )
    ),
    "expression of a later task": workflow(task("a", inputParameters={"x": "${b.output}"}), task("b")),
    "expression below": workflow(
        task(
            "s",
            "SWITCH",
            evaluatorType="value-param",
            expression="q",
            decisionCases={"a": [task("a", inputParameters={"x": "${nope.x}"})]},
        )
    ),
    **{f"bare {kind}": workflow(task("r", kind)) for kind in EVERY_KIND},
    "event without sink": workflow(task("r", "EVENT", name="")),
    "switch without expression": workflow(task("r", "SWITCH", evaluatorType="javascript", decisionCases={"a": []})),
    "fork of two kinds": workflow(
        task("r", "FORK_JOIN_DYNAMIC", dynamicForkJoinTasksParam="a", dynamicForkTasksParam="b")
    ),
    "fork by one parameter": workflow(task("r", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="b")),
    "fork by inputs": workflow(task("r", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskInputs": []})),
    "fork of an empty branch": workflow(task("r", "FORK_JOIN", forkTasks=[[]])),
    "http by method": workflow(task("r", "HTTP", inputParameters={"method": "GET"})),
    "terminate optional": workflow(
        task("r", "TERMINATE", optional=True, inputParameters={"terminationStatus": "COMPLETED"})
    ),
    "terminate unknown": workflow(task("r", "TERMINATE", inputParameters={"terminationStatus": "BOGUS"})),
    "wait for both": workflow(task("r", "WAIT", inputParameters={"duration": "1 s", "until": "2030-01-01 10:00"})),
    "wait for neither": workflow(task("r", "WAIT", inputParameters={"duration": "x", "until": "y"})),
    "wait for a bad date": workflow(task("r", "WAIT", inputParameters={"until": "someday"})),
    "wait in a region": workflow(task("r", "WAIT", inputParameters={"until": "2030-01-01 10:00 America/New_York"})),
    "wait for a number": workflow(task("r", "WAIT", inputParameters={"duration": 5})),
    "wait by expression": workflow(task("r", "WAIT", inputParameters={"duration": "${workflow.input.d}"})),
    "wait for blanks": workflow(task("r", "WAIT", inputParameters={"duration": " ", "until": "2030-01-01"})),
}

TASK_DEFS: dict[str, Wire] = {
    "good": {"name": "checked_task"},
    "no name": {},
    "empty name": {"name": ""},
    "limits": {
        "name": "checked_task",
        "retryCount": -1,
        "backoffScaleFactor": 0,
        "maxRetryDelaySeconds": -1,
        "backoffJitterMs": -2,
        "totalTimeoutSeconds": -1,
        "pollTimeoutSeconds": -1,
        "responseTimeoutSeconds": 0,
        "timeoutSeconds": -1,
    },
    "response after timeout": {"name": "checked_task", "timeoutSeconds": 5, "responseTimeoutSeconds": 60},
    "timeout after total": {
        "name": "checked_task",
        "timeoutSeconds": 50,
        "responseTimeoutSeconds": 6,
        "totalTimeoutSeconds": 10,
    },
}

EVENT_HANDLERS: dict[str, Wire] = {
    "nothing": {},
    "no actions": {"name": "h", "event": "conductor:a", "actions": []},
    "null actions": {"name": "h", "event": "conductor:a", "actions": None},
    "empty names": {"name": "", "event": "", "actions": [{}]},
}


def sorted_errors(errors: list[dict[str, object]]) -> list[str]:
    """The server returns them in no particular order."""
    return sorted(json.dumps(error, sort_keys=True) for error in errors)


def checked(definition: Wire) -> list[dict[str, object]]:
    return workflow_def_errors(with_workflow_defaults(definition), AT)


@pytest.mark.server
def test_workflow_definitions_are_refused_as_by_the_server(server_url: str) -> None:
    with httpx.Client() as http:
        for name, definition in WORKFLOWS.items():
            response = http.post(f"{server_url}/metadata/workflow/validate", json=definition)
            found = response.json()["validationErrors"] if response.status_code == 400 else []
            assert (name, sorted_errors(checked(definition))) == (name, sorted_errors(found))


@pytest.mark.server
def test_task_definitions_are_refused_as_by_the_server(server_url: str, new_name: Callable[[str], str]) -> None:
    with httpx.Client() as http:
        for name, given in TASK_DEFS.items():
            definition = {**given, **({"name": new_name("checked")} if given.get("name") else {})}
            response = http.post(f"{server_url}/metadata/taskdefs", json=[definition])
            found = response.json()["validationErrors"] if response.status_code == 400 else []
            here = task_def_errors(with_task_defaults(definition), "registerTaskDef.arg0[0]")
            assert (name, sorted_errors(here)) == (name, sorted_errors(found))


@pytest.mark.server
def test_event_handlers_are_refused_as_by_the_server(server_url: str) -> None:
    with httpx.Client() as http:
        for name, handler in EVENT_HANDLERS.items():
            found = http.post(f"{server_url}/event", json=handler).json()["validationErrors"]
            assert (name, sorted_errors(event_handler_errors(handler, "addEventHandler.arg0"))) == (
                name,
                sorted_errors(found),
            )


@pytest.mark.server
@pytest.mark.parametrize(
    "definition",
    [
        workflow(task(), tasks=None),
        workflow(task(), None),
        workflow(task(type=None)),
        workflow(task("s", "SWITCH", evaluatorType="value-param", expression="q", decisionCases=None)),
    ],
    ids=["tasks", "task", "type", "cases"],
)
def test_nulls_at_which_the_servers_checks_throw_are_refused(definition: Wire, server_url: str) -> None:
    response = httpx.post(f"{server_url}/metadata/workflow/validate", json=definition)
    with pytest.raises(Refused) as caught:
        refuse_null_lists(definition)
    assert (response.status_code, response.json()["message"]) == (caught.value.status, caught.value.message)


def test_a_good_definition_has_no_errors() -> None:
    assert checked(WORKFLOWS["good"]) == []
    refuse_null_lists(WORKFLOWS["good"])


def test_an_error_has_path_message_and_value() -> None:
    assert checked(workflow(task(name=""))) == [{"path": f"{AT}.tasks[0].name", "message": NO_NAME, "invalidValue": ""}]


def test_the_input_template_of_a_task_definition_supplies_required_inputs() -> None:
    definition = with_workflow_defaults(workflow(task("r", "HTTP")))
    assert len(workflow_def_errors(definition, AT)) == 1
    registered = RuleContext(find_task_def=lambda name: {"inputTemplate": {"http_request": name}})
    assert workflow_def_errors(definition, AT, registered) == []
    embedded = workflow(task("r", "HTTP", taskDefinition={"name": "t", "inputTemplate": {"http_request": 1}}))
    assert workflow_def_errors(with_workflow_defaults(embedded), AT) == []


@pytest.mark.parametrize(
    "given",
    [
        task("r", "SWITCH", evaluatorType="javascript", expression="1 +", decisionCases={"a": []}),
        task("r", "DECISION", caseExpression="1 +", decisionCases={"a": []}),
    ],
    ids=["SWITCH", "DECISION"],
)
def test_scripts_with_syntax_errors_are_refused(given: Wire) -> None:
    definition = with_workflow_defaults(workflow(given))
    context = RuleContext(script_error=lambda script: f"no good: {script}")
    [error] = workflow_def_errors(definition, AT, context)
    kind = given["type"]
    expected = f"Expression is not well formatted: no good: 1 +, taskType: {kind} taskName t"
    assert error == {"path": f"{AT}.tasks[0]", "message": expected}
