"""Tasks that process data inside the server: variables, scripts, queries."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from conductor_async.models import TaskType
from conductor_async.workflow.references import Reference, joined
from conductor_async.workflow.tasks.base import TaskInterface
from conductor_async.workflow.tasks.fields import field
from conductor_async.workflow.tasks.inputs import InputTask, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from dataclasses import KW_ONLY, InitVar

    from conductor_async.workflow.references import InputValue

__all__ = [
    "InlineTask",
    "JavascriptTask",
    "JdbcTask",
    "JsonJQTask",
    "LambdaTask",
    "NoopTask",
    "SetVariableTask",
    "StatementType",
]


class NoopTask(TaskInterface, task_type=TaskType.NOOP):
    """Does nothing."""

    task_reference_name: str  # without the alias that others have


class SetVariableTask(TaskInterface, task_type=TaskType.SET_VARIABLE):
    """Sets variables of the workflow, which `workflow.variables.x` reads from then on. Others keep their values.

    Args:
        variables: The variables to set; they are its input parameters.

    Further arguments: see `TaskInterface`.
    """

    variables: InitVar[Mapping[str, InputValue] | None] = None

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        self.input_parameters.update(given["variables"] or {})


class _ResultTask(InputTask):
    """A task whose output is one value, `result`."""

    @property
    def result(self) -> Reference:
        """The value of the script, or the rows of the query."""
        return self._reference("result")


class _ScriptTask(_ResultTask):
    """A script, and the values that it can read."""

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        self.input_parameters.update(given["bindings"] or {})


class InlineTask(_ScriptTask, task_type=TaskType.INLINE):
    """Runs a script in the server; `task.result` is its value.

    ```python
    add = InlineTask("add", "$.a + $.b", {"a": workflow.input.a, "b": workflow.input.b})
    ```

    The script reads its input as `$.name`, so it cannot contain `${…}`. It has 4 seconds, and no network or files.

    Args:
        script: An expression, or a function that is called: `(function () { … return x; })()`.
        bindings: The script's input; they are input parameters.
        evaluator_type: The script language: `graaljs`, `javascript` or `python`; `value-param` returns the input named.

    Further arguments: see `TaskInterface`.
    """

    evaluator_type: str = field(default="graaljs", kw_only=True)
    script: str = field(key="expression")
    bindings: InitVar[Mapping[str, InputValue] | None] = None


class JavascriptTask(InlineTask):
    """The same as `InlineTask`, but that a call of its output starts at the result, as in conductor-python.

    `task.output("total")` and `task.result.total` are the same; `task.output.error` is another key of the output.
    """

    @property
    def output(self) -> Reference:
        """`task.output("x")` is x of the result, `task.output()` the result; `task.output.x` is x of the output."""
        return _Result(f"{self.task_reference_name}.output")


class _Result(Reference):
    __slots__ = ()

    def __call__(self, json_path: str | None = None) -> Any:
        return Reference(joined(f"{self._path}.result", json_path))


class LambdaTask(_ScriptTask, task_type=TaskType.LAMBDA):
    """The predecessor of `InlineTask`, for existing definitions.

    Args:
        script: The body of a function: `return $.a + $.b`.
        bindings: The script's input; they are input parameters.

    Further arguments: see `TaskInterface`.
    """

    script: str = field(key="scriptExpression")
    bindings: InitVar[Mapping[str, InputValue] | None] = None


class JsonJQTask(_ScriptTask, task_type=TaskType.JSON_JQ_TRANSFORM):
    """Runs a jq query over its input parameters; `task.result` is its first value, `task.result_list` are all.

    The server's jq lacks `now`, `input`, `env` and `getpath`.

    Args:
        script: The query. `.` is the object of all input parameters: `.orders | length`.
        bindings: The query's input; they are input parameters.

    Further arguments: see `TaskInterface`.
    """

    script: str = field(key="queryExpression")
    bindings: InitVar[Mapping[str, InputValue] | None] = None

    @property
    def result_list(self) -> Reference:
        """All values of the query."""
        return self._reference("resultList")


class StatementType(StrEnum):
    """What a `JdbcTask` does: read rows, or change them."""

    SELECT = "SELECT"
    UPDATE = "UPDATE"


class JdbcTask(_ResultTask, task_type="JDBC"):
    """Runs an SQL statement on a database that the server is configured for; `task.result` are the rows of a SELECT.

    Args:
        connection_id: The name of the database in the server's configuration.
        statement: The statement, with `?` for its parameters.
        parameters: Their values.
        type: SELECT; UPDATE for everything that changes rows.
        expected_update_count: Rolls back and fails if it changes another number of rows.
        integration_name: The name of an integration instead of `connection_id` (Orkes).
        schema_name: The name of a schema.

    Further arguments: see `TaskInterface`.
    """

    connection_id: Text | None
    statement: Text
    parameters: Sequence[InputValue] | Text | None = None
    type: StatementType | Text = StatementType.SELECT
    _: KW_ONLY
    expected_update_count: Number | None = None
    integration_name: Text | None = None
    schema_name: Text | None = None

    @property
    def update_count(self) -> Reference:
        """How many rows an UPDATE changed."""
        return self._reference("update_count")
