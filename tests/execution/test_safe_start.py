"""One execution for each key: on a fake server that loses responses, and on a Conductor behind a lossy connection."""

from __future__ import annotations

import gc
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from conductor_async import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConductorClient,
    ConductorWorkflow,
    Configuration,
    ConfigurationError,
    NoopTask,
    NotFoundError,
    SimpleTask,
    StartWorkflowRequest,
    WorkflowDef,
    WorkflowTask,
)
from conductor_async._http.call import Api
from conductor_async.execution._safe_start import SafeStart, delay_before_lookup, may_repeat_start
from tests.fakes.clients import client_of
from tests.fakes.lossy import Loss, lossy
from tests.fakes.wire import Behaviour, HangUp, Peer, Request, WireServer, answer, cut, serve

pytestmark = pytest.mark.anyio

NewName = Callable[[str], str]
NOTHING = answer(json={"order-42": []})
STARTED = answer(text="id-1")
LOST = cut(b"")
REQUEST = StartWorkflowRequest(name="w")
PAGE = answer(text="<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"})


def there(*ids: str, create_time: int = 1) -> Behaviour:
    found = [
        {"workflowId": each, "status": "COMPLETED", "createTime": create_time + index}
        for index, each in enumerate(reversed(ids))
    ]
    return answer(json={"order-42": list(reversed(found))})


@asynccontextmanager
async def safe_start_on(server: WireServer) -> AsyncIterator[SafeStart]:
    api = Api(Configuration(server.url))
    try:
        yield SafeStart(api)
    finally:
        await api.aclose()


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
    assert handle.workflow_id == "id-1"
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
    async with serve(there("id-7")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-7"
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


async def test_after_a_lost_response_the_key_is_looked_up_until_the_execution_appears():
    async with serve(NOTHING, LOST, NOTHING, NOTHING, there("id-1")) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42")
        assert handle.workflow_id == "id-1"
        assert requests_of(server) == ["lookup", "start", "lookup", "lookup", "lookup"]


@pytest.mark.parametrize("gateway", [502, 504])
async def test_an_error_of_a_gateway_is_a_lost_response(gateway):
    async with serve(NOTHING, answer(gateway), there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert requests_of(server) == ["lookup", "start", "lookup"]


async def test_the_start_is_repeated_once_if_no_execution_appears():
    lost_once = iter([LOST, STARTED])

    async def behave(peer: Peer, request: Request) -> None:
        await (next(lost_once) if request.target == "/api/workflow" else NOTHING)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.2)
        assert handle.workflow_id == "id-1"
        requests = requests_of(server)
        assert requests.count("start") == 2
        assert requests[-2:] == ["lookup", "start"]  # the last lookup comes just before


async def test_the_start_is_not_repeated_twice():
    async def behave(peer: Peer, request: Request) -> None:
        await (LOST if request.target == "/api/workflow" else NOTHING)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"no execution with this key appeared within 0\.1 s") as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        requests = requests_of(server)
    assert requests.count("start") == 2
    assert requests[-1] == "lookup"
    error = caught.value
    assert (error.workflow_name, error.correlation_id) == ("w", "order-42")
    assert (error.method, error.route) == ("POST", "/workflow")


async def test_the_start_is_not_repeated_if_the_lookups_fail():
    async with serve(NOTHING, LOST, answer(503)) as server, client_of(server) as conductor:
        with pytest.raises(
            AmbiguousOutcomeError, match=r"the lookup of this key failed .*503.*looks for the execution before"
        ) as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert requests_of(server).count("start") == 1
    assert caught.value.__cause__ is not None


