"""A workflow described in code that registers itself and runs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

from conductor_async.errors import ConfigurationError, WorkflowDefinitionError
from conductor_async.execution._start_request import DEDUPE_WINDOW, start_request
from conductor_async.execution._waiter import task_references
from conductor_async.resources._task_references import check_references_of
from conductor_async.workflow._snapshot import Snapshot
from conductor_async.workflow.builder import WorkflowBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from conductor_async.execution._start_request import Input
    from conductor_async.execution.executor import WorkflowExecutor
    from conductor_async.execution.handle import WorkflowHandle
    from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest, WorkflowDef, WorkflowRun

__all__ = ["ConductorWorkflow"]


class ConductorWorkflow(WorkflowBuilder):
    """A workflow described in code, which an executor registers and runs.

    ```python
    workflow = ConductorWorkflow(executor=conductor.executor, name="order", version=1)
    workflow >> reserve >> [charge, pack] >> ship       # charge and pack run in parallel
    workflow.timeout_seconds(3600).output_parameters({"parcel": ship.output.parcel})
    handle = await workflow.start({"order": 42})
    ```

    `add`, `>>` and the settings do no I/O: see `WorkflowBuilder`. Only `register`, `start`, `execute` and their
    variants call the server.

    Args:
        executor: Runs the workflow: `conductor.executor`, or a `WorkflowExecutor` of your own. Not needed for building.
        name: The workflow's name.
        version: Its version. Without one it is registered as version 1.
        description: What the workflow does.
    """

    _untracked = frozenset({"executor", "_registered", "_described"})

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
        super().__init__(name, version, description)
        self.executor = executor
        self._registered: WorkflowDef | None = None
        self._described: tuple[WorkflowDef, Snapshot | None] | None = None  # the last definition, and of what

    @classmethod
    def from_workflow_def(cls, definition: WorkflowDef, executor: WorkflowExecutor | None = None) -> Self:
        """Returns a workflow with an existing definition: see `WorkflowBuilder.from_workflow_def`.

        Args:
            definition: The definition. It is copied.
            executor: Runs the workflow.
        """
        workflow = super().from_workflow_def(definition)
        workflow.executor = executor
        return workflow

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = copy.copy(self)
        memo[id(self)] = other
        for name, value in vars(self).items():
            if name != "executor":  # a connection is shared, not copied
                object.__setattr__(other, name, copy.deepcopy(value, memo))
        return other

    async def register(self, overwrite: bool = True) -> None:
        """Stores the definition on the server: POST /metadata/workflow.

        Args:
            overwrite: Replace a definition of the same name and version.

        Raises:
            WorkflowDefinitionError: The definition cannot work; nothing was sent.
            BadRequestError: The server found it invalid; `validation_errors` lists what.
            ConflictError: The server has this name and version, and `overwrite` is False.
        """
        definition = self._definition()
        if not definition.tasks:
            raise WorkflowDefinitionError(
                f"Workflow {self.name!r} has no tasks.", problems=["tasks: a workflow needs at least one"]
            )
        await self._executor().register_workflow(definition, overwrite)
        self._registered = definition

    async def start(
        self,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
        *,
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """Starts an execution and returns a handle on it: POST /workflow.

        Sends name and version if this object registered this very definition, else the definition itself.

        Args:
            input: The input of the execution: a dict, a pydantic model or a dataclass.
            version: Start this registered version instead of the definition built here.
            correlation_id: Your own id, to find the execution by.
            priority: 0 to 99; tasks of higher priority are polled first.
            task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
            dedupe_key: Makes the start safe to repeat: there is one execution for each key, also when a response was
                lost. It becomes the correlation id. Two processes that start with one key at the same moment may
                still start two. See `WorkflowExecutor.start_request`.
            dedupe_window: How many seconds (or a timedelta) to search for the key after a response was lost.

        Raises:
            WorkflowDefinitionError: The definition cannot work; nothing was sent.
            ConfigurationError: Both a dedupe key and another correlation id were given; nothing was sent.
            AmbiguousOutcomeError: The response was lost: an execution may have started.
        """
        request = self._request(input, version, correlation_id, priority, task_to_domain)
        return await self._executor().start_request(request, dedupe_key=dedupe_key, dedupe_window=dedupe_window)

    async def start_workflow(self, start_workflow_request: StartWorkflowRequest) -> str:
        """Starts this workflow with the other settings of the request, which is not changed; returns its id."""
        definition = self._definition()
        request = start_workflow_request.model_copy()
        request.name, request.version = definition.name, definition.version
        request.workflow_def = None if definition is self._registered else definition
        return await self._executor().start_workflow(request)

    async def start_workflow_with_input(
        self,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
        correlation_id: str | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        priority: int | None = None,
        idempotency_key: str | None = None,
        idempotency_strategy: IdempotencyStrategy | str | None = None,
    ) -> str:
        """Starts an execution and returns its id. The open-source server ignores the idempotency key."""
        request = self._request(input, None, correlation_id, priority, task_to_domain)
        if idempotency_key is not None:
            request.idempotency_key = idempotency_key
            request.idempotency_strategy = idempotency_strategy
        return await self._executor().start_workflow(request)

    async def execute(
        self,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
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
        """Starts an execution, waits until it ends, and returns it in any status: see `WorkflowExecutor.execute`.

        `timeout` limits the whole wait, in seconds or as a timedelta. Without one there is no limit.

        Raises:
            WorkflowDefinitionError: The definition cannot work; nothing was sent.
            ConfigurationError: The workflow has no task of a name in `wait_until_task_ref`; nothing was sent.
            AmbiguousOutcomeError: The response to the start was lost: an execution may have started.
            WaitTimeoutError: The timeout passed; the execution goes on.
        """
        if version is None and wait_until_task_ref is not None:  # before there is an execution that nobody waits for
            check_references_of(self._definition(), task_references(wait_until_task_ref), f"Workflow {self.name!r}")
        return await self._executor().execute_request(
            self._request(input, version, correlation_id, priority, task_to_domain),
            wait_until_task_ref=wait_until_task_ref,
            dedupe_key=dedupe_key,
            dedupe_window=dedupe_window,
            timeout=timeout,
        )

    async def __call__(self, **workflow_input: Any) -> WorkflowRun:
        """Executes the workflow: `await workflow(name="Ada")` is `await workflow.execute({"name": "Ada"})`."""
        return await self.execute(workflow_input)

    def _executor(self) -> WorkflowExecutor:
        if self.executor is None:
            raise ConfigurationError(
                f"Workflow {self.name!r} has no executor to run it:"
                f" ConductorWorkflow(executor=conductor.executor, name={self.name!r}, …)."
            )
        if not hasattr(self.executor, "start_request"):  # users are likely to pass the client itself
            raise ConfigurationError(
                f"The executor of workflow {self.name!r} is {self.executor!r}, which is no WorkflowExecutor: a client"
                " has one as client.executor."
            )
        return self.executor

    def _request(
        self,
        input: Input,  # noqa: A002 - as everywhere
        version: int | None,
        correlation_id: str | None,
        priority: int | None,
        task_to_domain: Mapping[str, str] | None,
    ) -> StartWorkflowRequest:
        definition = self._definition() if version is None else None
        request = start_request(
            self.name,
            input,
            version=version if definition is None else definition.version,
            correlation_id=correlation_id,
            priority=priority,
            task_to_domain=task_to_domain,
        )
        if definition is not self._registered:
            request.workflow_def = definition
        return request

    def _definition(self) -> WorkflowDef:
        """Returns the definition: the registered object itself if the server has this very definition from here.

        It is described and validated anew only if something has changed since the last time.
        """
        if self._described is not None:
            definition, snapshot = self._described
            if snapshot is not None and snapshot.is_current(self):
                return definition
        definition = self.to_workflow_def()
        if self._registered is not None and self._registered.to_wire() == definition.to_wire():
            definition = self._registered
        self._described = definition, Snapshot.of(self)
        return definition
