"""Two workers in one process: `python examples/worker.py`.

It registers a workflow, runs it once with both workers, prints the output and ends: on a Conductor in this process, or
on the server that CONDUCTOR_SERVER_URL names.
"""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from conductor_async import (
    ConductorWorkflow,
    NonRetryableException,
    TaskInProgress,
    WorkerHost,
    get_task_context,
    worker_task,
)
from conductor_async.embedded import client_from_env


class Order(BaseModel):
    order_id: str
    lines: list[float]


@worker_task("example_price")
async def price(order: Order, discount: float = 0.0) -> dict[str, float]:
    """An `async def` runs on the event loop."""
    if not order.lines:
        raise NonRetryableException(f"order {order.order_id} is empty")
    return {"total": sum(order.lines) * (1 - discount)}


@worker_task("example_ship", concurrency=4)
def ship(order_id: str, total: float) -> str | TaskInProgress:
    """A `def` runs in a thread. This one waits for a second before it is done, without holding a slot."""
    context = get_task_context()
    context.log(f"{order_id}: {total:.2f}, try {context.poll_count}")
    if context.poll_count < 2:
        return TaskInProgress(callback_after_seconds=1)
    return f"parcel-{order_id}"


async def main() -> None:
    async with client_from_env() as conductor:
        workflow = ConductorWorkflow(executor=conductor.executor, name="example_orders", version=1)
        priced = price.task("price", order=workflow.input("order"))
        shipped = ship.task("ship", workflow.input("order.order_id"), total=priced.output("total"))
        workflow.add([priced, shipped])
        await workflow.register(overwrite=True)
        async with WorkerHost(conductor, [price, ship]):
            run = await workflow.execute({"order": {"order_id": "A-1", "lines": [19.5, 0.5]}})
        print(run.status, run.output)


if __name__ == "__main__":
    asyncio.run(main())
