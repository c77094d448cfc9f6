"""Workers that can be watched: events, logs in the tasks, Prometheus metrics, an OpenTelemetry trace.

```console
pip install 'conductor-async[otel,prometheus]' opentelemetry-sdk
python examples/observed_workers.py
```

It runs a workflow of two workers once, and prints its trace, a metric and the log of a task: on a Conductor in this
process, or on the server that CONDUCTOR_SERVER_URL names.
"""

from __future__ import annotations

import asyncio
import logging

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from conductor_async import ConductorWorkflow, WorkerHost, worker_task
from conductor_async.embedded import client_from_env
from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.observability.tracing import Tracing
from conductor_async.worker.events import TaskFinished, WorkerEvent

shop = logging.getLogger("shop")


@worker_task("observed_pack")
async def pack(order_id: str) -> str:
    shop.info("order %s goes into a box", order_id)
    return f"box-{order_id}"


@worker_task("observed_ship")
def ship(box: str) -> str:
    shop.info("%s goes by train", box)
    return f"parcel-{box}"


def show(event: WorkerEvent) -> None:
    if isinstance(event, TaskFinished):
        print(f"{event.task_type} has run")


async def main() -> None:
    spans, provider, registry = InMemorySpanExporter(), TracerProvider(), CollectorRegistry()
    provider.add_span_processor(SimpleSpanProcessor(spans))  # a service of yours sends them to a collector
    metrics, tracing = PrometheusMetrics(registry), Tracing(provider)
    shop.setLevel(logging.INFO)

    async with client_from_env(hooks=[metrics, tracing]) as conductor:
        workflow = ConductorWorkflow(executor=conductor.executor, name="observed_orders", version=1)
        packed = pack.task("pack", order_id=workflow.input("order_id"))
        workflow >> packed >> ship.task("ship", box=packed.output("result"))
        await workflow.register(overwrite=True)
        async with WorkerHost(conductor, [pack, ship], listeners=[show, metrics, tracing], task_log_level="INFO"):
            run = await workflow.execute({"order_id": "A-1"})
        lines = await conductor.task.get_task_logs(run.tasks[0].task_id)

    [root] = [span for span in spans.get_finished_spans() if span.parent is None]
    print("trace:", root.name, "→", ", ".join(span.name for span in spans.get_finished_spans() if span.parent))
    print("tasks packed:", registry.get_sample_value("task_execution_started_total", {"taskType": "observed_pack"}))
    print("log of the first task:", [line.log for line in lines])


if __name__ == "__main__":
    asyncio.run(main())
