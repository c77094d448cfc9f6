"""Mocks of tasks: what answers instead of a worker, a remote service or another workflow."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

from pydantic_core import from_json

from conductor_async._language.statuses import TERMINAL_WORKFLOW_STATUSES
from conductor_async.devserver.runtime import Outcome
from conductor_async.engine.errors import EngineError
from conductor_async.errors import ConfigurationError, NonRetryableException, PayloadError
from conductor_async.models import JsonObject, WorkflowDef, encode_json
from conductor_async.workflow import WorkflowBuilder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from conductor_async.devserver.runtime import Runtime
    from conductor_async.engine import ExternalWork
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["TIMES_OUT", "Mock", "MockAnswer", "Mocks", "TimesOut"]


class TimesOut(Enum):
    """The kind of `TIMES_OUT`."""

    TIMES_OUT = "TIMES_OUT"

    def __repr__(self) -> str:
        return self.value


TIMES_OUT: Final = TimesOut.TIMES_OUT
"""An answer that never comes: the task runs until one of its timeouts ends it."""

MockAnswer: TypeAlias = "JsonObject | BaseException | TimesOut | Callable[[JsonObject], Any]"
"""An output, an exception to fail with, `TIMES_OUT`, or a function of the task's input (sync or async) to one."""


class Mock:
    """A mock of the tasks with a name or of a type. As a context manager, it is removed when the context ends.

    Attributes:
        name: The task's name, or its type.
        calls: The inputs of the tasks that it answered, in order. A retry is a call of its own.
    """

    def __init__(self, name: str, answers: Sequence[MockAnswer], workflow: JsonObject | None, mocks: Mocks) -> None:
        self.name = name
        self.calls: list[JsonObject] = []
        self._answers = answers
        self._workflow = workflow
        self._mocks = mocks

    def remove(self) -> None:
        """Removes the mock: tasks that are scheduled from now on go to workers again. Idempotent."""
        self._mocks.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Mock of {self.name!r}, called {len(self.calls)} times>"

    async def perform(
        self, task_input: JsonObject, run: Callable[[JsonObject], Awaitable[Outcome | None]]
    ) -> Outcome | None:
        """Returns how a task with this input ends; None if its timeouts are to end it.

        Args:
            task_input: The input.
            run: Runs a workflow, given the request to start it.
        """
        self.calls.append(task_input)
        if self._workflow is not None:
            return await run({**self._workflow, "input": task_input})
        answer: Any = self._answers[min(len(self.calls), len(self._answers)) - 1]
        if callable(answer):
            try:
                answer = answer(task_input)
                if inspect.isawaitable(answer):
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - the boundary of user code: what it raises fails the task
                answer = error
        return _outcome(answer)


class Mocks:
    """All mocks of one Conductor."""

    def __init__(self) -> None:
        self._by_name: dict[str, Mock] = {}

    def add(self, name: str, answer: Any, output: JsonObject | None, workflow: Any) -> Mock:
        """Adds a mock, replacing an earlier one with the same name. See `EmbeddedConductor.mock`."""
        given = [each for each in (answer, output, workflow) if each is not None]
        if len(given) != 1:
            raise ConfigurationError(
                f"The mock of {name!r} needs exactly one of an answer, output=… and workflow=…; it has {len(given)}."
            )
        answers: Sequence[MockAnswer] = cast("list[Any]", answer) if isinstance(answer, list | tuple) else [given[0]]
        if not answers:
            raise ConfigurationError(f"The mock of {name!r} has an empty list of answers.")
        mock = Mock(name, answers, None if workflow is None else _start_request(workflow), self)
        self._by_name[name] = mock
        return mock

    def remove(self, mock: Mock) -> None:
        """Removes a mock, unless it was replaced."""
        if self.holds(mock):
            del self._by_name[mock.name]

    def holds(self, mock: Mock) -> bool:
        """Returns whether the mock was neither removed nor replaced."""
        return self._by_name.get(mock.name) is mock

    def has(self, task: TaskRow) -> bool:
        """Returns whether there is a mock for this task."""
        return bool(self._by_name) and (task.task_def_name in self._by_name or task.task_type in self._by_name)

    async def perform(self, work: ExternalWork, runtime: Runtime) -> Outcome | None:
        """Has the mock perform work that the engine handed out."""
        mock = self._by_name.get(work.task_name) or self._by_name.get(work.kind)
        if mock is None:
            return Outcome("FAILED", reason=f"The mock of {work.task_name!r} was removed before it could answer.")
        return await mock.perform(work.input, lambda request: _run_workflow(request, runtime))


def _outcome(answer: Any) -> Outcome | None:
    """Returns how an answer ends a task. As with a worker, a value other than an object becomes the output `result`."""
    if isinstance(answer, TimesOut):
        return None
    if isinstance(answer, BaseException):
        terminal = isinstance(answer, NonRetryableException)
        reason = str(answer) or type(answer).__name__
        return Outcome("FAILED_WITH_TERMINAL_ERROR" if terminal else "FAILED", reason=reason)
    if answer is None:
        return Outcome("COMPLETED", {})
    try:
        output: Any = from_json(encode_json(answer, "output"))
    except PayloadError as error:
        return Outcome("FAILED_WITH_TERMINAL_ERROR", reason=f"The mock's answer cannot be a task's output: {error}")
    return Outcome("COMPLETED", output if isinstance(output, dict) else {"result": output})


def _start_request(workflow: WorkflowBuilder | WorkflowDef | str) -> JsonObject:
    if isinstance(workflow, str):
        return {"name": workflow}
    definition = workflow.to_workflow_def() if isinstance(workflow, WorkflowBuilder) else workflow
    return {"name": definition.name, "workflowDef": from_json(encode_json(definition))}


async def _run_workflow(request: JsonObject, runtime: Runtime) -> Outcome | None:
    """Starts a workflow and returns how it ends; None if the Conductor stops first."""
    engine = runtime.engine
    try:
        workflow_id = engine.workflows.start(request)
    except EngineError as error:
        name = request.get("name")
        return Outcome("FAILED_WITH_TERMINAL_ERROR", reason=f"The mock's workflow {name!r} cannot start: {error}")
    runtime.settle()
    with runtime.waiting_for_engine():
        while (state := engine.workflows.get_status(workflow_id))["status"] not in TERMINAL_WORKFLOW_STATUSES:
            if runtime.closing:
                return None
            with runtime.execution_changed(workflow_id) as changed:
                await changed.wait()
    if state["status"] == "COMPLETED":
        return Outcome("COMPLETED", engine.workflows.get(workflow_id, False)["output"])
    reason = engine.workflows.get(workflow_id, False).get("reasonForIncompletion")
    return Outcome("FAILED", reason=f"The mock's workflow {workflow_id} is {state['status']}: {reason}")