async def test_the_search_goes_on_during_an_outage():
    async with serve(NOTHING, LOST, LOST, answer(503), there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"


@pytest.mark.parametrize(
    "refusal",
    [answer(401, json={"status": 401, "message": "no"}), answer(403, json={"message": "no"}), PAGE],
    ids=["401", "403", "page"],
)
async def test_a_rejected_lookup_does_not_end_the_search(refusal):
    async with serve(NOTHING, LOST, refusal, refusal, there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert requests_of(server) == ["lookup", "start", "lookup", "lookup", "lookup"]


async def test_rejected_lookups_leave_the_start_unconfirmed():
    refused = answer(401, json={"status": 401, "message": "no"})
    async with serve(NOTHING, LOST, refused) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert isinstance(caught.value.__cause__, AuthenticationError)
        assert requests_of(server).count("start") == 1


async def test_an_unreadable_response_is_a_lost_response():
    async with serve(NOTHING, PAGE, there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert requests_of(server) == ["lookup", "start", "lookup"]


async def test_an_unconfirmed_start_of_an_earlier_call_is_searched_for_first():
    """The server carries the start out late, when the call that sent it has given up."""
    given_up = False
    lookups = iter([NOTHING, NOTHING, there("id-1")])

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        if len(server.requests) == 1:
            await NOTHING(peer, request)
        else:
            await (next(lookups) if given_up else answer(503))(peer, request)

    async with serve(behave) as server, safe_start_on(server) as safe_start:
        with pytest.raises(AmbiguousOutcomeError):
            await safe_start.start(REQUEST, "order-42", 0.1)
        given_up = True
        unconfirmed = safe_start.unconfirmed_starts.get(("w", "order-42"))
        assert unconfirmed is not None
        unconfirmed.window = 60  # however slow this machine is
        assert await safe_start.start(REQUEST, "order-42", 10) == "id-1"
        assert requests_of(server).count("start") == 1


async def test_the_lookup_is_repeated_if_the_request_for_the_tasks_fails():
    running = answer(json={"order-42": [{"workflowId": "id-1", "status": "RUNNING"}]})
    some = answer(json={"totalHits": 1, "results": [{"taskId": "t1"}]})
    async with serve(NOTHING, LOST, running, LOST, running, some) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert server.count("GET", "/api/workflow/id-1/tasks") == 2


async def test_the_start_is_not_repeated_on_an_overloaded_server():
    """A start may take even longer than the slow lookups, which find nothing until then."""
    slow = iter([0.0, 1.1, 0.0])

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        await anyio.sleep(next(slow, 0.0))
        await NOTHING(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"the server is overloaded \(a lookup took \d+\.\d s\)"):
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=1.2)
        assert requests_of(server).count("start") == 1


async def test_a_running_execution_is_left_as_it_is():
    running = answer(json={"order-42": [{"workflowId": "id-1", "status": "RUNNING"}]})
    some = answer(json={"totalHits": 1, "results": [{"taskId": "t1"}]})
    async with serve(running, some) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert server.count() == 2


async def test_a_rejected_start_raises():
    missing = answer(404, json={"status": 404, "message": "No such workflow defined"})
    async with serve(NOTHING, missing) as server, client_of(server) as conductor:
        with pytest.raises(NotFoundError):
            await conductor.executor.start("w", dedupe_key="order-42")
        assert requests_of(server) == ["lookup", "start"]


async def test_nothing_is_started_if_the_first_lookup_fails():
    async with serve(answer(500, json={"message": "oops"})) as server, client_of(server) as conductor:
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
            await answer(text=f"id-{len(started)}")(peer, request)
        else:
            (key,) = request.json
            found = [
                {"workflowId": f"id-{at + 1}", "status": "FAILED"} for at, each in enumerate(started) if each == key
            ]
            await answer(json={key: found})(peer, request)

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


# -- on a Conductor ----------------------------------------------------------------------------------


@pytest.fixture
async def waiting(server_url: str, new_name: NewName, anyio_backend: str) -> Any:
    """The name of a registered workflow that waits; its executions are removed in the end."""
    name = new_name("safe_start")
    async with ConductorClient(server_url) as conductor:
        wait = WorkflowTask(name="wait", task_reference_name="wait", type="WAIT")
        await conductor.metadata.register_workflow_def(WorkflowDef(name=name, tasks=[wait]))
        yield name
        for workflow_id in await conductor.workflow.get_running_workflows(name):
            await conductor.workflow.terminate_workflow(workflow_id)
        await conductor.metadata.unregister_workflow_def(name, 1)


async def executions(server_url: str, name: str, *keys: str) -> Counter[str]:
    async with ConductorClient(server_url) as conductor:
        found = await conductor.workflow.get_by_correlation_ids(name, keys, include_completed=True)
    return Counter({key: len(each) for key, each in found.items()})


@pytest.mark.server
async def test_the_same_key_gives_the_same_execution(server_url: str, waiting: str):
    async with ConductorClient(server_url) as conductor:
        start = conductor.executor.start
        odd = "order/42 ü#?%2F"
        first = await start(waiting, workflow_input={"a": 1}, dedupe_key=odd)
        assert (await start(waiting, workflow_input={"a": 2}, dedupe_key=odd)).workflow_id == first.workflow_id
        other = await start(waiting, dedupe_key="order-43")
        assert other.workflow_id != first.workflow_id
        execution = await first.get()
        assert (execution.correlation_id, execution.input) == (odd, {"a": 1})
        await first.terminate()  # one that has ended counts, too
        assert (await start(waiting, dedupe_key=odd)).workflow_id == first.workflow_id


@pytest.mark.server
async def test_a_sub_workflow_that_inherits_the_key_does_not_count(server_url: str, waiting: str, new_name: NewName):
    async with ConductorClient(server_url) as conductor:
        child = WorkflowTask(
            name="c", task_reference_name="c", type="SUB_WORKFLOW", sub_workflow_param={"name": waiting, "version": 1}
        )
        definition = WorkflowDef(name=new_name("parent"), tasks=[child])
        request = StartWorkflowRequest(name=definition.name, workflow_def=definition)
        parent = await conductor.executor.start_request(request, dedupe_key="order-42")
        with anyio.fail_after(30):
            while not await parent.children():  # noqa: ASYNC110 - the server starts it in the background
                await anyio.sleep(0.1)
        (inherited,) = await parent.children()
        assert (await inherited.get()).correlation_id == "order-42"
        started = await conductor.executor.start(waiting, dedupe_key="order-42")
        assert started.workflow_id != inherited.workflow_id
        await parent.terminate()


@pytest.mark.server
async def test_of_several_executions_of_a_conductor_the_oldest_is_returned(server_url: str, waiting: str):
    async with ConductorClient(server_url) as conductor:
        ids = []
        for _ in range(3):
            ids.append(await conductor.workflow.start_workflow_by_name(waiting, correlation_id="twice"))
            await anyio.sleep(0.01)
        assert (await conductor.executor.start(waiting, dedupe_key="twice")).workflow_id == ids[0]


@pytest.mark.server
@pytest.mark.parametrize("loss", [each for each in Loss if each is not Loss.NOWHERE], ids=lambda loss: loss.name)
async def test_a_lost_response_does_not_lead_to_a_second_execution(server_url: str, waiting: str, loss: Loss):
    losses = iter([loss])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    async with serve(lossy(server_url, loss_of)) as proxy, client_of(proxy) as conductor:
        handle = await conductor.executor.start(waiting, dedupe_key="order-42", dedupe_window=0.5)
        assert await handle.status() == "RUNNING"
    assert await executions(server_url, waiting, "order-42") == {"order-42": 1}
    assert proxy.count("POST", "/api/workflow") == (2 if loss is Loss.BEFORE_THE_SERVER else 1)


@pytest.mark.server
async def test_without_a_key_a_lost_response_leaves_the_outcome_unknown(server_url: str, waiting: str):
    def loss_of(request: Request) -> Loss:
        return Loss.BEFORE_THE_ANSWER if request.target == "/api/workflow" else Loss.NOWHERE

    async with serve(lossy(server_url, loss_of)) as proxy, client_of(proxy) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start(waiting, correlation_id="mine")
        error = caught.value
        assert (error.workflow_name, error.correlation_id) == (waiting, "mine")
    assert await executions(server_url, waiting, "mine") == {"mine": 1}


@pytest.mark.server
async def test_two_hundred_starts_over_a_lossy_connection_start_one_execution_for_each_key(
    server_url: str, waiting: str
):
    chance = random.Random(42)
    keys = [f"order-{number}" for number in range(200)]
    lost: Counter[Loss] = Counter()
    first: set[str] = set()

    def loss_of(request: Request) -> Loss:
        if request.target != "/api/workflow" or (key := request.json["correlationId"]) in first:
            return Loss.NOWHERE
        first.add(key)
        loss = chance.choice(list(Loss))
        lost[loss] += 1
        return loss

    got: dict[str, str] = {}
    async with serve(lossy(server_url, loss_of)) as proxy, client_of(proxy, timeout=30) as conductor:
        at_once = anyio.CapacityLimiter(32)

        async def start(key: str) -> None:
            async with at_once:
                got[key] = (await conductor.executor.start(waiting, dedupe_key=key, dedupe_window=1)).workflow_id

        async with anyio.create_task_group() as group:
            for key in keys:
                group.start_soon(start, key)
    assert min(lost[each] for each in Loss) >= 30
    found = await executions(server_url, waiting, *keys)
    assert found == dict.fromkeys(keys, 1)
    assert len(set(got.values())) == 200


@pytest.mark.server
async def test_a_workflow_starts_safely_with_its_definition(server_url: str, new_name: NewName):
    losses = iter([Loss.BEFORE_THE_ANSWER])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    name = new_name("described")
    async with serve(lossy(server_url, loss_of)) as proxy, client_of(proxy) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> SimpleTask(new_name("nobody"), "t")
        first = await workflow.start({"a": 1}, dedupe_key="order-42")  # sends its definition
        await workflow.register()
        assert (await workflow.start({"a": 1}, dedupe_key="order-42")).workflow_id == first.workflow_id
        await first.terminate()
    assert await executions(server_url, name, "order-42") == {"order-42": 1}


@pytest.mark.server
async def test_execute_with_a_key_starts_one_execution(server_url: str, new_name: NewName):
    losses = iter([Loss.BEFORE_THE_ANSWER])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    name = new_name("executed")
    async with serve(lossy(server_url, loss_of)) as proxy, client_of(proxy) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> NoopTask("t")
        await workflow.register()
        first = await workflow.execute({"a": 1}, dedupe_key="order-42", timeout=30)
        assert (first.status, first.input) == ("COMPLETED", {"a": 1})
        again = await conductor.executor.execute(name, 1, {"a": 2}, dedupe_key="order-42", timeout=30)
        assert (again.workflow_id, again.input) == (first.workflow_id, {"a": 1})
        with pytest.raises(ConfigurationError, match="correlation_id"):
            await workflow.execute(dedupe_key="order-42", correlation_id="c")
    assert await executions(server_url, name, "order-42") == {"order-42": 1}


async def test_a_start_cancelled_during_the_search_leaves_the_key_free():
    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        await NOTHING(peer, request)

    async with serve(behave) as server, safe_start_on(server) as safe_start:
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

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            await anyio.sleep(0.3)  # it is slow, and continues after the client has hung up
            started.append("id-1")
            await STARTED(peer, request)
        else:
            await (there(*started) if started else NOTHING)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with anyio.move_on_after(0.1) as scope:
            await conductor.executor.start("w", dedupe_key="order-42")
        assert scope.cancelled_caught
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
    assert started == ["id-1"]
