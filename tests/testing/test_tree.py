"""How an execution is drawn."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from conductor_async.testing import execution_tree
from conductor_async.testing._execution_lookup import add_source, remove_source
from tests.testing.executions import execution, inner, task

if TYPE_CHECKING:
    from conductor_async.models import Workflow


def drawn(text: str) -> str:
    return dedent(text).strip("\n")


def test_every_task_has_its_status_input_output_and_reason() -> None:
    found = execution(
        task("greet_ref", name="greet", inputData={"name": "Ada"}, outputData={"greeting": "Hello, Ada"}),
        task("charge", status="FAILED", inputData={"price": 5}, reasonForIncompletion="card refused", retryCount=0),
        task("charge", status="SCHEDULED", inputData={"price": 5}, retryCount=1),
        input={"name": "Ada"},
    )
    assert execution_tree(found) == drawn("""
        … orders 3 RUNNING  (w-1)
        │   input:  {"name":"Ada"}
        ├─ ✓ greet_ref [SIMPLE greet] COMPLETED
        │      input:  {"name":"Ada"}
        │      output: {"greeting":"Hello, Ada"}
        ├─ ✗ charge [SIMPLE charge] FAILED, attempt 1
        │      reason: card refused
        │      input:  {"price":5}
        └─ … charge [SIMPLE charge] SCHEDULED, attempt 2
               input:  {"price":5}
    """)


def test_iterations_branches_and_cases_are_nested() -> None:
    found = execution(
        task("f", "FORK_JOIN", taskType="FORK", inside={"forkTasks": [[inner("a")], [inner("s", "SWITCH")]]}),
        task("a"),
        task("s", "SWITCH", inside={"decisionCases": {"yes": [inner("b")]}, "defaultCase": [inner("c")]}),
        task("j", "JOIN"),
        task("c"),
        task("dw", "DO_WHILE", iteration=2, inside={"loopOver": [inner("x"), inner("y")]}),
        *(task(f"{ref}__{at}", iteration=at) for at in (1, 2) for ref in ("x", "y")),
        status="COMPLETED",
    )
    assert execution_tree(found) == drawn("""
        ✓ orders 3 COMPLETED  (w-1)
        ├─ ✓ f [FORK_JOIN] COMPLETED
        │  ├─ ✓ a [SIMPLE a] COMPLETED
        │  └─ ✓ s [SWITCH] COMPLETED
        │     └─ ✓ c [SIMPLE c] COMPLETED
        ├─ ✓ j [JOIN] COMPLETED
        └─ ✓ dw [DO_WHILE] COMPLETED
           ├─ iteration 1
           │  ├─ ✓ x__1 [SIMPLE x] COMPLETED
           │  └─ ✓ y__1 [SIMPLE y] COMPLETED
           └─ iteration 2
              ├─ ✓ x__2 [SIMPLE x] COMPLETED
              └─ ✓ y__2 [SIMPLE y] COMPLETED
    """)


def test_branches_of_a_dynamic_fork_are_nested() -> None:
    fork = task("f", "FORK_JOIN_DYNAMIC", taskType="FORK", inputData={"forkedTaskDefs": [inner("d1"), inner("d2")]})
    lines = execution_tree(execution(fork, task("d1"), task("d2"), task("j", "JOIN"))).splitlines()
    assert [line[:6] for line in lines if "[SIMPLE" in line] == ["│  ├─ ", "│  └─ "]


def test_a_long_value_is_truncated_with_its_length() -> None:
    (line,) = [each for each in execution_tree(execution(output={"x": "y" * 1000})).splitlines() if "output" in each]
    assert line.endswith("y… (1008 characters)")
    assert len(line) < 200


class Known:
    """A source of executions."""

    def __init__(self, *executions: Workflow) -> None:
        self.executions = {each.workflow_id: each for each in executions}

    def find_execution(self, workflow_id: str) -> Workflow | None:
        return self.executions.get(workflow_id)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_known_sub_workflow_is_nested_in_its_task(known: bool) -> None:
    child = execution(task("deep", status="FAILED"), workflowId="w-2", workflowName="child", status="FAILED")
    source = Known(*([child] if known else []))
    parent = execution(task("sub", "SUB_WORKFLOW", status="FAILED", subWorkflowId="w-2"), status="FAILED")
    add_source(source)
    try:
        lines = execution_tree(parent).splitlines()
    finally:
        remove_source(source)
    assert lines[:2] == ["✗ orders 3 FAILED  (w-1)", "└─ ✗ sub [SUB_WORKFLOW] FAILED"]
    if known:
        assert lines[2:] == ["   └─ ✗ child 3 FAILED  (w-2)", "      └─ ✗ deep [SIMPLE deep] FAILED"]
    else:
        assert lines[2:] == ["   └─ workflow w-2"]


def test_a_workflow_that_names_itself_as_its_child_is_drawn_once() -> None:
    circle = execution(task("sub", "SUB_WORKFLOW", subWorkflowId="w-1"))
    source = Known(circle)
    add_source(source)
    try:
        assert len(execution_tree(circle).splitlines()) == 2
    finally:
        remove_source(source)
