"""Describing workflows in code. The task types are in `conductor_async.tasks`."""

from conductor_async.workflow._from_definition import DefinedTask
from conductor_async.workflow.builder import WorkflowBuilder
from conductor_async.workflow.definition_diff import Change, ChangeKind, DefinitionDiff, diff
from conductor_async.workflow.references import InputValue, Reference, env, secret

__all__ = [
    "Change",
    "ChangeKind",
    "DefinedTask",
    "DefinitionDiff",
    "InputValue",
    "Reference",
    "WorkflowBuilder",
    "diff",
    "env",
    "secret",
]
