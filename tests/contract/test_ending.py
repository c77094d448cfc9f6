"""CF67: ending a workflow early. CF83: the workflow that runs when another has failed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, references, row, simple, statuses, task, variables

pytestmark = pytest.mark.anyio


def terminate(ref: str, status: str, **input: Any) -> dict[str, Any]:  # noqa: A002
    return task("TERMINATE", ref, inputParameters={"terminationStatus": status, **input})


async def test_cf67_a_workflow_that_ends_well_before_its_end(wire: Transport) -> None:
    end = terminate("t", "COMPLETED", workflowOutput={"a": "${workflow.input.x}"})
    execution = await wire.run(
        variables("v"), end, variables("never"), input={"x": 5}, outputParameters={"other": "value"}
    )
    assert (execution["status"], execution["output"]) == ("COMPLETED", {"a": 5})
    assert references(execution) == ["v", "t"]
    reason = f"Workflow is COMPLETED by TERMINATE task: {row(execution, 't')['taskId']}"
    assert execution["reasonForIncompletion"] == reason


async def test_cf67_a_workflow_that_ends_badly(wire: Transport) -> None:
    execution = await wire.run(terminate("t", "FAILED", terminationReason="no luck"), variables("never"))
    assert (execution["status"], execution["reasonForIncompletion"]) == ("FAILED", "no luck")
    assert references(execution) == ["t"]


async def test_cf67_an_output_that_is_no_object(wire: Transport) -> None:
    assert (await wire.run(terminate("t", "COMPLETED", workflowOutput=5)))["output"] == {"output": 5}


async def test_cf67_an_end_inside_a_branch_ends_the_others(wire: Transport) -> None:
    work = await wire.task_type()
    fork = task("FORK_JOIN", "f", forkTasks=[[simple(work, "a")], [terminate("t", "COMPLETED")]])
    execution = await wire.run(fork, task("JOIN", "j", joinOn=["a", "t"]))
    assert execution["status"] == "COMPLETED"
    assert statuses(execution) == {"f": "COMPLETED", "a": "CANCELED", "t": "COMPLETED", "j": "CANCELED"}


async def test_cf83_a_failed_workflow_starts_its_failure_workflow(wire: Transport) -> None:
    work = await wire.task_type()
    mend = await wire.workflow(variables("v"))
    name = await wire.workflow(simple(work, "a"), failureWorkflow=mend)
    workflow_id = await wire.start(name, {"k": 1}, correlationId="c")
    failed_task = await wire.work(work, "FAILED", reasonForIncompletion="no")
    failed = await wire.execution(workflow_id)
    mender = await wire.execution(failed["output"]["conductor.failure_workflow"])
    assert (mender["workflowName"], mender["correlationId"]) == (mend, "c")
    given = mender["input"]
    assert {key: given[key] for key in ("k", "workflowId", "failureStatus", "failureTaskId", "reason")} == {
        "k": 1,
        "workflowId": workflow_id,
        "failureStatus": "FAILED",
        "failureTaskId": failed_task["taskId"],
        "reason": failed["reasonForIncompletion"],
    }
    assert given["failedWorkflow"]["workflowId"] == workflow_id


async def test_cf83_a_terminated_workflow_does_not(wire: Transport) -> None:
    mend = await wire.workflow(variables("v"))
    workflow_id = await wire.start(await wire.workflow(task("WAIT", "w"), failureWorkflow=mend))
    await wire.delete("workflow", workflow_id)
    assert "conductor.failure_workflow" not in (await wire.execution(workflow_id))["output"]
    assert (await wire.get("workflow", "search", query=f"workflowType='{mend}'"))["totalHits"] == 0


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (["x"], "java.util.LinkedList"),
        ({"k": "x"}, "java.util.HashMap"),
        ("${workflow.input.l}", "java.util.ArrayList"),
        ("${workflow.input.o}", "java.util.LinkedHashMap"),
        ("${workflow.input.l[*]}", "net.minidev.json.JSONArray"),
        (1, "java.lang.Integer"),
    ],
)
async def test_a_reason_that_is_no_text(wire: Transport, reason: Any, found: str) -> None:
    given = {"terminationStatus": "FAILED", "terminationReason": reason}
    definition = wire.definition(task("TERMINATE", "t", inputParameters=given))
    request = {"name": definition["name"], "workflowDef": definition, "input": {"l": [1], "o": {"k": 1}}}
    error = await wire.refused("POST", "workflow", body=request)
    assert error["status"] == 500
    assert error["message"].startswith(f"class {found} cannot be cast to class java.lang.String ({found} ")
