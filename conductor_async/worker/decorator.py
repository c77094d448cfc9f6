"""`@worker_task`: a function that workflows can call, and that is still the function."""

from __future__ import annotations

import copy
import functools
import inspect
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from conductor_async._language.names import checked_name
from conductor_async.config import seconds
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskType
from conductor_async.resources._worker_api import LONGEST_POLL
from conductor_async.worker._function.arguments import Arguments, underlying
from conductor_async.worker._function.return_types import output_fields, output_schema, returned_type
from conductor_async.worker._function.task_log import checked_log_level
from conductor_async.worker._registration import derived_definition
from conductor_async.workflow.tasks.worker import SimpleTask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from datetime import timedelta
    from typing import Self, TypeAlias

    from conductor_async.models import JsonObject, TaskDef
    from conductor_async.worker.context import TaskInProgress
    from conductor_async.workflow.validation.context import OutputFields

P = ParamSpec("P")
Called = TypeVar("Called")
"""What calling the function gives: for an `async def`, something to await."""
R = TypeVar("R")
"""What the function returns in the end."""
R_co = TypeVar("R_co", covariant=True)
ResultT = TypeVar("ResultT")
"""The same without `TaskInProgress`: what the task's result is."""

_NOT_FOR_WORKERS = frozenset(TaskType) - {TaskType.SIMPLE, TaskType.USER_DEFINED}


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker is run. All times are seconds.

    Attributes:
        poll_interval: At least so long from one idle poll's start to the next; 0 polls without a pause.
        poll_timeout: How long one poll waits at the server for a task. None: as the host says.
        domain: Take tasks of this domain only.
        worker_id: Who the server is told has the task. None: as the host says.
        concurrency: How many tasks run at once.
        register_task_def: Register the task's definition when the host starts.
        task_def: That definition; by default, one with the server's defaults.
        overwrite_task_def: Replace a definition that is there already.
        strict_schema: Refuse inputs that the function has no parameter for.
        lease_extend_enabled: Tell the server, while a task runs for long, that the worker is alive.
        task_log_level: What its function logs from this level on is added to the task's log. None: as the host says.
        paused: Do not poll. Only whoever deploys the worker says so: `CONDUCTOR_WORKER_ALL_PAUSED=true`.
    """

    poll_interval: float = 0.0
    poll_timeout: float | None = None
    domain: str | None = None
    worker_id: str | None = None
    concurrency: int = 1
    register_task_def: bool = False
    task_def: TaskDef | None = None
    overwrite_task_def: bool = True
    strict_schema: bool = False
    lease_extend_enabled: bool = True
    task_log_level: int | None = None
    paused: bool = False


class WorkerTask(Generic[P, Called, R_co]):
    """A function with what a `WorkerHost` needs to run it. Made by `@worker_task`.

    Calling it calls the function. `task(...)` makes the task that has a workflow call it.

    Attributes:
        task_definition_name: The task type that it works on.
        function: The function as it was written.
        options: How it is run.
        arguments: How a task's input becomes its arguments.
        is_async: Whether it runs on the event loop, or in a thread.
        returned: Gives the type that it returns, read from its annotation when it is first called.
    """

    def __init__(
        self,
        function: Callable[P, Called],
        task_definition_name: str,
        options: WorkerOptions,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        checked_name("task definition name", task_definition_name)
        if task_definition_name in _NOT_FOR_WORKERS:
            raise ConfigurationError(
                f"{task_definition_name!r} is a type of task the server runs itself: a worker would steal its tasks."
                " Use another name"
            )
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            raise ConfigurationError(
                f"worker {task_definition_name!r} is a generator: a worker returns its result once"
            )
        self.task_definition_name = task_definition_name
        self.function = function
        self.options = options
        self.arguments = Arguments(task_definition_name, function, strict=options.strict_schema, namespace=namespace)
        self.is_async = _is_async(function)
        self.returned = returned_type(task_definition_name, function, namespace)
        self._calls_itself_by_ref = "task_ref_name" in inspect.signature(function).parameters
        functools.update_wrapper(self, function, updated=())
        if self.is_async and sys.version_info >= (3, 12):
            inspect.markcoroutinefunction(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Called:
        """Calls the function. conductor-python's `worker(task_ref_name="ref", **inputs)` makes a task."""
        if "task_ref_name" in kwargs and not args and not self._calls_itself_by_ref:
            inputs: dict[str, Any] = dict(kwargs)
            return cast("Called", self._make_task(str(inputs.pop("task_ref_name")), inputs))
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<worker {self.task_definition_name!r}: {getattr(self.function, '__qualname__', self.function)!s}>"

    def task(
        self: WorkerTask[P, Called, ResultT | TaskInProgress], ref: str, /, *args: P.args, **kwargs: P.kwargs
    ) -> SimpleTask[ResultT]:
        """The task that has a workflow call this worker: `workflow >> greet.task("greet_ref", name="Ada")`.

        Args:
            ref: The task's reference name in the workflow.
            args: As for the function: values, or references to inputs and outputs.
            kwargs: As for the function. What is left out is the function's default when it runs.

        Raises:
            TypeError: An argument is missing, or there is no such parameter.
        """
        try:
            bound = self.arguments.signature().bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.task_definition_name}.task({ref!r}, …): {error}") from None
        inputs: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            inputs |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        return self._make_task(ref, inputs)

    def with_options(self, options: WorkerOptions) -> Self:
        """The same worker, run in another way: `greet.with_options(replace(greet.options, domain="eu"))`."""
        other = copy.copy(self)
        other.options = options
        other.arguments = self.arguments.with_strict(options.strict_schema)
        return other

    def task_def(self, **fields: Any) -> TaskDef:
        """The definition of its tasks: the one it was decorated with, and what can be read from the function.

        Names of inputs and outputs, and the first line of the docstring as the description, are filled in where that
        one does not say them.

        Args:
            fields: Fields of the `TaskDef`, which win: `greet.task_def(retry_count=5)`.

        Raises:
            TypeError: A `TaskDef` has no such field.
            ConfigurationError: An annotation of a parameter cannot be resolved.
        """
        return derived_definition(self, fields)

    def input_schema(self) -> JsonObject:
        """The JSON Schema of the input that it takes: one property for each parameter.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or has no JSON Schema.
        """
        return self.arguments.json_schema()

    def output_schema(self) -> JsonObject:
        """The JSON Schema of the output that its tasks have: of what it returns, or of `{"result": …}` around it.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or has no JSON Schema.
        """
        return output_schema(self.task_definition_name, self.returned())

    def _make_task(self, ref: str, inputs: dict[str, Any]) -> SimpleTask[Any]:
        task: SimpleTask[Any] = SimpleTask(self.task_definition_name, ref)
        task.input_parameters.update(inputs)
        task._returns = self.returned
        # Where a workflow is built, references to other fields than these are refused.
        object.__setattr__(task, "_output_fields", self._output_fields)
        return task

    @functools.cached_property
    def _output_fields(self) -> OutputFields | None:
        return output_fields(self.function, self.returned)


