"""The metrics that Conductor's SDKs share, in Prometheus: the same names, labels, units and buckets.

```python
metrics = PrometheusMetrics()
conductor = ConductorClient(Configuration(hooks=[metrics]))
host = WorkerHost(conductor, [greet], listeners=[metrics])
```

As a hook of the client it measures calls and starts, as a listener of hosts their polls, tasks and results. It needs
the extra `[prometheus]`: `pip install 'conductor-async[prometheus]'`.
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
    ResultDropped,
    ResultEvent,
    ResultFailed,
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

SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The buckets of all times."""

BYTES: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""The buckets of all sizes."""

_FAILED: Final = (TaskResultStatus.FAILED, TaskResultStatus.FAILED_WITH_TERMINAL_ERROR)


class PrometheusMetrics:
    """Counts and measures. One object is enough for any number of clients and hosts.

    Args:
        registry: Where the metrics are. By default prometheus_client's own, which its HTTP server shows.

    Raises:
        ConfigurationError: The extra is not installed, or the registry has such metrics already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        make = _Maker(registry)
        self._polls = make.counter("task_poll_total", "Polls sent", "taskType")
        self._poll_errors = make.counter("task_poll_error_total", "Polls that failed", "taskType", "exception")
        self._poll_time = make.seconds("task_poll_time_seconds", "Time of a poll", "taskType", "status")
        self._full = make.counter("task_execution_queue_full_total", "Polls not made: no free slot", "taskType")
        self._paused = make.counter("task_paused_total", "Polls not made: the worker is paused", "taskType")
        self._started = make.counter("task_execution_started_total", "Tasks given to the function", "taskType")
        self._errors = make.counter("task_execute_error_total", "Functions that raised", "taskType", "exception")
        self._time = make.seconds("task_execute_time_seconds", "Time of the function", "taskType", "status")
        self._active = make.gauge("active_workers", "Tasks that run now", "taskType")
        self._update_errors = make.counter(
            "task_update_error_total", "Failed tries to deliver a result", "taskType", "exception"
        )
        self._update_time = make.seconds(
            "task_update_time_seconds", "Time to deliver a result, all tries included", "taskType", "status"
        )
        self._result_size = make.bytes("task_result_size_bytes", "Size of a result as JSON", "taskType")
        self._external = make.counter(
            "external_payload_used_total", "Payloads kept outside", "entityName", "operation", "payloadType"
        )
        self._results_lost = make.counter("task_result_lost_total", "Results given up", "taskType")
        self._leases_lost = make.counter("task_lease_lost_total", "Tasks that the server took away", "taskType")
        self._calls = make.seconds("http_api_client_request_seconds", "Time of a call", "method", "uri", "status")
        self._start_errors = make.counter(
            "workflow_start_error_total", "Starts that failed", "workflowType", "exception"
        )
        self._input_size = make.bytes(
            "workflow_input_size_bytes", "Size of a workflow's input as JSON", "workflowType", "version"
        )
        self._running: set[str] = set()

    # -- a listener of hosts -------------------------------------------------------------------------

    def __call__(self, event: WorkerEvent) -> None:
        """Takes in what a host tells."""
        match event:
            case TaskEvent():
                self._of_task(event)
            case ResultEvent():
                self._of_result(event)
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

    def _of_task(self, event: TaskEvent) -> None:
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
                self._runs_no_more(event)
            case TaskAbandoned() | TaskHandedBack():
                self._runs_no_more(event)
            case LeaseLost():
                self._leases_lost(event.task_type).inc()
            case _:
                pass

    def _runs_no_more(self, event: TaskEvent) -> None:
        if event.task.task_id in self._running:
            self._running.discard(event.task.task_id)
            self._active(event.task_type).dec()

    def _of_result(self, event: ResultEvent) -> None:
        match event:
            case ResultDelivered():
                self._update_time(event.task_type, "SUCCESS").observe(event.seconds)
                self._result_size(event.task_type).observe(event.size)
            case ResultFailed() | ResultDropped():
                self._update_errors(event.task_type, _name_of(event.error)).inc()
            case ResultLost():
                self._results_lost(event.task_type).inc()
            case _:
                pass

    # -- a hook of clients ---------------------------------------------------------------------------

    def on_call_start(self, call: Call) -> None:
        """Measures the input of what is started."""
        if (starts := call.workflow_start) is not None:
            try:
                size = len(encode_json(starts.input, "input"))
            except ConductorError:
                return  # the call says so itself
            self._input_size(starts.workflow_name, _version(starts.version)).observe(size)

    def on_call_end(self, call: Call) -> None:
        """Measures the call."""
        status = "error" if call.status is None else str(call.status)
        self._calls(call.method, call.route, status).observe(call.elapsed)
        if call.workflow_start is not None and call.error is not None:
            self._start_errors(call.workflow_start.workflow_name, _name_of(call.error)).inc()


class _Maker:
    """Makes metrics in one registry.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, registry: CollectorRegistry | None) -> None:
        try:
            import prometheus_client  # the extra [prometheus]: imported when it is needed
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "PrometheusMetrics needs the extra [prometheus]: pip install 'conductor-async[prometheus]'"
            ) from error
        self._library = prometheus_client
        self._registry = prometheus_client.REGISTRY if registry is None else registry

    # Each gives what finds the child of these labels. It is cached: prometheus_client's own way takes a lock.

    def counter(self, name: str, text: str, *labels: str) -> Callable[..., Counter]:
        with _told_of_a_second():
            return functools.cache(self._library.Counter(name, text, labels, registry=self._registry).labels)

    def gauge(self, name: str, text: str, *labels: str) -> Callable[..., Gauge]:
        with _told_of_a_second():
            gauge = self._library.Gauge(name, text, labels, registry=self._registry, multiprocess_mode="livesum")
            return functools.cache(gauge.labels)

    def seconds(self, name: str, text: str, *labels: str) -> Callable[..., Histogram]:
        return self._histogram(name, text, labels, SECONDS)

    def bytes(self, name: str, text: str, *labels: str) -> Callable[..., Histogram]:
        return self._histogram(name, text, labels, BYTES)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Callable[..., Histogram]:
        with _told_of_a_second():
            histogram = self._library.Histogram(name, text, labels, registry=self._registry, buckets=buckets)
            return functools.cache(histogram.labels)


@contextmanager
def _told_of_a_second() -> Generator[None]:
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(
            f"the registry has such metrics already: use one PrometheusMetrics for all clients and hosts, or give the"
            f" other one a registry of its own ({error})"
        ) from error


def _name_of(error: BaseException) -> str:
    """A label with few values: the error's class."""
    return type(error).__name__


def _version(version: int | None) -> str:
    return str(version) if version else ""
