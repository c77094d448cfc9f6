"""OpenTelemetry: one trace from the start of an execution to its last worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    Configuration,
    StartWorkflowRequest,
    SubWorkflowTask,
    TaskContext,
    TaskDef,
    TaskInProgress,
    WorkerHost,
    worker_task,
)
from conductor_async.observability.tracing import Tracing
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve

NewName = Callable[[str], str]


class Spans:
    """The finished spans of a tracer provider."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("the user's own")

    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def one(self, name: str) -> ReadableSpan:
        [found] = [span for span in self.all() if span.name == name]
        return found


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
async def conductor(server_url: str, spans: Spans) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(Configuration(server_url, hooks=[Tracing(spans.provider)])) as client:
        yield client


def is_child_of(child: ReadableSpan, parent: ReadableSpan) -> bool:
    assert parent.context is not None
    assert child.context is not None
    return (
        child.parent is not None
        and child.parent.span_id == parent.context.span_id
        and child.context.trace_id == parent.context.trace_id
    )


async def registered(conductor: ConductorClient, name: str, *workers: Any) -> ConductorWorkflow:
    """Registers a workflow that runs these workers one after the other, without retries."""
    workflow = ConductorWorkflow(executor=conductor.executor, name=name, version=1)
    for worker in workers:
        definition = TaskDef(name=worker.task_definition_name, retry_count=0, response_timeout_seconds=60)
        await conductor.metadata.register_task_def(definition)
        workflow >> worker.task(f"{worker.task_definition_name}_ref")
    await workflow.register(overwrite=True)
    return workflow


@pytest.mark.server
@pytest.mark.anyio
async def test_one_trace_from_the_start_to_the_last_worker(
    conductor: ConductorClient, server_url: str, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack() -> None:
        with spans.tracer.start_as_current_span("look for a box"):
            await anyio.lowlevel.checkpoint()

    @worker_task(new_name("ship"))
    def ship() -> None:
        with spans.tracer.start_as_current_span("print a label"):
            pass

    workflow = await registered(conductor, new_name("orders"), pack, ship)
    # The second worker runs elsewhere: it has a client, a host and a Tracing of its own.
    elsewhere = Tracing(spans.provider)
    async with (
        ConductorClient(server_url) as other,
        WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]),
        WorkerHost(other, [ship], listeners=[elsewhere]),
    ):
        with spans.tracer.start_as_current_span("POST /orders") as request:
            run = await workflow.execute({"a": 1})
    assert run.status == "COMPLETED"
    assert run.input == {"a": 1}

    started, packed, shipped = (spans.one(name) for name in (f"start {workflow.name}", *names(pack, ship)))
    assert is_child_of(started, spans.one("POST /orders"))
    assert is_child_of(packed, started)
    assert is_child_of(shipped, started)
    assert is_child_of(spans.one("look for a box"), packed)
    assert is_child_of(spans.one("print a label"), shipped)
    assert [span.kind for span in (started, packed)] == [trace.SpanKind.PRODUCER, trace.SpanKind.CONSUMER]

    [task, _] = (await conductor.workflow.get_workflow(run.workflow_id)).tasks
    assert packed.attributes is not None
    assert dict(packed.attributes) == {
        "conductor.task.id": task.task_id,
        "conductor.task.type": pack.task_definition_name,
        "conductor.task.reference_name": task.reference_task_name,
        "conductor.task.retry_count": 0,
        "conductor.task.poll_count": 1,
        "conductor.task.status": "COMPLETED",
        "conductor.workflow.id": run.workflow_id,
        "conductor.workflow.name": workflow.name,
        "conductor.worker.id": task.worker_id,
    }
    assert f"{request.get_span_context().trace_id:032x}" in (task.correlation_id or "")


@pytest.mark.server
@pytest.mark.anyio
async def test_a_start_outside_of_a_span_starts_a_trace(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack() -> None: ...

    workflow = await registered(conductor, new_name("orders"), pack)
    async with WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]):
        await workflow.execute()
    started = spans.one(f"start {workflow.name}")
    assert started.parent is None
    assert is_child_of(spans.one(pack.task_definition_name), started)
    assert len(spans.all()) == 2, "polls, result updates and calls outside of a span have none"


