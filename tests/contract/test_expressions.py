"""CF74 to CF78: what `${…}` becomes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contract.wire import Transport, row, simple, task, variables

pytestmark = pytest.mark.anyio

GIVEN = {
    "s": "text",
    "i": 7,
    "f": 1.5,
    "b": True,
    "n": None,
    "l": [1, "two"],
    "o": {"b": {"c": "deep"}},
    "big": 12345678901234567890,
    "dash-key": 1,
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        *((f"${{workflow.input.{key}}}", value) for key, value in GIVEN.items()),
        ("x-${workflow.input.i}", "x-7"),
        ("v=${workflow.input.n}", "v=null"),
        ("v=${workflow.input.b}", "v=true"),
        ("v=${workflow.input.f}", "v=1.5"),
        ("v=${workflow.input.o}", "v={b={c=deep}}"),
        ("v=${workflow.input.l}", "v=[1, two]"),
        (" ${workflow.input.i}", " 7"),
        ("${workflow.input.s}${workflow.input.i}", "text7"),
        ("${workflow.input.nope}", None),
        ("${workflow.input.l[0]}", 1),
        ("${workflow.input.l[-1]}", "two"),
        ("${workflow.input.l[9]}", None),
        ("${workflow.input.l[*]}", [1, "two"]),
        ("${workflow.input..c}", ["deep"]),
        ("${workflow.input['dash-key']}", 1),
        ("${workflow.input.l.length()}", 2),
        ("$${workflow.input.i}", "${workflow.input.i}"),
        ("$$${workflow.input.i}", "$${workflow.input.i}"),
        ([{"deep": "${workflow.input.i}"}], [{"deep": 7}]),
        ({"${workflow.input.i}": 1}, {"${workflow.input.i}": 1}),
    ],
    ids=str,
)
async def test_cf74_alone_it_keeps_its_type_and_in_a_text_it_is_text(
    wire: Transport, expression: Any, value: Any
) -> None:
    execution = await wire.run(variables("v", x=expression), input=GIVEN)
    found = row(execution, "v")["inputData"]["x"]
    assert (found, type(found)) == (value, type(value))


async def test_cf77_the_workflow_and_the_tasks_before(wire: Transport) -> None:
    of_workflow = ("workflowId", "workflowType", "version", "status", "correlationId", "schemaVersion", "variables.p")
    of_task = ("input.p", "status", "taskType", "referenceTaskName", "retryCount", "bogus", "iteration")
    definition = wire.definition(
        variables("first", p="pv"),
        variables(
            "v",
            w={each: f"${{workflow.{each}}}" for each in of_workflow},
            t={each: f"${{first.{each}}}" for each in of_task},
        ),
    )
    workflow_id = await wire.start(definition["name"], workflowDef=definition, correlationId="c")
    found = row(await wire.ended(workflow_id), "v")["inputData"]
    assert found["w"] == {
        "workflowId": workflow_id,
        "workflowType": definition["name"],
        "version": 1,
        "status": "RUNNING",
        "correlationId": "c",
        "schemaVersion": 2,
        "variables.p": "pv",
    }
    assert found["t"] == {
        "input.p": "pv",
        "status": "COMPLETED",
        "taskType": "SET_VARIABLE",
        "referenceTaskName": "first",
        "retryCount": 0,
        "bogus": None,
        "iteration": 0,
    }


async def test_cf77_a_task_knows_its_own_id(wire: Transport) -> None:
    work = await wire.task_type()
    await wire.start(await wire.workflow(simple(work, "a", {"me": "${CPEWF_TASK_ID}"})))
    polled = await wire.next(work)
    assert polled["inputData"] == {"me": polled["taskId"]}


async def test_cf78_the_template_fills_what_is_absent_or_null(wire: Transport) -> None:
    template = {"p": "tp", "q": "${workflow.input.q}", "n": "d"}
    work = await wire.task_type(inputTemplate=template)
    await wire.start(await wire.workflow(simple(work, "a", {"p": "wp", "n": "${workflow.input.nope}"})), {"q": 3})
    assert (await wire.next(work))["inputData"] == {"p": "wp", "q": 3, "n": "d"}


async def test_an_event_in_a_text_has_the_order_of_a_hash_map(wire: Transport) -> None:
    event = task("EVENT", "e", sink="conductor:x", inputParameters={"zz": 1, "b": 2, "n": 3})
    text = (await wire.run(event, variables("v", x="${e.output} ")))["variables"]["x"]
    assert re.findall(r"(\w+)=", text) == [
        *("zz", "event_produced", "b", "asyncComplete", "sink", "workflowType"),
        *("correlationId", "taskToDomain", "workflowVersion", "workflowInstanceId", "n"),
    ]


async def test_a_loop_in_a_text_has_the_order_of_a_hash_map_until_it_is_stored(wire: Transport) -> None:
    work = await wire.task_type()
    at_once = task("DO_WHILE", "d", loopCondition="$.d.iteration < 2", loopOver=[variables("s", a=1)])
    begun = task("DO_WHILE", "e", loopCondition="$.e.iteration < 2", loopOver=[variables("t"), simple(work, "a")])
    name = await wire.workflow(at_once, begun, variables("v", d="${d.output} ", e="${e.output} "))
    workflow_id = await wire.start(name)
    for number in range(2):
        await wire.work(work, output={"o": number})
    texts = (await wire.ended(workflow_id))["variables"]
    assert texts["d"] == "{1={s={}}, 2={s={}}, iteration=2} "
    assert texts["e"] == "{iteration=2, 1={a={o=0}, t={}}, 2={a={o=1}, t={}}} "


async def test_inputs_in_a_text_have_the_order_of_a_hash_map(wire: Transport) -> None:
    cases = {"a": [variables("c", x=1)]}
    switch = task("SWITCH", "s", evaluatorType="value-param", expression="zz", decisionCases=cases)
    switch["inputParameters"] = {"zz": "a", "b": 2}
    large = {**switch, "taskReferenceName": "l", "decisionCases": {"x": []}}
    large["inputParameters"] = {"zz": "b"} | dict.fromkeys("pqrstuvwxy", 1)
    decision = task("DECISION", "d", caseValueParam="p", decisionCases=cases, inputParameters={"p": "a"})
    decision["decisionCases"] = {"a": [variables("e", x=1)]}
    fork = task("FORK_JOIN_DYNAMIC", "f", dynamicForkTasksParam="dt", dynamicForkTasksInputParamName="di")
    fork["inputParameters"] = {"dt": [], "di": {}}
    child = wire.definition(task("NOOP", "n"))
    param = {"name": child["name"], "version": 1, "workflowDefinition": child}
    inner = task("SUB_WORKFLOW", "w", subWorkflowParam=param, inputParameters={"x": 1})
    texts = {ref: f"${{{ref}.input}} " for ref in "sldfw"}
    execution = await wire.run(switch, large, decision, fork, task("JOIN", "j"), inner, variables("v", **texts))
    found = execution["variables"]
    assert found["s"] == "{zz=a, b=2, case=a, hasChildren=true} "
    assert found["l"] == "{zz=b, p=1, q=1, r=1, s=1, t=1, u=1, v=1, w=1, x=1, y=1, case=b} "
    assert found["d"] == "{hasChildren=true, case=a} "
    assert found["f"] == "{dt=[], forkedTaskDefs=[], di={}, forkedTasks=[]} "
    names = [name for name in re.findall(r"(\w+)=", found["w"]) if name.startswith(("sub", "id", "prio", "workflowI"))]
    assert names == [
        *("subWorkflowDefinition", "workflowInput", "subWorkflowTaskToDomain", "idempotencyKey"),
        *("subWorkflowName", "priority", "subWorkflowVersion", "idempotencyStrategy"),
    ]
