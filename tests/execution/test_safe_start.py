"""One execution for each key: on a server that loses answers, and on the real one behind a lossy connection."""

from __future__ import annotations

import gc
import logging
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from conductor_async import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ConductorClient,
    ConductorWorkflow,
    ConfigurationError,
    NoopTask,
    NotFoundError,
    SimpleTask,
    StartWorkflowRequest,
    WorkflowDef,
    WorkflowTask,
)
from tests.fakes.clients import client_of
from tests.fakes.lossy import Loss, lossy
from tests.fakes.wire import Behaviour, HangUp, Peer, Request, answer, cut, serve

pytestmark = pytest.mark.anyio

NewName = Callable[[str], str]
NOTHING = answer(json={"order-42": []})
STARTED = answer(text="id-1")
LOST = cut(b"")
PAGE = answer(text="<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"})


def there(*ids: str, create_time: int = 1) -> Behaviour:
    found = [
        {"workflowId": each, "status": "COMPLETED", "createTime": create_time + index}
        for index, each in enumerate(reversed(ids))
    ]
    return answer(json={"order-42": list(reversed(found))})


def asked(server: Any) -> list[str]:
    return ["start" if each.target == "/api/workflow" else "look" for each in server.requests]


# -- on a fake server --------------------------------------------------------------------------------


async def test_it_looks_before_it_starts():
    async with serve(NOTHING, STARTED) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", 2, {"a": 1}, priority=3, dedupe_key="order-42")
    assert handle.workflow_id == "id-1"
    look, start = server.requests
    assert (look.method, look.target) == ("POST", "/api/workflow/w/correlated?includeClosed=true&includeTasks=false")
    assert look.json == ["order-42"]
    assert start.json == {
        "name": "w",
        "version": 2,
        "input": {"a": 1},
        "priority": 3,
        "correlationId": "order-42",
        "idempotencyKey": "order-42",
        "idempotencyStrategy": "RETURN_EXISTING",
    }


async def test_what_is_there_is_not_started():
    async with serve(there("id-7")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-7"
        assert asked(server) == ["look"]


async def test_without_a_key_nothing_is_looked_for_and_a_lost_answer_is_raised():
    async with serve(LOST) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start("w", correlation_id="c")
        assert (caught.value.workflow_name, caught.value.correlation_id) == ("w", "c")
        assert asked(server) == ["start"]
        assert "dempotency" not in server.requests[0].body.decode()


async def test_of_several_the_oldest_is_taken_and_a_warning_names_them(caplog):
    async with serve(there("young", "middle", "old")) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            handle = await conductor.executor.start("w", dedupe_key="order-42")
    assert handle.workflow_id == "old"
    (warning,) = caplog.records
    assert warning.getMessage().startswith("3 executions of workflow 'w' have the key 'order-42': old, middle, young.")


async def test_a_lost_answer_is_looked_for_until_the_execution_shows_up():
    async with serve(NOTHING, LOST, NOTHING, NOTHING, there("id-1")) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42")
        assert handle.workflow_id == "id-1"
        assert asked(server) == ["look", "start", "look", "look", "look"]


@pytest.mark.parametrize("gateway", [502, 504])
async def test_a_gateway_that_lost_the_server_is_a_lost_answer(gateway):
    async with serve(NOTHING, answer(gateway), there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert asked(server) == ["look", "start", "look"]


async def test_what_does_not_show_up_is_started_once_more():
    lost_once = iter([LOST, STARTED])

    async def behave(peer: Peer, request: Request) -> None:
        await (next(lost_once) if request.target == "/api/workflow" else NOTHING)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        handle = await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.2)
        assert handle.workflow_id == "id-1"
        seen = asked(server)
        assert seen.count("start") == 2
        assert seen[-2:] == ["look", "start"]  # the last look comes just before


async def test_it_is_not_started_a_third_time():
    async def behave(peer: Peer, request: Request) -> None:
        await (LOST if request.target == "/api/workflow" else NOTHING)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"no execution with the key showed up within 0\.1 s") as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        seen = asked(server)
    assert seen.count("start") == 2
    assert seen[-1] == "look"
    error = caught.value
    assert (error.workflow_name, error.correlation_id) == ("w", "order-42")
    assert (error.method, error.route) == ("POST", "/workflow")


