"""Tasks that start other workflows: SUB_WORKFLOW waits for the end of its workflow, START_WORKFLOW does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.definitions.conversion import unreadable
from conductor_async.engine.definitions.defaults import with_start_request_defaults, with_workflow_defaults
from conductor_async.engine.errors import EngineError, Refused, WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.json_kinds import is_object
from conductor_async.engine.rows.executions import new_execution
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.rows.kind import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.definition import Definition
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["StartWorkflowKind", "SubWorkflowKind"]

_MAX_PRIORITY = 99
_NO_NAME = 'Cannot invoke "Object.toString()" because the return value of "java.util.Map.get(Object)" is null'
_REQUEST = "com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest"
_TASK_STATUS = {
    "RUNNING": "IN_PROGRESS",
    "PAUSED": "IN_PROGRESS",
    "COMPLETED": "COMPLETED",
    "FAILED": "FAILED",
    "TERMINATED": "CANCELED",
    "TIMED_OUT": "TIMED_OUT",
}


class SubWorkflowKind(TaskKind):
    """Runs a workflow as a task. When the task is cancelled, `decider.ending` terminates the workflow."""

    type = "SUB_WORKFLOW"
    is_async = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row. The workflow is started after the decision.

        Raises:
            WorkflowHalted: There is no such workflow.
            Refused: The workflow has no name, which on the server fails the request too.
        """
        params = factory.spec.wire.get("subWorkflowParam")
        if params is None:
            msg = (
                f"Task {factory.spec.name} is defined as sub-workflow and is missing subWorkflowParams. "
                "Please check the workflow definition"
            )
            raise WorkflowHalted(msg)
        values = _resolved(factory, params)
        if values.get("name") is None:
            raise Refused(_NO_NAME)
        definition = values.get("workflowDefinition")
        domains = values.get("taskToDomain")
        priority = params.get("priority")
        row = factory.new_row(
            "SCHEDULED",
            input=hash_ordered(
                {
                    "subWorkflowName": as_java_string(values.get("name")),
                    "priority": values.get("priority"),
                    "subWorkflowVersion": None if definition is not None else _version(factory, values),
                    "subWorkflowTaskToDomain": domains if is_object(domains) else None,
                    "subWorkflowDefinition": definition,
                    "idempotencyKey": values.get("idempotencyKey"),
                    "idempotencyStrategy": values.get("idempotencyStrategy"),
                    "workflowInput": factory.input(),
                }
            ),
            callback_after=factory.spec.start_delay,
        )
        if isinstance(priority, int) and not isinstance(priority, bool):
            row.priority = priority
        return [row]

    def is_async_complete(self, row: TaskRow) -> bool:
        """Returns True: the sub-workflow completes the task."""
        return True

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Starts the sub-workflow, to be decided later.

        Its id follows from the task's, as on the server: a start that is repeated finds the execution of the first.
        """
        values = row.input
        if "subWorkflowName" not in values:
            return  # made by a DYNAMIC task: the server tries to start it for ever
        try:
            definition = _definition(core, values)
            child_input = _child_input(values, dynamic=values.get("subWorkflowDefinition") is not None)
            domains = values.get("subWorkflowTaskToDomain")
            child_id = core.ids.of_child(row.workflow_id, row.task_id, row.retry_count)
            child = core.store.executions.get(child_id)
            if child is None or (child.is_terminal and child.status != "COMPLETED"):
                child = new_execution(
                    core,
                    definition,
                    child_input,
                    workflow_id=child_id if child is None else None,
                    correlation_id=execution.correlation_id,
                    priority=_priority(values.get("priority")),
                    task_to_domain=domains if is_object(domains) else execution.task_to_domain,
                    parent_workflow_id=row.workflow_id,
                    parent_task_id=row.task_id,
                )
                core.decide_later(child.workflow_id)
        except EngineError as error:
            row.status = "FAILED"
            row.reason = error.message
            return
        row.reason = None
        row.sub_workflow_id = child.workflow_id
        row.output = {**row.output, "subWorkflowId": child.workflow_id}
        _copy_outcome(child, row)

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Copies status and output of the sub-workflow, if it has ended."""
        child = core.store.sub_workflow(row)
        if child is None or not child.is_terminal:
            return False
        _copy_outcome(child, row)
        return True


