"""The inputs of tasks."""

from __future__ import annotations

from tests.engine.bench import Bench, set_variable, task


def test_expressions_see_the_workflow_and_its_tasks(bench: Bench) -> None:
    values = {
        "id": "${workflow.workflowId}",
        "type": "${workflow.workflowType}",
        "version": "${workflow.version}",
        "status": "${workflow.status}",
        "p": "${sv0.input.p}",
        "s": "${sv0.status}",
        "bogus": "${sv0.bogus}",
    }
    workflow_id = bench.run(set_variable("sv0", p="pv"), task("a", inputParameters=values | {"me": "${CPEWF_TASK_ID}"}))
    row = bench.tasks(workflow_id)["a"]
    assert row["inputData"] == {
        "id": workflow_id,
        "type": "flow",
        "version": 1,
        "status": "RUNNING",
        "p": "pv",
        "s": "COMPLETED",
        "bogus": None,
        "me": row["taskId"],
    }


def test_the_input_template_of_a_task_definition(bench: Bench) -> None:
    bench.define("a", inputTemplate={"p": "tp", "q": "${workflow.input.q}", "n": "d"})
    workflow_id = bench.run(task("a", inputParameters={"p": "wp", "n": "${workflow.input.nope}"}), input={"q": 3})
    assert bench.tasks(workflow_id)["a"]["inputData"] == {"p": "wp", "q": 3, "n": "d"}


def test_the_input_of_a_task_does_not_change_afterwards(bench: Bench) -> None:
    loop = task(
        "dw", "DO_WHILE", loopCondition="$.dw['iteration'] < 3",
        loopOver=[set_variable("s", seen="${dw.output}")],
    )  # fmt: skip
    workflow_id = bench.run(loop)
    assert sorted(bench.tasks(workflow_id)["s__1"]["inputData"]["seen"]) == ["iteration"]