async def test_a_server_that_cannot_be_asked_is_not_asked_to_start_again():
    async with serve(NOTHING, LOST, answer(503)) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"could not be found out .*503.* looks for it first") as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert asked(server).count("start") == 1
    assert caught.value.__cause__ is not None


async def test_an_outage_within_the_window_is_outlived():
    async with serve(NOTHING, LOST, LOST, answer(503), there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"


@pytest.mark.parametrize(
    "refusal",
    [answer(401, json={"status": 401, "message": "no"}), answer(403, json={"message": "no"}), PAGE],
    ids=["401", "403", "page"],
)
async def test_a_refusal_to_look_does_not_end_the_window(refusal):
    async with serve(NOTHING, LOST, refusal, refusal, there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert asked(server) == ["look", "start", "look", "look", "look"]


async def test_a_refusal_to_look_leaves_the_start_in_doubt():
    refused = answer(401, json={"status": 401, "message": "no"})
    async with serve(NOTHING, LOST, refused) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        assert isinstance(caught.value.__cause__, AuthenticationError)
        assert asked(server).count("start") == 1


async def test_a_page_in_place_of_the_answer_is_a_lost_answer():
    async with serve(NOTHING, PAGE, there("id-1")) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert asked(server) == ["look", "start", "look"]


async def test_what_an_earlier_call_left_in_doubt_is_looked_for_before_it_is_started_again():
    """A start that the server carries out late, when the call that made it has given up."""
    looks = iter([NOTHING, NOTHING, there("id-1")])

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        if asked(server).count("start") == len(server.requests) - 1:
            await NOTHING(peer, request)  # the first of all
        else:
            await (answer(503) if not given_up else next(looks))(peer, request)

    given_up = False
    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError):
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=0.1)
        given_up = True
        doubt = conductor.executor._safe_start._doubts.of(("w", "order-42"))
        assert doubt is not None
        doubt.window = 60  # however slow this machine is
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert asked(server).count("start") == 1


async def test_that_it_could_not_be_asked_whether_it_has_begun_is_no_answer_to_the_look():
    running = answer(json={"order-42": [{"workflowId": "id-1", "status": "RUNNING"}]})
    some = answer(json={"totalHits": 1, "results": [{"taskId": "t1"}]})
    async with serve(NOTHING, LOST, running, LOST, running, some) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert server.count("GET", "/api/workflow/id-1/tasks") == 2


async def test_a_slow_server_is_not_asked_to_start_again_when_the_window_is_over():
    """It takes long for a look: it may take longer for the start, and say until then that there is none."""
    slow = iter([0.0, 1.1, 0.0])

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        await anyio.sleep(next(slow, 0.0))
        await NOTHING(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError, match=r"the server is slow, and took up to \d+\.\d s"):
            await conductor.executor.start("w", dedupe_key="order-42", dedupe_window=1.2)
        assert asked(server).count("start") == 1


async def test_an_execution_that_runs_is_left_alone():
    running = answer(json={"order-42": [{"workflowId": "id-1", "status": "RUNNING"}]})
    some = answer(json={"totalHits": 1, "results": [{"taskId": "t1"}]})
    async with serve(running, some) as server, client_of(server) as conductor:
        assert (await conductor.executor.start("w", dedupe_key="order-42")).workflow_id == "id-1"
        assert server.count() == 2


async def test_a_refused_start_is_refused():
    missing = answer(404, json={"status": 404, "message": "No such workflow defined"})
    async with serve(NOTHING, missing) as server, client_of(server) as conductor:
        with pytest.raises(NotFoundError):
            await conductor.executor.start("w", dedupe_key="order-42")
        assert asked(server) == ["look", "start"]


