"""Prometheus metrics with the names, labels, units and buckets that Conductor's SDKs share.

```python
metrics = PrometheusMetrics()
conductor = ConductorClient(Configuration(hooks=[metrics]))
host = WorkerHost(conductor, [greet], listeners=[metrics])
```

As a hook of a client it measures calls and starts; as a listener of hosts, polls, tasks and results. It needs the extra
`[prometheus]`: `pip install 'conductor-async[prometheus]'`.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from conductor_async.errors import ConductorError, ConfigurationError
from conductor_async.models import TaskResultStatus, encode_json
from conductor_async.worker.events import (
    LeaseLost,
    PollCompleted,
    PollFailed,
    PollSkipped,
    PollStarted,
    ResultDelivered,
    ResultDeliveryFailed,
    ResultDropped,
    ResultEvent,
    ResultLost,
    TaskAbandoned,
    TaskEvent,
    TaskFinished,
    TaskHandedBack,
    TaskStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

    from conductor_async.hooks import Call
    from conductor_async.worker.events import WorkerEvent

__all__ = ["PrometheusMetrics"]

_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The buckets of all durations."""

_BYTES: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""The buckets of all sizes."""

_FAILED: Final = (TaskResultStatus.FAILED, TaskResultStatus.FAILED_WITH_TERMINAL_ERROR)


class PrometheusMetrics:
    """Counts and measures what clients and hosts do. One object serves any number of them.

    Args:
        registry: The registry for the metrics. By default prometheus_client's own, which its HTTP server exposes.

    Raises:
        ConfigurationError: The extra is not installed, or the registry has these metrics already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        create = _MetricFactory(registry)
        self._polls = create.counter("task_poll_total", "Polls sent", "taskType")
        self._poll_errors = create.counter("task_poll_error_total", "Polls that failed", "taskType", "exception")
        self._poll_time = create.seconds("task_poll_time_seconds", "Duration of a poll", "taskType", "status")
        self._full = create.counter("task_execution_queue_full_total", "Polls skipped: no free slot", "taskType")
        self._paused = create.counter("task_paused_total", "Polls skipped: the worker is paused", "taskType")
        self._started = create.counter("task_execution_started_total", "Calls of the function", "taskType")
        self._errors = create.counter(
            "task_execute_error_total", "Calls of the function that raised", "taskType", "exception"
        )
        self._time = create.seconds(
            "task_execute_time_seconds", "Duration of a call of the function", "taskType", "status"
        )
        self._active = create.gauge("active_workers", "Calls of the function in progress", "taskType")
        self._update_errors = create.counter(
            "task_update_error_total", "Failed attempts to deliver a result", "taskType", "exception"
        )
        self._update_time = create.seconds(
            "task_update_time_seconds", "Duration of the delivery of a result, retries included", "taskType", "status"
        )
        self._result_size = create.bytes("task_result_size_bytes", "Size of a result as JSON", "taskType")
        self._external = create.counter(
            "external_payload_used_total", "Payloads in external storage", "entityName", "operation", "payloadType"
        )
        self._results_lost = create.counter("task_result_lost_total", "Results that were lost", "taskType")
        self._leases_lost = create.counter("task_lease_lost_total", "Tasks whose lease was lost", "taskType")
        self._calls = create.seconds(
            "http_api_client_request_seconds", "Duration of a call, retries included", "method", "uri", "status"
        )
        self._start_errors = create.counter(
            "workflow_start_error_total", "Failed starts of executions", "workflowType", "exception"
        )
        self._input_size = create.bytes(
            "workflow_input_size_bytes", "Size of an execution's input as JSON", "workflowType", "version"
        )
        self._running: set[str] = set()

    def __call__(self, event: WorkerEvent) -> None:
        """Records an event of a host."""
        match event:
            case TaskEvent():
                self._record_task(event)
            case ResultEvent():
                self._record_result(event)
            case PollStarted():
                self._polls(event.task_type).inc()
            case PollCompleted():
                self._poll_time(event.task_type, "SUCCESS").observe(event.seconds)
            case PollFailed():
                self._poll_time(event.task_type, "FAILURE").observe(event.seconds)
                self._poll_errors(event.task_type, _name_of(event.error)).inc()
            case PollSkipped():
                (self._paused if event.paused else self._full)(event.task_type).inc()
            case _:
                pass

    def _record_task(self, event: TaskEvent) -> None:
        match event:
            case TaskStarted():
                self._started(event.task_type).inc()
                self._running.add(event.task.task_id)
                self._active(event.task_type).inc()
                if event.task.external_input_payload_storage_path:
                    self._external(event.task_type, "READ", "TASK_INPUT").inc()
            case TaskFinished():
                failed = event.error is not None or event.result.status in _FAILED
                self._time(event.task_type, "FAILURE" if failed else "SUCCESS").observe(event.seconds)
                if event.error is not None:
                    self._errors(event.task_type, _name_of(event.error)).inc()
                self._record_end(event)
            case TaskAbandoned() | TaskHandedBack():
                self._record_end(event)
            case LeaseLost():
                self._leases_lost(event.task_type).inc()
            case _:
                pass

    def _record_end(self, event: TaskEvent) -> None:
        if event.task.task_id in self._running:
            self._running.discard(event.task.task_id)
            self._active(event.task_type).dec()

    def _record_result(self, event: ResultEvent) -> None:
        match event:
            case ResultDelivered():
                self._update_time(event.task_type, "SUCCESS").observe(event.seconds)
                self._result_size(event.task_type).observe(event.size)
            case ResultDeliveryFailed() | ResultDropped():
                self._update_errors(event.task_type, _name_of(event.error)).inc()
            case ResultLost():
                self._results_lost(event.task_type).inc()
            case _:
                pass

    def on_call_start(self, call: Call) -> None:
        """Records the size of the input, if the call starts an execution."""
        if (start := call.workflow_start) is not None:
            try:
                size = len(encode_json(start.input, "input"))
            except ConductorError:
                return  # the call raises it
            self._input_size(start.workflow_name, str(start.version or "")).observe(size)

    def on_call_end(self, call: Call) -> None:
        """Records the duration of the call and, if it fails to start an execution, the error."""
        status = "error" if call.status is None else str(call.status)
        self._calls(call.method, call.route, status).observe(call.elapsed)
        if call.workflow_start is not None and call.error is not None:
            self._start_errors(call.workflow_start.workflow_name, _name_of(call.error)).inc()


