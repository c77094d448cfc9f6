"""OpenTelemetry tracing: one trace from the start of an execution to its last worker.

```python
tracing = Tracing()
conductor = ConductorClient(Configuration(hooks=[tracing]))
host = WorkerHost(conductor, [greet], listeners=[tracing])
```

As a hook of a client it creates a span for each start, and for each other call that is made within a span. As a
listener of hosts it creates a span for each call of a worker function. Polls, result updates and status requests have
no spans.

The trace context travels in the execution's correlation id, as a `traceparent` of W3C Trace Context:
`00-<trace>-<span>-01`. The server passes the correlation id on with every task, also in sub-workflows and retries, so
workers in other processes find it. Inputs and definitions stay unchanged. If you give a correlation id, such as
`order-42` or a dedupe key, it stays unchanged too: then the workers' spans start new traces, unless the id contains a
traceparent.

It needs the extra `[otel]`: `pip install 'conductor-async[otel]'`. Configure the export of spans in the OpenTelemetry
SDK.
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

__all__ = ["Tracing"]

_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ROUTINE_ROUTES: Final = ("/tasks", "/tasks/update-v2", "/workflow/{workflow_id}/status")
"""Endpoints that hosts and waiters call all the time: spans of them would drown the others."""

_FAILED: Final = (TaskResultStatus.FAILED, TaskResultStatus.FAILED_WITH_TERMINAL_ERROR)


class Tracing:
    """Creates spans for calls and worker functions. One object serves any number of clients and hosts.

    Args:
        tracer_provider: The provider of the tracer. By default the global one, which the OpenTelemetry SDK sets.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        try:
            from opentelemetry import context, propagate, trace  # the extra [otel]: only imported if it is used
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ModuleNotFoundError as error:
            raise ConfigurationError("Tracing needs the extra [otel]: pip install 'conductor-async[otel]'") from error
        self._context = context
        self._trace = trace
        self._propagate = propagate
        self._trace_context = TraceContextTextMapPropagator()
        self._tracer = trace.get_tracer("conductor_async", __version__, tracer_provider)
        self._running: dict[str, tuple[Span, Token[Context]]] = {}

    def on_call_start(self, call: Call) -> None:
        """Starts the call's span and injects it into the request's headers."""
        start = call.workflow_start
        if start is None and not self._is_traced(call):
            return
        kind = self._trace.SpanKind.CLIENT if start is None else self._trace.SpanKind.PRODUCER
        name = f"{call.method} {call.route}" if start is None else f"start {start.workflow_name}"
        span = self._tracer.start_span(
            name, kind=kind, attributes={"http.request.method": call.method, "url.template": call.route}
        )
        context = self._trace.set_span_in_context(span)
        self._propagate.inject(call.headers, context)
        call.context["conductor_async.span"] = span
        if start is not None:
            span.set_attribute("conductor.workflow.name", start.workflow_name)
            if start.correlation_id is None:
                carrier: dict[str, str] = {}
                self._trace_context.inject(carrier, context)
                start.correlation_id = carrier.get("traceparent")

    def _is_traced(self, call: Call) -> bool:
        routine = call.route in _ROUTINE_ROUTES or call.route.startswith("/tasks/poll")
        return not routine and self._trace.get_current_span().get_span_context().is_valid

    def on_call_end(self, call: Call) -> None:
        """Ends the call's span."""
        span: Span | None = call.context.get("conductor_async.span")
        if span is None:
            return
        if call.status is not None:
            span.set_attribute("http.response.status_code", call.status)
        if call.attempts > 1:
            span.set_attribute("http.request.resend_count", call.attempts - 1)
        if call.error is not None:
            self._record_error(span, call.error)
        span.end()

    def __call__(self, event: WorkerEvent) -> None:
        """Starts a span when a worker function is called, and ends it when the function returns or is given up."""
        match event:
            case TaskStarted():
                self._start(event.task, event.task_type, event.worker_id)
            case TaskFinished():
                self._end(event)
            case TaskHandedBack(reason=reason) | TaskAbandoned(reason=reason):
                self._end_with_error(event.task, reason)
            case _:
                pass

    def _start(self, task: Task, task_type: str, worker_id: str) -> None:
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
        # Listeners run in the context of the function, so spans that the function creates are children of this one.
        token = self._context.attach(self._trace.set_span_in_context(span))
        self._running[task.task_id] = (span, token)

    def _end(self, event: TaskFinished) -> None:
        if (running := self._running.pop(event.task.task_id, None)) is None:
            return
        span, token = running
        span.set_attribute("conductor.task.status", str(event.result.status))
        if event.error is not None:
            self._record_error(span, event.error)
        elif event.result.status in _FAILED:
            span.set_status(self._trace.StatusCode.ERROR, event.result.reason_for_incompletion or "")
        span.end()
        self._context.detach(token)

    def _end_with_error(self, task: Task, reason: str) -> None:
        if (running := self._running.pop(task.task_id, None)) is not None:
            running[0].set_status(self._trace.StatusCode.ERROR, reason)
            running[0].end()

    def _context_of(self, task: Task) -> Context:
        """Returns the trace context in the correlation id, or an empty one: never the poller's own."""
        empty = self._context.Context()
        found = _TRACEPARENT.search(task.correlation_id or "")
        return empty if found is None else self._trace_context.extract({"traceparent": found[0]}, empty)

    def _record_error(self, span: Span, error: BaseException) -> None:
        kind = str(error.status) if isinstance(error, APIError) else type(error).__name__
        span.set_attribute("error.type", kind)
        if isinstance(error, Exception):
            span.record_exception(error)
        span.set_status(self._trace.StatusCode.ERROR, f"{type(error).__name__}: {error}")
