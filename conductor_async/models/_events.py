"""Event handlers and their actions."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from conductor_async.models._base import ConductorModel, Payload, empty_dict, empty_list
from conductor_async.models._enums import OpenActionType  # noqa: TC001 - pydantic needs it

__all__ = [
    "Action",
    "EventHandler",
    "StartWorkflow",
    "TaskDetails",
    "TerminateWorkflow",
    "UpdateWorkflowVariables",
]


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
    """Returns a field's JSON name: actions alone use snake_case, with one exception."""
    return "expandInlineJSON" if name == "expand_inline_json" else name


class Action(ConductorModel):
    """One thing to do on an event. The field named like the `action` has the details."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=_action_name)

    action: OpenActionType = ""
    start_workflow: StartWorkflow | None = None
    complete_task: TaskDetails | None = None
    fail_task: TaskDetails | None = None
    start_agent: Payload | None = None
    terminate_workflow: TerminateWorkflow | None = None
    update_workflow_variables: UpdateWorkflowVariables | None = None
    expand_inline_json: bool = False


class EventHandler(ConductorModel):
    """What to do with the events of a queue (`conductor:…`, `kafka:…`) that meet the `condition`.

    A handler does nothing until it is `active`.
    """

    name: str = ""
    event: str = ""
    condition: str | None = None
    actions: list[Action] = empty_list()
    active: bool = False
    evaluator_type: str | None = None