@pytest.mark.server
@pytest.mark.anyio
async def test_sub_workflows_and_later_polls_are_in_the_trace(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack(context: TaskContext) -> TaskInProgress | None:
        return TaskInProgress(0) if context.poll_count == 1 else None

    inner = await registered(conductor, new_name("packing"), pack)
    outer = ConductorWorkflow(executor=conductor.executor, name=new_name("orders"), version=1)
    outer >> SubWorkflowTask("inner", inner.name, 1)
    async with WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]):
        assert (await outer.execute()).status == "COMPLETED"
    runs = [span for span in spans.all() if span.name == pack.task_definition_name]
    assert [(span.attributes or {})["conductor.task.poll_count"] for span in runs] == [1, 2]
    assert all(is_child_of(span, spans.one(f"start {outer.name}")) for span in runs)


@pytest.mark.server
@pytest.mark.anyio
async def test_execute_workflow_carries_the_trace_context_too(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack() -> None: ...

    workflow = await registered(conductor, new_name("orders"), pack)
    async with WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]):
        await conductor.workflow.execute_workflow(StartWorkflowRequest(name=workflow.name), wait_for_seconds=10)
    assert is_child_of(spans.one(pack.task_definition_name), spans.one(f"start {workflow.name}"))


@pytest.mark.server
@pytest.mark.anyio
async def test_a_span_ends_with_an_error_when_the_host_stops(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    began = anyio.Event()

    @worker_task(new_name("pack"))
    async def pack() -> None:
        began.set()
        await anyio.sleep_forever()

    workflow = await registered(conductor, new_name("orders"), pack)
    async with WorkerHost(conductor, [pack], grace=0, listeners=[Tracing(spans.provider)]):
        handle = await workflow.start()
        await began.wait()
    span = spans.one(pack.task_definition_name)
    assert (span.status.status_code, span.status.description) == (
        trace.StatusCode.ERROR,
        "the worker host is stopping",
    )
    await conductor.workflow.terminate_workflow(handle.workflow_id)


@pytest.mark.server
@pytest.mark.anyio
async def test_a_given_correlation_id_stays_unchanged(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack() -> None: ...

    workflow = await registered(conductor, new_name("orders"), pack)
    async with WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]):
        with spans.tracer.start_as_current_span("POST /orders"):
            run = await workflow.execute(correlation_id="order-42")
    assert (await conductor.workflow.get_workflow(run.workflow_id)).correlation_id == "order-42"
    assert spans.one(pack.task_definition_name).parent is None


@pytest.mark.server
@pytest.mark.anyio
async def test_an_exception_is_recorded_in_the_span(
    conductor: ConductorClient, spans: Spans, new_name: NewName
) -> None:
    @worker_task(new_name("pack"))
    async def pack() -> None:
        raise LookupError("no box")

    workflow = await registered(conductor, new_name("orders"), pack)
    async with WorkerHost(conductor, [pack], listeners=[Tracing(spans.provider)]):
        await workflow.execute()
    span = spans.one(pack.task_definition_name)
    assert span.attributes is not None
    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["conductor.task.status"] == "FAILED"
    assert (span.status.status_code, span.status.description) == (trace.StatusCode.ERROR, "LookupError: no box")
    assert [event.name for event in span.events] == ["exception"]


@pytest.mark.anyio
async def test_calls_within_a_span_send_it_and_record_their_outcome(spans: Spans) -> None:
    async with serve(respond(503), respond(404, json={"message": "No such workflow"})) as server:
        async with client_of(server, hooks=[Tracing(spans.provider)]) as client:
            with spans.tracer.start_as_current_span("outer"), pytest.raises(Exception, match="No such workflow"):
                await client.workflow.get_workflow("w")
        sent = {request.headers["traceparent"] for request in server.requests}
    call = spans.one("GET /workflow/{workflow_id}")
    assert is_child_of(call, spans.one("outer"))
    assert call.context is not None
    [traceparent] = sent
    assert traceparent.startswith(f"00-{call.context.trace_id:032x}-{call.context.span_id:016x}-0")
    assert call.attributes is not None
    assert {name: call.attributes[name] for name in call.attributes} == {
        "http.request.method": "GET",
        "url.template": "/workflow/{workflow_id}",
        "http.response.status_code": 404,
        "http.request.resend_count": 1,
        "error.type": "404",
    }


@pytest.mark.anyio
async def test_calls_outside_of_a_span_have_none(spans: Spans) -> None:
    async with serve(respond(json=[])) as server, client_of(server, hooks=[Tracing(spans.provider)]) as client:
        await client.metadata.get_all_task_defs()
    assert spans.all() == ()


def names(*workers: Any) -> list[str]:
    return [worker.task_definition_name for worker in workers]
