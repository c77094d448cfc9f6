"""Which requests are retried, after which delay, how often: against a fake server, and the decisions alone."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from conductor_async import APIError, RetryPolicy, StartWorkflowRequest, TaskResult, TransportError
from conductor_async._http.retries import RetryBudget, classify, retry_delay
from conductor_async.client import ConductorClient
from conductor_async.errors import (
    AmbiguousOutcomeError,
    ConnectionFailedError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
)
from conductor_async.models import SkipTaskRequest
from tests.fakes.cases import each_case
from tests.fakes.clients import NEVER, client_of
from tests.fakes.http_server import cut, respond, serve

STATUS = {"workflowId": "w", "status": "RUNNING"}
Call = Callable[[ConductorClient], Awaitable[Any]]


def fail(status: int, message: str = "no", **fields: Any) -> Any:
    headers = fields.pop("headers", None)
    return respond(status, json={"status": status, "message": message, "retryable": False, **fields}, headers=headers)


def read(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.get_workflow_status("w")


def start(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.start_workflow(StartWorkflowRequest(name="greet"))


def poll(client: ConductorClient) -> Awaitable[Any]:
    return client.task.poll_task("greet")


def deliver(client: ConductorClient) -> Awaitable[Any]:
    return client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w"))


def success(call: Call) -> Any:
    return respond(json=STATUS) if call is read else respond(204) if call is poll else respond(text="execution-id-0001")


# -- by status ---------------------------------------------------------------------------------------


@pytest.mark.anyio
@each_case("status", [408, 429, 502, 503, 504])
@each_case("call", [read, deliver])
async def test_requests_to_an_unavailable_server_are_retried(call: Call, status: int) -> None:
    async with serve(fail(status), fail(status), success(call)) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 3


@pytest.mark.anyio
@each_case("status", [408, 502, 503, 504])
@each_case("call", [start, poll])
async def test_a_gateways_error_makes_a_start_ambiguous(call: Call, status: int) -> None:
    async with serve(fail(status)) as server, client_of(server) as client:
        with pytest.raises(AmbiguousOutcomeError, match=str(status)) as caught:
            await call(client)
        assert server.count() == 1
        assert isinstance(caught.value.__cause__, APIError)


@pytest.mark.anyio
@each_case("call", [start, poll])
@each_case("failure", [fail(429), fail(503, headers={"Retry-After": "0"})], ids=["429", "503"])
async def test_a_start_that_the_server_declined_is_retried(call: Call, failure: Any) -> None:
    async with serve(failure, failure, success(call)) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 3


@pytest.mark.anyio
@each_case(
    ("call", "retryable", "requests"), [(read, False, 1), (read, True, 4), (deliver, False, 4), (start, True, 1)]
)
async def test_a_500_is_retried_only_if_it_is_retryable_or_for_a_result(
    call: Call, retryable: bool, requests: int
) -> None:
    async with serve(fail(500, retryable=retryable)) as server, client_of(server) as client:
        with pytest.raises(ServerError) as caught:
            await call(client)
        assert (server.count(), caught.value.retryable) == (requests, retryable)


@pytest.mark.anyio
@each_case("status", [400, 401, 403, 404, 405, 409, 415, 422, 501])
async def test_other_errors_are_not_retried(status: int) -> None:
    async with serve(fail(status)) as server, client_of(server) as client:
        with pytest.raises(APIError, match="no") as caught:
            await read(client)
        assert (server.count(), caught.value.status) == (1, status)


@pytest.mark.anyio
@each_case(("policy", "requests"), [(NEVER, 1), (RetryPolicy(max_attempts=2, base_delay=0), 2)])
async def test_max_attempts_includes_the_first(policy: RetryPolicy, requests: int) -> None:
    async with serve(fail(503)) as server:
        async with client_of(server, retry=policy) as client:
            with pytest.raises(ServerError):
                await read(client)
        async with client_of(server) as client:
            with pytest.raises(ServerError):
                await read(client.with_options(retry=policy))
        assert server.count() == 2 * requests


# -- Retry-After ----------------------------------------------------------------------------------------


@pytest.mark.anyio
@each_case("status", [429, 503])
async def test_retry_after_in_seconds_is_respected(status: int) -> None:
    async with serve(fail(status, headers={"Retry-After": "0.3"}), respond(json=STATUS)) as server:
        async with client_of(server) as client:
            began = anyio.current_time()
            await read(client)
        assert 0.29 < anyio.current_time() - began < 1.5


@pytest.mark.anyio
async def test_retry_after_as_a_date_is_respected() -> None:
    date = email.utils.formatdate(time.time() + 1.5, usegmt=True)  # whole seconds: 0.5 to 1.5 from now
    async with serve(fail(429, headers={"Retry-After": date}), respond(json=STATUS)) as server:
        async with client_of(server) as client:
            began = anyio.current_time()
            await read(client)
        assert 0.45 < anyio.current_time() - began < 3


@pytest.mark.anyio
@each_case("value", ["soon", "-5", "", "Wed, 99 Foo 2026", "Wed, 21 Oct 2015 07:28:00 GMT", "inf", "nan"])
async def test_an_invalid_retry_after_is_ignored(value: str) -> None:
    async with (
        serve(fail(429, headers={"Retry-After": value}), respond(json=STATUS)) as server,
        client_of(server) as client,
    ):
        with anyio.fail_after(1):
            await read(client)


@pytest.mark.anyio
@each_case("value", ["3600", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_retry_after_beyond_the_limit_is_an_error(value: str) -> None:
    async with serve(fail(429, headers={"Retry-After": value})) as server, client_of(server) as client:
        with pytest.raises(RateLimitedError) as caught:
            await read(client)
        assert server.count() == 1
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 3500


# -- retries of what is already done ----------------------------------------------------------------


@pytest.mark.anyio
@each_case(
    ("call", "status", "message"),
    [
        (lambda c: c.workflow.delete_workflow("w"), 404, "No such workflow found by id: w"),
        (lambda c: c.metadata.unregister_workflow_def("n", 1), 500, "No such workflow definition: n version: 1"),
        (lambda c: c.workflow.resume_workflow("w"), 500, "The workflow w is not PAUSED so cannot resume. Status is R"),
        (
            lambda c: c.workflow.skip_task_from_workflow("w", "r", SkipTaskRequest()),
            500,
            "Task referenceName r has already been processed, cannot be skipped",
        ),
    ],
    ids=["delete", "unregister", "resume", "skip"],
)
async def test_already_done_is_a_success_for_a_retry_only(call: Call, status: int, message: str) -> None:
    done = fail(status, message)
    async with serve(cut(b""), done) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 2
    async with serve(done) as server, client_of(server) as client:
        with pytest.raises(APIError, match=message.split(":")[0]):
            await call(client)
    # The server declined the first attempt, so that cannot have done it.
    async with serve(fail(429), done) as server, client_of(server) as client:
        with pytest.raises(APIError, match=message.split(":")[0]):
            await call(client)


@pytest.mark.anyio
async def test_a_missing_endpoint_never_means_already_done() -> None:
    missing = fail(404, "No static resource api/workflow/w/remove.")
    async with serve(cut(b""), missing) as server, client_of(server) as client:
        with pytest.raises(APIError, match="No static resource"):
            await client.workflow.delete_workflow("w")


# -- the budget --------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_without_budget_calls_fail_at_once_with_a_note() -> None:
    policy = RetryPolicy(max_attempts=4, base_delay=0, budget=50)
    async with serve(fail(503)) as server, client_of(server, retry=policy) as client:
        for _ in range(10):
            with pytest.raises(ServerError) as caught:
                await read(client.with_options(timeout=3))  # shared by all that with_options makes
        assert server.count() == 10 + 5  # five retries at 10 tokens each
        assert "retry budget is exhausted" in "".join(caught.value.__notes__)
        server.behaviours = (respond(json=STATUS),)
        for _ in range(10):
            await read(client)
        server.behaviours = (*[fail(503)] * (server.count() + 1), respond(json=STATUS))
        await read(client)  # ten successes paid for one retry


def test_timeouts_cost_double_and_no_success_overfills_the_budget() -> None:
    budget = RetryBudget(40)
    budget.refund()
    assert [budget.spend(RequestTimeoutError("")) for _ in range(3)] == [True, True, False]
    for _ in range(10):
        budget.refund()
    assert budget.spend(TransportError(""))
    assert not budget.spend(TransportError(""))


# -- decisions, without a socket ------------------------------------------------------------------------------


def test_delays_are_full_jitter_capped_and_above_retry_after() -> None:
    policy = RetryPolicy(max_attempts=10, base_delay=0.1, max_delay=1.0, max_retry_after=5)
    error = TransportError("")
    for failures, most in enumerate((0.1, 0.2, 0.4, 0.8, 1.0, 1.0), start=1):
        found = [retry_delay(failures, error, policy) or 0.0 for _ in range(300)]
        assert 0 <= min(found) < 0.1 * most
        assert 0.9 * most < max(found) <= most
    assert retry_delay(10, error, policy) is None
    limited = RateLimitedError("", status=429, message="")
    limited.retry_after = 4.0
    assert 4.0 <= (retry_delay(1, limited, policy) or 0.0) <= 4.1
    limited.retry_after = 5.1
    assert retry_delay(1, limited, policy) is None


def test_far_attempts_do_not_overflow() -> None:
    policy = RetryPolicy(max_attempts=5000, base_delay=0.1, max_delay=1.0)
    assert 0 <= (retry_delay(3999, TransportError(""), policy) or 0.0) <= 1.0


@each_case(
    ("error", "retry_read", "retry_start", "ambiguous"),
    [
        (ConnectionFailedError(""), True, True, False),
        (RequestTimeoutError(""), True, False, True),
        (TransportError(""), True, False, True),
        (NotFoundError("", status=404, message=""), False, False, False),
        (ServerError("", status=500, message=""), False, False, False),
        (ServerError("", status=500, message="", retryable=True), True, False, False),
        (ServerError("", status=502, message=""), True, False, True),
    ],
)
def test_decisions_by_error(error: Any, retry_read: bool, retry_start: bool, ambiguous: bool) -> None:
    assert classify(error, repeatable=True).retry is retry_read
    assert classify(error, repeatable=False).retry is retry_start
    assert classify(error, repeatable=False).ambiguous is ambiguous
    assert classify(error, repeatable=True).ambiguous is False
