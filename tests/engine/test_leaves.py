"""Tasks that the engine runs by itself (CF64 to CF72, CF74 to CF78)."""

from __future__ import annotations

import pytest

from tests.engine.bench import Bench, set_variable, task


def test_cf64_variables(bench: Bench) -> None:
    workflow_id = bench.run(
        set_variable("a", x=1, o={"k": 1}),
        set_variable("b", o={"k2": 1}),
        set_variable("c", seen="${workflow.variables.o.k2}"),
        variables={"init": 0},
    )
    execution = bench.execution(workflow_id)
    assert execution["variables"] == {"init": 0, "x": 1, "o": {"k2": 1}, "seen": 1}
    assert [row["outputData"] for row in execution["tasks"]] == [{}, {}, {}]


def test_too_many_variables(bench: Bench) -> None:
    workflow_id = bench.run(set_variable("a", x="y" * 300_000))
    row = bench.tasks(workflow_id)["a"]
    assert row["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert "greater than the permissible limit: 256 kilobytes" in row["reasonForIncompletion"]
    assert bench.execution(workflow_id)["variables"] == {}


@pytest.mark.parametrize(
    ("expression", "result"),
    [("1+2", 3), ("(function(){return {a:$.x,b:[1,null]}})()", {"a": 1, "b": [1, None]}), ("undefined", None)],
)
def test_cf65_inline(bench: Bench, expression: str, result: object) -> None:
    workflow_id = bench.run(task("i", "INLINE", inputParameters={"expression": expression, "x": 1}))
    assert bench.tasks(workflow_id)["i"]["outputData"] == {"result": result}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"expression": "throw new Error('boom')"}, "Error evaluating the script `Error: boom`"),
        ({"expression": " "}, "Empty 'expression' in Inline task's input parameters. A non-empty String value must"),
        ({"expression": "1", "evaluatorType": "nope"}, "Unknown evaluator 'nope' in INLINE task."),
        ({"expression": "1", "evaluatorType": "python"}, "The embedded engine has no evaluator 'python'"),
    ],
)
def test_cf65_inline_that_fails(bench: Bench, values: dict, reason: str) -> None:
    row = bench.tasks(bench.run(task("i", "INLINE", inputParameters=values)))["i"]
    assert row["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert row["reasonForIncompletion"].startswith(reason)
    assert row["outputData"] == {"error": row["reasonForIncompletion"]}


@pytest.mark.parametrize(
    ("query", "output"),
    [
        (".a|map(.+1)", {"result": [2, 3], "resultList": [[2, 3]]}),
        (".a[]", {"result": 1, "resultList": [1, 2]}),
        (".nope", {"result": None, "resultList": [None]}),
        ("empty", {"result": None, "resultList": []}),
        (".queryExpression", {"result": ".queryExpression", "resultList": [".queryExpression"]}),
    ],
)
def test_cf66_jq(bench: Bench, query: str, output: dict) -> None:
    workflow_id = bench.run(task("q", "JSON_JQ_TRANSFORM", inputParameters={"a": [1, 2], "queryExpression": query}))
    assert bench.tasks(workflow_id)["q"]["outputData"] == output


def test_cf66_jq_that_fails(bench: Bench) -> None:
    row = bench.tasks(bench.run(task("q", "JSON_JQ_TRANSFORM", inputParameters={"s": "x", "queryExpression": ".s+1"})))[
        "q"
    ]
    assert (row["status"], list(row["outputData"])) == ("FAILED", ["error"])


def test_cf68_waiting_for_a_time(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"duration": "1 day 2 hours"}), set_variable("v"))
    assert bench.tasks(workflow_id)["w"]["callbackAfterSeconds"] == 26 * 3600
    bench.pass_time(26 * 3600 - 1)
    assert bench.states(workflow_id) == ["w IN_PROGRESS"]
    bench.pass_time(1)
    assert bench.status(workflow_id) == "COMPLETED"


def test_cf68_waiting_until_a_date(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"until": "2026-01-03 01:00 CET"}))
    bench.pass_time(2 * 86400)
    assert bench.status(workflow_id) == "COMPLETED"
    past = bench.run(task("w", "WAIT", inputParameters={"until": "2020-01-01"}))
    assert bench.status(past) == "COMPLETED"


def test_cf68_waiting_for_somebody(bench: Bench) -> None:
    for values in ({}, {"duration": "1 hour"}):
        workflow_id = bench.run(task("w", "WAIT", inputParameters=values))
        bench.engine.tasks.update_by_ref_name(workflow_id, "w", "COMPLETED", {"a": 1})
        assert bench.execution(workflow_id)["output"] == {"a": 1}


def test_a_date_that_is_none_fails_the_task(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"until": "${workflow.input.u}"}), input={"u": "soon"})
    row = bench.tasks(workflow_id)["w"]
    assert row["reasonForIncompletion"] == "Invalid/Unsupported Wait Until format.  Provided: soon"


def test_cf70_a_person(bench: Bench) -> None:
    workflow_id = bench.run(task("h", "HUMAN", inputParameters={"form": "f1"}), set_variable("v", o="${h.output}"))
    row = bench.tasks(workflow_id)["h"]
    assert (row["status"], row["inputData"]) == ("IN_PROGRESS", {"form": "f1"})
    bench.report(row, "IN_PROGRESS", {"p": 1})
    assert bench.tasks(workflow_id)["h"]["status"] == "IN_PROGRESS"
    bench.report(row, "COMPLETED", {"ok": True})
    assert bench.execution(workflow_id)["variables"] == {"o": {"ok": True}}


