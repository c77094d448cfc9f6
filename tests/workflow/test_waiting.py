"""When a wait looks, and what it makes of a server that misbehaves."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time
import tracemalloc
from itertools import pairwise

import anyio
import httpx
import pytest

from conductor_async import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    WaitTimeoutError,
    Workflow,
)
from conductor_async.client import ConductorClient
from conductor_async.config import Configuration
from conductor_async.execution.waiter import LOOKS_AT_ONCE, UnpolledTypes, delay_after, delay_in_outage, ended_task
from tests.fakes.clients import client_of
from tests.fakes.wire import Behaviour, Peer, Request, answer, cut, serve, stall

# -- the schedule, without any I/O -----------------------------------------------------------------


def looks_of_a_wait(until: float) -> list[float]:
    """When a wait looks, if looking takes no time."""
    at: list[float] = []
    now = 0.0
    while now < until:
        now += delay_after(len(at), now)
        at.append(now)
    return at


def test_the_first_looks_are_soon():
    assert looks_of_a_wait(0.2) == pytest.approx([0.005, 0.015, 0.035, 0.075, 0.115, 0.155, 0.195, 0.235])


def test_later_looks_come_after_a_tenth_of_the_time_waited():
    looks = looks_of_a_wait(40)
    gaps = [(after - before) / before for before, after in pairwise(looks) if before > 0.4]
    assert gaps == pytest.approx([0.1] * len(gaps))
    assert len(looks) < 70


def test_no_look_is_more_than_five_seconds_after_the_one_before():
    assert delay_after(1000, 3600) == 5


@pytest.mark.parametrize(("waits", "delay"), [(1, 0.005), (10, 0.005), (100, 0.05), (10_000, 5)])
def test_many_waits_share_two_thousand_looks_a_second(waits, delay):
    assert delay_after(0, 0, waits) == delay


def test_an_outage_is_looked_at_ever_more_seldom():
    down = ServerError("down", status=503, message="down")
    assert [delay_in_outage(failures, down) for failures in range(7)] == [0.25, 0.5, 1, 2, 4, 5, 5]
    busy = RateLimitedError("busy", status=429, message="busy")
    busy.retry_after = 7
    assert delay_in_outage(0, busy) == 7
    busy.retry_after = 3600
    assert delay_in_outage(0, busy) == 60


def execution(*tasks: tuple[str, str, bool]) -> Workflow:
    made = [{"referenceTaskName": name, "status": status, "retried": retried} for name, status, retried in tasks]
    return Workflow.model_validate({"workflowId": "w", "status": "RUNNING", "tasks": made})


@pytest.mark.parametrize(
    ("task", "ended"),
    [
        (("a", "COMPLETED", False), True),
        (("a", "FAILED", False), True),
        (("a", "SKIPPED", False), True),
        (("a", "FAILED", True), False),
        (("a", "IN_PROGRESS", False), False),
        (("a__2", "COMPLETED", False), True),
        (("a__2__1", "COMPLETED", False), True),
        (("a__x", "COMPLETED", False), False),
        (("ab", "COMPLETED", False), False),
    ],
)
def test_which_task_ends_a_wait(task, ended):
    assert bool(ended_task(execution(task), {"a"})) is ended


def test_an_iteration_can_be_named():
    loop = execution(("a__1", "COMPLETED", False), ("a__2", "IN_PROGRESS", False))
    assert ended_task(loop, {"a__2"}) is None
    assert ended_task(loop, {"a__1"}) is not None


# -- on a fake server ------------------------------------------------------------------------------

RUNNING = answer(json={"workflowId": "id-1", "status": "RUNNING", "tasks": []})
PAUSED = answer(json={"workflowId": "id-1", "status": "PAUSED", "tasks": []})
STRANGE = answer(json={"workflowId": "id-1", "status": "DREAMING", "tasks": []})
COMPLETED = answer(json={"workflowId": "id-1", "status": "COMPLETED", "output": {"x": 1}, "tasks": []})
STARTED = answer(text="id-1")


@pytest.mark.anyio
async def test_a_run_is_looked_at_until_it_is_over():
    async with serve(STARTED, RUNNING, PAUSED, STRANGE, COMPLETED) as server, client_of(server) as conductor:
        run = await conductor.executor.execute("w", workflow_input={"a": 1})
    assert run.output == {"x": 1}
    assert run.is_successful()
    assert [(each.method, each.target.partition("?")[0]) for each in server.requests] == [
        ("POST", "/api/workflow"),
        *[("GET", "/api/workflow/id-1/status")] * 4,
        ("GET", "/api/workflow/id-1"),
    ]
    assert server.requests[0].json == {"name": "w", "input": {"a": 1}}


@pytest.mark.anyio
async def test_an_outage_does_not_end_a_wait(caplog):
    faults = [answer(503), cut(b""), answer(429, headers={"Retry-After": "0"}), answer(500, json={"message": "oops"})]
    async with serve(STARTED, *faults, RUNNING, cut(b""), COMPLETED) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            run = await conductor.executor.execute("w", timeout=30)
    assert run.is_successful()
    assert server.count("POST") == 1
    (warning,) = caplog.records
    assert "the wait for workflow id-1 (and others) goes on" in warning.getMessage()


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (401, AuthenticationError)])
async def test_a_refusal_ends_the_wait_and_names_the_workflow(status, error):
    refused = answer(status, json={"status": status, "message": "No such workflow found by id: id-1"})
    async with serve(STARTED, refused) as server, client_of(server) as conductor:
        with pytest.raises(error) as caught:
            await conductor.executor.execute("w")
    assert caught.value.__notes__ == ["This ended the wait for workflow id-1, not the workflow."]


@pytest.mark.anyio
async def test_a_start_whose_answer_is_lost_is_not_waited_for():
    async with serve(cut(b"")) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError):
            await conductor.executor.execute("w")
        assert server.count() == 1


@pytest.mark.anyio
@pytest.mark.parametrize("behaviour", [RUNNING, stall, answer(503)], ids=["running", "stalled", "down"])
async def test_the_timeout_is_the_whole_wait(behaviour: Behaviour):
    async with serve(STARTED, behaviour) as server, client_of(server) as conductor:
        with anyio.fail_after(5), pytest.raises(WaitTimeoutError, match="id-1 was not over in time") as caught:
            await conductor.executor.execute("w", timeout=0.2)
    assert caught.value.workflow_id == "id-1"
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.anyio
async def test_a_start_that_takes_longer_than_the_timeout_is_not_cut_off():
    async def slow_start(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.3)
        await STARTED(peer, request)

    async with serve(slow_start, RUNNING) as server, client_of(server) as conductor:
        with pytest.raises(WaitTimeoutError) as caught:
            await conductor.executor.execute("w", timeout=0.1)
    assert caught.value.workflow_id == "id-1"


@pytest.mark.anyio
async def test_a_timeout_that_is_none_is_refused_before_anything_is_sent():
    async with serve(STARTED) as server, client_of(server) as conductor:
        for wrong in (-1, float("nan")):
            with pytest.raises(ConfigurationError, match="timeout"):
                await conductor.executor.execute("w", timeout=wrong)
        assert server.count() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("behaviour", [RUNNING, stall], ids=["between looks", "in a look"])
async def test_cancelling_a_wait_propagates_at_once_and_leaks_nothing(behaviour: Behaviour):
    async with serve(STARTED, behaviour) as server, client_of(server) as conductor:
        for _ in range(3):
            with anyio.move_on_after(0.3) as scope:
                await conductor.executor.execute("w")
            assert scope.cancelled_caught
        waiting = conductor.executor._waiting
        assert waiting._waits == 0
        assert waiting._looking == 0
        assert conductor.executor._starting.borrowed_tokens == 0


@pytest.mark.anyio
async def test_waits_share_a_bounded_number_of_looks():
    looking = most = 0
    as_many_as_may = anyio.Event()

    async def slowly(peer: Peer, request: Request) -> None:
        nonlocal looking, most
        if request.method == "POST":
            await STARTED(peer, request)
        elif not request.target.split("?")[0].endswith("/status"):
            await COMPLETED(peer, request)
        else:
            looking += 1
            most = max(most, looking)
            if looking == LOOKS_AT_ONCE:
                as_many_as_may.set()
            await as_many_as_may.wait()
            await anyio.sleep(0.1)  # for one too many to come
            looking -= 1
            await COMPLETED(peer, request)

    async with serve(slowly) as server, client_of(server) as conductor, anyio.create_task_group() as waits:
        for _ in range(3 * LOOKS_AT_ONCE):
            waits.start_soon(conductor.executor.execute, "w")
    assert most == LOOKS_AT_ONCE


@pytest.mark.anyio
async def test_named_tasks_end_a_wait_while_the_workflow_goes_on():
    def with_task(status: str) -> Behaviour:
        task = {"referenceTaskName": "b", "status": status}
        return answer(json={"workflowId": "id-1", "status": "RUNNING", "tasks": [task]})

    for named in ("b", "a, b", ["a", "b"]):
        async with (
            serve(STARTED, with_task("SCHEDULED"), with_task("COMPLETED")) as server,
            client_of(server) as conductor,
        ):
            run = await conductor.executor.execute("w", wait_until_task_ref=named)
        assert run.is_running()
        assert server.count() == 3


@pytest.mark.anyio
async def test_a_wait_that_ends_names_the_types_that_nobody_polls(monkeypatch, caplog):
    monkeypatch.setattr(UnpolledTypes, "PATIENCE", 0.1)
    monkeypatch.setattr(UnpolledTypes, "_BETWEEN_CHECKS", 0.01)
    long_ago = 1_000_000
    tasks = [
        {"taskType": kind, "referenceTaskName": kind, "status": status, "scheduledTime": long_ago, "domain": domain}
        for kind, status, domain in (
            ("greet", "SCHEDULED", None),
            ("greet", "SCHEDULED", None),
            ("pack", "SCHEDULED", "eu"),
            ("done", "COMPLETED", None),
            ("WAIT", "SCHEDULED", None),
            ("polled", "SCHEDULED", None),
        )
    ]
    running = answer(json={"workflowId": "id-1", "workflowName": "w", "status": "RUNNING", "tasks": tasks})
    polled = answer(json=[{"queueName": "polled", "lastPollTime": int(time.time() * 1000) + 60_000}])

    async def behave(peer: Peer, request: Request) -> None:
        if "polldata" in request.target:
            await (polled if request.target.endswith("=polled") else answer(json=[]))(peer, request)
        else:
            await running(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        for _ in range(2):  # the warning comes once, the error tells it each time
            with pytest.raises(WaitTimeoutError) as caught:
                await conductor.executor.wait("id-1", timeout=1)
            assert str(caught.value).endswith(
                " Nobody polls for tasks of type 'greet' and 'pack' in domain 'eu':"
                " does a worker run, against this server?"
            )
        assert conductor.executor._waiting._unpolled._of == {}
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Nobody polls for tasks of type 'greet'",
        "Nobody polls for tasks of type 'pack' in domain 'eu'",
    ]


@pytest.mark.anyio
async def test_a_wait_that_ends_says_nothing_of_types_that_were_polled_since(monkeypatch):
    monkeypatch.setattr(UnpolledTypes, "PATIENCE", 0.1)
    monkeypatch.setattr(UnpolledTypes, "_BETWEEN_CHECKS", 0.01)
    task = {"taskType": "greet", "referenceTaskName": "g", "status": "SCHEDULED", "scheduledTime": 1}
    running = answer(json={"workflowId": "id-1", "status": "RUNNING", "tasks": [task]})
    asked = 0

    async def behave(peer: Peer, request: Request) -> None:
        nonlocal asked
        if "polldata" in request.target:
            asked += 1
            polls = [] if asked == 1 else [{"queueName": "greet", "lastPollTime": int(time.time() * 1000) + 60_000}]
            await answer(json=polls)(peer, request)
        else:
            await running(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(WaitTimeoutError) as caught:
            await conductor.executor.wait("id-1", timeout=1)
    assert asked > 1
    assert "Nobody polls" not in str(caught.value)


# -- many ------------------------------------------------------------------------------------------


class Counting:
    """A server inside the process, which costs next to nothing: the waits are what is measured."""

    def __init__(self) -> None:
        self.requests = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if request.method == "POST":
            return httpx.Response(200, text=f"id-{self.requests}", headers={"Content-Type": "text/plain"})
        return httpx.Response(200, content=json.dumps({"workflowId": "w", "status": "RUNNING"}))


async def memory_of(waits: int) -> int:
    """Bytes held while so many executions are awaited."""
    server = Counting()
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
        conductor = ConductorClient(Configuration("http://counting.test/api"), http_client=http)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tasks = [asyncio.create_task(conductor.executor.execute("w")) for _ in range(waits)]
        while server.requests < 2 * waits:  # noqa: ASYNC110 - until all have started, and most looked
            await asyncio.sleep(0.05)
        held: list[int] = []
        for _ in range(10):  # the least of them: without what the looks under way need
            await asyncio.sleep(0.1)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0] - before)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return min(held)


@pytest.mark.asyncio
async def test_a_wait_costs_at_most_six_kilobytes():
    tracemalloc.start()
    try:
        await memory_of(10)
        few, many = await memory_of(300), await memory_of(1300)
    finally:
        tracemalloc.stop()
    assert (many - few) / 1000 <= 6 * 1024