def _resolved(factory: RowFactory, params: JsonObject) -> JsonObject:
    """Returns the parameters evaluated. An inline definition is left as it is: its expressions belong to the child."""
    given = {key: value for key, value in params.items() if key != "workflowDefinition"}
    definition = params.get("workflowDefinition")
    if isinstance(definition, str):
        given["workflowDefinition"] = definition
    values = evaluate(factory.core, factory.execution, given)
    if definition is not None and not isinstance(definition, str):
        values["workflowDefinition"] = definition
    return values


def _version(factory: RowFactory, values: JsonObject) -> int:
    version = values.get("version")
    if version is not None:
        return int(version)
    latest = factory.core.metadata.find_workflow(as_java_string(values.get("name")), None)
    if latest is None:
        msg = f"The Task {values.get('name')} defined as a sub-workflow has no workflow definition available "
        raise WorkflowHalted(msg)
    found: int = latest["version"]
    return found


def _definition(core: Core, values: JsonObject) -> Definition:
    given = values.get("subWorkflowDefinition")
    if given is not None:
        return core.metadata.populated(with_workflow_defaults(given))
    version = values.get("subWorkflowVersion")
    return core.metadata.snapshot(values["subWorkflowName"], int(version) if version else None)


def _child_input(values: JsonObject, *, dynamic: bool) -> JsonObject:
    """Returns the input of the sub-workflow. As on the server, the whole task input takes the place of an empty one."""
    given = values.get("workflowInput")
    child_input: JsonObject = given if is_object(given) and given else values
    if not dynamic:
        return child_input
    metadata = child_input.get("_systemMetadata")
    return {**child_input, "_systemMetadata": {**(metadata if is_object(metadata) else {}), "dynamic": True}}


def _priority(value: JsonValue) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _copy_outcome(child: Execution, row: TaskRow) -> None:
    row.status = _TASK_STATUS[child.status]
    if child.is_terminal:
        row.output = {**row.output, **child.output, "subWorkflowId": child.workflow_id}
        if child.status != "COMPLETED":
            row.reason = f"Sub workflow {child.short_name} failure reason: {child.reason or 'null'}"


class StartWorkflowKind(TaskKind):
    """Starts a workflow without waiting for it."""

    type = "START_WORKFLOW"
    is_async = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one scheduled row."""
        return [factory.new_row("SCHEDULED", input=factory.input(), callback_after=factory.spec.start_delay)]

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Starts the workflow, to be decided later."""
        given = row.input.get("startWorkflow")
        if given is None:
            row.status = "FAILED"
            row.reason = "Missing 'startWorkflow' in input data."
            return
        if not is_object(given):
            row.status = "FAILED"
            row.reason = f"Error reading StartWorkflowRequest. {unreadable(given, _REQUEST).message}"
            return
        try:
            request = with_start_request_defaults(given)
            problems = _problems(request)
            if problems:
                row.status = "FAILED"
                row.reason = f"startWorkflow validation failed. {problems}"
                return
            row.output = {**row.output, "workflowId": _start(core, execution, request)}
            row.status = "COMPLETED"
        except EngineError as error:
            row.status = "FAILED"
            row.reason = error.message


def _problems(request: JsonObject) -> str:
    """Returns the violations of a start request, in the server's words; empty if there are none."""
    problems: list[str] = []
    if request.get("name") is None:
        problems.append("'name' -> Workflow name cannot be null or empty. ")
    priority = request["priority"]
    if not 0 <= priority <= _MAX_PRIORITY:
        bound = "minimum 0" if priority < 0 else f"maximum {_MAX_PRIORITY}"
        problems.append(f"'priority' -> priority: {priority} should be {bound}. ")
    return "".join(problems)


def _start(core: Core, execution: Execution, request: JsonObject) -> str:
    given = request.get("workflowDef")
    if given is not None:
        definition = core.metadata.populated(given)
    elif not request["name"].strip():
        msg = "Workflow name must be specified when searching for a definition"
        raise Refused(msg)
    else:
        definition = core.metadata.snapshot(request["name"], request.get("version"))
    correlation_id = request.get("correlationId")
    started = new_execution(
        core,
        definition,
        request.get("input"),
        correlation_id=correlation_id if correlation_id and correlation_id.strip() else execution.correlation_id,
        priority=request["priority"],
        task_to_domain=request["taskToDomain"] or execution.task_to_domain,
        created_by=request.get("createdBy"),
    )
    core.decide_later(started.workflow_id)
    return started.workflow_id
