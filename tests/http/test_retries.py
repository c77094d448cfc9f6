"""What is repeated after the server said no, how long after, and when it ends: on the wire, and the pure decisions."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from conductor_async import (
    AmbiguousOutcomeError,
    APIError,
    ConnectionFailedError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    SkipTaskRequest,
    StartWorkflowRequest,
    TaskResult,
    TransportError,
)
from conductor_async._http.retries import RetryBudget, delay_before, judge
from conductor_async.client import ConductorClient
from tests.fakes.clients import NEVER, client_of
from tests.fakes.wire import answer, cut, serve

STATUS = {"workflowId": "w", "status": "RUNNING"}
Call = Callable[[ConductorClient], Awaitable[Any]]


def refuse(status: int, message: str = "no", **fields: Any) -> Any:
    headers = fields.pop("headers", None)
    return answer(status, json={"status": status, "message": message, "retryable": False, **fields}, headers=headers)


def read(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.get_workflow_status("w")


def start(client: ConductorClient) -> Awaitable[Any]:
    return client.workflow.start_workflow(StartWorkflowRequest(name="greet"))


def poll(client: ConductorClient) -> Awaitable[Any]:
    return client.task.poll_task("greet")


def deliver(client: ConductorClient) -> Awaitable[Any]:
    return client.task.update_task(TaskResult(task_id="t", workflow_instance_id="w"))


def answered(call: Call) -> Any:
    return answer(json=STATUS) if call is read else answer(204) if call is poll else answer(text="id")


# -- by status ---------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
@pytest.mark.parametrize("call", [read, deliver])
async def test_a_busy_server_is_asked_again(call: Call, status: int) -> None:
    async with serve(refuse(status), refuse(status), answered(call)) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 3


@pytest.mark.anyio
@pytest.mark.parametrize("status", [408, 502, 503, 504])
@pytest.mark.parametrize("call", [start, poll])
async def test_what_a_gateway_says_of_a_start_leaves_it_open(call: Call, status: int) -> None:
    async with serve(refuse(status)) as server, client_of(server) as client:
        with pytest.raises(AmbiguousOutcomeError, match=str(status)) as caught:
            await call(client)
        assert server.count() == 1
        assert isinstance(caught.value.__cause__, APIError)


@pytest.mark.anyio
@pytest.mark.parametrize("call", [start, poll])
@pytest.mark.parametrize("refusal", [refuse(429), refuse(503, headers={"Retry-After": "0"})], ids=["429", "503"])
async def test_a_start_that_was_turned_away_is_sent_again(call: Call, refusal: Any) -> None:
    async with serve(refusal, refusal, answered(call)) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("call", "retryable", "requests"), [(read, False, 1), (read, True, 4), (deliver, False, 4), (start, True, 1)]
)
async def test_a_500_is_asked_again_only_if_it_says_so_or_for_a_result(
    call: Call, retryable: bool, requests: int
) -> None:
    async with serve(refuse(500, retryable=retryable)) as server, client_of(server) as client:
        with pytest.raises(ServerError) as caught:
            await call(client)
        assert (server.count(), caught.value.retryable) == (requests, retryable)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 415, 422, 501])
async def test_other_refusals_are_final(status: int) -> None:
    async with serve(refuse(status)) as server, client_of(server) as client:
        with pytest.raises(APIError, match="no") as caught:
            await read(client)
        assert (server.count(), caught.value.status) == (1, status)


@pytest.mark.anyio
@pytest.mark.parametrize(("policy", "requests"), [(NEVER, 1), (RetryPolicy(max_attempts=2, base_delay=0), 2)])
async def test_max_attempts_counts_tries(policy: RetryPolicy, requests: int) -> None:
    async with serve(refuse(503)) as server:
        async with client_of(server, retry=policy) as client:
            with pytest.raises(ServerError):
                await read(client)
        async with client_of(server) as client:
            with pytest.raises(ServerError):
                await read(client.with_options(retry=policy))
        assert server.count() == 2 * requests


# -- Retry-After ----------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_in_seconds_is_waited_out(status: int) -> None:
    async with serve(refuse(status, headers={"Retry-After": "0.3"}), answer(json=STATUS)) as server:
        async with client_of(server) as client:
            began = anyio.current_time()
            await read(client)
        assert 0.29 < anyio.current_time() - began < 1.5


@pytest.mark.anyio
async def test_retry_after_as_a_date_is_waited_out() -> None:
    date = email.utils.formatdate(time.time() + 1.5, usegmt=True)  # whole seconds: 0.5 to 1.5 from now
    async with serve(refuse(429, headers={"Retry-After": date}), answer(json=STATUS)) as server:
        async with client_of(server) as client:
            began = anyio.current_time()
            await read(client)
        assert 0.45 < anyio.current_time() - began < 3


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["soon", "-5", "", "Wed, 99 Foo 2026", "Wed, 21 Oct 2015 07:28:00 GMT", "inf", "nan"])
async def test_an_absurd_retry_after_is_as_good_as_none(value: str) -> None:
    async with (
        serve(refuse(429, headers={"Retry-After": value}), answer(json=STATUS)) as server,
        client_of(server) as client,
    ):
        with anyio.fail_after(1):
            await read(client)


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["3600", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_retry_after_beyond_the_limit_is_the_callers_to_wait(value: str) -> None:
    async with serve(refuse(429, headers={"Retry-After": value})) as server, client_of(server) as client:
        with pytest.raises(RateLimitedError) as caught:
            await read(client)
        assert server.count() == 1
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 3500


# -- a repetition that finds the work done ----------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
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
async def test_already_so_is_a_success_on_a_repetition_only(call: Call, status: int, message: str) -> None:
    done = refuse(status, message)
    async with serve(cut(b""), done) as server, client_of(server) as client:
        await call(client)
        assert server.count() == 2
    async with serve(done) as server, client_of(server) as client:
        with pytest.raises(APIError, match=message.split(":")[0]):
            await call(client)
    # Turned away is not carried out: what the second try says then is about the first.
    async with serve(refuse(429), done) as server, client_of(server) as client:
        with pytest.raises(APIError, match=message.split(":")[0]):
            await call(client)


@pytest.mark.anyio
async def test_a_missing_endpoint_is_never_already_so() -> None:
    missing = refuse(404, "No static resource api/workflow/w/remove.")
    async with serve(cut(b""), missing) as server, client_of(server) as client:
        with pytest.raises(APIError, match="No static resource"):
            await client.workflow.delete_workflow("w")


# -- the budget --------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_an_exhausted_budget_fails_at_once_and_says_so() -> None:
    policy = RetryPolicy(max_attempts=4, base_delay=0, budget=50)
    async with serve(refuse(503)) as server, client_of(server, retry=policy) as client:
        for _ in range(10):
            with pytest.raises(ServerError) as caught:
                await read(client.with_options(timeout=3))  # shared by all that with_options makes
        assert server.count() == 10 + 5  # five repetitions at 10 each
        assert "retry budget is exhausted" in "".join(caught.value.__notes__)
        server.behaviours = (answer(json=STATUS),)
        for _ in range(10):
            await read(client)
        server.behaviours = (*[refuse(503)] * (server.count() + 1), answer(json=STATUS))
        await read(client)  # ten successes paid for one repetition


def test_timeouts_cost_double_and_no_success_overfills_the_budget() -> None:
    budget = RetryBudget(40)
    budget.refund()
    assert [budget.spend(RequestTimeoutError("")) for _ in range(3)] == [True, True, False]
    for _ in range(10):
        budget.refund()
    assert budget.spend(TransportError(""))
    assert not budget.spend(TransportError(""))


# -- decisions, without a socket ------------------------------------------------------------------------------


def test_delays_are_full_jitter_capped_and_above_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = RetryPolicy(max_attempts=10, base_delay=0.1, max_delay=1.0, max_retry_after=5)
    error = TransportError("")
    for attempt, most in zip(range(2, 8), (0.1, 0.2, 0.4, 0.8, 1.0, 1.0), strict=True):
        found = [delay_before(attempt, error, policy) or 0.0 for _ in range(300)]
        assert 0 <= min(found) < 0.1 * most
        assert 0.9 * most < max(found) <= most
    assert delay_before(11, error, policy) is None
    limited = RateLimitedError("", status=429, message="")
    limited.retry_after = 4.0
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    assert delay_before(2, limited, policy) == pytest.approx(4.1)
    limited.retry_after = 5.1
    assert delay_before(2, limited, policy) is None


def test_far_attempts_do_not_overflow() -> None:
    policy = RetryPolicy(max_attempts=5000, base_delay=0.1, max_delay=1.0)
    assert 0 <= (delay_before(4000, TransportError(""), policy) or 0.0) <= 1.0


@pytest.mark.parametrize(
    ("error", "read_again", "start_again", "ambiguous"),
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
def test_the_table(error: Any, read_again: bool, start_again: bool, ambiguous: bool) -> None:
    assert judge(error, repeatable=True).again is read_again
    assert judge(error, repeatable=False).again is start_again
    assert judge(error, repeatable=False).ambiguous is ambiguous
    assert judge(error, repeatable=True).ambiguous is False
