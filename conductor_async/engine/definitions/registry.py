"""The definitions that have been registered, and the compiled form in which executions share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.definitions.defaults import with_task_defaults
from conductor_async.engine.errors import NotFound, WorkflowHalted
from conductor_async.engine.state.compiled import Definition, TaskDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["MetadataStore"]


class MetadataStore:
    """Definitions by name and version.

    Attributes:
        workflows: By name, then by version.
        tasks: Task definitions by name.
    """

    def __init__(self) -> None:
        self.workflows: dict[str, dict[int, JsonObject]] = {}
        self.tasks: dict[str, JsonObject] = {}
        self._compiled_tasks: dict[str, TaskDefinition] = {}
        self._snapshots: dict[tuple[str, int], Definition] = {}

    # -- workflows -----------------------------------------------------------------------------------

    def put_workflow(self, wire: JsonObject) -> None:
        """Keep a normal definition, in the place of one with the same name and version."""
        self.workflows.setdefault(wire["name"], {})[wire["version"]] = wire
        self._snapshots.clear()

    def find_workflow(self, name: str, version: int | None) -> JsonObject | None:
        """A definition: of that version, or the latest."""
        versions = self.workflows.get(name)
        if not versions:
            return None
        return versions.get(max(versions) if version is None else version)

    def remove_workflow(self, name: str, version: int) -> bool:
        """Forget a definition. Whether it was there."""
        versions = self.workflows.get(name, {})
        if versions.pop(version, None) is None:
            return False
        if not versions:
            del self.workflows[name]
        self._snapshots.clear()
        return True

    def all_workflows(self) -> Iterator[JsonObject]:
        """All versions of all definitions, by name and version."""
        for name in sorted(self.workflows):
            for version in sorted(self.workflows[name]):
                yield self.workflows[name][version]

    # -- tasks ---------------------------------------------------------------------------------------

    def put_task(self, wire: JsonObject) -> None:
        """Keep a normal task definition."""
        self.tasks[wire["name"]] = wire
        self._compiled_tasks.pop(wire["name"], None)
        self._snapshots.clear()

    def remove_task(self, name: str) -> bool:
        """Forget a task definition. Whether it was there."""
        self._compiled_tasks.pop(name, None)
        self._snapshots.clear()
        return self.tasks.pop(name, None) is not None

    def task_definition(self, name: str | None) -> TaskDefinition | None:
        """The task definition of that name as it is now."""
        wire = self.tasks.get(name or "")
        if wire is None:
            return None
        compiled = self._compiled_tasks.get(wire["name"])
        if compiled is None:
            compiled = self._compiled_tasks[wire["name"]] = TaskDefinition.compile(wire)
        return compiled

    # -- for executions ------------------------------------------------------------------------------

    def snapshot(self, name: str, version: int | None) -> Definition:
        """The definition for an execution that starts now, with the task definitions of now."""
        wire = self.find_workflow(name, version)
        if wire is None:
            msg = f"No such workflow defined. name={name}, version={'null' if version is None else version}"
            raise NotFound(msg)
        key = (name, wire["version"])
        if key not in self._snapshots:
            self._snapshots[key] = self.populated(wire)
        return self._snapshots[key]

    def populated(self, wire: JsonObject) -> Definition:
        """A normal definition compiled, with the task definitions of now."""
        return Definition.compile({**wire, "tasks": [self.populated_task(task) for task in wire["tasks"]]})

    def populated_task(self, task: JsonObject) -> JsonObject:
        """A normal task of a definition with its task definition, and those of the tasks inside."""
        filled = dict(task)
        if "taskDefinition" not in filled and filled.get("name", "").strip():
            filled["taskDefinition"] = self.tasks.get(filled["name"]) or _ad_hoc(filled["name"], filled["type"])
        kind = filled["type"]
        if kind in {"DECISION", "SWITCH"}:
            filled["decisionCases"] = {
                key: [self.populated_task(inner) for inner in tasks] for key, tasks in filled["decisionCases"].items()
            }
            filled["defaultCase"] = [self.populated_task(inner) for inner in filled["defaultCase"]]
        elif kind == "FORK_JOIN":
            filled["forkTasks"] = [[self.populated_task(inner) for inner in tasks] for tasks in filled["forkTasks"]]
        elif kind == "DO_WHILE":
            filled["loopOver"] = [self.populated_task(inner) for inner in filled["loopOver"]]
        elif kind == "SUB_WORKFLOW":
            self._fix_version(filled)
        return filled

    def _fix_version(self, task: JsonObject) -> None:
        """A sub-workflow without a version means the latest one of now, for as long as the execution lasts."""
        params = task.get("subWorkflowParam")
        if params is None or "version" in params:
            return
        latest = self.find_workflow(params.get("name", ""), None)
        if latest is None:
            msg = f"The Task {params.get('name')} defined as a sub-workflow has no workflow definition available "
            raise WorkflowHalted(msg)
        task["subWorkflowParam"] = {**params, "version": latest["version"]}


def _ad_hoc(name: str, kind: str) -> JsonObject:
    """What the server takes for a task that has no definition: system tasks are neither retried nor timed out."""
    if kind == "SIMPLE":
        return with_task_defaults({"name": name})
    wire = with_task_defaults({"name": name, "retryCount": 0})
    wire["responseTimeoutSeconds"] = 0
    return wire
