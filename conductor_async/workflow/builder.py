"""Describing a workflow in code, and running it."""

from __future__ import annotations

import copy
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from conductor_async.errors import ConductorError, ConfigurationError, WorkflowDefinitionError
from conductor_async.execution.start_request import DEDUPE_WINDOW, start_request
from conductor_async.models import WorkflowDef
from conductor_async.workflow.from_definition import DefinedTask, complete, settings_of
from conductor_async.workflow.references import Reference, plain
from conductor_async.workflow.settings import WorkflowSettings
from conductor_async.workflow.tasks.children import InlineSubWorkflowTask
from conductor_async.workflow.tasks.sequences import Composable, Step, definitions_of, tasks_of
from conductor_async.workflow.validation import Known, build_model, check, collecting_errors, problems_of
from conductor_async.workflow.validation.known_outputs import known_outputs, tasks_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from conductor_async.execution.executor import WorkflowExecutor
    from conductor_async.execution.handle import WorkflowHandle
    from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest, WorkflowRun
    from conductor_async.workflow.tasks.base import TaskInterface

__all__ = ["ConductorWorkflow"]

_being_described: ContextVar[tuple[ConductorWorkflow, ...]] = ContextVar("workflows being described", default=())
"""The workflow whose definition is being made, and the one inside of it that it needs, and so on."""


