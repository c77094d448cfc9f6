"""Checked by mypy and pyright, never run: listeners, metrics, tracing, options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_type

from conductor_async import ConductorClient, Configuration, SimpleTask, TaskContext, WorkerHost, discover, worker_task
from conductor_async.hooks import Call, CallHook, WorkflowStart
from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.observability.tracing import Tracing
from conductor_async.worker import HostHealth, PollerHealth, WorkerOptions
from conductor_async.worker.events import Listener, TaskFinished, WorkerEvent


@worker_task("greet", task_log_level="INFO")
async def greet(name: str, context: TaskContext) -> str:
    assert_type(context.output, dict[str, Any])
    return name


@worker_task("shout")
def shout(text: str) -> str:
    return text.upper()


def on_event(event: WorkerEvent) -> None:
    match event:
        case TaskFinished():
            assert_type(event.seconds, float)
            assert_type(event.error, BaseException | None)
        case _:
            pass


def observed(conductor: ConductorClient) -> None:
    metrics, tracing = PrometheusMetrics(), Tracing()
    hooks: list[CallHook] = [metrics, tracing]
    listeners: list[Listener] = [metrics, tracing, on_event, print]
    Configuration(hooks=[metrics, tracing])
    WorkerHost(conductor, [greet], listeners=[metrics, tracing, on_event])
    WorkerHost(conductor, [greet], listeners=listeners)
    Configuration(hooks=hooks)
    WorkerHost(conductor, discover("shop.workers"))
    WorkerHost(conductor, discover(3))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def healthy(host: WorkerHost) -> bool:
    assert_type(host.health(), HostHealth)
    assert_type(host.health().pollers, tuple[PollerHealth, ...])
    return host.health().is_healthy


def correlated(call: Call) -> None:
    assert_type(call.workflow_start, WorkflowStart | None)
    if call.workflow_start is not None and call.workflow_start.correlation_id is None:
        call.workflow_start.correlation_id = "order-42"


def otherwise() -> None:
    options: WorkerOptions = replace(greet.options, domain="eu")
    assert_type(greet.options.paused, bool)
    assert_type(shout.with_options(options).task("ref", text="hey"), SimpleTask[str])
