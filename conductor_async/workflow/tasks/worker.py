"""Tasks that workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Unpack, cast, get_args

from typing_extensions import TypeVar

from conductor_async.models import TaskType
from conductor_async.workflow._typed_references import reference_to_result
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from conductor_async.workflow.tasks.inputs import Text

__all__ = ["DynamicTask", "SimpleTask", "UserDefinedTask"]

R_co = TypeVar("R_co", covariant=True, default=Any)


class SimpleTask(TaskInterface, Generic[R_co], task_type=TaskType.SIMPLE):
    """A task that a worker runs: whoever polls for `task_def_name`.

    `SimpleTask[R]` is the task of a worker function that returns R: `greet.task(…)` makes one, and
    `SimpleTask[R]("greet")` declares R for a worker that is defined elsewhere.

    Args:
        task_def_name: The name of the task's definition, which is the type that workers poll for.
        task_reference_name: The task's reference name, unique in the workflow. Default: the name of its definition.
        options: See `TaskInterface`.
    """

    def __init__(
        self, task_def_name: str, task_reference_name: str | None = None, **options: Unpack[TaskOptions]
    ) -> None:
        if "name" in options:
            raise TypeError("The name of a SimpleTask is its task_def_name.")
        super().__init__(task_reference_name or task_def_name, **options)
        self.name = task_def_name

    @property
    def task_def_name(self) -> str:
        """The name of the task definition."""
        return self.name

    _untracked = frozenset({"_return_type", "_output_fields"})
    _return_type: Callable[[], Any] | None = None
    _output_fields: Mapping[str, Any] | None = None

    def declare_output(self, return_type: Callable[[], Any], fields: Mapping[str, Any] | None) -> Self:
        """Declares what the worker returns, as `WorkerTask.task` does for a worker function; returns the task.

        Args:
            return_type: Returns the type. It is called late, because annotations may name what is defined later.
            fields: All fields of the output, each with its own fields or None; None if the output may have others.
        """
        self._return_type = return_type
        self._output_fields = fields
        return self

    @property
    def output_fields(self) -> Mapping[str, Any] | None:
        """All fields of the output, if they are known. A reference to another field is an error of the definition."""
        return self._output_fields

    @property
    def result(self) -> R_co:
        """What the worker returns: a value of type R to type checkers, a reference to it at run time.

        `price.result.total` is `${price.output.total}` for a worker that returns a model, a dataclass or a dict, and
        `double.result` is `${double.output.result}` for one that returns an int. A field that R does not have is an
        error, for type checkers and at run time. `task.output` has no types.

        Raises:
            ConfigurationError: The worker's return type is not known, or does not determine where the result is.
            AttributeError: There is no such field.
        """
        if self._return_type is not None:
            kind = self._return_type()
        else:  # `SimpleTask[Order](…)` leaves a trace of its parameter
            kind = next(iter(get_args(getattr(self, "__orig_class__", None))), Any)
        return cast("R_co", reference_to_result(self.task_reference_name, kind))


class DynamicTask(TaskInterface, task_type=TaskType.DYNAMIC):
    """A task whose name is known only when it runs: a worker's task, or a type of the server such as `HTTP`.

    Args:
        dynamic_task: The name of the task to run, usually an expression: `workflow.input.what`.
        task_reference_name: The task's reference name, unique in the workflow.
        dynamic_task_param: The input parameter in which the name is passed on.
        options: See `TaskInterface`.
    """

    dynamic_task_param: str

    def __init__(
        self,
        dynamic_task: Text,
        task_reference_name: str,
        dynamic_task_param: str = "taskToExecute",
        **options: Unpack[TaskOptions],
    ) -> None:
        options.setdefault("name", "dynamic_task")
        super().__init__(task_reference_name, **options)
        self.dynamic_task_param = dynamic_task_param
        self.dynamic_task = dynamic_task

    @property
    def dynamic_task(self) -> Text | None:
        """The name of the task to run."""
        return self.input_parameters.get(self.dynamic_task_param)

    @dynamic_task.setter
    def dynamic_task(self, dynamic_task: Text) -> None:
        self.input_parameters[self.dynamic_task_param] = dynamic_task

    def _own_fields(self) -> Mapping[str, Any]:
        return {"dynamic_task_name_param": self.dynamic_task_param}


class UserDefinedTask(TaskInterface, task_type=TaskType.USER_DEFINED):
    """A task of any type: of a server's plug-in, or a new one that has no class here yet.

    A type that the server does not know waits for a worker that polls for the type, not for the name.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        task_type: The type, as the server knows it.
        options: See `TaskInterface`.
    """

    def __init__(
        self, task_ref_name: str, task_type: str = TaskType.USER_DEFINED, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.task_type = task_type

    @property
    def task_type(self) -> str:
        """The type, as the server knows it."""
        return self._own_type

    @task_type.setter
    def task_type(self, task_type: str) -> None:
        self._own_type = str(task_type)

    def _own_fields(self) -> Mapping[str, Any]:
        return {"type": self._own_type}