class ConductorWorkflow(WorkflowSettings, Step):
    """A workflow described in code: tasks added by `add` and `>>`, settings by methods that return the workflow.

    ```python
    workflow = ConductorWorkflow(executor=conductor.executor, name="order", version=1)
    workflow >> reserve >> [charge, pack] >> ship       # charge and pack side by side
    workflow.timeout_seconds(3600).output_parameters({"parcel": ship.output.parcel})
    ```

    Describing is plain Python and sends nothing; the same code gives the same definition, byte for byte. What is
    not set is not sent, so that the server's defaults hold: no time limit, restartable. Only `register`, `start…`
    and `execute` talk to the server, through the executor.

    Args:
        executor: Runs the workflow: `conductor.executor`, or a `WorkflowExecutor` of your own. Not needed to describe.
        name: The workflow's name.
        version: Its version. Without one it is registered as version 1.
        description: What it is for.
    """

    name: str
    version: int | None
    description: str | None
    executor: WorkflowExecutor | None

    def __init__(
        self,
        executor: WorkflowExecutor | None = None,
        name: str = "",
        version: int | None = None,
        description: str | None = None,
    ) -> None:
        if isinstance(executor, str):
            raise TypeError(
                "The first argument of a ConductorWorkflow is its executor, not its name:"
                f" write ConductorWorkflow(name={executor!r}), or name it after the executor."
            )
        self.executor = executor
        self.name = name
        self.version = version
        self.description = description
        self._tasks: list[TaskInterface] = []
        self._settings = {}
        self._registered: WorkflowDef | None = None
        self._origin: WorkflowDef | None = None
        self._known_problems: frozenset[str] = frozenset()

    @classmethod
    def from_workflow_def(cls, definition: WorkflowDef, executor: WorkflowExecutor | None = None) -> Self:
        """The workflow of a definition, fetched or loaded: the same definition again, and more tasks by `>>`.

        ```python
        workflow = ConductorWorkflow.from_workflow_def(await conductor.metadata.get_workflow_def("order"))
        workflow >> SimpleTask("thank", "thank_ref", input_parameters={"to": workflow.task("ship_ref").output.name})
        ```

        Nothing is lost: unknown fields and types of tasks are kept. What is wrong in it already stays as it is:
        only problems that come later are refused.

        Args:
            definition: The definition. It is copied.
            executor: Runs the workflow.
        """
        given = definition.model_fields_set
        version = definition.version if "version" in given else None
        workflow = cls(executor, definition.name, version, definition.description)
        workflow._origin = definition.model_copy(deep=True)
        workflow._known_problems = frozenset(problems_of(definition))
        workflow._settings = settings_of(workflow._origin)
        workflow._tasks = [DefinedTask(task) for task in definition.tasks]
        return workflow

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_") and not any(
                name in vars(cls).get("__annotations__", ()) for cls in type(self).__mro__
            ):
                hint = f": call it, workflow.{name}(…)" if hasattr(type(self), name) else ""
                raise AttributeError(f"{name!r} cannot be assigned to a workflow{hint}.", name=name, obj=self)
            super().__setattr__(name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = copy.copy(self)
        memo[id(self)] = other
        for name, value in vars(self).items():
            if name != "executor":  # a connection is shared, not copied
                object.__setattr__(other, name, copy.deepcopy(value, memo))
        return other

    def __repr__(self) -> str:
        return f"ConductorWorkflow(name={self.name!r}, version={self.version!r}, {len(self._tasks)} tasks)"

    # -- tasks

    def add(self, task: Composable) -> Self:
        """Adds a task, or a list of steps one after the other; returns the workflow."""
        for step in task if isinstance(task, list | tuple) else [task]:
            self.__rshift__(step)
        return self

    def __rshift__(self, step: Composable) -> Self:
        """Adds a step: a task, a list (its elements run side by side), or a workflow (runs as a sub-workflow)."""
        if step is self:
            raise WorkflowDefinitionError(
                f"Workflow {self.name!r} cannot contain itself.",
                problems=[f"tasks[{len(self._tasks)}]: the workflow itself"],
            )
        self._tasks.extend(tasks_of(step))
        return self

    def _tasks_of_step(self) -> Sequence[TaskInterface]:
        return (InlineSubWorkflowTask.of(self),)

    def task(self, task_reference_name: str) -> TaskInterface:
        """The task with this reference name; also one in a branch, a case or a loop that was described in code.

        Raises:
            KeyError: There is none.
        """
        for task in tasks_within(self._tasks):
            if task.task_reference_name == task_reference_name:
                return task
        raise KeyError(f"workflow {self.name!r} has no task {task_reference_name!r}")

    # -- references

    @property
    def input(self) -> Reference:
        """`workflow.input.a.b`, `workflow.input("a.b")`, `workflow.input["a"]`: what the workflow is started with."""
        return Reference("workflow.input")

    @property
    def output(self) -> Reference:
        """`workflow.output.x`, `workflow.output("x")`: what the workflow has put out."""
        return Reference("workflow.output")

    # -- the definition

    def to_workflow_def(self) -> WorkflowDef:
        """The definition as it is now: fresh each time, all references as text.

        Raises:
            WorkflowDefinitionError: It cannot work; `problems` lists all that is wrong.
        """
        with collecting_errors() as found:
            definition = self._described()
        check(definition, self._known(), found)
        return definition

    def _known(self) -> Known:
        """What its code says of it beyond the definition; so for the workflows inside of it."""
        children = {
            task.task_reference_name: task.workflow._known()
            for task in tasks_within(self._tasks)
            if isinstance(task, InlineSubWorkflowTask) and isinstance(task.workflow, ConductorWorkflow)
        }
        return Known(known_outputs(self._tasks), children, self._known_problems)

    def _described(self) -> WorkflowDef:
        """The definition, unchecked.

        Raises:
            WorkflowDefinitionError: It contains itself, maybe by way of others.
        """
        around = _being_described.get()
        if any(each is self for each in around):
            way = " >> ".join(repr(each.name) for each in (*around, self))
            raise WorkflowDefinitionError(
                f"Workflow {self.name!r} contains itself: {way}.",
                problems=[f"tasks: a workflow cannot contain itself: {way}"],
            )
        being_described = _being_described.set((*around, self))
        try:
            return self._definition()
        finally:
            _being_described.reset(being_described)

    def _definition(self) -> WorkflowDef:
        fields: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            **copy.deepcopy({name: plain(value) for name, value in self._settings.items()}),
            "tasks": definitions_of(self._tasks),
        }
        definition = build_model(WorkflowDef, f"workflow {self.name!r}", fields)
        if self._origin is not None:
            complete(definition, self._origin)
        return definition

    def to_mermaid(self) -> str:
        """A flowchart of it in the language of Mermaid, which GitHub, notebooks and documentation sites draw."""
        from conductor_async.workflow.diagrams.mermaid import to_mermaid  # pictures are rare

        return to_mermaid(self._described())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: a picture, of an unfinished workflow too."""
        from conductor_async.workflow.diagrams.mermaid import notebook_bundle

        try:
            return notebook_bundle(repr(self), self._described())
        except ConductorError:  # it cannot be described yet; to_workflow_def() says why
            return {"text/plain": repr(self)}

    # -- running it

    async def register(self, overwrite: bool = True) -> None:
        """Stores the definition on the server: POST /metadata/workflow.

        Args:
            overwrite: Replace the same name and version if it is there.

        Raises:
            WorkflowDefinitionError: The definition cannot work; nothing was sent.
            BadRequestError: The server found it invalid; `validation_errors` lists what.
            ConflictError: It is there already and `overwrite` is False.
        """
        definition = self.to_workflow_def()
        if not definition.tasks:
            raise WorkflowDefinitionError(
                f"Workflow {self.name!r} has no tasks.", problems=["tasks: a workflow needs at least one"]
            )
        await self._run_by().register_workflow(definition, overwrite)
        self._registered = definition

    async def start(
        self,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the word that Conductor's SDKs share
        *,
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """Starts a run and returns a handle on it: POST /workflow.

        The server gets name and version if this object registered this very definition, else the definition itself.

        Args:
            input: What the run gets.
            version: Start this registered version instead of what is described here.
            correlation_id: Your own id, to look the run up by.
            priority: 0 to 99; tasks of higher priority are handed out first.
            task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
            dedupe_key: Makes the start safe to repeat: there is one run for each key, also when an answer was lost.
                It becomes the correlation id. Two processes that start by one key at the same moment may still make
                two. See `WorkflowExecutor.start_request`.
            dedupe_window: For how many seconds (or a timedelta) to look for the key when the answer was lost.

        Raises:
            WorkflowDefinitionError: The definition cannot work; nothing was sent.
            ConfigurationError: Both a dedupe key and another correlation id were given; nothing was sent.
            AmbiguousOutcomeError: The answer was lost: a run may have been started.
        """
        request = self._request(input, version, correlation_id, priority, task_to_domain)
        return await self._run_by().start_request(request, dedupe_key=dedupe_key, dedupe_window=dedupe_window)

    async def start_workflow(self, start_workflow_request: StartWorkflowRequest) -> str:
        """Starts this workflow with the other settings of the request, which stays as it is; returns the run's id."""
        request = start_workflow_request.model_copy()
        self._identify(request)
        return await self._run_by().start_workflow(request)

    async def start_workflow_with_input(
        self,
        workflow_input: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        idempotency_strategy: IdempotencyStrategy | str | None = None,
    ) -> str:
        """Starts a run and returns its id. The open-source server ignores the idempotency key."""
        request = self._request(workflow_input, None, correlation_id, priority, task_to_domain)
        if idempotency_key is not None:
            request.idempotency_key = idempotency_key
            request.idempotency_strategy = idempotency_strategy
        return await self._run_by().start_workflow(request)

    async def execute(
        self,
        workflow_input: Mapping[str, Any] | None = None,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Starts a run, waits until it ends, and returns it whatever its status: see `WorkflowExecutor.execute`.

        `timeout` is the whole wait, in seconds or as a timedelta; without one it waits for as long as the run takes.

        Raises:
            WorkflowDefinitionError: The workflow cannot work; nothing was sent.
            AmbiguousOutcomeError: The answer to the start was lost.
            WaitTimeoutError: The time was up; the run goes on.
        """
        return await self._run_by().execute_request(
            self._request(workflow_input, version, correlation_id, priority, task_to_domain),
            wait_until_task_ref=wait_until_task_ref,
            dedupe_key=dedupe_key,
            dedupe_window=dedupe_window,
            timeout=timeout,
        )

    async def __call__(self, **workflow_input: Any) -> WorkflowRun:
        """`await workflow(name="Ada")` is `await workflow.execute({"name": "Ada"})`."""
        return await self.execute(workflow_input)

    def _run_by(self) -> WorkflowExecutor:
        if self.executor is None:
            raise ConfigurationError(
                f"Workflow {self.name!r} has no executor to run it:"
                f" ConductorWorkflow(executor=conductor.executor, name={self.name!r}, …)."
            )
        if not hasattr(self.executor, "start_request"):  # the client itself is a likely one to be given
            raise ConfigurationError(
                f"The executor of workflow {self.name!r} is {self.executor!r}, and no WorkflowExecutor: a client has"
                " one as client.executor."
            )
        return self.executor

    def _request(
        self,
        workflow_input: Mapping[str, Any] | None,
        version: int | None,
        correlation_id: str | None,
        priority: int | None,
        task_to_domain: Mapping[str, str] | None,
    ) -> StartWorkflowRequest:
        request = start_request(
            self.name,
            workflow_input,
            version=version,
            correlation_id=correlation_id,
            priority=priority,
            task_to_domain=task_to_domain,
        )
        if version is None:
            self._identify(request)
        return request

    def _identify(self, request: StartWorkflowRequest) -> None:
        """Says what to run: by name and version if the server has this very definition from us, else the definition."""
        definition = self.to_workflow_def()
        request.name = definition.name
        request.version = definition.version
        known = self._registered is not None and self._registered.to_wire() == definition.to_wire()
        request.workflow_def = None if known else definition
