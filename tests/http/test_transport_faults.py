"""What can happen to a request on its way, and which error the caller gets. The fake server counts what arrived."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from conductor_async import StartWorkflowRequest, TaskResult, TransportError, WorkflowDef
from conductor_async.client import ConductorClient
from conductor_async.errors import (
    AmbiguousOutcomeError,
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseDecodeError,
)
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, cut, drip, raw_response, respond, serve, stall, unused_port

pytestmark = pytest.mark.anyio

Call = Callable[[ConductorClient], Awaitable[Any]]

STATUS = {"workflowId": "w", "status": "RUNNING"}


def read(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.get_workflow_status("w")


def put(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.pause_workflow("w")


def delete(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.terminate_workflow("w")


def deliver(client: ConductorClient) -> Awaitable[Any]:
    return client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w"))


def register(client: ConductorClient) -> Awaitable[Any]:
    return client.metadata.register_workflow_def(WorkflowDef(name="w"))


def start(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.start_workflow(StartWorkflowRequest(name="greet", correlation_id="order-7"))


def start_by_name(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.start_workflow_by_name("greet", correlation_id="order-7")


def execute(client: ConductorClient) -> Awaitable[Any]:
    request = StartWorkflowRequest(name="greet", correlation_id="order-7")
    return client.workflow.execute_workflow(request, wait_for_seconds=0)


def rerun(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.restart_workflow("w")


def poll(client: ConductorClient) -> Awaitable[Any]:
    return client.task.poll_task("greet")


def batch_poll(client: ConductorClient) -> Awaitable[Any]:
    return client.task.batch_poll_tasks("greet")


def update_v2(client: ConductorClient) -> Awaitable[Any]:
    return client.task.update_task_v2(TaskResult(task_id="t", workflow_instance_id="w"))


RETRIED = [read, put, delete, deliver, register]
NEVER_RETRIED = [start, start_by_name, execute, rerun, poll, batch_poll, update_v2]
ALL = RETRIED + NEVER_RETRIED

#: Ways to lose the response after the server has read the request.
LOST = {
    "closed before responding": cut(b""),
    "reset before responding": cut(b"", reset=True),
    "cut in the headers": cut(raw_response(text="id")[:30]),
    "cut in the body": cut(raw_response(text="3f1c", headers={"Content-Length": "36"})),
    "reset in the body": cut(raw_response(text="3f1c", headers={"Content-Length": "36"}), reset=True),
}


def succeed(call: Call) -> Behaviour:
    if call in (read, execute):
        return respond(json=STATUS)
    return (
        respond(204)
        if call in (poll, update_v2)
        else respond(json=[])
        if call is batch_poll
        else respond(text="execution-id-0001")
    )


@each_case("call", ALL)
async def test_a_refused_connection_is_retried_for_every_call(call: Call) -> None:
    async with client_of(f"http://localhost:{await unused_port()}/api") as client:
        with pytest.raises(ConnectionFailedError, match="Nothing was sent") as caught:
            await call(client)
    assert caught.value.attempts == 4
    assert caught.value.method
    assert caught.value.route.startswith(("/workflow", "/tasks", "/metadata"))


async def test_an_unknown_host_is_a_failed_connection() -> None:
    async with client_of("http://conductor.invalid/api") as client:
        with pytest.raises(ConnectionFailedError, match=r"conductor.invalid"):
            await start(client)


@each_case("fault", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("call", RETRIED)
async def test_after_a_lost_response_repeatable_requests_are_retried(call: Call, fault: Behaviour) -> None:
    async with serve(fault, fault, succeed(call)) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 3


@each_case("fault", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("call", NEVER_RETRIED)
async def test_after_a_lost_response_other_requests_are_ambiguous(call: Call, fault: Behaviour) -> None:
    async with serve(fault) as server, client_of(server) as client:
        with pytest.raises(AmbiguousOutcomeError, match="may or may not have processed"):
            await call(client)
        assert server.count() == 1


@each_case("fault", [cut(b""), cut(b"", reset=True)], ids=["closed", "reset"])
@pytest.mark.parametrize("call", ALL)
async def test_a_dropped_idle_connection_does_not_resend_requests(call: Call, fault: Behaviour) -> None:
    # aiohttp by itself would send GET, PUT and DELETE once more. Our own retries are counted by `attempts`.
    async with serve(respond(json=STATUS), fault, succeed(call)) as server, client_of(server) as client:
        await read(client)
        if call in RETRIED:
            await call(client)
            assert [request.connection for request in server.requests] == [1, 1, 2]
            return
        with pytest.raises(AmbiguousOutcomeError):
            await call(client)
        assert [request.connection for request in server.requests] == [1, 1]


async def test_an_ambiguous_start_names_what_to_look_up() -> None:
    async with serve(cut(b"")) as server, client_of(server) as client:
        for call in (start, start_by_name, execute):
            with pytest.raises(AmbiguousOutcomeError) as caught:
                await call(client)
            assert (caught.value.workflow_name, caught.value.correlation_id) == ("greet", "order-7")
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await rerun(client)
        assert caught.value.workflow_id == "w"


async def test_a_reset_before_the_request_was_read() -> None:
    async with serve(reset_at_connect=True) as server, client_of(server) as client:
        with pytest.raises(TransportError) as caught:
            await read(client)
        assert caught.value.attempts == server.accepted == 4
        with pytest.raises(TransportError):
            await start(client)  # known not to be sent or not: in both cases it is no success
        assert server.count() == 0


# -- time --------------------------------------------------------------------------------------------


async def test_a_server_that_never_responds_is_a_timeout() -> None:
    async with serve(stall) as server, client_of(server, timeout=0.15) as client:
        with pytest.raises(RequestTimeoutError, match=r"0.15 s") as caught:
            await read(client)
        assert caught.value.attempts == server.count() == 4
        await server.all_closed()


@each_case("call", NEVER_RETRIED)
async def test_a_timeout_after_sending_is_ambiguous(call: Call) -> None:
    async with serve(stall) as server, client_of(server, timeout=0.15) as client:
        with pytest.raises(AmbiguousOutcomeError):
            await call(client)
        assert server.count() == 1


@each_case("every", [0.01], ids=["10 ms a byte"])
async def test_a_slow_response_does_not_exceed_the_timeout(every: float) -> None:
    slow = drip(raw_response(json=STATUS), every=every)
    async with serve(slow) as server, client_of(server, timeout=0.3) as client:
        began = anyio.current_time()
        with pytest.raises(AmbiguousOutcomeError):
            await start(client)
        assert 0.25 < anyio.current_time() - began < 1.0


async def test_with_options_sets_the_timeout_of_one_request() -> None:
    async with serve(stall) as server, client_of(server) as client:
        with anyio.fail_after(2), pytest.raises(AmbiguousOutcomeError, match=r"0.1 s"):
            await start(client.with_options(timeout=0.1))
        assert server.accepted == 1


async def test_the_servers_own_wait_is_added_to_the_timeout() -> None:
    async def later(peer: Any, request: Any) -> None:
        await anyio.sleep(0.4)
        await peer.send(raw_response(json=[]))

    async with serve(later) as server, client_of(server, timeout=0.2) as client:
        assert await client.task.batch_poll_tasks("greet", timeout=0.5) == []
        assert server.requests[0].target.endswith("count=1&timeout=500")


# -- unreadable responses -----------------------------------------------------------------------

LOGIN = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


@each_case(
    ("fault", "said"),
    [
        (respond(text=LOGIN, headers={"Content-Type": "text/html"}), "HTML page.*/api"),
        (respond(text=" \n" + LOGIN), "HTML page"),
        (respond(text="hello"), "not JSON"),
        (respond(body=json.dumps(STATUS).encode()[:-5]), "not JSON, or is truncated"),
        (respond(json=["RUNNING"]), "expected structure"),
        (respond(json={"workflowId": 7, "status": "RUNNING"}), "expected structure.*workflowId"),
        (respond(), "empty"),
        (respond(body=b"x" * 2000), "larger than 1000 bytes"),
        (respond(body=b"not gzip", headers={"Content-Encoding": "gzip"}), "not compressed as its"),
        (respond(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}), "larger than 1000"),
    ],
    ids=["html", "html as text", "text", "truncated", "list", "wrong type", "empty", "large", "not gzip", "bomb"],
)
async def test_an_unreadable_response_is_an_error_with_the_reason(fault: Behaviour, said: str) -> None:
    async with serve(fault) as server, client_of(server, max_response_size=1000) as client:
        with pytest.raises(ResponseDecodeError, match=f"(?s){said}") as caught:
            await read(client)
        assert "x" * 20 not in str(caught.value)
        assert server.count() == 1  # reading it again would not make it readable
        assert await _is_usable(client, server)


async def _is_usable(client: ConductorClient, server: Any) -> bool:
    server.behaviours = (respond(json=STATUS),)
    return bool(await read(client))


@each_case("call", [start, put, deliver])
async def test_an_html_page_is_an_error_even_where_text_or_nothing_is_expected(call: Call) -> None:
    page = respond(text=LOGIN, headers={"Content-Type": "text/html;charset=utf-8"})
    async with serve(page) as server, client_of(server) as client:
        # The start may have been carried out nevertheless.
        kind = AmbiguousOutcomeError if call in (start, start_by_name, execute, rerun) else ResponseDecodeError
        with pytest.raises(kind, match="HTML page"):
            await call(client)


async def test_a_compressed_response_is_decompressed() -> None:
    compressed = respond(body=gzip.compress(json.dumps(STATUS).encode()), headers={"Content-Encoding": "gzip"})
    async with serve(compressed) as server, client_of(server) as client:
        assert (await client.workflow.get_workflow_status("w")).workflow_id == "w"
        assert "gzip" in server.requests[0].headers["accept-encoding"]


async def test_an_id_is_never_empty() -> None:
    async with serve(respond()) as server, client_of(server) as client:
        for call in (start, start_by_name):
            with pytest.raises(AmbiguousOutcomeError, match="empty"):
                await call(client)
