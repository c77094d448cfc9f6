"""Tasks that run other workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Unpack

from conductor_async.models import SubWorkflowParams, TaskType, WorkflowDef, WorkflowTask
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.inputs import InputField, Text, wire_form
from conductor_async.workflow.validation import build_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest
    from conductor_async.workflow.builder import WorkflowBuilder

__all__ = ["InlineSubWorkflowTask", "StartWorkflowTask", "SubWorkflowTask"]


class SubWorkflowTask(TaskInterface, task_type=TaskType.SUB_WORKFLOW):
    """Runs a registered workflow and waits for it; its output is the workflow's, with `subWorkflowId`.

    Give it input parameters, even if only one: without any, the server hands the child its own internals as input.

    Args:
        task_ref_name: The name of this place in the workflow.
        workflow_name: The workflow to run. It must be registered when the parent starts, unless you give the version.
        version: Its version; the latest one at the parent's start if not given.
        task_to_domain_map: The domains of its tasks.
        priority: 0 to 99; not inherited from the parent.
        workflow_definition: An expression that gives the definition to run. The server wants a version with it.
        idempotency_key: The open-source server ignores it, and the strategy.
        idempotency_strategy: What happens if the key was used before.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    workflow_name: str
    version: int | None
    task_to_domain_map: Mapping[str, str] | None
    priority: InputValue
    workflow_definition: WorkflowDef | Text | None
    idempotency_key: Text | None
    idempotency_strategy: IdempotencyStrategy | str | None

    def __init__(
        self,
        task_ref_name: str,
        workflow_name: str,
        version: int | None = None,
        task_to_domain_map: Mapping[str, str] | None = None,
        *,
        priority: InputValue = None,
        workflow_definition: WorkflowDef | Text | None = None,
        idempotency_key: Text | None = None,
        idempotency_strategy: IdempotencyStrategy | str | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.workflow_name = workflow_name
        self.version = version
        self.task_to_domain_map = task_to_domain_map
        self.priority = priority
        self.workflow_definition = workflow_definition
        self.idempotency_key = idempotency_key
        self.idempotency_strategy = idempotency_strategy

    @property
    def workflow_id(self) -> Reference:
        """The id of the run that it has started."""
        return Reference(f"{self.task_reference_name}.output.subWorkflowId")

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


class InlineSubWorkflowTask(SubWorkflowTask):
    """Runs a workflow whose definition goes with the parent's: it needs no registration. `parent >> child` makes one.

    Its input parameters are the child's input template, and over it what you give.

    Args:
        task_ref_name: The name of this place in the workflow.
        workflow: The child.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    workflow: WorkflowBuilder | WorkflowDef

    def __init__(
        self, task_ref_name: str, workflow: WorkflowBuilder | WorkflowDef, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, workflow.name, workflow.version, **options)
        self.workflow = workflow

    @classmethod
    def of(cls, workflow: WorkflowBuilder) -> InlineSubWorkflowTask:
        """The task that a workflow in a `>>` chain is, named after it."""
        return cls(re.sub(r"\W+", "_", workflow.name).strip("_"), workflow)

    def to_workflow_task(self) -> WorkflowTask:
        """The task as it goes into a workflow definition, with the child's definition as it is now."""
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
            else self.workflow.unchecked_definition()  # what is wrong in it is listed with the parent's problems
        )


class StartWorkflowTask(TaskInterface, task_type=TaskType.START_WORKFLOW):
    """Starts a workflow and goes on without waiting for it: `task.workflow_id` is the id of its run.

    Args:
        task_ref_name: The name of this place in the workflow.
        workflow_name: The workflow to start.
        start_workflow_request: How to start it: a `StartWorkflowRequest`, or a dict under the server's names
            (`{"input": …, "correlationId": …}`), in which any value may be an expression.
        version: Its version; the request's if not given.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    start_workflow: InputField[InputValue] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        workflow_name: Text,
        start_workflow_request: StartWorkflowRequest | Mapping[str, InputValue] | None = None,
        version: int | Text | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        request = {**wire_form(start_workflow_request or {}), "name": workflow_name}
        if version is not None:
            request["version"] = version
        self.start_workflow = request

    @property
    def workflow_id(self) -> Reference:
        """The id of the run that it has started."""
        return Reference(f"{self.task_reference_name}.output.workflowId")
