"""What happens when an event comes in: handlers and their actions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from conductor_async.models._base import ConductorModel, Payload, empty_dict, empty_list

__all__ = [
    "Action",
    "ActionType",
    "EventHandler",
    "StartWorkflow",
    "TaskDetails",
    "TerminateWorkflow",
    "UpdateWorkflowVariables",
]


class ActionType(StrEnum):
    """What an action does. The open-source server carries out the first four."""

    START_WORKFLOW = "start_workflow"
    COMPLETE_TASK = "complete_task"
    FAIL_TASK = "fail_task"
    START_AGENT = "start_agent"
    TERMINATE_WORKFLOW = "terminate_workflow"
    UPDATE_WORKFLOW_VARIABLES = "update_workflow_variables"


class StartWorkflow(ConductorModel):
    """The workflow that an event starts. Values may be expressions over the event: `${orderId}`."""

    name: str = ""
    version: int | None = None
    correlation_id: str | None = None
    input: Payload = empty_dict()
    task_to_domain: dict[str, str] | None = None


class TaskDetails(ConductorModel):
    """The task that an event completes or fails: by its id, or by the execution's id and the reference name."""

    workflow_id: str | None = None
    task_ref_name: str | None = None
    task_id: str | None = None
    output: Payload = empty_dict()
    reason_for_incompletion: str | None = None


class TerminateWorkflow(ConductorModel):
    """The execution that an event terminates."""

    workflow_id: str | None = None
    termination_reason: str | None = None


class UpdateWorkflowVariables(ConductorModel):
    """The variables that an event sets in an execution."""

    workflow_id: str | None = None
    variables: Payload = empty_dict()
    append_array: bool | None = None


def _action_name(name: str) -> str:
    """Actions alone have snake_case names on the wire, and one that is all its own."""
    return "expandInlineJSON" if name == "expand_inline_json" else name


class Action(ConductorModel):
    """One thing to do when the event comes. The part named like the `action` says the details."""

    model_config = ConfigDict(alias_generator=_action_name)

    action: Annotated[ActionType | str, Field(union_mode="left_to_right")] = ""
    start_workflow: StartWorkflow | None = None
    complete_task: TaskDetails | None = None
    fail_task: TaskDetails | None = None
    start_agent: Payload | None = None
    terminate_workflow: TerminateWorkflow | None = None
    update_workflow_variables: UpdateWorkflowVariables | None = None
    expand_inline_json: bool = False


class EventHandler(ConductorModel):
    """What to do with the events of a queue (`conductor:…`, `kafka:…`), if the `condition` holds.

    A handler does nothing until it is `active`.
    """

    name: str = ""
    event: str = ""
    condition: str | None = None
    actions: list[Action] = empty_list()
    active: bool = False
    evaluator_type: str | None = None
