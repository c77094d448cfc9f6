"""The registered definitions, and their compiled form, which executions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.definitions.defaults import with_task_defaults
from conductor_async.engine.errors import NotFound, WorkflowHalted
from conductor_async.engine.state.definition import Definition
from conductor_async.engine.state.task_definition import TaskDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["MetadataStore"]


_RETRIED_SERVICES = frozenset({"AGENT", "CALL_MCP_TOOL", "LIST_MCP_TOOLS"})


class MetadataStore:
    """The registered definitions.

    Attributes:
        workflows: Workflow definitions, by name, then by version.
        tasks: Task definitions by name.
    """

    def __init__(self) -> None:
        self.workflows: dict[str, dict[int, JsonObject]] = {}
        self.tasks: dict[str, JsonObject] = {}
        self._compiled_tasks: dict[str, TaskDefinition] = {}
        self._snapshots: dict[tuple[str, int], Definition] = {}

    # -- workflows -----------------------------------------------------------------------------------

    def put_workflow(self, wire: JsonObject) -> None:
        """Stores a definition that has its defaults. Replaces one of the same name and version."""
        self.workflows.setdefault(wire["name"], {})[wire["version"]] = wire
        self._snapshots.clear()

    def find_workflow(self, name: str, version: int | None) -> JsonObject | None:
        """Returns the definition of a version, or of the latest; None if there is none."""
        versions = self.workflows.get(name)
        if not versions:
            return None
        return versions.get(max(versions) if version is None else version)

    def remove_workflow(self, name: str, version: int) -> bool:
        """Removes a definition. Returns whether it was there."""
        versions = self.workflows.get(name, {})
        if versions.pop(version, None) is None:
            return False
        if not versions:
            del self.workflows[name]
        self._snapshots.clear()
        return True

    def all_workflows(self) -> Iterator[JsonObject]:
        """Yields all versions of all definitions, sorted by name and version."""
        for name in sorted(self.workflows):
            for version in sorted(self.workflows[name]):
                yield self.workflows[name][version]

    # -- tasks ---------------------------------------------------------------------------------------

    def put_task(self, wire: JsonObject) -> None:
        """Stores a task definition that has its defaults."""
        self.tasks[wire["name"]] = wire
        self._compiled_tasks.pop(wire["name"], None)
        self._snapshots.clear()

    def remove_task(self, name: str) -> bool:
        """Removes a task definition. Returns whether it was there."""
        self._compiled_tasks.pop(name, None)
        self._snapshots.clear()
        return self.tasks.pop(name, None) is not None

    def task_definition(self, name: str | None) -> TaskDefinition | None:
        """Returns the current task definition of a name, compiled; None if there is none."""
        wire = self.tasks.get(name or "")
        if wire is None:
            return None
        compiled = self._compiled_tasks.get(wire["name"])
        if compiled is None:
            compiled = self._compiled_tasks[wire["name"]] = TaskDefinition.compile(wire)
        return compiled

    # -- for executions ------------------------------------------------------------------------------

    def snapshot(self, name: str, version: int | None) -> Definition:
        """Returns the definition for an execution that starts now, with the current task definitions.

        Raises:
            NotFound: There is no such definition.
        """
        wire = self.find_workflow(name, version)
        if wire is None:
            msg = f"No such workflow defined. name={name}, version={'null' if version is None else version}"
            raise NotFound(msg)
        key = (name, wire["version"])
        if key not in self._snapshots:
            self._snapshots[key] = self.populated(wire)
        return self._snapshots[key]

    def populated(self, wire: JsonObject) -> Definition:
        """Returns a definition compiled, with the current task definitions."""
        return Definition.compile({**wire, "tasks": [self.populated_task(task) for task in wire["tasks"]]})

    def populated_task(self, task: JsonObject) -> JsonObject:
        """Returns a task with its current task definition, and those of the tasks inside of it."""
        filled = dict(task)
        if "taskDefinition" not in filled and filled.get("name", "").strip():
            filled["taskDefinition"] = self.tasks.get(filled["name"]) or _default_task_def(
                filled["name"], filled["type"]
            )
        task_type = filled["type"]
        if task_type in {"DECISION", "SWITCH"}:
            filled["decisionCases"] = {
                key: [self.populated_task(inner) for inner in tasks] for key, tasks in filled["decisionCases"].items()
            }
            filled["defaultCase"] = [self.populated_task(inner) for inner in filled["defaultCase"]]
        elif task_type == "FORK_JOIN":
            filled["forkTasks"] = [[self.populated_task(inner) for inner in tasks] for tasks in filled["forkTasks"]]
        elif task_type == "DO_WHILE":
            filled["loopOver"] = [self.populated_task(inner) for inner in filled["loopOver"]]
        elif task_type == "SUB_WORKFLOW":
            self._pin_version(filled)
        return filled

    def _pin_version(self, task: JsonObject) -> None:
        """Sets the version of a sub-workflow to the latest one, so that it stays the same while the execution lasts."""
        params = task.get("subWorkflowParam")
        if params is None or "version" in params:
            return
        latest = self.find_workflow(params.get("name", ""), None)
        if latest is None:
            name = params.get("name", "null")
            msg = f"The Task {name} defined as a sub-workflow has no workflow definition available "
            raise WorkflowHalted(msg)
        task["subWorkflowParam"] = {**params, "version": latest["version"]}


def _default_task_def(name: str, task_type: str) -> JsonObject:
    """Returns the definition of a task that has none registered.

    System tasks are not retried and do not time out. The server retries those that it runs as workers, for AI.
    """
    if task_type == "SIMPLE":
        return with_task_defaults({"name": name})
    if task_type in _RETRIED_SERVICES or task_type.startswith(("LLM_", "GENERATE_")):
        given: JsonObject = {"name": name, "retryLogic": "LINEAR_BACKOFF", "retryDelaySeconds": 2}
        return with_task_defaults(given)
    wire = with_task_defaults({"name": name, "retryCount": 0})
    wire["responseTimeoutSeconds"] = 0
    return wire
