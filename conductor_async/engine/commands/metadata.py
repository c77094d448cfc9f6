"""Commands on the definitions of workflows and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.definitions.checks import (
    check_task_def,
    check_workflow_def,
    refuse,
    refuse_null_lists,
    task_def_errors,
    workflow_def_errors,
)
from conductor_async.engine.definitions.defaults import with_task_defaults, with_workflow_defaults
from conductor_async.engine.errors import Conflict, NotFound, Refused
from conductor_async.engine.scripts.evaluators import rule_context
from conductor_async.engine.views.summaries import is_agent

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["MetadataCommands"]


class MetadataCommands(Commands):
    """Commands on the definitions of workflows and tasks."""

    # -- workflows -----------------------------------------------------------------------------------

    @command
    def register_workflow_def(self, workflow_def: JsonObject, overwrite: bool = False) -> None:
        """Registers a definition. With `overwrite`, it replaces one of the same name and version."""
        wire = self._checked_workflow(workflow_def, "registerWorkflowDef.arg0")
        known = self.core.metadata.find_workflow(wire["name"], wire["version"])
        if known is not None and not overwrite:
            msg = f"Workflow with {wire['name']}.{wire['version']} already exists!"
            raise Conflict(msg)
        if overwrite:
            wire |= {"createTime": 0, "updateTime": self.core.now()}
        else:
            wire |= {"createTime": self.core.now()}
        self.core.metadata.put_workflow(wire)

    @command
    def update_workflow_defs(self, workflow_defs: list[JsonObject]) -> JsonObject:
        """Creates or replaces definitions: all, or none if one is invalid. Returns a BulkResponse."""
        if not workflow_defs:
            refuse([{"path": "updateWorkflowDef.arg0", "message": "WorkflowDefList is empty"}])
        for given in workflow_defs:
            refuse_null_lists(given)
        wires = [with_workflow_defaults(given) for given in workflow_defs]
        context = rule_context(self.core)
        refuse(
            [
                error
                for number, wire in enumerate(wires)
                for error in workflow_def_errors(wire, f"updateWorkflowDef.arg0[{number}]", context)
            ]
        )
        for wire in wires:
            self.core.metadata.put_workflow({**wire, "createTime": 0, "updateTime": self.core.now()})
        return {"bulkErrorResults": {}, "bulkSuccessfulResults": [wire["name"] for wire in wires]}

    def validate_workflow_def(self, workflow_def: JsonObject) -> None:
        """Checks a definition without registering it."""
        self._checked_workflow(workflow_def, "validateWorkflowDef.arg0")

    def _checked_workflow(self, workflow_def: JsonObject, at: str) -> JsonObject:
        refuse_null_lists(workflow_def)
        wire = with_workflow_defaults(workflow_def)
        check_workflow_def(wire, at, rule_context(self.core))
        return wire

    def get_workflow_def(self, name: str, version: int | None = None) -> JsonObject:
        """Returns a definition, by default its latest version."""
        found = self.core.metadata.find_workflow(name, version)
        if found is None:
            msg = f"No such workflow found by name: {name}, version: {'null' if version is None else version}"
            raise NotFound(msg)
        return found

    def get_all_workflow_defs(self, classifier: str | None = None) -> list[JsonObject]:
        """Returns all versions of all definitions. The classifier `agent` selects those with agent metadata."""
        found = list(self.core.metadata.all_workflows())
        if classifier is None:
            return found
        return [wire for wire in found if is_agent(wire) == (classifier == "agent")]

    def get_latest_workflow_defs(self) -> list[JsonObject]:
        """Returns the latest version of each definition."""
        return [versions[max(versions)] for _, versions in sorted(self.core.metadata.workflows.items())]

    def get_workflow_names(self) -> list[str]:
        """Returns the names of all definitions."""
        return sorted(self.core.metadata.workflows)

    def get_workflow_names_and_versions(self) -> dict[str, list[JsonObject]]:
        """Returns the versions of each name."""
        return {name: self.get_workflow_versions(name) for name in self.get_workflow_names()}

    def get_workflow_versions(self, name: str) -> list[JsonObject]:
        """Returns the versions of one name; none for an unknown name."""
        versions = self.core.metadata.workflows.get(name, {})
        return [
            {"name": name, "version": version, "createTime": versions[version]["createTime"]}
            for version in sorted(versions)
        ]

    @command
    def unregister_workflow_def(self, name: str, version: int) -> None:
        """Removes a definition. Executions keep their copy."""
        if not self.core.metadata.remove_workflow(name, version):
            msg = f"No such workflow definition: {name} version: {version}"
            raise Refused(msg)

    # -- tasks ---------------------------------------------------------------------------------------

    @command
    def register_task_defs(self, task_defs: list[JsonObject]) -> None:
        """Creates or replaces task definitions."""
        if not task_defs:
            refuse([{"path": "registerTaskDef.arg0", "message": "TaskDefList is empty"}])
        wires = [with_task_defaults(given) for given in task_defs]
        refuse(
            [
                error
                for number, wire in enumerate(wires)
                for error in task_def_errors(wire, f"registerTaskDef.arg0[{number}]")
            ]
        )
        for wire in wires:
            self.core.metadata.put_task(
                {**wire, "createTime": self.core.now(), "updateTime": 0, "createdBy": wire.get("createdBy", "")}
            )

    @command
    def update_task_def(self, task_def: JsonObject) -> None:
        """Replaces a task definition that exists."""
        wire = with_task_defaults(task_def)
        check_task_def(wire, "updateTaskDef.arg0")
        known = self.core.metadata.tasks.get(wire["name"])
        if known is None:
            msg = f"No such task by name {wire['name']}"
            raise NotFound(msg)
        wire["createTime"] = known["createTime"]
        wire["createdBy"] = known.get("createdBy", "")
        self.core.metadata.put_task({**wire, "updateTime": self.core.now(), "updatedBy": ""})

    def get_task_def(self, name: str) -> JsonObject:
        """Returns a task definition."""
        found = self.core.metadata.tasks.get(name)
        if found is None:
            msg = f"No such taskType found by name: {name}"
            raise NotFound(msg)
        return found

    def get_all_task_defs(self) -> list[JsonObject]:
        """Returns all task definitions."""
        return list(self.core.metadata.tasks.values())

    @command
    def unregister_task_def(self, name: str) -> None:
        """Removes a task definition."""
        if not self.core.metadata.remove_task(name):
            msg = "No such task definition"
            raise Refused(msg)
