"""The rules of task types: what the builder reports, and what the engine refuses with the server's words."""

from __future__ import annotations

from typing import Any

from conductor_async._language.task_rules import RuleContext, violations


def task(kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": "t", "taskReferenceName": "r", "type": kind, "inputParameters": {}, "optional": False, **fields}


def test_a_violation_has_the_field_a_hint_and_the_servers_refusal() -> None:
    [violation] = violations(task("EVENT"), RuleContext())
    assert violation == (
        "sink",
        "an EVENT needs a sink: conductor:<name>, sqs:<queue>, kafka:<topic> …",
        ("sink field is required for taskType: EVENT taskName: t",),
    )


def test_what_the_server_accepts_and_cannot_run_has_no_refusal() -> None:
    [violation] = violations(task("EVENT", sink=""), RuleContext())
    assert violation.refusals == ()
    assert violation.problem


def test_what_only_the_real_server_can_read_has_no_problem() -> None:
    wait = task("WAIT", inputParameters={"until": "2030-01-01 10:00 Pacific Standard Time"})
    [violation] = violations(wait, RuleContext())
    assert (violation.problem, violation.refusals) == (None, ("Unable to parse date ",))


def test_an_input_template_supplies_required_inputs() -> None:
    publish = task("KAFKA_PUBLISH")
    assert len(list(violations(publish, RuleContext()))) == 1
    context = RuleContext(find_task_def=lambda name: {"inputTemplate": {"kafka_request": {"topic": name}}})
    assert list(violations(publish, context)) == []


def test_a_dynamic_fork_is_refused_for_each_missing_parameter_and_reported_once() -> None:
    [violation] = violations(task("FORK_JOIN_DYNAMIC"), RuleContext())
    assert [refusal.partition(" ")[0] for refusal in violation.refusals] == [
        "dynamicForkTasksParam",
        "dynamicForkTasksInputParamName",
    ]


def test_a_type_without_rules_has_no_violations() -> None:
    assert list(violations(task("TYPE_OF_TOMORROW"), RuleContext())) == []
