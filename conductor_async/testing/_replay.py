"""Replays a recorded execution on the engine, and compares the two."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any, cast

from conductor_async._language.statuses import TERMINAL_WORKFLOW_STATUSES
from conductor_async.engine import Engine, ManualClock
from conductor_async.models import Workflow, encode_json
from conductor_async.testing._json_diff import json_diff
from conductor_async.testing._tree import execution_tree
from conductor_async.workflow import WorkflowBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.engine import ExternalWork
    from conductor_async.models import JsonObject, WorkflowDef
    from conductor_async.testing._recording import Recording

__all__ = ["assert_replays", "replay"]

_COMPUTED = frozenset(
    {
        *("DECISION", "DO_WHILE", "EXCLUSIVE_JOIN", "FORK", "INLINE", "JOIN", "JSON_JQ_TRANSFORM", "LAMBDA", "NOOP"),
        *("SET_VARIABLE", "SWITCH", "TERMINATE"),
    }
)
"""The task types that the engine runs in a replay. All other tasks end as recorded."""

_NOT_ENDED = frozenset({"SCHEDULED", "IN_PROGRESS", "CANCELED"})


def replay(recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None = None) -> Workflow:
    """Runs the workflow again on the engine, and returns the execution.

    Tasks of workers, HTTP, WAIT, HUMAN and SUB_WORKFLOW tasks are not run: they end as recorded. Cases, loops, forks,
    scripts and expressions are evaluated again. Time is skipped.

    Args:
        recording: The recording.
        workflow: The workflow as it is today. By default the recorded definition.
    """
    return _Replay(recording, workflow).run()


def assert_replays(recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None = None) -> None:
    """Asserts that a replay takes the same path with the same inputs to the same end, in sub-workflows too.

    ```python
    assert_replays(Recording.load("tests/recordings/order.json"), order_workflow)
    ```

    Args:
        recording: The recording.
        workflow: The workflow as it is today. By default the recorded definition.

    Raises:
        AssertionError: The replay differs. The message has every difference, and the execution of the replay.
    """
    __tracebackhide__ = True
    current = _Replay(recording, workflow)
    found = current.run()
    differences = "\n".join(f"  {each}" for each in current.differences())
    if differences:
        raise AssertionError(f"The replay differs from the recording:\n{differences}\n\n{execution_tree(found)}")
    for child in recording.children.values():
        assert_replays(child)


class _Replay:
    """One replay of a recording."""

    def __init__(self, recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None) -> None:
        self._recording = recording
        self._recorded: list[JsonObject] = recording.execution["tasks"]
        built = workflow.to_workflow_def() if isinstance(workflow, WorkflowBuilder) else workflow
        self._definition = recording.definition if built is None else cast("JsonObject", _as_json(built))
        times: list[float] = [each.get(key, 0) for each in self._recorded for key in ("scheduledTime", "endTime")]
        self._clock = ManualClock(min(filter(None, times), default=0) / 1000)
        self._end = max(times, default=0) / 1000 + 1
        self._engine = Engine(
            clock=self._clock, scripts=_scripts(), is_mocked=lambda row: row.task_type not in _COMPUTED
        )
        self._workflow_id = ""

    def run(self) -> Workflow:
        engine, execution = self._engine, self._recording.execution
        # Definitions without a response timeout are not the user's: the server creates them for system tasks.
        registered = [each for each in self._recording.task_definitions.values() if each.get("responseTimeoutSeconds")]
        if registered:
            engine.metadata.register_task_defs(registered)
        request: JsonObject = {
            key: execution[key] for key in ("correlationId", "priority", "taskToDomain") if key in execution
        }
        request |= {"name": self._definition["name"], "input": execution.get("input") or {}}
        self._workflow_id = engine.workflows.start({**request, "workflowDef": self._definition})
        pending: list[ExternalWork] = []
        while True:
            pending += engine.external_work
            engine.external_work.clear()
            first = min(self._recorded_ends(pending), key=lambda found: found[1].get("endTime", 0), default=None)
            if first is not None:
                work, row = first
                pending.remove(work)
                self._finish(work, row)
            elif not self._skip_to_next_timer():
                return Workflow.model_validate(engine.workflows.get(self._workflow_id, True))

    def _recorded_ends(self, pending: list[ExternalWork]) -> Iterator[tuple[ExternalWork, JsonObject]]:
        """Yields the work whose end is recorded, with the recorded task."""
        for work in pending:
            row = self._row(self._engine.tasks.get(work.task_id))
            if row is not None and row["status"] not in _NOT_ENDED:
                yield work, row

    def _row(self, task: JsonObject) -> JsonObject | None:
        return next(
            (
                each
                for each in self._recorded
                if (each["referenceTaskName"], each["retryCount"]) == (task["referenceTaskName"], task["retryCount"])
            ),
            None,
        )

    def _finish(self, work: ExternalWork, row: JsonObject) -> None:
        status = "FAILED" if row["status"] == "COMPLETED_WITH_ERRORS" else row["status"]
        output: JsonObject = row.get("outputData") or {}
        reason = row.get("reasonForIncompletion")
        self._engine.complete_external(work.task_id, status=status, output=output, reason=reason)

    def _skip_to_next_timer(self) -> bool:
        """Moves time to the next timer before the end of the recording. Returns whether there is one."""
        engine = self._engine
        due = engine.next_due()
        status = engine.workflows.get_status(self._workflow_id)["status"]
        if due is None or due > self._end or status in TERMINAL_WORKFLOW_STATUSES:
            return False
        self._clock.set(max(due, self._clock.now()))
        engine.run_due()
        return True

    def differences(self) -> Iterator[str]:
        """Yields the differences between the replay and the recording."""
        found = self._engine.workflows.get(self._workflow_id, True)
        names = {self._workflow_id: self._recording.execution["workflowId"]}
        names |= {task["taskId"]: row["taskId"] for task in found["tasks"] if (row := self._row(task))}
        found = cast("JsonObject", _renamed(found, names))
        recorded = self._recording.execution
        yield from json_diff(_path(recorded), _path(found), "path")
        for task in found["tasks"]:
            row = self._row(task)
            if row is not None:
                yield from json_diff(_compared(row), _compared(task), task["referenceTaskName"])
        yield from json_diff(_outcome(recorded), _outcome(found), "workflow")


def _path(execution: JsonObject) -> list[str]:
    return [f"{task['referenceTaskName']}#{task['retryCount']}" for task in execution["tasks"]]


def _compared(task: JsonObject) -> JsonObject:
    compared: JsonObject = {"status": task["status"], "input": task.get("inputData") or {}}
    if task["taskType"] in _COMPUTED and task["status"] not in _NOT_ENDED:
        compared["output"] = task.get("outputData") or {}
    return compared


def _outcome(execution: JsonObject) -> JsonObject:
    return {"status": execution["status"], "output": execution.get("output") or {}}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Returns the value with the ids of this replay replaced by the recorded ids."""
    if isinstance(value, str):
        for ours, theirs in names.items():
            value = value.replace(ours, theirs)
        return value
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _as_json(value: Any) -> Any:
    return json.loads(encode_json(value))


def _scripts() -> Any:
    """Returns what runs JavaScript and jq; None if the extra [embedded] is not installed."""
    try:
        scripting = importlib.import_module("conductor_async.engine.scripts.runners")
    except ImportError:
        return None
    return scripting.DefaultScripts()
