"""Commands on executions: start, query, control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.core import Work
from conductor_async.engine.decider.ending import terminate_by_hand
from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.definitions.checks import refuse_null_lists
from conductor_async.engine.definitions.defaults import with_start_request_defaults
from conductor_async.engine.definitions.requests import read_rerun_request, read_test_request
from conductor_async.engine.errors import Conflict, Invalid, NotFound
from conductor_async.engine.executions import control, mocked_runs, rerun
from conductor_async.engine.executions.start_checks import check_priority, check_start_request
from conductor_async.engine.executions.starting import start
from conductor_async.engine.rows.rendering import execution_to_wire, iso_time, task_to_wire
from conductor_async.engine.views.summaries import execution_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["WorkflowCommands"]


class WorkflowCommands(Commands):
    """Commands on executions: start, query, control."""

    # -- start ---------------------------------------------------------------------------------------

    @command
    def start(self, request: JsonObject) -> str:
        """Starts an execution by a StartWorkflowRequest. Returns its id."""
        wire = with_start_request_defaults(request)
        refuse_null_lists(request.get("workflowDef"))
        check_start_request(self.core, wire)
        return start(self.core, wire)

    @command
    def start_by_name(
        self,
        name: str,
        workflow_input: JsonObject,
        *,
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int = 0,
    ) -> str:
        """Starts an execution by name. Returns its id."""
        check_priority(priority)
        if self.core.metadata.find_workflow(name, version) is None:
            msg = f"No such workflow found by name: {name}, version: {'null' if version is None else version}"
            raise NotFound(msg)
        request = {"name": name, "version": version, "input": workflow_input, "correlationId": correlation_id}
        return start(self.core, with_start_request_defaults({**request, "priority": priority}))

    # -- query ---------------------------------------------------------------------------------------

    @command
    def get(self, workflow_id: str, include_tasks: bool = True) -> JsonObject:
        """Returns an execution."""
        execution = self.core.store.execution(workflow_id)
        return execution_to_wire(execution, include_tasks=include_tasks, now=self.core.now())

    @command
    def get_status(self, workflow_id: str, include_output: bool = False, include_variables: bool = False) -> JsonObject:
        """Returns id, correlation id and status of an execution; on request output and variables."""
        execution = self.core.store.execution(workflow_id)
        state: JsonObject = {"workflowId": workflow_id}
        if execution.correlation_id is not None:
            state["correlationId"] = execution.correlation_id
        if include_output:
            state["output"] = execution.output
        if include_variables:
            state["variables"] = execution.variables
        return {**state, "status": execution.status}

    @command
    def get_tasks(self, workflow_id: str, *, start: int = 0, count: int = 15, status: Sequence[str] = ()) -> JsonObject:
        """Returns a page of an execution's tasks: a SearchResult."""
        rows = [row for row in self.core.store.execution(workflow_id).tasks if not status or row.status in status]
        page = rows[start : start + count]
        return {"totalHits": len(rows), "results": [task_to_wire(row, self.core.now()) for row in page]}

    @command
    def get_running(
        self, name: str, *, version: int = 1, start_time: int | None = None, end_time: int | None = None
    ) -> list[str]:
        """Returns the ids of running executions, or of all that started between two times (epoch milliseconds)."""
        executions = [found for found in self.core.store.named(name) if found.definition.version == version]
        if start_time and end_time:
            return [found.workflow_id for found in executions if start_time <= found.create_time <= end_time]
        return [found.workflow_id for found in executions if not found.is_terminal]

    @command
    def get_by_correlation_id(
        self, name: str, correlation_id: str, *, include_closed: bool = False, include_tasks: bool = False
    ) -> list[JsonObject]:
        """Returns the executions of a workflow with a correlation id."""
        return [
            execution_to_wire(execution, include_tasks=include_tasks, now=self.core.now())
            for execution in self.core.store.correlated(name, correlation_id)
            if include_closed or not execution.is_terminal
        ]

    @command
    def get_by_correlation_ids(
        self, name: str, correlation_ids: Sequence[str], *, include_closed: bool = False, include_tasks: bool = False
    ) -> dict[str, list[JsonObject]]:
        """Returns the executions of a workflow by their correlation ids."""
        return {
            correlation_id: self.get_by_correlation_id(
                name, correlation_id, include_closed=include_closed, include_tasks=include_tasks
            )
            for correlation_id in correlation_ids
        }

    def get_parent(self, workflow_id: str) -> str | None:
        """Returns the id of the execution of which this one is a sub-workflow; None if it is none."""
        execution = self.core.store.executions.get(workflow_id)
        return execution.parent_workflow_id if execution is not None else None

    # -- control -------------------------------------------------------------------------------------

    @command
    def decide(self, workflow_id: str) -> None:
        """Decides an execution now."""
        decide_execution(self.core, self.core.store.execution(workflow_id))

    @command
    def pause(self, workflow_id: str) -> None:
        """Pauses an execution: nothing more is scheduled."""
        control.pause(self.core, self.core.store.execution(workflow_id))

    @command
    def resume(self, workflow_id: str) -> None:
        """Resumes a paused execution."""
        control.resume(self.core, self.core.store.execution(workflow_id))

    @command
    def skip_task(
        self,
        workflow_id: str,
        task_reference_name: str,
        *,
        task_input: JsonObject | None = None,
        task_output: JsonObject | None = None,
    ) -> None:
        """Skips a task that has not been scheduled yet."""
        execution = self.core.store.execution(workflow_id)
        control.skip(self.core, execution, task_reference_name, task_input or {}, task_output or {})

    @command
    def rerun(self, workflow_id: str, request: JsonObject) -> str:
        """Runs an execution again from a task, or from the start. Returns its id."""
        request = read_rerun_request(request)
        execution = self.core.store.execution(workflow_id)
        task_id = request.get("reRunFromTaskId")
        found = rerun.rerun(
            self.core,
            execution,
            task_id,
            task_input=request.get("taskInput"),
            workflow_input=request.get("workflowInput"),
            correlation_id=request.get("correlationId"),
        )
        if not found:
            msg = f"Task {task_id} not found"
            raise Invalid(msg)
        return workflow_id

    @command
    def restart(self, workflow_id: str, use_latest_definitions: bool = False) -> None:
        """Runs an execution again from the start, with the same input."""
        control.restart(self.core, self.core.store.execution(workflow_id), use_latest_definitions)

    @command
    def retry(self, workflow_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """Retries the failed tasks of an execution."""
        control.retry_execution(self.core, self.core.store.execution(workflow_id), resume_subworkflow_tasks)

    @command
    def reset_callbacks(self, workflow_id: str) -> None:
        """Makes tasks ready that wait for their callback time."""
        control.reset_callbacks(self.core, self.core.store.execution(workflow_id))

    @command
    def terminate(self, workflow_id: str, reason: str | None = None) -> None:
        """Terminates an execution."""
        terminate_by_hand(self.core, self.core.store.execution(workflow_id), reason)

    @command
    def remove(self, workflow_id: str, archive_workflow: bool = True) -> None:
        """Removes an execution. If archived, searches still find it."""
        execution = self.core.store.execution(workflow_id)
        if archive_workflow and not execution.is_terminal:
            msg = f"Cannot archive workflow: {workflow_id} with status: {execution.status}"
            raise Invalid(msg)
        if archive_workflow:
            self.core.store.archived[workflow_id] = execution_summary(execution)
        self._forget(execution)

    @command
    def terminate_remove(self, workflow_id: str, reason: str | None = None, archive_workflow: bool = True) -> None:
        """Terminates and removes an execution."""
        self.terminate(workflow_id, reason)
        self.remove(workflow_id, archive_workflow)

    def _forget(self, execution: Execution) -> None:
        for row in execution.tasks:
            self.core.queues.remove(row.queue, row.task_id)
        self.core.store.remove(execution)
        self.core.changed[execution.workflow_id] = None

    # -- tests and messages --------------------------------------------------------------------------

    @command
    def test(self, request: JsonObject) -> JsonObject:
        """Runs an execution on mocked outputs (WorkflowTestRequest). Returns it when no mock is left to report."""
        request = read_test_request(request)
        with self.core.holding_tasks():
            workflow_id = self.start(mocked_runs.isolated(self.core, request))
            self.runner.run_pending()
            while mocked_runs.report_next(self.core, self.core.store.execution(workflow_id), request):
                self.runner.run_pending()
            return self.get(workflow_id)

    @command
    def send_message(self, workflow_id: str, message: JsonObject) -> str:
        """Sends a message to the PULL_WORKFLOW_MESSAGES tasks of an execution. Returns its id."""
        execution = self.core.store.execution(workflow_id)
        if execution.status != "RUNNING":
            msg = f"Workflow {workflow_id} is not in RUNNING state"
            raise Conflict(msg)
        message_id = self.core.ids.new()
        entry = {
            "id": message_id,
            "workflowId": workflow_id,
            "payload": message,
            "receivedAt": iso_time(self.core.now()),
        }
        self.core.store.messages.setdefault(workflow_id, []).append(entry)
        for row in execution.open.values():
            if row.task_type == "PULL_WORKFLOW_MESSAGES":
                self.core.work.append(Work("run", row.task_id))
        return message_id