async def test_nothing_is_started_when_the_first_look_fails():
    async with serve(answer(500, json={"message": "oops"})) as server, client_of(server) as conductor:
        with pytest.raises(Exception, match="oops"):
            await conductor.executor.start("w", dedupe_key="order-42")
        assert "start" not in asked(server)


async def test_the_name_of_a_definition_that_goes_along_is_looked_for():
    definition = WorkflowDef(name="inner", tasks=[WorkflowTask(name="t", task_reference_name="t")])
    async with serve(NOTHING, STARTED) as server, client_of(server) as conductor:
        request = StartWorkflowRequest(name="outer", workflow_def=definition)
        await conductor.executor.start_request(request, dedupe_key="order-42")
        assert server.requests[0].target.startswith("/api/workflow/inner/correlated")
        assert request.correlation_id is None


async def test_starts_by_one_key_at_the_same_time_take_turns():
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


async def test_what_cannot_be_is_refused_before_anything_is_sent():
    async with serve(NOTHING) as server, client_of(server) as conductor:
        workflow = ConductorWorkflow(conductor.executor, "w") >> SimpleTask("t", "t")
        with pytest.raises(ConfigurationError, match="correlation_id"):
            await workflow.start(dedupe_key="order-42", correlation_id="c")
        with pytest.raises(ConfigurationError, match="dedupe_window"):
            await workflow.start(dedupe_key="order-42", dedupe_window=-1)
        assert server.count() == 0


# -- on the real server ------------------------------------------------------------------------------


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
async def test_the_same_key_twice_is_the_same_execution(server_url: str, waiting: str):
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
async def test_a_sub_workflow_that_inherits_the_key_is_not_taken_for_the_start(
    server_url: str, waiting: str, new_name: NewName
):
    async with ConductorClient(server_url) as conductor:
        child = WorkflowTask(
            name="c", task_reference_name="c", type="SUB_WORKFLOW", sub_workflow_param={"name": waiting, "version": 1}
        )
        definition = WorkflowDef(name=new_name("parent"), tasks=[child])
        request = StartWorkflowRequest(name=definition.name, workflow_def=definition)
        parent = await conductor.executor.start_request(request, dedupe_key="order-42")
        with anyio.fail_after(30):
            while not await parent.children():  # noqa: ASYNC110 - the server starts it when it comes to it
                await anyio.sleep(0.1)
        (inherited,) = await parent.children()
        assert (await inherited.get()).correlation_id == "order-42"
        started = await conductor.executor.start(waiting, dedupe_key="order-42")
        assert started.workflow_id != inherited.workflow_id
        await parent.terminate()


@pytest.mark.server
async def test_several_executions_with_the_key_on_the_real_server(server_url: str, waiting: str):
    async with ConductorClient(server_url) as conductor:
        ids = []
        for _ in range(3):
            ids.append(await conductor.workflow.start_workflow_by_name(waiting, correlation_id="twice"))
            await anyio.sleep(0.01)
        assert (await conductor.executor.start(waiting, dedupe_key="twice")).workflow_id == ids[0]


@pytest.mark.server
@pytest.mark.parametrize("loss", [each for each in Loss if each is not Loss.NOWHERE], ids=lambda loss: loss.name)
async def test_a_lost_answer_of_the_real_server_makes_no_second_execution(server_url: str, waiting: str, loss: Loss):
    losses = iter([loss])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    async with serve(lossy(server_url, loss_of)) as way, client_of(way) as conductor:
        handle = await conductor.executor.start(waiting, dedupe_key="order-42", dedupe_window=1)
        assert await handle.status() == "RUNNING"
    assert await executions(server_url, waiting, "order-42") == {"order-42": 1}
    assert way.count("POST", "/api/workflow") == (2 if loss is Loss.BEFORE_THE_SERVER else 1)


