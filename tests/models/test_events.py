"""Event handlers, whose actions are spelt their own way on the wire."""

from __future__ import annotations

from conductor_async.models import Action, ActionType, EventHandler, StartWorkflow, TaskDetails, TerminateWorkflow

HANDLER = {
    "name": "h",
    "event": "conductor:w:go",
    "condition": "$.k == 1",
    "actions": [
        {
            "action": "start_workflow",
            "start_workflow": {
                "name": "w",
                "version": 1,
                "correlationId": "c",
                "input": {"a": None},
                "taskToDomain": {},
            },
            "expandInlineJSON": True,
        },
        {"action": "complete_task", "complete_task": {"workflowId": "w", "taskRefName": "r", "output": {}}},
        {"action": "fail_task", "fail_task": {"taskId": "t", "reasonForIncompletion": "no"}},
        {
            "action": "terminate_workflow",
            "terminate_workflow": {"workflowId": "w", "terminationReason": "no", "new": 1},
        },
        {
            "action": "update_workflow_variables",
            "update_workflow_variables": {"variables": {"v": 1}, "appendArray": True},
        },
        {"action": "start_agent", "start_agent": {"anything": [1]}},
        {"action": "dance", "dance": {"tempo": 120}},
    ],
    "active": True,
    "evaluatorType": "javascript",
}


def test_every_action_survives_a_round_trip() -> None:
    handler = EventHandler.model_validate(HANDLER)
    assert handler.to_wire() == HANDLER
    start, complete, _, terminate, *_, dance = handler.actions
    assert start.action is ActionType.START_WORKFLOW
    assert isinstance(start.start_workflow, StartWorkflow)
    assert start.expand_inline_json
    assert isinstance(complete.complete_task, TaskDetails)
    assert isinstance(terminate.terminate_workflow, TerminateWorkflow)
    assert dance.action == "dance"


def test_actions_are_built_with_snake_case_names() -> None:
    action = Action(action=ActionType.START_WORKFLOW, start_workflow=StartWorkflow(name="w"), expand_inline_json=True)
    assert action.to_wire() == {"action": "start_workflow", "start_workflow": {"name": "w"}, "expandInlineJSON": True}
    assert Action(action="start_workflow", expandInlineJSON=True).expand_inline_json


def test_a_handler_is_inactive_by_default() -> None:
    assert EventHandler(name="h").active is False