def test_cf71_dynamic(bench: Bench) -> None:
    dynamic = task("d", "DYNAMIC", dynamicTaskNameParam="tn", inputParameters={"tn": "${workflow.input.t}"})
    workflow_id = bench.run(dynamic, input={"t": "worker_task"})
    row = bench.tasks(workflow_id)["d"]
    assert (row["taskType"], row["taskDefName"]) == ("worker_task", "worker_task")
    bench.work("worker_task")
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.execution(bench.run(dynamic))["reasonForIncompletion"] == (
        "Cannot map a dynamic task based on the parameter and input. Parameter= tn, input= {tn=null}"
    )


def test_cf71_a_dynamic_system_task(bench: Bench) -> None:
    values = {"tn": "INLINE", "expression": "1+1"}
    workflow_id = bench.run(task("d", "DYNAMIC", dynamicTaskNameParam="tn", inputParameters=values))
    assert bench.tasks(workflow_id)["d"]["outputData"] == {"result": 2}


def test_cf72_noop_lambda_event(bench: Bench) -> None:
    workflow_id = bench.run(
        task("n", "NOOP"),
        task("l", "LAMBDA", inputParameters={"scriptExpression": "return {v:$.x*2};", "x": 2}),
        task("e", "EVENT", sink="conductor:ev", inputParameters={"k": 1}),
    )
    rows = bench.tasks(workflow_id)
    assert rows["n"]["outputData"] == {}
    assert rows["l"]["outputData"] == {"result": {"v": 4}}
    assert rows["e"]["outputData"]["event_produced"] == "conductor:flow:ev"
    assert bench.status(workflow_id) == "COMPLETED"


@pytest.mark.parametrize(
    ("sink", "queue", "says"),
    [
        ("bogus:ev", "bogus:ev", "Error loading queue:bogus:ev, for task:{}, error: Unknown queue type bogus"),
        ("bogus", "bogus", "Error loading queue:bogus, for task:{}, error: Illegal event bogus"),
        ("conductors", None, "Invalid / Unsupported sink specified: conductors"),
    ],
)
def test_an_event_to_a_sink_that_is_none(bench: Bench, sink: str, queue: str | None, says: str) -> None:
    row = bench.tasks(bench.run(task("e", "EVENT", sink=sink, inputParameters={"k": 1})))["e"]
    assert (row["status"], row["reasonForIncompletion"]) == ("FAILED", says.format(row["taskId"]))
    assert (row["outputData"]["k"], row["outputData"].get("event_produced")) == (1, queue)


def test_cf72_an_event_that_somebody_completes(bench: Bench) -> None:
    workflow_id = bench.run(task("e", "EVENT", sink="conductor:ev", asyncComplete=True))
    assert bench.states(workflow_id) == ["e IN_PROGRESS"]
    bench.engine.tasks.update_by_ref_name(workflow_id, "e", "COMPLETED", {})
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_type_that_nobody_knows_is_for_workers(bench: Bench) -> None:
    workflow_id = bench.run(task("b", "BOGUS_TYPE"))
    bench.work("BOGUS_TYPE")
    assert bench.status(workflow_id) == "COMPLETED"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (task("k", "KAFKA_PUBLISH", inputParameters={"kafka_request": {"topic": "t"}}), "does not run KAFKA_PUBLISH"),
        (task("l", "LLM_CHAT_COMPLETE"), "does not run LLM_CHAT_COMPLETE tasks, which need an outside service"),
        (task("e", "EVENT", sink="sqs:queue"), "publishes only to conductor queues, not to sqs:queue"),
    ],
)
def test_what_needs_an_outside_service_says_so(bench: Bench, bad: dict, says: str) -> None:
    workflow_id = bench.run(bad)
    assert bench.status(workflow_id) == "FAILED"
    assert says in bench.execution(workflow_id)["tasks"][0]["reasonForIncompletion"]


def test_cf77_what_expressions_know(bench: Bench) -> None:
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


def test_cf78_templates_of_task_definitions(bench: Bench) -> None:
    bench.define("a", inputTemplate={"p": "tp", "q": "${workflow.input.q}", "n": "d"})
    workflow_id = bench.run(task("a", inputParameters={"p": "wp", "n": "${workflow.input.nope}"}), input={"q": 3})
    assert bench.tasks(workflow_id)["a"]["inputData"] == {"p": "wp", "q": 3, "n": "d"}


def test_messages(bench: Bench) -> None:
    workflow_id = bench.run(task("p", "PULL_WORKFLOW_MESSAGES", inputParameters={"batchSize": 2}))
    assert bench.states(workflow_id) == ["p IN_PROGRESS"]
    message_id = bench.engine.workflows.send_message(workflow_id, {"m": 1})
    output = bench.tasks(workflow_id)["p"]["outputData"]
    assert output["count"] == 1
    assert (output["messages"][0]["id"], output["messages"][0]["payload"]) == (message_id, {"m": 1})


def test_what_a_task_has_seen_does_not_change_afterwards(bench: Bench) -> None:
    loop = task(
        "dw", "DO_WHILE", loopCondition="$.dw['iteration'] < 3",
        loopOver=[set_variable("s", seen="${dw.output}")],
    )  # fmt: skip
    workflow_id = bench.run(loop)
    assert sorted(bench.tasks(workflow_id)["s__1"]["inputData"]["seen"]) == ["iteration"]
