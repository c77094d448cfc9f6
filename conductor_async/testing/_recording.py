"""Recordings of executions: to keep in a file, to assert about, and to replay."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from conductor_async.errors import ConfigurationError
from conductor_async.models import Workflow, encode_json
from conductor_async.testing._redaction import Redaction

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from conductor_async.client import ConductorClient
    from conductor_async.models import JsonObject, Task

__all__ = ["Recording", "capture"]

_FORMAT: Final = "conductor-async/recording"
_VERSION: Final = 1

_OF_EXECUTION = (
    "workflowId", "workflowName", "workflowVersion", "status", "input", "output", "variables", "reasonForIncompletion",
    "correlationId", "priority", "taskToDomain",
)  # fmt: skip
_OF_TASK = (
    "referenceTaskName", "taskType", "taskDefName", "taskId", "retriedTaskId", "status", "retryCount", "iteration",
    "seq", "inputData", "outputData", "reasonForIncompletion", "scheduledTime", "startTime", "endTime", "subWorkflowId",
    "workerId", "domain",
)  # fmt: skip
_PAYLOADS = frozenset(
    {
        *("input", "output", "variables", "inputData", "outputData", "reasonForIncompletion"),
        *("inputParameters", "outputParameters", "inputTemplate"),
    }
)


@dataclass(slots=True)
class Recording:
    """A recorded execution, with the executions of its sub-workflows.

    Attributes:
        execution: The execution as the server returns it, reduced to the fields that a replay needs.
        definition: Its workflow definition.
        task_definitions: The task definitions by name.
        children: The recordings of its sub-workflows, by the reference name of the task that started them.
    """

    execution: JsonObject
    definition: JsonObject
    task_definitions: dict[str, JsonObject] = field(default_factory=dict[str, "JsonObject"])
    children: dict[str, Recording] = field(default_factory=dict[str, "Recording"])

    @property
    def workflow(self) -> Workflow:
        """The execution as a model, for assertions."""
        return Workflow.model_validate(self.execution)

    def task(self, task_reference_name: str) -> Task:
        """Returns the latest attempt of a task.

        Raises:
            KeyError: The execution has no such task.
        """
        found = self.workflow.get_task(task_reference_name=task_reference_name)
        if found is None:
            recorded = ", ".join(dict.fromkeys(each["referenceTaskName"] for each in self.execution["tasks"]))
            raise KeyError(f"The recording has no task {task_reference_name!r}. It has: {recorded}.")
        return found

    def redacted(self, redaction: Redaction) -> Recording:
        """Returns the recording without what `redaction` removes."""
        wire = _wire_of(self)
        payloads = list(_payloads(wire))
        redacted = cast("list[Any]", redaction.apply([holder[key] for holder, key in payloads]))
        for (holder, key), value in zip(payloads, redacted, strict=True):
            holder[key] = value
        return self._from_wire(wire)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the recording to a JSON file, indented so that changes show line by line."""
        wire = {"format": _FORMAT, "version": _VERSION, **_wire_of(self)}
        text = json.dumps(json.loads(encode_json(wire)), indent=1, ensure_ascii=False)
        Path(path).write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a recording from a file.

        Raises:
            ConfigurationError: The file is not a recording, or is one of an unknown version.
        """
        wire = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(wire, dict) or cast("JsonObject", wire).get("format") != _FORMAT:
            raise ConfigurationError(f"{path} is not a recording: its format is not {_FORMAT!r}.")
        wire = cast("JsonObject", wire)
        if wire.get("version") != _VERSION:
            raise ConfigurationError(
                f"{path} is a recording of version {wire.get('version')}, but only {_VERSION} can be read: capture it"
                " again, or use the conductor-async that wrote it."
            )
        return cls._from_wire(wire)

    @classmethod
    def _from_wire(cls, wire: JsonObject) -> Self:
        children: dict[str, Recording] = {key: cls._from_wire(each) for key, each in wire["children"].items()}
        return cls(wire["execution"], wire["definition"], wire["taskDefinitions"], children)


def _wire_of(recording: Recording) -> JsonObject:
    wire = {
        "execution": recording.execution,
        "definition": recording.definition,
        "taskDefinitions": recording.task_definitions,
        "children": {reference: _wire_of(child) for reference, child in recording.children.items()},
    }
    return cast("JsonObject", json.loads(encode_json(wire)))


async def capture(conductor: ConductorClient, workflow_id: str, *, redaction: Redaction | None = None) -> Recording:
    """Records an execution of any server, with those of its sub-workflows.

    ```python
    recording = await capture(conductor, workflow_id, redaction=Redaction(keys=["iban"]))
    recording.save("tests/recordings/order.json")
    ```

    Args:
        conductor: A client of the server.
        workflow_id: The execution.
        redaction: What to remove. By default the values of keys that are usually secret: passwords, tokens, API keys.

    Raises:
        NotFoundError: There is no such execution.
    """
    return (await _recorded(conductor, workflow_id)).redacted(redaction or Redaction())


async def _recorded(conductor: ConductorClient, workflow_id: str) -> Recording:
    wire = (await conductor.workflow.get_workflow(workflow_id)).to_wire()
    execution = {key: wire[key] for key in _OF_EXECUTION if key in wire}
    tasks: list[JsonObject] = wire.get("tasks", [])
    execution["tasks"] = [{key: task[key] for key in _OF_TASK if key in task} for task in tasks]
    definitions = {name: found for name, found in map(_task_definition, tasks) if found is not None}
    recording = Recording(execution, wire["workflowDefinition"], definitions)
    for task in tasks:
        if child := task.get("subWorkflowId"):
            recording.children[task["referenceTaskName"]] = await _recorded(conductor, child)
    return recording


def _task_definition(task: JsonObject) -> tuple[str, JsonObject | None]:
    """Returns a task's name, and its definition at the start of the workflow."""
    defined: JsonObject = task.get("workflowTask") or {}
    return task["taskDefName"], defined.get("taskDefinition") or task.get("taskDefinition")


def _payloads(wire: Any) -> Iterator[tuple[JsonObject, str]]:
    """Yields every payload of the user as an object and the key in it."""
    if isinstance(wire, dict):
        for key, value in cast("JsonObject", wire).items():
            if key in _PAYLOADS:
                yield cast("JsonObject", wire), key
            else:
                yield from _payloads(value)
    elif isinstance(wire, list):
        for each in wire:  # pyright: ignore[reportUnknownVariableType]
            yield from _payloads(each)
