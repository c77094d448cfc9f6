"""Checked by mypy and pyright, never run: what type checkers see of results, handles and events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, assert_type

from pydantic import BaseModel

from conductor_async import ConductorWorkflow, SimpleTask, TaskInProgress, WorkflowHandle, worker_task
from conductor_async.models import TaskResultStatus
from conductor_async.workflow.references import env, secret

if TYPE_CHECKING:
    from conductor_async.execution import WorkflowExecutor
    from conductor_async.execution.events import TaskStatusChanged, WorkflowStatusChanged
    from conductor_async.models import JsonObject, Task, TaskDef, TaskRun, WorkflowRun


class Line(BaseModel):
    price: float


class Order(BaseModel):
    total: float
    lines: list[Line]


@dataclass
class Bill:
    total: float


class Receipt(TypedDict):
    total: float


@worker_task()
async def price(order_id: str) -> Order:
    raise NotImplementedError


@worker_task()
def charge(total: float, card: str = "") -> Bill | TaskInProgress:
    raise NotImplementedError


@worker_task()
async def receipt(total: float) -> Receipt:
    raise NotImplementedError


@worker_task()
def double(number: float) -> float:
    raise NotImplementedError


@worker_task()
def untyped(a: Any):  # type: ignore[no-untyped-def]
    return a


def results(workflow: ConductorWorkflow) -> None:
    priced = price.task("price", order_id=workflow.input.order_id)
    assert_type(priced, SimpleTask[Order])
    assert_type(priced.result, Order)
    assert_type(priced.result.total, float)
    assert_type(priced.result.lines[0].price, float)

    # What gives the task back for later is not its result in the end.
    charged = charge.task("charge", total=priced.result.total, card=secret("card"))
    assert_type(charged, SimpleTask[Bill])
    assert_type(charged.result.total, float)

    assert_type(receipt.task("r", total=charged.result.total).result["total"], float)
    assert_type(double.task("d", number=1).result, float)
    double.task("e", number=double.task("f", number=env("N")).result)

    # Said for a worker that lives elsewhere, or not at all.
    assert_type(SimpleTask[Order]("price").result, Order)
    assert_type(SimpleTask("price").result, Any)
    assert_type(priced.output.whatever, Any)

    # Refused.
    _ = priced.result.totl  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    _ = priced.result.lines[0].prise  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    _ = charged.result.totl  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    _ = receipt.task("r", total=1).result["totl"]  # type: ignore[misc]  # pyright: ignore[reportTypedDictNotRequiredAccess, reportGeneralTypeIssues, reportUnknownVariableType]
    _ = receipt.task("r", total=1).result.total  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    price.task("p", order_id=priced.result.total)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def definitions() -> None:
    definition: TaskDef = price.task_def(retry_count=5)
    schemas: list[JsonObject] = [price.input_schema(), price.output_schema()]
    _ = definition, schemas


async def starting(executor: WorkflowExecutor, workflow: ConductorWorkflow) -> None:
    assert_type(await workflow.start({"a": 1}, dedupe_key="order-42"), WorkflowHandle)
    assert_type(
        await executor.start("w", 1, {"a": 1}, dedupe_key="k", dedupe_window=timedelta(minutes=1)), WorkflowHandle
    )
    assert_type(await workflow.execute({"a": 1}, dedupe_key="order-42", timeout=5), "WorkflowRun")
    assert_type(await executor.execute("w", 1, {"a": 1}, dedupe_key="k", dedupe_window=5), "WorkflowRun")
    await workflow.execute(dedupe_key=42)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await workflow.start(dedupe_key=42)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ConductorWorkflow("orders")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def handles(handle: WorkflowHandle) -> None:
    assert_type(await handle.result(), dict[str, Any])
    assert_type(await handle.result(timeout=5), dict[str, Any])
    assert_type(await handle.result(Order), Order)
    assert_type(await handle.result(type=Order, timeout=timedelta(seconds=5)), Order)
    assert_type(await handle.result(Bill), Bill)
    assert_type(await handle.result(Receipt), Receipt)
    assert_type(await handle.result(int), int)
    assert_type(await handle.result(list[Line]), list[Line])
    task: Task = await handle.wait_for_task("ref", timeout=5)
    run: WorkflowRun | TaskRun = await handle.signal({"approved": True}, status=TaskResultStatus.COMPLETED)
    assert_type(await handle.children(), list[WorkflowHandle])
    async for event in handle.events():
        changed: WorkflowStatusChanged | TaskStatusChanged = event
        _ = changed
        event.status = "FAILED"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    _ = task, run