@pytest.mark.server
async def test_without_a_key_a_lost_answer_stays_in_doubt_on_the_real_server(server_url: str, waiting: str):
    def loss_of(request: Request) -> Loss:
        return Loss.BEFORE_THE_ANSWER if request.target == "/api/workflow" else Loss.NOWHERE

    async with serve(lossy(server_url, loss_of)) as way, client_of(way) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start(waiting, correlation_id="mine")
        error = caught.value
        assert (error.workflow_name, error.correlation_id) == (waiting, "mine")
    assert await executions(server_url, waiting, "mine") == {"mine": 1}


@pytest.mark.server
async def test_two_hundred_starts_over_a_lossy_connection_make_one_execution_for_each_key(
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
    async with serve(lossy(server_url, loss_of)) as way, client_of(way, timeout=30) as conductor:
        at_once = anyio.CapacityLimiter(16)

        async def start(key: str) -> None:
            async with at_once:
                got[key] = (await conductor.executor.start(waiting, dedupe_key=key, dedupe_window=2)).workflow_id

        async with anyio.create_task_group() as group:
            for key in keys:
                group.start_soon(start, key)
    assert min(lost[each] for each in Loss) >= 30
    found = await executions(server_url, waiting, *keys)
    assert found == dict.fromkeys(keys, 1)
    assert len(set(got.values())) == 200


@pytest.mark.server
async def test_a_workflow_described_in_code_starts_safely(server_url: str, new_name: NewName):
    losses = iter([Loss.BEFORE_THE_ANSWER])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    name = new_name("described")
    async with serve(lossy(server_url, loss_of)) as way, client_of(way) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> SimpleTask(new_name("nobody"), "t")
        first = await workflow.start({"a": 1}, dedupe_key="order-42")  # its definition goes along
        await workflow.register()
        assert (await workflow.start({"a": 1}, dedupe_key="order-42")).workflow_id == first.workflow_id
        await first.terminate()
    assert await executions(server_url, name, "order-42") == {"order-42": 1}


@pytest.mark.server
async def test_an_execution_waited_for_by_a_key_is_started_once(server_url: str, new_name: NewName):
    losses = iter([Loss.BEFORE_THE_ANSWER])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    name = new_name("executed")
    async with serve(lossy(server_url, loss_of)) as way, client_of(way) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> NoopTask("t")
        await workflow.register()
        first = await workflow.execute({"a": 1}, dedupe_key="order-42", timeout=30)
        assert (first.status, first.input) == ("COMPLETED", {"a": 1})
        again = await conductor.executor.execute(name, 1, {"a": 2}, dedupe_key="order-42", timeout=30)
        assert (again.workflow_id, again.input) == (first.workflow_id, {"a": 1})
        with pytest.raises(ConfigurationError, match="correlation_id"):
            await workflow.execute(dedupe_key="order-42", correlation_id="c")
    assert await executions(server_url, name, "order-42") == {"order-42": 1}


async def test_a_start_cancelled_while_it_is_in_doubt_leaves_the_key_free():
    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            raise HangUp
        await NOTHING(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        for number in range(6):
            with anyio.move_on_after(0.1) as scope:
                await conductor.executor.start("w", dedupe_key=f"order-{number % 3}")
            assert scope.cancelled_caught
        looks = Counter(request.json[0] for request in server.requests if request.target.endswith("includeTasks=false"))
        assert min(looks.values()) >= 2  # none waited for the turn of one that was cancelled
        gc.collect()
        assert len(conductor.executor._safe_start._turns) <= 1  # the traceback of the last one may still be held


async def test_a_start_cancelled_under_way_is_looked_for_before_it_is_started_again():
    started: list[str] = []

    async def behave(peer: Peer, request: Request) -> None:
        if request.target == "/api/workflow":
            await anyio.sleep(0.3)  # it is slow, and goes on when nobody listens any more
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
