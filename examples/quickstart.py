"""The main job, from nothing: a Conductor, a workflow of two tasks, the workers that do them, the result.

`nox -s quickstart` runs it on a Conductor inside this very process; `nox -s quickstart -- --server local` on a real
server of its own. With CONDUCTOR_SERVER_URL set, `nox -s quickstart` uses that server.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask, WorkerHost, worker_task
from conductor_async.embedded import client_from_env
from conductor_async.localserver import LocalServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


# Workers: plain functions. The task's input becomes their arguments, what they return becomes its output.
@worker_task(task_definition_name="quickstart_price")
async def price(item: str, quantity: int) -> dict[str, float]:
    prices = {"tea": 4.5, "coffee": 6.0}
    return {"total": prices[item] * quantity}


@worker_task(task_definition_name="quickstart_invoice")
def invoice(item: str, quantity: int, total: float) -> dict[str, str]:  # a `def` runs in a thread
    return {"text": f"{quantity} x {item}: {total:.2f}"}


def describe(conductor: ConductorClient) -> ConductorWorkflow:
    """The workflow: two tasks, one after the other. Describing it sends nothing."""
    workflow = ConductorWorkflow(executor=conductor.executor, name="quickstart", version=1)
    first = SimpleTask(task_def_name="quickstart_price", task_reference_name="price_ref")
    first.input_parameters.update(item=workflow.input.item, quantity=workflow.input.quantity)
    second = SimpleTask(task_def_name="quickstart_invoice", task_reference_name="invoice_ref")
    second.input_parameters.update(first.input_parameters, total=first.output.total)
    workflow >> first >> second
    return workflow.output_parameters({"invoice": second.output.text})


@asynccontextmanager
async def connect() -> AsyncGenerator[ConductorClient]:
    """A client of a server that lives as long as the client, or that the environment names."""
    if sys.argv[1:] == ["--server", "local"]:
        print("Starting a Conductor server. The first time, it is downloaded: about 460 MB.")
        async with LocalServer() as server:
            yield server.client
    else:
        async with client_from_env() as conductor:
            yield conductor


async def main() -> None:
    async with connect() as conductor:
        print(f"Conductor server: {conductor.configuration.server_api_url}")
        workflow = describe(conductor)
        await workflow.register(overwrite=True)
        print(f"Registered the workflow {workflow.name!r}.")

        async with WorkerHost(conductor, [price, invoice]):
            order = {"item": "tea", "quantity": 3}

            run = await workflow.execute(order, wait_until_task_ref="price_ref")
            print(f"Started execution {run.workflow_id} and waited for price_ref: it has ended.")

            run = await conductor.executor.wait(run.workflow_id, timeout=60)
            print(f"Waited for the whole: it is {run.status}.")
            for task in run.tasks:
                print(f"  {task.reference_task_name:<12} {task.status:<10} {task.output_data}")
            run.raise_for_status()
            print(f"Its output: {run.output}")


if __name__ == "__main__":
    asyncio.run(main())
