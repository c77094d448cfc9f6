"""WAIT, HUMAN, PULL_WORKFLOW_MESSAGES."""

from __future__ import annotations

from tests.engine.bench import Bench, set_variable, task


def test_wait_for_a_duration(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"duration": "1 day 2 hours"}), set_variable("v"))
    assert bench.tasks(workflow_id)["w"]["callbackAfterSeconds"] == 26 * 3600
    bench.pass_time(26 * 3600 - 1)
    assert bench.states(workflow_id) == ["w IN_PROGRESS"]
    bench.pass_time(1)
    assert bench.status(workflow_id) == "COMPLETED"


def test_wait_until_a_date(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"until": "2026-01-03 01:00 CET"}))
    bench.pass_time(2 * 86400)
    assert bench.status(workflow_id) == "COMPLETED"
    past = bench.run(task("w", "WAIT", inputParameters={"until": "2020-01-01"}))
    assert bench.status(past) == "COMPLETED"


def test_wait_until_somebody_completes_it(bench: Bench) -> None:
    for values in ({}, {"duration": "1 hour"}):
        workflow_id = bench.run(task("w", "WAIT", inputParameters=values))
        bench.engine.tasks.update_by_ref_name(workflow_id, "w", "COMPLETED", {"a": 1})
        assert bench.execution(workflow_id)["output"] == {"a": 1}


def test_an_invalid_date_fails_the_task(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"until": "${workflow.input.u}"}), input={"u": "soon"})
    row = bench.tasks(workflow_id)["w"]
    assert row["reasonForIncompletion"] == "Invalid/Unsupported Wait Until format.  Provided: soon"


def test_human(bench: Bench) -> None:
    workflow_id = bench.run(task("h", "HUMAN", inputParameters={"form": "f1"}), set_variable("v", o="${h.output}"))
    row = bench.tasks(workflow_id)["h"]
    assert (row["status"], row["inputData"]) == ("IN_PROGRESS", {"form": "f1"})
    bench.report(row, "IN_PROGRESS", {"p": 1})
    assert bench.tasks(workflow_id)["h"]["status"] == "IN_PROGRESS"
    bench.report(row, "COMPLETED", {"ok": True})
    assert bench.execution(workflow_id)["variables"] == {"o": {"ok": True}}


def test_pull_workflow_messages(bench: Bench) -> None:
    workflow_id = bench.run(task("p", "PULL_WORKFLOW_MESSAGES", inputParameters={"batchSize": 2}))
    assert bench.states(workflow_id) == ["p IN_PROGRESS"]
    message_id = bench.engine.workflows.send_message(workflow_id, {"m": 1})
    output = bench.tasks(workflow_id)["p"]["outputData"]
    assert output["count"] == 1
    assert (output["messages"][0]["id"], output["messages"][0]["payload"]) == (message_id, {"m": 1})
