"""Small questions to the real server: what it makes of an expression, a script, a definition."""

from __future__ import annotations

from typing import Any

import httpx


def execute(server_url: str, name: str, tasks: list[dict[str, Any]], workflow_input: dict[str, Any]) -> dict[str, Any]:
    """Runs tasks as a workflow that is not registered, and gives the execution as it is a moment later."""
    definition = {"name": name, "version": 1, "schemaVersion": 2, "ownerEmail": "a@b.c", "tasks": tasks}
    request = {"name": name, "version": 1, "workflowDef": definition, "input": workflow_input}
    with httpx.Client(timeout=30) as http:
        answer = http.post(f"{server_url}/workflow/execute/{name}/1", params={"waitForSeconds": 10}, json=request)
        assert answer.status_code == 200, answer.text
        execution: dict[str, Any] = http.get(f"{server_url}/workflow/{answer.json()['workflowId']}").json()
    return execution


def set_variables(name: str, reference: str, values: dict[str, Any]) -> dict[str, Any]:
    """A task that does nothing but have an input."""
    return {"name": name, "taskReferenceName": reference, "type": "SET_VARIABLE", "inputParameters": values}


def within_a_switch(task: dict[str, Any]) -> dict[str, Any]:
    """The task where the server does not check its expressions when it is registered."""
    return {
        "name": "pick",
        "taskReferenceName": "pick",
        "type": "SWITCH",
        "evaluatorType": "value-param",
        "expression": "q",
        "inputParameters": {"q": "z"},
        "decisionCases": {"z": [task]},
    }


def evaluate(
    server_url: str, name: str, templates: dict[str, Any], workflow_input: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the server makes of templates in the input of a task, and the execution."""
    before = {
        "name": "set_before",
        "taskReferenceName": "before",
        "type": "SET_VARIABLE",
        "inputParameters": {"v": "vv"},
    }
    probe = {"name": "probe", "taskReferenceName": "probe", "type": "SET_VARIABLE", "inputParameters": templates}
    execution = execute(server_url, name, [before, within_a_switch(probe)], workflow_input)
    return next(each["inputData"] for each in execution["tasks"] if each["referenceTaskName"] == "probe"), execution
