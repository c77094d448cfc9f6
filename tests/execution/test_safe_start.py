"""One execution for each key, on a fake server that loses responses."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import (
    ConductorWorkflow,
    Configuration,
    ConfigurationError,
    SimpleTask,
    StartWorkflowRequest,
    WorkflowDef,
)
from conductor_async._http.call import Api
from conductor_async.errors import AmbiguousOutcomeError, AuthenticationError, NotFoundError, ServerError
from conductor_async.execution._safe_start import SafeStart, delay_before_lookup, may_repeat_start
from conductor_async.models import WorkflowTask
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, FakeServer, HangUp, Peer, Request, cut, respond, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

NOTHING = respond(json={"order-42": []})
STARTED = respond(text="execution-id-0001")
LOST = cut(b"")
RUNNING = respond(json={"order-42": [{"workflowId": "execution-id-0001", "status": "RUNNING"}]})
ONE_TASK = respond(json={"totalHits": 1, "results": [{"taskId": "t1"}]})
REQUEST = StartWorkflowRequest(name="w")
PAGE = respond(text="<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"})


def there(*ids: str, create_time: int = 1) -> Behaviour:
    found = [
        {"workflowId": each, "status": "COMPLETED", "createTime": create_time + index}
        for index, each in enumerate(reversed(ids))
    ]
    return respond(json={"order-42": list(reversed(found))})


@asynccontextmanager
async def safe_start_on(server: FakeServer) -> AsyncIterator[SafeStart]:
    api = Api(Configuration(server.url))
    try:
        yield SafeStart(api)
    finally:
        await api.aclose()


def by_endpoint(start: Behaviour, lookup: Behaviour = NOTHING) -> Behaviour:
    async def behave(peer: Peer, request: Request) -> None:
        await (start if request.target == "/api/workflow" else lookup)(peer, request)

    return behave


def requests_of(server: Any) -> list[str]:
    return ["start" if each.target == "/api/workflow" else "lookup" for each in server.requests]


# -- decisions, without any I/O ----------------------------------------------------------------------


def lookups_in(window: float, *, each_takes: float = 0.0) -> list[float]:
    at: list[float] = []
    now = 0.0
    while (delay := delay_before_lookup(len(at), now, window)) is not None:
        now += delay
        at.append(round(now, 6))
        now += each_takes
    return at


def test_lookups_back_off_and_the_last_one_comes_when_the_window_ends():
    assert lookups_in(10) == [0, 0.05, 0.15, 0.35, 0.75, 1.55, 3.15, 5.15, 7.15, 9.15, 10]
    assert lookups_in(0.1) == [0, 0.05, 0.1]
    assert lookups_in(0) == [0]
    assert lookups_in(10, each_takes=6) == [0, 6.05]


def test_lookups_are_at_most_two_seconds_apart():
    assert delay_before_lookup(5000, 100, 3600) == 2


@pytest.mark.parametrize(("starts", "known_absent", "repeat"), [(1, True, True), (1, False, False), (2, True, False)])
def test_a_start_is_repeated_once_and_only_if_no_execution_exists(starts, known_absent, repeat):
    assert may_repeat_start(starts, known_absent=known_absent) is repeat


# -- on a fake server --------------------------------------------------------------------------------


async def test_the_key_is_looked_up_before_the_start():
    async with serve(NOTHING, STARTED) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", 2, {"a": 1}, priority=3, dedupe_key="order-42")
    assert handle.workflow_id == "execution-id-0001"
    lookup, start = server.requests
    assert (lookup.method, lookup.target) == (
        "POST",
        "/api/workflow/w/correlated?includeClosed=true&includeTasks=false",
    )
    assert lookup.json == ["order-42"]
    assert start.json == {
        "name": "w",
        "version": 2,
        "input": {"a": 1},
        "priority": 3,
        "correlationId": "order-42",
        "idempotencyKey": "order-42",
        "idempotencyStrategy": "RETURN_EXISTING",
    }


async def test_an_existing_execution_is_not_started_again():
    async with serve(there("execution-id-0007")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-id-0007"
        assert requests_of(server) == ["lookup"]


async def test_without_a_key_there_is_no_lookup_and_a_lost_response_raises():
    async with serve(LOST) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start("w", correlation_id="c")
        assert (caught.value.workflow_name, caught.value.correlation_id) == ("w", "c")
        assert requests_of(server) == ["start"]
        assert "dempotency" not in server.requests[0].body.decode()


async def test_of_several_executions_the_oldest_is_returned_and_a_warning_names_them(caplog):
    async with serve(there("young", "middle", "old")) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            handle = await conductor.executor.start("w", dedupe_key="order-42")
    assert handle.workflow_id == "old"
    (warning,) = caplog.records
    assert warning.getMessage().startswith(
        "Workflow 'w' has 3 executions with the dedupe key 'order-42': old, middle, young. Using the oldest, old;"
    )


@pytest.mark.parametrize("lost", [LOST, respond(502), respond(504), PAGE], ids=["cut", "502", "504", "page"])
async def test_after_a_lost_response_the_key_is_looked_up_until_the_execution_appears(lost):
    async with (
        serve(NOTHING, lost, NOTHING, NOTHING, there("execution-id-0001")) as server,
        client_of(server) as conductor,
    ):
        handle = await conductor.executor.start("w", dedupe_key="order-42")
        assert handle.workflow_id == "execution-id-0001"
        assert requests_of(server) == ["lookup", "start", "lookup", "lookup", "lookup"]


async def test_the_start_is_repeated_once_if_no_execution_appears():
    starts = iter([LOST, STARTED])

    async def start(peer: Peer, request: Request) -> None:
        await next(starts)(peer, request)

    async with serve(by_endpoint(start)) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.2)
        assert handle.workflow_id == "execution-id-0001"
        requests = requests_of(server)
        assert requests.count("start") == 2
        assert requests[-2:] == ["lookup", "start"]  # the last lookup comes just before


async def test_the_start_is_not_repeated_twice():
    async with serve(by_endpoint(start=LOST)) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"no execution with this key appeared within 0\.1 s") as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        requests = requests_of(server)
    assert requests.count("start") == 2
    assert requests[-1] == "lookup"
    error = caught.value
    assert (error.workflow_name, error.correlation_id) == ("w", "order-42")
    assert (error.method, error.route) == ("POST", "/workflow")


REJECTED = respond(401, json={"status": 401, "message": "no"})
FAILED_LOOKUPS = {
    "503": respond(503),
    "cut": LOST,
    "401": REJECTED,
    "403": respond(403, json={"message": "no"}),
    "page": PAGE,
}


@pytest.mark.parametrize("failed", FAILED_LOOKUPS.values(), ids=FAILED_LOOKUPS)
async def test_failed_lookups_do_not_end_the_search(failed):
    async with (
        serve(NOTHING, LOST, failed, failed, there("execution-id-0001")) as server,
        client_of(server) as conductor,
    ):
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-id-0001"
        assert requests_of(server) == ["lookup", "start", "lookup", "lookup", "lookup"]


@pytest.mark.parametrize(("failed", "cause"), [(respond(503), ServerError), (REJECTED, AuthenticationError)])
async def test_the_start_is_not_repeated_if_the_lookups_fail(failed, cause):
    async with serve(NOTHING, LOST, failed) as server, client_of(server) as conductor:
        with pytest.raises(
            AmbiguousOutcomeError, match=r"lookup of this key failed .*looks for the execution"
        ) as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert requests_of(server).count("start") == 1
    assert isinstance(caught.value.__cause__, cause)


async def test_an_unconfirmed_start_of_an_earlier_call_is_searched_for_first():
    """The server carries the start out late, when the call that sent it has given up."""
    given_up = False
    lookups = iter([NOTHING, NOTHING, there("execution-id-0001")])

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        if len(server.requests) == 1:
            await NOTHING(peer, request)
        else:
            await (next(lookups) if given_up else respond(503))(peer, request)

    async with serve(behave) as server, safe_start_on(server) as safe_start:
        with pytest.raises(AmbiguousOutcomeError):
            await safe_start.start(REQUEST, "order-42", 0.1)
        given_up = True
        unconfirmed = safe_start.unconfirmed_starts.get(("w", "order-42"))
        assert unconfirmed is not None
        unconfirmed.window = 60  # however slow this machine is
        assert await safe_start.start(REQUEST, "order-42", 10) == "execution-id-0001"
        assert requests_of(server).count("start") == 1


async def test_the_lookup_is_repeated_if_the_request_for_the_tasks_fails():
    async with serve(NOTHING, LOST, RUNNING, LOST, RUNNING, ONE_TASK) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-id-0001"
        assert server.count("GET", "/api/workflow/execution-id-0001/tasks") == 2


async def test_the_start_is_not_repeated_on_an_overloaded_server():
    """A start may take even longer than the slow lookups, which find nothing until then."""
    delays = iter([0.0, 1.1])

    async def slow_lookup(peer: Peer, request: Request) -> None:
        await anyio.sleep(next(delays, 0.0))
        await NOTHING(peer, request)

    async with serve(by_endpoint(LOST, slow_lookup)) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"the server is overloaded \(a lookup took \d+\.\d s\)"):
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=1.2)
        assert requests_of(server).count("start") == 1


async def test_a_running_execution_is_left_as_it_is():
    async with serve(RUNNING, ONE_TASK) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-id-0001"
        assert server.count() == 2


async def test_a_rejected_start_raises():
    missing = respond(404, json={"status": 404, "message": "No such workflow defined"})
    async with serve(NOTHING, missing) as server, client_of(server) as conductor:
        with pytest.raises(NotFoundError):
            await conductor.executor.start("w", dedupe_key="order-42")
        assert requests_of(server) == ["lookup", "start"]


async def test_nothing_is_started_if_the_first_lookup_fails():
    async with serve(respond(500, json={"message": "oops"})) as server, client_of(server) as conductor:
        with pytest.raises(Exception, match="oops"):
            await conductor.executor.start("w", dedupe_key="order-42")
        assert "start" not in requests_of(server)


async def test_the_lookup_uses_the_name_in_the_definition_of_the_request():
    definition = WorkflowDef(name="inner", tasks=[WorkflowTask(name="t", task_reference_name="t")])
    async with serve(NOTHING, STARTED) as server, client_of(server) as conductor:
        request = StartWorkflowRequest(name="outer", workflow_def=definition)
        await conductor.executor.start_request(request, dedupe_key="order-42")
        assert server.requests[0].target.startswith("/api/workflow/inner/correlated")
        assert request.correlation_id is None


async def test_concurrent_starts_with_one_key_start_one_execution():
    started: list[str] = []

    async def behave(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.02)
        if request.target == "/api/workflow":
            started.append(request.json["correlationId"])
            await respond(text=f"execution-id-000{len(started)}")(peer, request)
        else:
            (key,) = request.json
            found = [
                {"workflowId": f"execution-id-000{at + 1}", "status": "FAILED"}
                for at, each in enumerate(started)
                if each == key
            ]
            await respond(json={key: found})(peer, request)

    ids: dict[str, set[str]] = {"a": set(), "b": set()}
    async with serve(behave) as server, client_of(server) as conductor:

        async def start(key: str) -> None:
            ids[key].add((await conductor.executor.start("w", dedupe_key=key)).workflow_id)

        async with anyio.create_task_group() as group:
            for key in "ababab":
                group.start_soon(start, key)
    assert sorted(started) == ["a", "b"]
    assert [len(each) for each in ids.values()] == [1, 1]


async def test_invalid_arguments_are_rejected_before_anything_is_sent():
    async with serve(NOTHING) as server, client_of(server) as conductor:
        workflow = ConductorWorkflow(conductor.executor, "w") >> SimpleTask("t", "t")
        with pytest.raises(ConfigurationError, match="correlation_id"):
            await workflow.start(dedupe_key="order-42", correlation_id="c")
        with pytest.raises(ConfigurationError, match="dedupe_window"):
            await workflow.start(dedupe_key="order-42", dedupe_window=-1)
        assert server.count() == 0


async def test_a_start_cancelled_during_the_search_leaves_the_key_free():
    async with serve(by_endpoint(start=LOST)) as server, safe_start_on(server) as safe_start:
        for number in range(6):
            with anyio.move_on_after(0.1) as scope:
                await safe_start.start(REQUEST, f"order-{number % 3}", 10)
            assert scope.cancelled_caught
        lookups = Counter(request.json[0] for request in server.requests if request.target != "/api/workflow")
        assert min(lookups.values()) >= 2  # none waited for the lock of one that was cancelled
        gc.collect()
        assert len(safe_start.locks) <= 1  # the traceback of the last one may still be held


async def test_a_start_cancelled_in_progress_is_searched_for_first():
    started: list[str] = []

    async def slow_start(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.3)  # continues after the client has hung up
        started.append("execution-id-0001")
        await STARTED(peer, request)

    async def lookup(peer: Peer, request: Request) -> None:
        await (there(*started) if started else NOTHING)(peer, request)

    async with serve(by_endpoint(slow_start, lookup)) as server, client_of(server) as conductor:
        with anyio.move_on_after(0.1) as scope:
            await conductor.executor.start("w", dedupe_key="order-42")
        assert scope.cancelled_caught
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "execution-id-0001"
    assert started == ["execution-id-0001"]
