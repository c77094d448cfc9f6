"""Running a recording again: the workflow on the engine, or one task's function on its input."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any, cast

from conductor_async._language.statuses import TERMINAL_WORKFLOW_STATUSES
from conductor_async.clock import RealClock
from conductor_async.engine import Engine, ManualClock
from conductor_async.models import Task, TaskResult, Workflow, encode_json
from conductor_async.testing.json_diff import differences
from conductor_async.testing.tree import execution_tree
from conductor_async.worker._function.invoker import Invoker
from conductor_async.worker._in_flight.tasks import InFlightTask
from conductor_async.worker._listeners import Listeners
from conductor_async.workflow import WorkflowBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.engine import ExternalWork
    from conductor_async.models import JsonObject, WorkflowDef
    from conductor_async.testing.recording import Recording
    from conductor_async.worker.decorator import AnyWorker

__all__ = ["assert_replays", "assert_task_replays", "replay", "replay_task"]

_COMPUTED = frozenset(
    {
        *("DECISION", "DO_WHILE", "EXCLUSIVE_JOIN", "FORK", "INLINE", "JOIN", "JSON_JQ_TRANSFORM", "LAMBDA", "NOOP"),
        *("SET_VARIABLE", "SWITCH", "TERMINATE"),
    }
)
"""What the engine does itself in a replay. All other tasks end as they were recorded."""

_WORKER = "replay"
_GOES_ON = frozenset({"SCHEDULED", "IN_PROGRESS", "CANCELED"})


def replay(recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None = None) -> Workflow:
    """The execution that comes of it when the engine runs the workflow again, and its tasks end as they were recorded.

    Workers, HTTP tasks, waits, people and sub-workflows are not run: their outputs and failures are those recorded.
    Cases, loops, forks, scripts and expressions are worked out anew. Time is skipped.

    Args:
        recording: The recording.
        workflow: The workflow as it is today. By default the definition that was recorded.
    """
    return _Replay(recording, workflow).run()


def assert_replays(recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None = None) -> None:
    """The workflow goes the same way again, with the same inputs, and comes to the same end. Its children do, too.

    ```python
    assert_replays(Recording.load("tests/recordings/order.json"), order_workflow)
    ```

    Args:
        recording: The recording.
        workflow: The workflow as it is today. By default the definition that was recorded.

    Raises:
        AssertionError: It does not. The text has every difference, and the execution as it went this time.
    """
    __tracebackhide__ = True
    again = _Replay(recording, workflow)
    found = again.run()
    differing = list(again.differences())
    if differing:
        text = "\n".join(f"  {each}" for each in differing)
        raise AssertionError(f"The workflow goes another way than was recorded:\n{text}\n\n{execution_tree(found)}")
    for child in recording.children.values():
        assert_replays(child)


async def replay_task(recording: Recording, task_reference_name: str, worker: AnyWorker) -> TaskResult:
    """What a worker's function makes of the input that a task had.

    Args:
        recording: The recording.
        task_reference_name: The task; in a loop with its iteration.
        worker: The function, decorated with `@worker_task`.

    Raises:
        KeyError: The recording has no such task.
    """
    worker.binder.resolve()
    invoker = Invoker(worker, _WORKER, RealClock(), Listeners(()))
    result = await invoker.invoke(
        InFlightTask(_fresh(recording.task(task_reference_name)), _WORKER, is_async=worker.is_async)
    )
    assert result is not None, "nobody cancels it"
    return result


async def assert_task_replays(recording: Recording, task_reference_name: str, worker: AnyWorker) -> None:
    """A worker's function makes the same of the input that a task had: the same status and output.

    Args:
        recording: The recording.
        task_reference_name: The task; in a loop with its iteration.
        worker: The function, decorated with `@worker_task`.

    Raises:
        KeyError: The recording has no such task.
        AssertionError: It makes something else of it.
    """
    __tracebackhide__ = True
    recorded = recording.task(task_reference_name)
    result = await replay_task(recording, task_reference_name, worker)
    found = {"status": str(result.status), "output": _plain(result.output_data)}
    expected = {"status": str(recorded.status), "output": recorded.output_data}
    if found != expected:
        text = "\n".join(f"  {each}" for each in differences(expected, found, task_reference_name))
        reason = f"\n  reason: {result.reason_for_incompletion}" if result.reason_for_incompletion else ""
        raise AssertionError(
            f"{worker.task_definition_name} makes something else of the input than was recorded:\n{text}{reason}"
        )


class _Replay:
    """One run of a recording."""

    def __init__(self, recording: Recording, workflow: WorkflowBuilder | WorkflowDef | None) -> None:
        self._recording = recording
        self._recorded: list[JsonObject] = recording.execution["tasks"]
        built = workflow.to_workflow_def() if isinstance(workflow, WorkflowBuilder) else workflow
        self._definition = recording.definition if built is None else cast("JsonObject", _plain(built))
        times: list[float] = [each.get(key, 0) for each in self._recorded for key in ("scheduledTime", "endTime")]
        self._clock = ManualClock(min(filter(None, times), default=0) / 1000)
        self._end = max(times, default=0) / 1000 + 1
        self._engine = Engine(
            clock=self._clock, scripts=_scripts(), is_mocked=lambda row: row.task_type not in _COMPUTED
        )
        self._workflow_id = ""

    def run(self) -> Workflow:
        engine, execution = self._engine, self._recording.execution
        # Without a response timeout it is no definition of a user's, but what the server makes for a system task.
        known = [each for each in self._recording.task_definitions.values() if each.get("responseTimeoutSeconds")]
        if known:
            engine.metadata.register_task_defs(known)
        request: JsonObject = {
            key: execution[key] for key in ("correlationId", "priority", "taskToDomain") if key in execution
        }
        request |= {"name": self._definition["name"], "input": execution.get("input") or {}}
        self._workflow_id = engine.workflows.start({**request, "workflowDef": self._definition})
        pending: list[ExternalWork] = []
        while True:
            pending += engine.external_work
            engine.external_work.clear()
            answer = min(self._answers(pending), key=lambda found: found[1].get("endTime", 0), default=None)
            if answer is not None:
                work, row = answer
                pending.remove(work)
                self._finish(work, row)
            elif not self._let_time_pass():
                return Workflow.model_validate(engine.workflows.get(self._workflow_id, True))

    def _answers(self, pending: list[ExternalWork]) -> Iterator[tuple[ExternalWork, JsonObject]]:
        """The work whose end is recorded, with how it ended."""
        for work in pending:
            row = self._row(self._engine.tasks.get(work.task_id))
            if row is not None and row["status"] not in _GOES_ON:
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

    def _let_time_pass(self) -> bool:
        """Goes on to the next timer. Whether there was one before the recording's end."""
        engine = self._engine
        due = engine.next_due()
        status = engine.workflows.get_status(self._workflow_id)["status"]
        if due is None or due > self._end or status in TERMINAL_WORKFLOW_STATUSES:
            return False
        self._clock.set(max(due, self._clock.now()))
        engine.run_due()
        return True

    def differences(self) -> Iterator[str]:
        """Where it went another way than was recorded."""
        found = self._engine.workflows.get(self._workflow_id, True)
        names = {self._workflow_id: self._recording.execution["workflowId"]}
        names |= {task["taskId"]: row["taskId"] for task in found["tasks"] if (row := self._row(task))}
        found = cast("JsonObject", _renamed(found, names))
        recorded = self._recording.execution
        yield from differences(_path(recorded), _path(found), "path")
        for task in found["tasks"]:
            row = self._row(task)
            if row is not None:
                yield from differences(_compared(row), _compared(task), task["referenceTaskName"])
        yield from differences(_outcome(recorded), _outcome(found), "workflow")


def _path(execution: JsonObject) -> list[str]:
    return [f"{task['referenceTaskName']}#{task['retryCount']}" for task in execution["tasks"]]


def _compared(task: JsonObject) -> JsonObject:
    compared: JsonObject = {"status": task["status"], "input": task.get("inputData") or {}}
    if task["taskType"] in _COMPUTED and task["status"] not in _GOES_ON:
        compared["output"] = task.get("outputData") or {}
    return compared


def _outcome(execution: JsonObject) -> JsonObject:
    return {"status": execution["status"], "output": execution.get("output") or {}}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """The value, with the ids of this run given the recorded names."""
    if isinstance(value, str):
        for ours, theirs in names.items():
            value = value.replace(ours, theirs)
        return value
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _fresh(task: Task) -> Task:
    """The task as it was when it was polled."""
    return task.model_copy(update={"status": "IN_PROGRESS", "output_data": {}, "reason_for_incompletion": None})


def _plain(value: Any) -> Any:
    return json.loads(encode_json(value))


def _scripts() -> Any:
    """Runs JavaScript and jq; None where the extra for them is not installed."""
    try:
        scripting = importlib.import_module("conductor_async.engine.scripts.runners")
    except ImportError:
        return None
    return scripting.DefaultScripts()
