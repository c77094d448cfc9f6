"""The metrics that Conductor's SDKs share, from clients and hosts on a real server, and from events that are rare."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    Configuration,
    ConfigurationError,
    NotFoundError,
    Task,
    TaskDef,
    TaskResult,
    WorkerHost,
    worker_task,
)
from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.worker.events import (
    LeaseLost,
    PollFailed,
    PollSkipped,
    ResultDropped,
    ResultFailed,
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
async def test_what_runs_is_counted_and_measured(
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
    async with WorkerHost(conductor, [pack], poll_timeout=0.5, listeners=[metrics]):
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
OUTSIDE = Task(task_id="t", workflow_instance_id="w", task_def_name="pack", external_input_payload_storage_path="a")
RESULT = TaskResult(task_id="t", workflow_instance_id="w")
ERROR = TimeoutError("too long")


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (PollFailed("me", "pack", None, 1, 0.1, ERROR), "task_poll_error_total", {"exception": "TimeoutError"}),
        (PollFailed("me", "pack", None, 1, 0.1, ERROR), "task_poll_time_seconds_count", {"status": "FAILURE"}),
        (PollSkipped("me", "pack", None, paused=True), "task_paused_total", {}),
        (PollSkipped("me", "pack", None, paused=False), "task_execution_queue_full_total", {}),
        (ResultFailed("me", "pack", RESULT, ERROR, 1), "task_update_error_total", {"exception": "TimeoutError"}),
        (ResultDropped("me", "pack", RESULT, ERROR), "task_update_error_total", {"exception": "TimeoutError"}),
        (ResultLost("me", "pack", RESULT, "why"), "task_result_lost_total", {}),
        (LeaseLost("me", TASK, "why"), "task_lease_lost_total", {}),
    ],
)
def test_what_goes_wrong_is_counted(
    metrics: PrometheusMetrics, registry: Registry, event: Any, name: str, labels: dict[str, str]
) -> None:
    metrics(event)
    metrics(event)
    assert registry.value(name, taskType="pack", **labels) == 2


def test_an_input_kept_outside_is_counted(metrics: PrometheusMetrics, registry: Registry) -> None:
    metrics(TaskStarted("me", OUTSIDE))
    labels = {"entityName": "pack", "operation": "READ", "payloadType": "TASK_INPUT"}
    assert registry.value("external_payload_used_total", **labels) == 1


@pytest.mark.parametrize("end", [TaskFinished("me", TASK, RESULT, 0.1), TaskAbandoned("me", TASK, "why", 0.1)])
def test_active_workers_goes_down_once_however_a_task_ends(
    metrics: PrometheusMetrics, registry: Registry, end: Any
) -> None:
    metrics(TaskStarted("me", TASK))
    assert registry.value("active_workers", taskType="pack") == 1
    metrics(end)
    metrics(TaskAbandoned("me", TASK, "why", 0.1))
    assert registry.value("active_workers", taskType="pack") == 0


def test_a_second_one_in_the_same_registry_is_refused(metrics: PrometheusMetrics, registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="use one PrometheusMetrics for all clients and hosts"):
        PrometheusMetrics(registry)


def test_without_the_extra_it_is_named() -> None:
    code = """if True:
        import sys
        sys.modules["prometheus_client"] = None
        from conductor_async.observability.metrics import PrometheusMetrics
        try:
            PrometheusMetrics()
        except ValueError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "PrometheusMetrics needs the extra [prometheus]: pip install 'conductor-async[prometheus]'\n"
