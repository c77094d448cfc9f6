"""Tasks that process data inside the server."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    InlineTask,
    JavascriptTask,
    JdbcTask,
    JsonJQTask,
    LambdaTask,
    NoopTask,
    SetVariableTask,
)

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def test_noop_and_set_variable():
    assert wire(NoopTask("n")) == {"name": "n", "taskReferenceName": "n", "type": "NOOP"}
    task = SetVariableTask("s", {"a": workflow.input.a})
    task.input(key="b", value=None)
    assert wire(task)["inputParameters"] == {"a": "${workflow.input.a}", "b": None}
    assert SetVariableTask("s").input_parameters == {}


@pytest.mark.parametrize("task_class", [InlineTask, JavascriptTask])
def test_inline(task_class):
    task = task_class("i", "$.a + 1", {"a": workflow.input.a})
    assert wire(task) == {
        "name": "i",
        "taskReferenceName": "i",
        "type": "INLINE",
        "inputParameters": {"evaluatorType": "graaljs", "expression": "$.a + 1", "a": "${workflow.input.a}"},
    }
    task.evaluator_type = "javascript"  # a field, not a method that hides one
    task.script = "$.a + 2"
    assert wire(task)["inputParameters"]["evaluatorType"] == task.evaluator_type == "javascript"
    assert wire(task)["inputParameters"]["expression"] == task.script == "$.a + 2"
    assert str(task.result.x) == "${i.output.result.x}"


def test_outputs_of_scripts_are_called_as_in_conductor_python():
    task = JavascriptTask("j", "1")
    assert str(task.output("a.b")) == "${j.output.result.a.b}"
    assert str(task.output()) == "${j.output.result}"
    assert str(task.output.result.a) == "${j.output.result.a}"
    assert str(task.output) == "${j.output}"
    assert str(InlineTask("i", "1").output("result.a")) == "${i.output.result.a}"


def test_lambda_and_jq():
    made = LambdaTask("l", "return $.a", {"a": 1})
    assert (wire(made)["type"], wire(made)["inputParameters"]) == ("LAMBDA", {"scriptExpression": "return $.a", "a": 1})
    query = JsonJQTask("q", ".a | length", input_parameters={"a": workflow.input.a})
    assert (wire(query)["type"], wire(query)["inputParameters"]) == (
        "JSON_JQ_TRANSFORM",
        {"a": "${workflow.input.a}", "queryExpression": ".a | length"},
    )
    assert wire(JsonJQTask("q", ".", {"a": 1}))["inputParameters"] == {"queryExpression": ".", "a": 1}
    assert (str(query.result), str(query.result_list[0])) == ("${q.output.result}", "${q.output.resultList[0]}")


def test_jdbc():
    task = JdbcTask(
        "j",
        "orders",
        "UPDATE o SET s = ? WHERE id = ?",
        ["paid", workflow.input.id],
        "UPDATE",
        expected_update_count=1,
        schema_name="s",
    )
    assert (wire(task)["type"], wire(task)["inputParameters"]) == (
        "JDBC",
        {
            "connectionId": "orders",
            "type": "UPDATE",
            "statement": "UPDATE o SET s = ? WHERE id = ?",
            "parameters": ["paid", "${workflow.input.id}"],
            "expectedUpdateCount": 1,
            "schemaName": "s",
        },
    )
    assert str(task.update_count) == "${j.output.update_count}"
    assert JdbcTask("j", None, "SELECT 1", integration_name="i").input_parameters == {
        "integrationName": "i",
        "type": "SELECT",
        "statement": "SELECT 1",
    }


# -- on the real server


@pytest.mark.server
@pytest.mark.anyio
async def test_data_goes_from_task_to_task(perform):
    add = InlineTask("add", "$.a + $.b", {"a": workflow.input.a, "b": 2})
    pair = JavascriptTask("pair", "(function () { return {'left': $.x, 'right': $.x * 2}; })()", {"x": add.result})
    old = LambdaTask("old", "return $.x + 1;", {"x": pair.output("right")})
    named = InlineTask("named", "which", {"which": old.result}, evaluator_type="value-param")
    query = JsonJQTask("query", ".numbers[] | . + 1", {"numbers": [add.result, old.result, named.result]})
    keep = SetVariableTask("keep", {"kept": query.result_list})
    output = {"kept": workflow.variables.kept, "first": query.result}
    run = await perform(add, pair, old, named, query, keep, NoopTask("end"), given={"a": 1}, output=output)
    assert (run.status, run.output) == ("COMPLETED", {"kept": [4, 8, 8], "first": 4})
    assert {task.status for task in run.tasks} == {"COMPLETED"}
    assert run.variables == {"kept": [4, 8, 8]}


@pytest.mark.server
@pytest.mark.anyio
async def test_jdbc_is_stored_unchanged(read_back):
    await read_back(JdbcTask("j", "orders", "SELECT ?", [workflow.input.id]))
