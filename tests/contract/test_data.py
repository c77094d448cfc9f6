"""CF64 to CF66, CF72: tasks that compute inside the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, inline, row, statuses, task, variables

pytestmark = pytest.mark.anyio


async def test_cf64_variables_are_merged_at_the_top_only(wire: Transport) -> None:
    one, two = variables("one", x=1, o={"k": 1}), variables("two", o={"k2": 1})
    execution = await wire.run(one, two, variables("see", k="${workflow.variables.o.k2}"), variables={"init": 7})
    assert execution["variables"] == {"init": 7, "x": 1, "o": {"k2": 1}, "k": 1}
    assert [each["outputData"] for each in execution["tasks"]] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2", 3),
        ("(function () { return {a: $.x, b: [1, null]} })()", {"a": 5, "b": [1, None]}),
        ("undefined", None),
    ],
)
async def test_cf65_a_script_answers_a_value(wire: Transport, expression: str, result: Any) -> None:
    execution = await wire.run(inline("i", expression, x=5))
    assert (execution["status"], row(execution, "i")["outputData"]) == ("COMPLETED", {"result": result})


@pytest.mark.parametrize("expression", ['throw new Error("boom")', "1 +", "return 5"])
async def test_cf65_a_script_that_fails_is_not_tried_again(wire: Transport, expression: str) -> None:
    execution = await wire.run(inline("i", expression))
    failed = row(execution, "i")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED_WITH_TERMINAL_ERROR")
    assert failed["reasonForIncompletion"].startswith("Error evaluating the script `")
    assert "error" in failed["outputData"]


async def test_cf65_the_message_of_a_thrown_error_is_the_reason(wire: Transport) -> None:
    failed = row(await wire.run(inline("i", 'throw new Error("boom")')), "i")
    assert failed["reasonForIncompletion"].startswith("Error evaluating the script `Error: boom")


async def test_cf65_scripts_are_javascript_unless_they_say_otherwise(wire: Transport) -> None:
    execution = await wire.run(task("INLINE", "i", inputParameters={"expression": "$.a * 2", "a": 4}))
    assert row(execution, "i")["outputData"] == {"result": 8}


@pytest.mark.parametrize(
    ("query", "result", "every"),
    [
        (".a | map(. + 1)", [2, 3], [[2, 3]]),
        (".a[]", 1, [1, 2]),
        (".nope", None, [None]),
        ("empty", None, []),
        (".queryExpression | length", 25, [25]),
    ],
)
async def test_cf66_jq_over_the_whole_input(wire: Transport, query: str, result: Any, every: list[Any]) -> None:
    transform = task("JSON_JQ_TRANSFORM", "q", inputParameters={"a": [1, 2], "s": "x", "queryExpression": query})
    execution = await wire.run(transform)
    assert execution["status"] == "COMPLETED"
    assert row(execution, "q")["outputData"] == {"result": result, "resultList": every}


async def test_cf66_jq_that_fails(wire: Transport) -> None:
    query = {"s": "x", "queryExpression": ".s + 1"}
    execution = await wire.run(task("JSON_JQ_TRANSFORM", "q", inputParameters=query))
    failed = row(execution, "q")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert "error" in failed["outputData"]


async def test_cf72_noop_lambda_event(wire: Transport) -> None:
    double = task("LAMBDA", "l", inputParameters={"scriptExpression": "return {v: $.x * 2};", "x": 2})
    event = task("EVENT", "e", sink="conductor:ev", inputParameters={"k": 1})
    execution = await wire.run(task("NOOP", "n"), double, event)
    assert (execution["status"], set(statuses(execution).values())) == ("COMPLETED", {"COMPLETED"})
    assert row(execution, "n")["outputData"] == {}
    assert row(execution, "l")["outputData"] == {"result": {"v": 4}}
    name, workflow_id = execution["workflowName"], execution["workflowId"]
    assert row(execution, "e")["outputData"] == {
        "k": 1,
        "sink": "conductor:ev",
        "asyncComplete": False,
        "event_produced": f"conductor:{name}:ev",
        "workflowInstanceId": workflow_id,
        "workflowType": name,
        "workflowVersion": 1,
        "correlationId": None,
        "taskToDomain": {},
    }


async def test_cf72_an_event_that_something_else_completes(wire: Transport) -> None:
    workflow_id = await wire.start(await wire.workflow(task("EVENT", "e", sink="conductor:ev", asyncComplete=True)))
    assert statuses(await wire.execution(workflow_id)) == {"e": "IN_PROGRESS"}
    await wire.post("tasks", workflow_id, "e", "COMPLETED", body={})
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"


def _loop(*tasks: Any) -> dict[str, Any]:
    return task("DO_WHILE", "d", loopCondition="$.d.iteration < 2", loopOver=list(tasks))


async def test_an_event_to_nowhere_that_begins_a_loop_stays_as_it_is(wire: Transport) -> None:
    """The server stores its failure only with something else that has changed."""
    event = task("EVENT", "e", sink="nothing:ev")
    workflow_id = await wire.start(await wire.workflow(_loop(event), task("NOOP", "n")))
    for _ in range(2):
        execution = await wire.execution(workflow_id)
        assert statuses(execution) == {"d": "IN_PROGRESS", "e__1": "IN_PROGRESS"}
        assert row(execution, "e__1")["outputData"]["event_produced"] == "nothing:ev"
        await wire.put("workflow", "decide", workflow_id)
    await wire.post("tasks", workflow_id, "e", "COMPLETED", body={})
    await wire.post("tasks", workflow_id, "e", "COMPLETED", body={})
    assert (await wire.ended(workflow_id))["status"] == "COMPLETED"


async def test_an_event_to_nowhere_later_in_a_loop_ends_it(wire: Transport) -> None:
    execution = await wire.run(_loop(task("NOOP", "n"), task("EVENT", "e", sink="nothing:ev")))
    assert (execution["status"], statuses(execution)) == (
        "FAILED",
        {"d": "CANCELED", "n__1": "COMPLETED", "e__1": "FAILED"},
    )
    assert row(execution, "e__1")["reasonForIncompletion"].endswith("error: Unknown queue type nothing")


@pytest.mark.parametrize("given", [[1], 5, 1.5, "a", "", True])
async def test_a_start_request_that_is_none(wire: Transport, given: Any) -> None:
    execution = await wire.run(task("START_WORKFLOW", "s", inputParameters={"startWorkflow": given}))
    request = "com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest"
    reason = row(execution, "s")["reasonForIncompletion"]
    assert reason.startswith("Error reading StartWorkflowRequest. Cannot ")
    assert reason.endswith("\n at [Source: UNKNOWN; byte offset: #UNKNOWN]")
    assert request in reason
