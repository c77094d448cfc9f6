"""Tasks that work on data inside the server: variables, scripts, queries."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference, joined
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.inputs import InputField, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class SetVariableTask(TaskInterface, task_type=TaskType.SET_VARIABLE):
    """Sets variables of the workflow, which `workflow.variables.x` reads from then on. Others keep their values.

    Args:
        task_ref_name: The name of this place in the workflow.
        variables: The variables to set; they are its input parameters.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(
        self,
        task_ref_name: str,
        variables: Mapping[str, InputValue] | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.input_parameters.update(variables or {})


class _WithResult(TaskInterface):
    @property
    def result(self) -> Reference:
        """What it has worked out."""
        return Reference(f"{self.task_reference_name}.output.result")


class InlineTask(_WithResult, task_type=TaskType.INLINE):
    """Runs a script in the server; `task.result` is its value.

    ```python
    add = InlineTask("add", "$.a + $.b", {"a": workflow.input.a, "b": workflow.input.b})
    ```

    The script reads its input as `$.name`: it cannot have `${…}` in it. It has 4 seconds, and no access to the world.

    Args:
        task_ref_name: The name of this place in the workflow.
        script: An expression, or a function that is called: `(function () { … return x; })()`.
        bindings: What it reads; they are input parameters.
        evaluator_type: The kind of script: `graaljs`, `javascript` or `python`; `value-param` gives the input named.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    script: InputField[str] = InputField("expression")
    evaluator_type: InputField[str] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        script: str,
        bindings: Mapping[str, InputValue] | None = None,
        *,
        evaluator_type: str = "graaljs",
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.evaluator_type = evaluator_type
        self.script = script
        self.input_parameters.update(bindings or {})


class JavascriptTask(InlineTask):
    """The same as `InlineTask`, but that a call of its output starts at the result, as in conductor-python.

    `task.output("total")` and `task.result.total` are the same; `task.output.error` is what else it gives.
    """

    @property
    def output(self) -> Reference:
        """`task.output("x")` is x of the result, `task.output()` the result; `task.output.x` is x of the output."""
        return _Result(f"{self.task_reference_name}.output")


class _Result(Reference):
    __slots__ = ()

    def __call__(self, json_path: str | None = None) -> Any:
        return Reference(joined(f"{self._path}.result", json_path))


class LambdaTask(_WithResult, task_type=TaskType.LAMBDA):
    """The predecessor of `InlineTask`, for definitions that have it.

    Args:
        task_ref_name: The name of this place in the workflow.
        script: The body of a function: `return $.a + $.b`.
        bindings: What it reads; they are input parameters.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    script: InputField[str] = InputField("scriptExpression")

    def __init__(
        self,
        task_ref_name: str,
        script: str,
        bindings: Mapping[str, InputValue] | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.script = script
        self.input_parameters.update(bindings or {})


class JsonJQTask(_WithResult, task_type=TaskType.JSON_JQ_TRANSFORM):
    """Runs a jq query over its input parameters; `task.result` is the first thing it gives, `result_list` are all.

    The server's jq knows no `now`, `input`, `env` and `getpath`.

    Args:
        task_ref_name: The name of this place in the workflow.
        script: The query. `.` is all of the input parameters: `.orders | length`.
        bindings: What it reads; they are input parameters.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    script: InputField[str] = InputField("queryExpression")

    def __init__(
        self,
        task_ref_name: str,
        script: str,
        bindings: Mapping[str, InputValue] | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.script = script
        self.input_parameters.update(bindings or {})

    @property
    def result_list(self) -> Reference:
        """All that the query gives."""
        return Reference(f"{self.task_reference_name}.output.resultList")


class StatementType(StrEnum):
    """What a `JdbcTask` does: read rows, or change them."""

    SELECT = "SELECT"
    UPDATE = "UPDATE"


class JdbcTask(_WithResult, task_type="JDBC"):
    """Runs an SQL statement on a database that the server is configured for; `task.result` are the rows of a SELECT.

    Args:
        task_ref_name: The name of this place in the workflow.
        connection_id: The name of the database in the server's configuration.
        statement: The statement, with `?` for its parameters.
        parameters: Their values.
        type: SELECT; UPDATE for all that changes rows.
        expected_update_count: Roll back and fail if it changes another number of rows.
        integration_name: The name of an integration instead of `connection_id` (Orkes).
        schema_name: The name of a schema.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    connection_id: InputField[Text] = InputField()
    statement: InputField[Text] = InputField()
    parameters: InputField[Sequence[InputValue] | Text] = InputField()
    type: InputField[StatementType | Text] = InputField()
    expected_update_count: InputField[Number] = InputField()
    integration_name: InputField[Text] = InputField()
    schema_name: InputField[Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        connection_id: Text | None,
        statement: Text,
        parameters: Sequence[InputValue] | Text | None = None,
        type: StatementType | Text = StatementType.SELECT,  # noqa: A002 - the server's word
        *,
        expected_update_count: Number | None = None,
        integration_name: Text | None = None,
        schema_name: Text | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.connection_id = connection_id
        self.integration_name = integration_name
        self.type = type
        self.statement = statement
        self.parameters = parameters
        self.expected_update_count = expected_update_count
        self.schema_name = schema_name

    @property
    def update_count(self) -> Reference:
        """How many rows an UPDATE has changed."""
        return Reference(f"{self.task_reference_name}.output.update_count")