AnyWorker: TypeAlias = "WorkerTask[..., Any, Any]"


class WorkerDecorator(Protocol):
    """What `worker_task(...)` returns."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> WorkerTask[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> WorkerTask[P, R, R]: ...


def worker_task(
    task_definition_name: str | None = None,
    *,
    poll_interval: float | timedelta | None = None,
    poll_interval_millis: float | None = None,
    poll_timeout: float | timedelta | None = None,
    domain: str | None = None,
    worker_id: str | None = None,
    concurrency: int | None = None,
    thread_count: int | None = None,
    register_task_def: bool = False,
    task_def: TaskDef | None = None,
    overwrite_task_def: bool = True,
    strict_schema: bool = False,
    lease_extend_enabled: bool = True,
    task_log_level: int | str | None = None,
) -> WorkerDecorator:
    """Makes a function a worker: `@worker_task("greet")` above `async def greet(name: str) -> str`.

    An `async def` runs on the host's event loop, a `def` in a thread. Either stays callable as itself. Nothing is
    registered anywhere: give the worker to a `WorkerHost`. For a bound method, a partial or an object with `__call__`:
    `worker_task("greet")(greeter.greet)`.

    Args:
        task_definition_name: The task type to work on. By default, the function's name.
        poll_interval: Seconds (or a timedelta) at least from one idle poll to the next. By default polls follow each
            other, each waiting at the server for `poll_timeout`.
        poll_interval_millis: The same in milliseconds, for code written for conductor-python.
        poll_timeout: Seconds (or a timedelta), at most 5, that a poll waits at the server for a task. By default 5.
        domain: Take tasks of this domain only.
        worker_id: Who the server is told has the task. By default host name, process id and a random part.
        concurrency: How many of these tasks run at once. By default 1.
        thread_count: conductor-python's name for `concurrency`.
        register_task_def: Register the task's definition when the host starts.
        task_def: That definition; its name is filled in, and what `WorkerTask.task_def` reads from the function. By
            default, one with the server's defaults.
        overwrite_task_def: Replace a definition that is there already.
        strict_schema: Refuse inputs that the function has no parameter for.
        lease_extend_enabled: Tell the server, while a task runs for long, that the worker is alive.
        task_log_level: Add what the function logs with the standard library to the task's log, from this level on:
            `"INFO"`. By default, as the host says.

    Raises:
        ConfigurationError: A value cannot work, or the function cannot be called with names.
    """
    if task_definition_name is not None and not isinstance(task_definition_name, str):
        raise ConfigurationError(
            "write @worker_task() with parentheses: its first argument is the task definition's name"
        )
    options = WorkerOptions(
        poll_interval=_poll_interval(poll_interval, poll_interval_millis),
        poll_timeout=None if poll_timeout is None else checked_poll_timeout(poll_timeout),
        domain=domain or None,
        worker_id=worker_id or None,
        concurrency=_concurrency(concurrency, thread_count),
        register_task_def=register_task_def,
        task_def=task_def,
        overwrite_task_def=overwrite_task_def,
        strict_schema=strict_schema,
        lease_extend_enabled=lease_extend_enabled,
        task_log_level=checked_log_level(task_log_level),
    )
    caller = sys._getframe(1)  # the only way to find classes that are local to a function

    def decorate(function: Callable[..., Any], /) -> AnyWorker:
        if not callable(function):
            raise ConfigurationError(f"worker_task decorates a function, not {function!r}")
        if isinstance(function, WorkerTask):
            function = cast("AnyWorker", function).function
        name = task_definition_name or str(getattr(underlying(function), "__name__", ""))
        local = {} if caller.f_locals is caller.f_globals else _mentioned(function, caller.f_locals)
        return WorkerTask(function, name, options, local)

    return cast("WorkerDecorator", decorate)


def checked_poll_timeout(value: float | timedelta) -> float:
    """A poll's wait in seconds.

    Raises:
        ConfigurationError: It is more than the server allows.
    """
    number = seconds(value, "poll_timeout")
    if number > LONGEST_POLL:
        raise ConfigurationError(
            f"poll_timeout is {number:g}, and the server lets a poll wait for 5 seconds at the most. It is in seconds"
            f" here (conductor-python's was in milliseconds): did you mean {number / 1000:g}?"
        )
    return number


def _poll_interval(given: float | timedelta | None, millis: float | None) -> float:
    if given is not None and millis is not None:
        raise ConfigurationError("give poll_interval (seconds) or poll_interval_millis, not both")
    if millis is not None:
        return seconds(millis, "poll_interval_millis", positive=False) / 1000
    return 0.0 if given is None else seconds(given, "poll_interval", positive=False)


def _concurrency(concurrency: int | None, thread_count: int | None) -> int:
    if concurrency is not None and thread_count is not None and concurrency != thread_count:
        raise ConfigurationError("concurrency and thread_count are the same thing: give one")
    number = next((each for each in (concurrency, thread_count) if each is not None), 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ConfigurationError(f"concurrency must be a whole number of at least 1, not {number!r}")
    return number


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(type(function).__call__)


def _mentioned(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Of the names where the function was decorated, those that its annotations are written with."""
    annotations = getattr(underlying(function), "__annotations__", {})
    mentioned = set(re.findall(r"\w+", " ".join(each for each in annotations.values() if isinstance(each, str))))
    return {name: value for name, value in names.items() if name in mentioned}
