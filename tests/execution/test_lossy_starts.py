"""One execution for each key, on a Conductor behind a lossy connection."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, ConfigurationError, StartWorkflowRequest, WorkflowDef
from conductor_async.errors import AmbiguousOutcomeError
from conductor_async.models import WorkflowTask
from conductor_async.tasks import NoopTask, SimpleTask
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, Request, serve
from tests.fakes.lossy import Loss, lossy

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


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


def losing_first_start(server_url: str, loss: Loss) -> Behaviour:
    losses = iter([loss])

    def loss_of(request: Request) -> Loss:
        return next(losses, Loss.NOWHERE) if request.target == "/api/workflow" else Loss.NOWHERE

    return lossy(server_url, loss_of)


async def executions(server_url: str, name: str, *keys: str) -> Counter[str]:
    async with ConductorClient(server_url) as conductor:
        found = await conductor.workflow.get_by_correlation_ids(name, keys, include_completed=True)
    return Counter({key: len(each) for key, each in found.items()})


async def test_the_same_key_gives_the_same_execution(server_url: str, waiting: str):
    async with ConductorClient(server_url) as conductor:
        start = conductor.executor.start
        odd = "order/42 ü#?%2F"
        first = await start(waiting, input={"a": 1}, dedupe_key=odd)
        assert (await start(waiting, input={"a": 2}, dedupe_key=odd)).workflow_id == first.workflow_id
        other = await start(waiting, dedupe_key="order-43")
        assert other.workflow_id != first.workflow_id
        execution = await first.get()
        assert (execution.correlation_id, execution.input) == (odd, {"a": 1})
        await first.terminate()  # one that has ended counts, too
        assert (await start(waiting, dedupe_key=odd)).workflow_id == first.workflow_id


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


async def test_of_several_executions_of_a_conductor_the_oldest_is_returned(server_url: str, waiting: str):
    async with ConductorClient(server_url) as conductor:
        ids = []
        for _ in range(3):
            ids.append(await conductor.workflow.start_workflow_by_name(waiting, correlation_id="twice"))
            await anyio.sleep(0.01)
        assert (await conductor.executor.start(waiting, dedupe_key="twice")).workflow_id == ids[0]


@pytest.mark.parametrize("loss", [each for each in Loss if each is not Loss.NOWHERE], ids=lambda loss: loss.name)
async def test_a_lost_response_does_not_lead_to_a_second_execution(server_url: str, waiting: str, loss: Loss):
    async with serve(losing_first_start(server_url, loss)) as proxy, client_of(proxy) as conductor:
        handle = await conductor.executor.start(waiting, dedupe_key="order-42", dedupe_window=0.5)
        assert await handle.status() == "RUNNING"
    assert await executions(server_url, waiting, "order-42") == {"order-42": 1}
    assert proxy.count("POST", "/api/workflow") == (2 if loss is Loss.BEFORE_THE_SERVER else 1)


async def test_without_a_key_a_lost_response_leaves_the_outcome_unknown(server_url: str, waiting: str):
    async with serve(losing_first_start(server_url, Loss.BEFORE_THE_ANSWER)) as proxy, client_of(proxy) as conductor:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await conductor.executor.start(waiting, correlation_id="mine")
        error = caught.value
        assert (error.workflow_name, error.correlation_id) == (waiting, "mine")
    assert await executions(server_url, waiting, "mine") == {"mine": 1}


async def test_a_hundred_starts_over_a_lossy_connection_start_one_execution_for_each_key(server_url: str, waiting: str):
    chance = random.Random(42)
    keys = [f"order-{number}" for number in range(100)]
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
    assert min(lost[each] for each in Loss) >= 15
    found = await executions(server_url, waiting, *keys)
    assert found == dict.fromkeys(keys, 1)
    assert len(set(got.values())) == 100


async def test_a_workflow_starts_safely_with_its_definition(server_url: str, new_name: NewName):
    name = new_name("described")
    async with serve(losing_first_start(server_url, Loss.BEFORE_THE_ANSWER)) as proxy, client_of(proxy) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> SimpleTask(new_name("nobody"), "t")
        first = await workflow.start({"a": 1}, dedupe_key="order-42")  # sends its definition
        await workflow.register()
        assert (await workflow.start({"a": 1}, dedupe_key="order-42")).workflow_id == first.workflow_id
        await first.terminate()
    assert await executions(server_url, name, "order-42") == {"order-42": 1}


async def test_execute_with_a_key_starts_one_execution(server_url: str, new_name: NewName):
    name = new_name("executed")
    async with serve(losing_first_start(server_url, Loss.BEFORE_THE_ANSWER)) as proxy, client_of(proxy) as conductor:
        workflow = ConductorWorkflow(conductor.executor, name, 1) >> NoopTask("t")
        await workflow.register()
        first = await workflow.execute({"a": 1}, dedupe_key="order-42", timeout=30)
        assert (first.status, first.input) == ("COMPLETED", {"a": 1})
        again = await conductor.executor.execute(name, 1, {"a": 2}, dedupe_key="order-42", timeout=30)
        assert (again.workflow_id, again.input) == (first.workflow_id, {"a": 1})
        with pytest.raises(ConfigurationError, match="correlation_id"):
            await workflow.execute(dedupe_key="order-42", correlation_id="c")
    assert await executions(server_url, name, "order-42") == {"order-42": 1}
