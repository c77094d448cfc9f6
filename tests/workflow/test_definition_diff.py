"""Differences between definitions, line by line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conductor_async import ConductorWorkflow
from conductor_async.models import SubWorkflowParams, TaskDef, WorkflowDef, WorkflowTask
from conductor_async.tasks import NoopTask, SimpleTask, SwitchTask, WaitTask
from conductor_async.workflow.definition_diff import Change, diff


def workflow(*steps: Any, **settings: Any) -> WorkflowDef:
    definition = ConductorWorkflow(name="w").add(list(steps)).to_workflow_def()
    for name, value in settings.items():
        setattr(definition, name, value)
    return definition


def simple(*names: str) -> list[SimpleTask[Any]]:
    return [SimpleTask(name) for name in names]


def lines(before: WorkflowDef, after: WorkflowDef) -> list[str]:
    return [str(change) for change in diff(before, after)]


def test_no_difference():
    difference = diff(workflow(*simple("a")), workflow(*simple("a")))
    assert not difference
    assert list(difference) == []
    assert str(difference) == "no difference"
    assert repr(difference) == "<DefinitionDiff: 0 changes>"


def test_server_records_and_defaults_are_no_differences():
    stored = workflow(*simple("a"), create_time=5, update_time=6, created_by="me", updated_by="you", version=1)
    stored.tasks[0].optional = False
    stored.tasks[0].decision_cases = {}
    stored.tasks[0].task_definition = TaskDef(name="a", create_time=7, retry_count=3)
    mine = workflow(*simple("a"))
    mine.tasks[0].task_definition = TaskDef(name="a")
    assert not diff(stored, mine)
    assert not diff(mine, stored)


def test_changed_settings_are_listed():
    before = workflow(
        *simple("a"), timeout_seconds=5, output_parameters={"x": 1, "y": {"a": [1, 2]}}, owner_email="a@b"
    )
    after = workflow(
        *simple("a"),
        version=2,
        output_parameters={"y": {"a": [1, 3], "b": True}, "first name": None},
        restartable=False,
    )
    difference = diff(before, after)
    assert str(difference).splitlines() == [
        "~ version: 1 → 2",
        "- outputParameters.x: 1",
        "~ outputParameters.y.a[1]: 2 → 3",
        "+ outputParameters.y.b: true",
        "+ outputParameters['first name']: null",
        "~ restartable: true → false",
        '- ownerEmail: "a@b"',
        "~ timeoutSeconds: 5 → 0",
    ]
    assert difference[0] == Change("changed", "version", 1, 2)
    assert len(difference) == 8


def test_true_differs_from_one():
    assert lines(workflow(variables={"a": 1}), workflow(variables={"a": True})) == ["~ variables.a: 1 → true"]


def test_unknown_fields_are_compared():
    before, after = (WorkflowDef.model_validate({"name": "w", "newField": value}) for value in (1, 2))
    assert lines(before, after) == ["~ newField: 1 → 2"]


def test_added_removed_and_changed_tasks_are_listed():
    before = workflow(*simple("a", "b", "c"))
    after = workflow(SimpleTask("a", retry_count=3, input_parameters={"n": 1}), *simple("c"), WaitTask("pause"))
    assert lines(before, after) == [
        "+ tasks['a'].inputParameters.n: 1",
        "+ tasks['a'].retryCount: 3",
        "+ tasks['pause']: WAIT task 'pause'",
        "- tasks['b']: SIMPLE task 'b'",
    ]
    [removed] = [change for change in diff(before, after) if change.kind == "removed"]
    assert removed.before == {"name": "b", "taskReferenceName": "b", "type": "SIMPLE"}


def test_a_moved_task_is_listed_as_moved():
    assert lines(workflow(*simple("a", "b", "c", "d")), workflow(*simple("b", "c", "a", "d"))) == [
        "> tasks['a']: moved from the start to after 'c'"
    ]


def test_moves_into_and_out_of_a_case_are_listed():
    outside = workflow(NoopTask("a"), SwitchTask("s", "x").case("y", NoopTask("b")))
    inside = workflow(SwitchTask("s", "x").case("y", [NoopTask("b"), NoopTask("a")]))
    assert lines(outside, inside) == [
        "> tasks['a']: moved from the start to after 'b' in tasks['s'].decisionCases['y']",
    ]
    assert lines(inside, outside) == [
        "> tasks['a']: moved from after 'b' in tasks['s'].decisionCases['y'] to the start"
    ]


def test_added_and_removed_cases_and_branches_are_listed():
    before = workflow(SwitchTask("s", "x").case("y", NoopTask("b")), [NoopTask("c"), NoopTask("d")])
    after = workflow(SwitchTask("s", "x").case("z", []), [NoopTask("c")])
    assert lines(before, after) == [
        "- tasks['s'].decisionCases['y']: [\"b\"]",
        "+ tasks['s'].decisionCases['z']: []",
        "~ tasks['fork_c'].forkTasks.length: 2 → 1",
        '~ tasks[\'join_c\'].joinOn: ["c", "d"] → ["c"]',
        "- tasks['b']: NOOP task 'b'",
        "- tasks['d']: NOOP task 'd'",
    ]


def test_inline_definitions_are_compared():
    before, after = (
        workflow(ConductorWorkflow(name="child").add(SimpleTask("x", retry_count=count))) for count in (1, 2)
    )
    assert lines(before, after) == ["~ tasks['child'].subWorkflowParam.workflowDefinition.tasks['x'].retryCount: 1 → 2"]
    named = workflow(NoopTask("child"))
    named.tasks[0] = WorkflowTask(
        name="child",
        task_reference_name="child",
        type="SUB_WORKFLOW",
        sub_workflow_param=SubWorkflowParams(name="child", version=1),
    )
    [removed] = diff(before, named)
    assert (removed.kind, removed.path) == ("removed", "tasks['child'].subWorkflowParam.workflowDefinition")
    assert removed.before["name"] == "child"


def test_only_the_text_truncates_long_values():
    [change] = diff(workflow(variables={"a": ""}), workflow(variables={"a": "x" * 1000}))
    assert len(str(change)) < 120
    assert change.after == "x" * 1000


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@given(NAMES, NAMES)
def test_applying_all_changes_gives_the_other_definition(before: list[str], after: list[str]):
    changes = diff(workflow(*simple(*before)), workflow(*simple(*after)))
    assert bool(changes) == (before != after)
    added = {change.path for change in changes if change.kind == "added"}
    removed = {change.path for change in changes if change.kind == "removed"}
    moved = {change.path for change in changes if change.kind == "moved"}
    assert added == {f"tasks[{name!r}]" for name in set(after) - set(before)}
    assert removed == {f"tasks[{name!r}]" for name in set(before) - set(after)}
    stayed_before, stayed_after = (
        [name for name in names if name in before and name in after and f"tasks[{name!r}]" not in moved]
        for names in (before, after)
    )
    assert stayed_before == stayed_after


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_diff_is_deterministic(names: tuple[str, ...]):
    before, after = workflow(*simple(*names)), workflow(*simple("x", *reversed(names)), timeout_seconds=1)
    assert str(diff(before, after)) == str(diff(before, after))