class _MetricFactory:
    """Creates metrics in one registry.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, registry: CollectorRegistry | None) -> None:
        try:
            import prometheus_client  # the extra [prometheus]: only imported if it is used
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "PrometheusMetrics needs the extra [prometheus]: pip install 'conductor-async[prometheus]'"
            ) from error
        self._library = prometheus_client
        self._registry = prometheus_client.REGISTRY if registry is None else registry

    # Each returns the lookup of the metric's child by its labels, cached: prometheus_client's own takes a lock.

    def counter(self, name: str, text: str, *labels: str) -> Callable[..., Counter]:
        with _explaining_duplicates():
            return functools.cache(self._library.Counter(name, text, labels, registry=self._registry).labels)

    def gauge(self, name: str, text: str, *labels: str) -> Callable[..., Gauge]:
        with _explaining_duplicates():
            gauge = self._library.Gauge(name, text, labels, registry=self._registry, multiprocess_mode="livesum")
            return functools.cache(gauge.labels)

    def seconds(self, name: str, text: str, *labels: str) -> Callable[..., Histogram]:
        return self._histogram(name, text, labels, _SECONDS)

    def bytes(self, name: str, text: str, *labels: str) -> Callable[..., Histogram]:
        return self._histogram(name, text, labels, _BYTES)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Callable[..., Histogram]:
        with _explaining_duplicates():
            histogram = self._library.Histogram(name, text, labels, registry=self._registry, buckets=buckets)
            return functools.cache(histogram.labels)


@contextmanager
def _explaining_duplicates() -> Generator[None]:
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(
            f"the registry has these metrics already: use one PrometheusMetrics for all clients and hosts, or pass each"
            f" a registry of its own ({error})"
        ) from error


def _name_of(error: BaseException) -> str:
    """Returns the label of an error: its class, since a label must have few values."""
    return type(error).__name__
