"""OpenTelemetry: one trace from the start of an execution to its last worker.

```python
tracing = Tracing()
conductor = ConductorClient(Configuration(hooks=[tracing]))
host = WorkerHost(conductor, [greet], listeners=[tracing])
```

As a hook of the client it makes a span of each start, and of each other call that is made within a span; as a listener
of hosts, one of each run of a worker's function. Polls, deliveries and looks at an execution's status make none.

A start carries its span in the execution's correlation id, if you give none: as a `traceparent` of W3C Trace Context,
`00-<trace>-<span>-01`. The server hands the correlation id out with every task, those of sub-workflows included, so
workers in other processes, retries and later tries find it. Inputs and definitions stay as they are. An execution with
another correlation id, `order-42` or a dedupe key, is left alone: its workers' spans begin traces of their own, unless
the id has a traceparent somewhere in it.

It needs the extra `[otel]`: `pip install 'conductor-async[otel]'`. Where spans go is for the OpenTelemetry SDK to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from conductor_async._version import __version__
from conductor_async.errors import APIError, ConfigurationError
from conductor_async.models import TaskResultStatus
from conductor_async.worker.events import TaskAbandoned, TaskFinished, TaskHandedBack, TaskStarted

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, TracerProvider

    from conductor_async.hooks import Call
    from conductor_async.models import Task
    from conductor_async.worker.events import WorkerEvent

_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ROUTINE: Final = ("/tasks", "/tasks/update-v2", "/workflow/{workflow_id}/status")
"""What hosts and waiters ask all the time."""

_FAILED: Final = (TaskResultStatus.FAILED, TaskResultStatus.FAILED_WITH_TERMINAL_ERROR)


class Tracing:
    """Makes spans of calls and of the runs of workers. One object is enough for any number of clients and hosts.

    Args:
        tracer_provider: Whose spans to make. By default the global one, which OpenTelemetry's SDK sets.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        try:
            from opentelemetry import context, propagate, trace  # the extra [otel]: imported when it is needed
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ModuleNotFoundError as error:
            raise ConfigurationError("Tracing needs the extra [otel]: pip install 'conductor-async[otel]'") from error
        self._context = context
        self._trace = trace
        self._propagate = propagate
        self._carried = TraceContextTextMapPropagator()
        self._tracer = trace.get_tracer("conductor_async", __version__, tracer_provider)
        self._running: dict[str, tuple[Span, Token[Context]]] = {}

    # -- a hook of clients ---------------------------------------------------------------------------

    def on_call_start(self, call: Call) -> None:
        """Begins the call's span, and has the request carry it."""
        starts = call.workflow_start
        if starts is None and not self._is_of_interest(call):
            return
        kind = self._trace.SpanKind.CLIENT if starts is None else self._trace.SpanKind.PRODUCER
        name = f"{call.method} {call.route}" if starts is None else f"start {starts.workflow_name}"
        span = self._tracer.start_span(
            name, kind=kind, attributes={"http.request.method": call.method, "url.template": call.route}
        )
        inside = self._trace.set_span_in_context(span)
        self._propagate.inject(call.headers, inside)
        call.context["conductor_async.span"] = span
        if starts is not None:
            span.set_attribute("conductor.workflow.name", starts.workflow_name)
            if starts.correlation_id is None:
                carrier: dict[str, str] = {}
                self._carried.inject(carrier, inside)
                starts.correlation_id = carrier.get("traceparent")

    def _is_of_interest(self, call: Call) -> bool:
        routine = call.route in _ROUTINE or call.route.startswith("/tasks/poll")
        return not routine and self._trace.get_current_span().get_span_context().is_valid

    def on_call_end(self, call: Call) -> None:
        """Ends it."""
        span: Span | None = call.context.get("conductor_async.span")
        if span is None:
            return
        if call.status is not None:
            span.set_attribute("http.response.status_code", call.status)
        if call.attempts > 1:
            span.set_attribute("http.request.resend_count", call.attempts - 1)
        if call.error is not None:
            self._fail(span, call.error)
        span.end()

    # -- a listener of hosts -------------------------------------------------------------------------

    def __call__(self, event: WorkerEvent) -> None:
        """Begins a span when a function is called, and ends it when that has returned."""
        match event:
            case TaskStarted():
                self._begin(event.task, event.task_type, event.worker_id)
            case TaskFinished():
                self._end(event)
            case TaskHandedBack(reason=reason) | TaskAbandoned(reason=reason):
                self._give_up(event.task, reason)
            case _:
                pass

    def _begin(self, task: Task, task_type: str, worker_id: str) -> None:
        span = self._tracer.start_span(
            task_type,
            self._context_of(task),
            kind=self._trace.SpanKind.CONSUMER,
            attributes={
                "conductor.task.id": task.task_id,
                "conductor.task.type": task_type,
                "conductor.task.reference_name": task.reference_task_name,
                "conductor.task.retry_count": task.retry_count,
                "conductor.task.poll_count": task.poll_count,
                "conductor.workflow.id": task.workflow_instance_id,
                "conductor.workflow.name": task.workflow_type or "",
                "conductor.worker.id": worker_id,
            },
        )
        # The event is told in the context of the function: spans that it makes are children of this one.
        token = self._context.attach(self._trace.set_span_in_context(span))
        self._running[task.task_id] = (span, token)

    def _end(self, event: TaskFinished) -> None:
        if (running := self._running.pop(event.task.task_id, None)) is None:
            return
        span, token = running
        span.set_attribute("conductor.task.status", str(event.result.status))
        if event.error is not None:
            self._fail(span, event.error)
        elif event.result.status in _FAILED:
            span.set_status(self._trace.StatusCode.ERROR, event.result.reason_for_incompletion or "")
        span.end()
        self._context.detach(token)

    def _give_up(self, task: Task, reason: str) -> None:
        if (running := self._running.pop(task.task_id, None)) is not None:
            running[0].set_status(self._trace.StatusCode.ERROR, reason)
            running[0].end()

    def _context_of(self, task: Task) -> Context:
        """What the execution's start has carried here, or nothing: whatever the poller's own span is."""
        nothing = self._context.Context()
        found = _TRACEPARENT.search(task.correlation_id or "")
        return nothing if found is None else self._carried.extract({"traceparent": found[0]}, nothing)

    def _fail(self, span: Span, error: BaseException) -> None:
        kind = str(error.status) if isinstance(error, APIError) else type(error).__name__
        span.set_attribute("error.type", kind)
        if isinstance(error, Exception):
            span.record_exception(error)
        span.set_status(self._trace.StatusCode.ERROR, f"{type(error).__name__}: {error}")
