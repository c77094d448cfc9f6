"""Describing workflows in code. The kinds of tasks are listed in `conductor_async.workflow.tasks`."""

from conductor_async.workflow import tasks
from conductor_async.workflow.builder import ConductorWorkflow
from conductor_async.workflow.definition_diff import Change, DefinitionDiff, diff
from conductor_async.workflow.from_definition import DefinedTask
from conductor_async.workflow.references import Reference, env, secret
from conductor_async.workflow.tasks import *  # noqa: F403 - they are listed once, there

__all__ = [
    "Change",
    "ConductorWorkflow",
    "DefinedTask",
    "DefinitionDiff",
    "Reference",
    "diff",
    "env",
    "secret",
]
__all__ += tasks.__all__
