"""Prometheus metrics of clients and hosts, and of events that are rare."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    Configuration,
    ConfigurationError,
    Task,
    TaskDef,
    TaskResult,
    WorkerHost,
    worker_task,
)
from conductor_async.errors import NotFoundError
from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.worker.events import (
    LeaseLost,
    PollFailed,
    PollSkipped,
    ResultDeliveryFailed,
    ResultDropped,
    ResultLost,
    TaskAbandoned,
    TaskFinished,
    TaskStarted,
)

NewName = Callable[[str], str]


class Registry(CollectorRegistry):
    def value(self, name: str, **labels: str) -> float | None:
        return self.get_sample_value(name, labels)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def metrics(registry: Registry) -> PrometheusMetrics:
    return PrometheusMetrics(registry)


@pytest.fixture
async def conductor(server_url: str, metrics: PrometheusMetrics) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(Configuration(server_url, hooks=[metrics])) as client:
        yield client


@pytest.mark.server
@pytest.mark.anyio
async def test_calls_polls_tasks_and_results_are_measured(
    conductor: ConductorClient, metrics: PrometheusMetrics, registry: Registry, new_name: NewName
) -> None:
    active: list[float | None] = []

    @worker_task(new_name("pack"))
    async def pack(fail: bool = False) -> str:
        active.append(registry.value("active_workers", taskType=pack.task_definition_name))
        if fail:
            raise LookupError("no box")
        return "packed"

    name = pack.task_definition_name
    await conductor.metadata.register_task_def(TaskDef(name=name, retry_count=0, response_timeout_seconds=60))
    workflow = ConductorWorkflow(executor=conductor.executor, name=new_name("orders"), version=1)
    workflow >> pack.task("ref", fail=workflow.input("fail"))
    await workflow.register(overwrite=True)
    async with WorkerHost(conductor, [pack], listeners=[metrics]):
        assert (await workflow.execute({"fail": False})).status == "COMPLETED"
        assert (await workflow.execute({"fail": True})).status == "FAILED"
    with pytest.raises(NotFoundError):
        await conductor.workflow.start_workflow_by_name(f"{workflow.name}_unknown")

    value = registry.value
    assert value("task_execution_started_total", taskType=name) == 2
    assert value("task_execute_error_total", taskType=name, exception="LookupError") == 1
    for status in ("SUCCESS", "FAILURE"):
        assert value("task_execute_time_seconds_count", taskType=name, status=status) == 1
    assert value("task_update_time_seconds_count", taskType=name, status="SUCCESS") == 2
    assert value("task_result_size_bytes_count", taskType=name) == 2
    assert (value("task_result_size_bytes_sum", taskType=name) or 0) > 100
    polls = value("task_poll_total", taskType=name)
    assert polls
    assert value("task_poll_time_seconds_count", taskType=name, status="SUCCESS") == polls
    assert active == [1, 1]
    assert value("active_workers", taskType=name) == 0
    assert value("workflow_input_size_bytes_count", workflowType=workflow.name, version="1") == 2
    assert (
        value("workflow_input_size_bytes_sum", workflowType=workflow.name, version="1") == len('{"fail":false}') * 2 - 1
    )
    missing = f"{workflow.name}_unknown"
    assert value("workflow_start_error_total", workflowType=missing, exception="NotFoundError") == 1
    calls = "http_api_client_request_seconds_count"
    assert value(calls, method="POST", uri="/workflow", status="200") == 2
    assert value(calls, method="POST", uri="/workflow/{workflow_name}", status="404") == 1


TASK = Task(task_id="t", workflow_instance_id="w", task_def_name="pack")
EXTERNAL_INPUT = Task(
    task_id="t", workflow_instance_id="w", task_def_name="pack", external_input_payload_storage_path="a"
)
RESULT = TaskResult(task_id="t", workflow_instance_id="w")
ERROR = TimeoutError("too long")


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (PollFailed("me", "pack", None, 1, 0.1, ERROR), "task_poll_error_total", {"exception": "TimeoutError"}),
        (PollFailed("me", "pack", None, 1, 0.1, ERROR), "task_poll_time_seconds_count", {"status": "FAILURE"}),
        (PollSkipped("me", "pack", None, paused=True), "task_paused_total", {}),
        (PollSkipped("me", "pack", None, paused=False), "task_execution_queue_full_total", {}),
        (
            ResultDeliveryFailed("me", "pack", RESULT, ERROR, 1),
            "task_update_error_total",
            {"exception": "TimeoutError"},
        ),
        (ResultDropped("me", "pack", RESULT, ERROR), "task_update_error_total", {"exception": "TimeoutError"}),
        (ResultLost("me", "pack", RESULT, "why"), "task_result_lost_total", {}),
        (LeaseLost("me", TASK, "why"), "task_lease_lost_total", {}),
    ],
)
def test_failures_are_counted(
    metrics: PrometheusMetrics, registry: Registry, event: Any, name: str, labels: dict[str, str]
) -> None:
    metrics(event)
    metrics(event)
    assert registry.value(name, taskType="pack", **labels) == 2


def test_an_input_in_external_storage_is_counted(metrics: PrometheusMetrics, registry: Registry) -> None:
    metrics(TaskStarted("me", EXTERNAL_INPUT))
    labels = {"entityName": "pack", "operation": "READ", "payloadType": "TASK_INPUT"}
    assert registry.value("external_payload_used_total", **labels) == 1


@pytest.mark.parametrize("end", [TaskFinished("me", TASK, RESULT, 0.1), TaskAbandoned("me", TASK, "why", 0.1)])
def test_active_workers_decreases_once_however_a_task_ends(
    metrics: PrometheusMetrics, registry: Registry, end: Any
) -> None:
    metrics(TaskStarted("me", TASK))
    assert registry.value("active_workers", taskType="pack") == 1
    metrics(end)
    metrics(TaskAbandoned("me", TASK, "why", 0.1))
    assert registry.value("active_workers", taskType="pack") == 0


def test_a_second_one_in_the_same_registry_is_an_error(metrics: PrometheusMetrics, registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="use one PrometheusMetrics for all clients and hosts"):
        PrometheusMetrics(registry)
