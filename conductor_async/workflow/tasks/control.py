"""Tasks that choose what runs next: switches, and termination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import TaskType, WorkflowStatus
from conductor_async.workflow.references import Reference, plain
from conductor_async.workflow.tasks._sequences import definitions_of, sequence_of
from conductor_async.workflow.tasks.base import Composable, TaskInterface, TaskSequence
from conductor_async.workflow.tasks.fields import Converted, field
from conductor_async.workflow.tasks.inputs import InputTask, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import KW_ONLY

    from conductor_async.workflow.references import InputValue

__all__ = ["DecisionTask", "SwitchTask", "TerminateTask"]

_CASE_KEY = "switchCaseValue"


class _Cases(TaskInterface):
    """A task with cases, of which one runs."""

    case_expression: Text
    use_javascript: bool = False
    decision_cases: dict[str, TaskSequence] = field(init=False)
    default_tasks: TaskSequence = field(init=False)

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        self.decision_cases = {}
        self.default_tasks = TaskSequence()

    def case(self, case_name: str | float | bool, tasks: Composable) -> Self:
        """Adds the tasks that run if the value is `case_name`: a task, `a >> b` or a list of steps; returns the task.

        Values are compared as the server prints them: True is `true`, 1.0 is `1.0`. An empty list does nothing.

        Raises:
            WorkflowDefinitionError: The case exists already.
        """
        name = str(case_name).lower() if isinstance(case_name, bool) else str(case_name)
        if name in self.decision_cases:
            raise WorkflowDefinitionError(
                f"{self!r} has a case {name!r} already.", problems=[f"decisionCases[{name!r}]: given twice"]
            )
        self.decision_cases[name] = sequence_of(tasks)
        return self

    def default(self, tasks: Composable) -> Self:
        """Sets the tasks that run if no case matches; returns the task. Without them the workflow goes on."""
        self.default_tasks = sequence_of(tasks)
        return self

    def switch_case(self, case_name: str, tasks: Composable) -> Self:
        """The same as `case`, under conductor-python's name."""
        return self.case(case_name, tasks)

    def default_case(self, tasks: Composable) -> Self:
        """The same as `default`, under conductor-python's name."""
        return self.default(tasks)

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "decision_cases": {name: definitions_of(list(tasks)) for name, tasks in self.decision_cases.items()},
            "default_case": definitions_of(list(self.default_tasks)) if len(self.default_tasks) else None,
        }

    def _input_with_case(self) -> Mapping[str, Any]:
        return {**plain(self.input_parameters), _CASE_KEY: plain(self.case_expression)}


class SwitchTask(_Cases, task_type=TaskType.SWITCH):
    """Runs one of several cases, chosen by a value or by a script.

    ```python
    switch = SwitchTask("route", workflow.input.country).case("US", [tax, ship]).case("DE", vat).default(refuse)
    switch = SwitchTask("size", "$.n > 9 ? 'large' : 'small'", use_javascript=True, input_parameters={"n": 12})
    ```

    Args:
        case_expression: A value, usually an expression, or a script that reads the input as `$.name`.
        use_javascript: Whether it is a script.
        evaluator_type: The script language (`graaljs`, `javascript`, `python`) or `value-param`, instead of the
            default for `use_javascript`.

    Further arguments: see `TaskInterface`.
    """

    _: KW_ONLY
    evaluator_type: str | None = None

    @property
    def selected_case(self) -> Reference:
        """The value that was compared, as text."""
        return self._reference("selectedCase")

    def _own_fields(self) -> Mapping[str, Any]:
        evaluator = self.evaluator_type or ("graaljs" if self.use_javascript else "value-param")
        fields = {**super()._own_fields(), "evaluator_type": evaluator}
        if evaluator == "value-param":
            return {**fields, "expression": _CASE_KEY, "input_parameters": self._input_with_case()}
        return {**fields, "expression": plain(self.case_expression)}


class DecisionTask(_Cases, task_type=TaskType.DECISION):
    """The predecessor of `SwitchTask`, for existing definitions. Here an empty case runs the default.

    Args:
        case_expression: A value, usually an expression, or a script that reads the input as `$.name`.
        use_javascript: Whether it is a script.

    Further arguments: see `TaskInterface`.
    """

    @property
    def selected_case(self) -> Reference:
        """The value that was compared, as text."""
        return self._reference("caseOutput[0]")

    def _own_fields(self) -> Mapping[str, Any]:
        if self.use_javascript:
            return {**super()._own_fields(), "case_expression": plain(self.case_expression)}
        return {**super()._own_fields(), "case_value_param": _CASE_KEY, "input_parameters": self._input_with_case()}


def _end_status(status: WorkflowStatus | str) -> str:
    if str(status) not in _END_STATUSES:
        raise WorkflowDefinitionError(
            f"A TerminateTask ends a workflow as one of {', '.join(_END_STATUSES)}, not as {status}.",
            problems=[f"inputParameters.terminationStatus: {status}"],
        )
    return str(status)


_END_STATUSES = (str(WorkflowStatus.COMPLETED), str(WorkflowStatus.FAILED), str(WorkflowStatus.TERMINATED))


class TerminateTask(InputTask, task_type=TaskType.TERMINATE):
    """Ends the workflow at once; tasks that still run are cancelled.

    Args:
        status: How the workflow ends: COMPLETED, FAILED or TERMINATED.
        termination_reason: Becomes the workflow's `reason_for_incompletion`, of a completed one too.
        workflow_output: The workflow's output, instead of its output parameters: a dict, or an expression. Anything
            but a dict is sent as `output`.

    Further arguments: see `TaskInterface`.
    """

    status: Converted[WorkflowStatus | str, str] = field(key="terminationStatus", convert=_end_status)
    termination_reason: Text | None = None
    workflow_output: InputValue = None
