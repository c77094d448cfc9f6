"""Values that cannot be JSON, and fields that the outputs of workers do not have."""

from __future__ import annotations

import dataclasses
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from conductor_async import ConductorWorkflow, TaskContext, TaskInProgress, worker_task
from conductor_async.errors import WorkflowDefinitionError
from conductor_async.tasks import DoWhileTask, ForkTask, InlineTask, SimpleTask, SwitchTask
from conductor_async.worker.context import get_task_context
from conductor_async.workflow._validation import problems_of
from tests.fakes.definitions import definition, noop, task

# -- values that cannot be sent ----------------------------------------------------------------------


def test_every_value_that_cannot_be_json_is_a_problem_with_its_path():
    workflow = ConductorWorkflow(name="w").output_parameters({"set": object()})
    switch_task = SwitchTask("s", "${workflow.input.x}").case("x", SimpleTask("b", input_parameters={"to": [1, 2j]}))
    workflow >> SimpleTask("a", input_parameters={"n": float("nan"), "ok": {1, 2}, "s": "\ud800"}) >> switch_task
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "outputParameters.set",
        "tasks[0].inputParameters.n",
        "tasks[0].inputParameters.s",
        "tasks[1].decisionCases['x'][0].inputParameters.to[1]",
    ]
    assert "it cannot be sent as JSON: it is nan, and JSON has no such number" in caught.value.problems[1]


def test_the_error_lists_all_problems():
    with pytest.raises(WorkflowDefinitionError) as caught:
        (ConductorWorkflow(name="w") >> InlineTask("a", "${b}") >> InlineTask("b", "'${a.output.x}'")).to_workflow_def()
    assert str(caught.value).splitlines() == [
        "Workflow 'w' cannot work:",
        "- tasks[0].inputParameters.expression: ${b} is null here: 'b' runs after it",
        (
            "- tasks[1].inputParameters.expression: ${a.output.x} would be pasted into the script as text: pass the"
            " value as an input parameter, and read it as $.name"
        ),
    ]


# -- outputs of workers ------------------------------------------------------------------------------


class Line(BaseModel):
    price: float
    next: Line | None = None


class Order(BaseModel):
    model_config = ConfigDict(alias_generator=str.upper)
    total: int
    lines: list[Line]
    first: Line


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    total: int


@dataclasses.dataclass
class EncodedResult:
    weight: float
    order: Order


class Stock(TypedDict):
    left: int


@worker_task()
async def order() -> Order | TaskInProgress: ...


@worker_task()
def parcel() -> EncodedResult: ...


@worker_task()
def stock() -> Stock | None: ...


@worker_task()
def number() -> int: ...


def built(worker: Any, reference: Any) -> list[str]:
    made = worker.task("made")
    workflow = ConductorWorkflow(name="w") >> DoWhileTask("l", "$.made.x", ForkTask("f", [made]))
    workflow >> SimpleTask("t", input_parameters={"x": f"got {reference(made.output)}"})
    try:
        workflow.to_workflow_def()
    except WorkflowDefinitionError as error:
        return [problem.removeprefix("tasks[1].inputParameters.x: ") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("worker", "reference", "problem"),
    [
        (order, lambda o: o.totl, "totl (it has TOTAL, LINES, FIRST)"),
        (order, lambda o: o.TOTL, "TOTL: did you mean 'TOTAL'? (it has TOTAL, LINES, FIRST)"),
        (order, lambda o: o.FIRST.prise, "FIRST.prise: did you mean 'price'? (it has price, next)"),
        (parcel, lambda o: o["wait"].x, "wait: did you mean 'weight'? (it has weight, order)"),
        (parcel, lambda o: o.order.TOTAL_, "order.TOTAL_: did you mean 'TOTAL'? (it has TOTAL, LINES, FIRST)"),
        (stock, lambda o: o.right, "right (it has left)"),
        (number, lambda o: o.number, "number (it has result)"),
    ],
)
def test_a_field_that_the_output_lacks_is_a_problem(worker: Any, reference: Any, problem: str):
    assert built(worker, reference) == [f"the output of 'made' has no {problem}"]


@worker_task()
def free() -> dict[str, Any]: ...


@worker_task()
def silent(): ...


@worker_task()
def extra() -> Open: ...


@worker_task()
def with_context(context: TaskContext) -> Stock:
    context.set_output({"more": 1})
    return {"left": 1}


@worker_task()
def with_its_context() -> Stock:
    get_task_context().set_output({"more": 1})
    return {"left": 1}


@worker_task()
def anything() -> Any: ...


@pytest.mark.parametrize("worker", [free, silent, extra, with_context, with_its_context, anything])
def test_an_output_that_may_have_more_fields_is_not_checked(worker: Any):
    assert built(worker, lambda output: output.more) == []


@pytest.mark.parametrize(
    ("worker", "reference"),
    [
        (order, lambda o: o.TOTAL),
        (order, lambda o: o),
        (order, lambda o: o.LINES[0].whatever),
        (order, lambda o: o.FIRST.next.next.price),
        (order, lambda o: o("LINES.length()")),
        (order, lambda o: o("length()")),
        (order, lambda o: o("['TOTAL']")),
        (order, lambda o: o("*")),
        (order, lambda o: o("..price")),
        (number, lambda o: o.result),
    ],
)
def test_fields_that_the_output_has_are_no_problem(worker: Any, reference: Any):
    assert built(worker, reference) == []


@given(st.lists(st.text(st.sampled_from("${}a.b[]' \"")), max_size=4))
def test_validation_never_raises_on_expressions(texts: list[str]):
    for problem in problems_of(definition(noop("a"), task("t", inputParameters={"x": texts}))):
        assert problem.startswith("tasks[1].inputParameters.x[")
