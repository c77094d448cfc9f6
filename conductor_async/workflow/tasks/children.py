"""Tasks that run other workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Unpack

from conductor_async.models import SubWorkflowParams, TaskType, WorkflowDef, WorkflowTask
from conductor_async.workflow.references import InputValue, plain
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.validation import modelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.workflow.builder import ConductorWorkflow

__all__ = ["InlineSubWorkflowTask", "SubWorkflowTask"]


class SubWorkflowTask(TaskInterface, task_type=TaskType.SUB_WORKFLOW):
    """Runs a registered workflow and waits for it; its output is the workflow's, with `subWorkflowId`.

    Give it input parameters, even if only one: without any, the server hands the child its own internals as input.

    Args:
        task_ref_name: The name of this place in the workflow.
        workflow_name: The workflow to run. It must be registered when the parent starts, unless you give the version.
        version: Its version; the latest one at the parent's start if not given.
        task_to_domain_map: The domains of its tasks.
        priority: 0 to 99; not inherited from the parent.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    workflow_name: str
    version: int | None
    task_to_domain_map: Mapping[str, str] | None
    priority: InputValue

    def __init__(
        self,
        task_ref_name: str,
        workflow_name: str,
        version: int | None = None,
        task_to_domain_map: Mapping[str, str] | None = None,
        *,
        priority: InputValue = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.workflow_name = workflow_name
        self.version = version
        self.task_to_domain_map = task_to_domain_map
        self.priority = priority

    def _own_fields(self) -> Mapping[str, Any]:
        params: dict[str, Any] = {
            "name": plain(self.workflow_name),
            "version": self.version,
            "task_to_domain": plain(self.task_to_domain_map),
            "priority": plain(self.priority),
            "workflow_definition": self._workflow_definition(),
        }
        return {"sub_workflow_param": modelled(SubWorkflowParams, f"task {self.task_reference_name!r}", params)}

    def _workflow_definition(self) -> WorkflowDef | None:
        return None


class InlineSubWorkflowTask(SubWorkflowTask):
    """Runs a workflow whose definition goes with the parent's: it needs no registration. `parent >> child` makes one.

    Its input parameters are the child's input template, and over it what you give.

    Args:
        task_ref_name: The name of this place in the workflow.
        workflow: The child.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    workflow: ConductorWorkflow | WorkflowDef

    def __init__(
        self, task_ref_name: str, workflow: ConductorWorkflow | WorkflowDef, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, workflow.name, workflow.version, **options)
        self.workflow = workflow

    @classmethod
    def of(cls, workflow: ConductorWorkflow) -> InlineSubWorkflowTask:
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
            else self.workflow.to_workflow_def()
        )
