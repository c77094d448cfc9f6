"""Tasks that run other workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from conductor_async.models import SubWorkflowParams, TaskType, WorkflowDef, WorkflowTask
from conductor_async.workflow._validation import build_model
from conductor_async.workflow.references import InputValue, Reference, plain, wire_form
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.fields import field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import KW_ONLY, InitVar

    from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest
    from conductor_async.workflow.tasks.inputs import Text

__all__ = ["InlineSubWorkflowTask", "StartWorkflowTask", "SubWorkflowTask"]


class SubWorkflowTask(TaskInterface, task_type=TaskType.SUB_WORKFLOW):
    """Runs a registered workflow and waits for it; its output is the workflow's, with `subWorkflowId`.

    Give it at least one input parameter: without any, the server passes its own internals to the child as input.

    Args:
        workflow_name: The workflow to run. It must be registered when the parent starts, unless you give the version.
        version: Its version. Default: the latest one when the parent starts.
        task_to_domain_map: The domains of its tasks.
        priority: 0 to 99; not inherited from the parent.
        workflow_definition: An expression for the definition to run. The server requires a version with it.
        idempotency_key: The open-source server ignores it, and the strategy.
        idempotency_strategy: What happens if the key was used before.

    Further arguments: see `TaskInterface`.
    """

    workflow_name: str
    version: int | None = None
    task_to_domain_map: Mapping[str, str] | None = None
    _: KW_ONLY
    priority: InputValue = None
    workflow_definition: WorkflowDef | Text | None = None
    idempotency_key: Text | None = None
    idempotency_strategy: IdempotencyStrategy | str | None = None

    @property
    def workflow_id(self) -> Reference:
        """The id of the execution that it started."""
        return self._reference("subWorkflowId")

    def _own_fields(self) -> Mapping[str, Any]:
        params: dict[str, Any] = {
            "name": plain(self.workflow_name),
            "version": self.version,
            "task_to_domain": plain(self.task_to_domain_map),
            "priority": plain(self.priority),
            "workflow_definition": self._workflow_definition(),
            "idempotency_key": plain(self.idempotency_key),
            "idempotency_strategy": self.idempotency_strategy,
        }
        return {"sub_workflow_param": build_model(SubWorkflowParams, f"task {self.task_reference_name!r}", params)}

    def _workflow_definition(self) -> WorkflowDef | str | None:
        if isinstance(self.workflow_definition, WorkflowDef):
            return self.workflow_definition.model_copy(deep=True)
        return None if self.workflow_definition is None else str(self.workflow_definition)


class DefinitionSource(Protocol):
    """A workflow that was built in code, as far as `InlineSubWorkflowTask` needs it: see `WorkflowBuilder`."""

    name: str
    version: int | None

    def unchecked_definition(self) -> WorkflowDef:
        """Returns the definition, also if it cannot work: the parent's check covers it."""
        ...


class InlineSubWorkflowTask(SubWorkflowTask):
    """Runs a workflow whose definition is part of the parent's: it needs no registration. `parent >> child` makes one.

    Its input parameters are the child's input template, overridden by what you give.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        workflow: The child.
        options: See `TaskInterface`.
    """

    workflow: DefinitionSource | WorkflowDef = field(init=False)

    def __init__(
        self, task_ref_name: str, workflow: DefinitionSource | WorkflowDef, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, workflow.name, workflow.version, **options)
        self.workflow = workflow

    @classmethod
    def of(cls, workflow: DefinitionSource) -> InlineSubWorkflowTask:
        """Returns the task that a workflow in a `>>` chain becomes, named after it."""
        return cls(re.sub(r"\W+", "_", workflow.name).strip("_"), workflow)

    def to_workflow_task(self) -> WorkflowTask:
        """Returns the task as a workflow definition holds it, with the child's definition as it is now."""
        task = super().to_workflow_task()
        param = task.sub_workflow_param
        if param is not None and isinstance(child := param.workflow_definition, WorkflowDef):
            template = child.input_template | task.input_parameters
            if template:
                task.input_parameters = template
        return task

    def _workflow_definition(self) -> WorkflowDef:
        return (
            self.workflow.model_copy(deep=True)
            if isinstance(self.workflow, WorkflowDef)
            else self.workflow.unchecked_definition()  # its problems are listed with the parent's
        )


class StartWorkflowTask(TaskInterface, task_type=TaskType.START_WORKFLOW):
    """Starts a workflow without waiting for it: `task.workflow_id` is the id of the execution.

    Args:
        workflow_name: The workflow to start.
        start_workflow_request: How to start it: a `StartWorkflowRequest`, or a dict under the server's names
            (`{"input": …, "correlationId": …}`), in which any value may be an expression.
        version: Its version. Default: the request's.

    Further arguments: see `TaskInterface`.
    """

    workflow_name: InitVar[Text]
    start_workflow_request: InitVar[StartWorkflowRequest | Mapping[str, InputValue] | None] = None
    version: InitVar[int | Text | None] = None
    start_workflow: InputValue = field(init=False, key="startWorkflow")

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        request = {**wire_form(given["start_workflow_request"] or {}), "name": given["workflow_name"]}
        if given["version"] is not None:
            request["version"] = given["version"]
        self.start_workflow = request

    @property
    def workflow_id(self) -> Reference:
        """The id of the execution that it started."""
        return self._reference("workflowId")
