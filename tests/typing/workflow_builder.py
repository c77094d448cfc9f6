"""Checked by mypy and pyright, never run: what type checkers see of the workflow builder."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_type

from conductor_async import ConductorWorkflow, WorkflowHandle
from conductor_async.models import JsonObject, WorkflowDef, WorkflowRun, WorkflowStatus, WorkflowTask
from conductor_async.tasks import ForkTask, InlineSubWorkflowTask, JoinTask, SimpleTask, TaskSequence
from conductor_async.workflow import Reference, WorkflowBuilder

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient


def describing() -> None:
    workflow = ConductorWorkflow(name="orders", version=1)
    child = ConductorWorkflow(name="child")
    a = SimpleTask("a")
    b = SimpleTask[int]("b", "b_ref", optional=True, start_delay=timedelta(seconds=1))

    # A task of a worker function knows what the function returns.
    assert_type(a, SimpleTask[Any])
    assert_type(b, SimpleTask[int])

    # Steps.
    assert_type(a >> b, TaskSequence)
    assert_type(a >> [b, a >> b], TaskSequence)
    assert_type([a, b] >> a, TaskSequence)
    assert_type(workflow >> a, ConductorWorkflow)
    assert_type(workflow >> [a, b], ConductorWorkflow)
    assert_type(workflow >> [[a, b], [a]], ConductorWorkflow)
    assert_type(workflow >> [[a, [b, a]], child], ConductorWorkflow)
    assert_type(workflow >> child, ConductorWorkflow)
    assert_type(workflow >> (a >> b) >> ForkTask("f", [[a], b, child]) >> JoinTask("j"), ConductorWorkflow)
    assert_type(workflow.add([a, b]), ConductorWorkflow)
    _ = InlineSubWorkflowTask("c", child), InlineSubWorkflowTask("c", child.to_workflow_def())

    # A builder that cannot run is a step, too.
    builder = WorkflowBuilder(name="child")
    assert_type(builder >> a, WorkflowBuilder)
    assert_type(workflow >> builder, ConductorWorkflow)
    assert_type(ConductorWorkflow.from_workflow_def(builder.to_workflow_def()), ConductorWorkflow)

    # References go wherever a value of some type is wanted.
    assert_type(a.output.order.total, Any)
    assert_type(a.output("order.total"), Any)
    assert_type(a.output["order"][0], Any)
    assert_type(a.input("x"), Reference)
    assert_type(b.input(key="x", value=None), SimpleTask[int])
    assert_type(workflow.input.customer, Any)
    assert_type(workflow.input("a.b"), Any)
    assert_type(workflow.variables.x, Any)
    assert_type(workflow.variables("x"), Reference)
    assert_type(workflow.variables({"x": 1}), ConductorWorkflow)
    assert_type("Hello, " + workflow.input.name, Any)

    # Settings chain.
    assert_type(workflow.timeout_seconds(timedelta(hours=1)).restartable(False), ConductorWorkflow)
    assert_type(
        workflow.input_parameters("a", "b").input_parameters(["a"]).input_parameters({"a": 1}), ConductorWorkflow
    )
    assert_type(a.input_parameter("x", 1).cache("k", 5), SimpleTask[Any])
    assert_type(workflow.to_workflow_def(), WorkflowDef)
    assert_type(b.to_workflow_task(), WorkflowTask)

    # Refused.
    a.retry_cuont = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    workflow.vesion = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    SimpleTask("a", "a", optionl=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SimpleTask("a", "a", retry_count="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    workflow.timeoutSeconds(5)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    _ = workflow >> 5  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]
    a.input("x", key="y")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


async def running(conductor: ConductorClient) -> None:
    workflow = ConductorWorkflow(executor=conductor.executor, name="orders")
    assert_type(await workflow.start({"a": 1}, priority=5), WorkflowHandle)
    assert_type(await workflow.execute({"a": 1}, wait_until_task_ref=["a"], timeout=timedelta(minutes=1)), WorkflowRun)
    assert_type(await workflow(a=1), WorkflowRun)
    assert_type(await conductor.executor.execute("orders", 1, {"a": 1}, wait_until_task_ref="a"), WorkflowRun)
    handle = conductor.executor.handle("id")
    assert_type(await handle.status(), WorkflowStatus | str)
    assert_type(await handle.result(timeout=5), JsonObject)
    await conductor.executor.execute("orders", waitUntilTaskRef="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
