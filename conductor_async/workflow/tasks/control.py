"""Tasks that decide what runs next: switches, and the early end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import TaskType, WorkflowStatus
from conductor_async.workflow.references import Reference, plain
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.inputs import InputField, Text
from conductor_async.workflow.tasks.sequences import Composable, TaskSequence, definitions_of, sequence_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.workflow.references import InputValue

__all__ = ["DecisionTask", "SwitchTask", "TerminateTask"]

_CASE_KEY = "switchCaseValue"


class _Cases(TaskInterface):
    """What SWITCH and its predecessor have in common: cases, of which one runs."""

    case_expression: Text
    decision_cases: dict[str, TaskSequence]
    default_tasks: TaskSequence

    def __init__(self, task_ref_name: str, case_expression: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, **options)
        self.case_expression = case_expression
        self.decision_cases = {}
        self.default_tasks = TaskSequence()

    def case(self, case_name: str | float | bool, tasks: Composable) -> Self:
        """Adds what runs if the value is `case_name`: a task, `a >> b` or a list of steps; returns the task.

        Values are compared as the server writes them: True is `true`, 1.0 is `1.0`. An empty list does nothing.

        Raises:
            WorkflowDefinitionError: There is such a case already.
        """
        name = str(case_name).lower() if isinstance(case_name, bool) else str(case_name)
        if name in self.decision_cases:
            raise WorkflowDefinitionError(
                f"{self!r} has a case {name!r} already.", problems=[f"decisionCases[{name!r}]: given twice"]
            )
        self.decision_cases[name] = sequence_of(tasks)
        return self

    def default(self, tasks: Composable) -> Self:
        """Sets what runs if no case has the value; returns the task. Without it the workflow goes on."""
        self.default_tasks = sequence_of(tasks)
        return self

    def switch_case(self, case_name: str, tasks: Composable) -> Self:
        """The same as `case`, under the name that conductor-python has for it."""
        return self.case(case_name, tasks)

    def default_case(self, tasks: Composable) -> Self:
        """The same as `default`, under the name that conductor-python has for it."""
        return self.default(tasks)

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "decision_cases": {name: definitions_of(list(tasks)) for name, tasks in self.decision_cases.items()},
            "default_case": definitions_of(list(self.default_tasks)) if len(self.default_tasks) else None,
        }

    def _input_with_case(self) -> Mapping[str, Any]:
        return {**plain(self.input_parameters), _CASE_KEY: plain(self.case_expression)}


class SwitchTask(_Cases, task_type=TaskType.SWITCH):
    """Runs one of several cases, by a value or by a script.

    ```python
    switch = SwitchTask("route", workflow.input.country).case("US", [tax, ship]).case("DE", vat).default(refuse)
    switch = SwitchTask("size", "$.n > 9 ? 'large' : 'small'", use_javascript=True, input_parameters={"n": 12})
    ```

    Args:
        task_ref_name: The name of this place in the workflow.
        case_expression: What decides: a value, usually an expression, or a script that reads the input as `$.name`.
        use_javascript: Whether it is a script.
        evaluator_type: The kind of script (`graaljs`, `javascript`, `python`) or `value-param`, if you want to say.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    use_javascript: bool
    evaluator_type: str | None

    def __init__(
        self,
        task_ref_name: str,
        case_expression: Text,
        use_javascript: bool = False,
        *,
        evaluator_type: str | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, case_expression, **options)
        self.use_javascript = use_javascript
        self.evaluator_type = evaluator_type

    @property
    def selected_case(self) -> Reference:
        """The value that it has found, as text."""
        return Reference(f"{self.task_reference_name}.output.selectedCase")

    def _own_fields(self) -> Mapping[str, Any]:
        evaluator = self.evaluator_type or ("graaljs" if self.use_javascript else "value-param")
        fields = {**super()._own_fields(), "evaluator_type": evaluator}
        if evaluator == "value-param":
            return {**fields, "expression": _CASE_KEY, "input_parameters": self._input_with_case()}
        return {**fields, "expression": plain(self.case_expression)}


class DecisionTask(_Cases, task_type=TaskType.DECISION):
    """The predecessor of `SwitchTask`, for definitions that have it. Unlike there, an empty case runs the default.

    Args:
        task_ref_name: The name of this place in the workflow.
        case_expression: What decides: a value, usually an expression, or a script that reads the input as `$.name`.
        use_javascript: Whether it is a script.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    use_javascript: bool

    def __init__(
        self,
        task_ref_name: str,
        case_expression: Text,
        use_javascript: bool = False,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, case_expression, **options)
        self.use_javascript = use_javascript

    @property
    def selected_case(self) -> Reference:
        """The value that it has found, as text."""
        return Reference(f"{self.task_reference_name}.output.caseOutput[0]")

    def _own_fields(self) -> Mapping[str, Any]:
        if self.use_javascript:
            return {**super()._own_fields(), "case_expression": plain(self.case_expression)}
        return {**super()._own_fields(), "case_value_param": _CASE_KEY, "input_parameters": self._input_with_case()}


class TerminateTask(TaskInterface, task_type=TaskType.TERMINATE):
    """Ends the workflow at once; what still runs is cancelled.

    Args:
        task_ref_name: The name of this place in the workflow.
        status: How it ends: COMPLETED, FAILED or TERMINATED.
        termination_reason: Why; it becomes the workflow's `reason_for_incompletion`, of a completed one too.
        workflow_output: The workflow's output, instead of its output parameters: a dict, or an expression. What is no
            dict goes as `output`.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    termination_reason: InputField[Text] = InputField()
    workflow_output: InputField[InputValue] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        status: WorkflowStatus | str,
        termination_reason: Text | None = None,
        workflow_output: InputValue = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.status = status
        self.termination_reason = termination_reason
        self.workflow_output = workflow_output

    @property
    def status(self) -> str:
        """How the workflow ends."""
        return str(self.input_parameters["terminationStatus"])

    @status.setter
    def status(self, status: WorkflowStatus | str) -> None:
        if str(status) not in _ENDS:
            raise WorkflowDefinitionError(
                f"{self!r} ends a workflow as one of {', '.join(_ENDS)}, not as {status}.",
                problems=[f"inputParameters.terminationStatus: {status}"],
            )
        self.input_parameters["terminationStatus"] = str(status)


_ENDS = (str(WorkflowStatus.COMPLETED), str(WorkflowStatus.FAILED), str(WorkflowStatus.TERMINATED))
