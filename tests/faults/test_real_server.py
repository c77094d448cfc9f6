"""Lost answers, broken connections and a killed server, on the real Conductor: each execution is completed, by one run.

Afterwards the server is asked what became of every task: nothing may be in the hands of a host that is gone.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import ConductorClient, ConductorError, TaskContext, WorkerHost, worker_task
from conductor_async.localserver import LocalServer
from tests.fakes.clients import NEVER, client_of
from tests.faults.leaks import nothing_leaks
from tests.faults.load import Load, attempts
from tests.faults.rig import Failing, Fault, Operation, Storm, between, over_tcp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conductor_async.models import Workflow

pytestmark = [
    pytest.mark.server,
    pytest.mark.only_on("server", reason="test_matrix.py has the same on queues in this process"),
    pytest.mark.real_server,
    pytest.mark.thorough,
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]

NewName = Callable[[str], str]
LOST = [Fault.RESET_AFTER, Fault.CUT_AFTER]
#: What nobody has to wait for: a storm of these is over soon.
QUICK = tuple(each for each in Fault if not each.takes_a_timeout)


class Runs(Counter[str]):
    """How often each task was run."""

    def worker(self, task_type: str, seconds: float = 0.05) -> Any:
        @worker_task(task_type, concurrency=5)
        async def job(context: TaskContext) -> None:
            self[context.task_id] += 1
            await anyio.sleep(seconds)

        return job


@asynccontextmanager
async def load_on(url: str, task_type: str, **options: Any) -> AsyncIterator[Load]:
    async with ConductorClient(url) as conductor:
        load = Load(conductor, task_type, **options)
        await load.register()
        try:
            yield load
        finally:
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 10):
                await load.clean_up()


def nothing_lost(executions: list[Workflow], runs: Runs) -> None:
    """Every execution is completed, each task at its first attempt, by its one run."""
    tasks = {task.task_id for execution in executions for task in execution.tasks}
    assert Counter(str(each.status) for each in executions) == {"COMPLETED": len(executions)}
    assert attempts(executions) == {"COMPLETED": len(tasks)}
    assert runs == dict.fromkeys(tasks, 1)


each_lost = pytest.mark.parametrize("fault", LOST, ids=[each.name.lower() for each in LOST])


@pytest.mark.parametrize("operation", [Operation.POLL, Operation.UPDATE_V2, Operation.RESULT], ids=["poll", "v2", "v1"])
@each_lost
async def test_lost_answers(server_url: str, new_name: NewName, fault: Fault, operation: Operation, seed: int):
    runs = Runs()
    async with (
        load_on(server_url, new_name("lost")) as load,
        between(over_tcp(server_url), Failing(operation, fault, times=2), seed=seed) as rig,
    ):
        await load.start(8)
        async with nothing_leaks():
            client = client_of(rig, retry=NEVER)
            async with client as conductor, WorkerHost(conductor, [runs.worker(load.task_type)], poll_timeout=0.5):
                executions = await load.ended()
            await rig.all_closed()
        nothing_lost(executions, runs)


@each_lost
async def test_tasks_handed_back_by_a_host_that_stops(server_url: str, new_name: NewName, fault: Fault, seed: int):
    """The answers are lost; the next host has the tasks at once."""
    first, second = Runs(), Runs()
    async with (
        load_on(server_url, new_name("handed_back")) as load,
        between(over_tcp(server_url), Failing(Operation.HAND_BACK, fault, times=2), seed=seed) as rig,
        client_of(rig, retry=NEVER) as conductor,
    ):
        await load.start(5)
        async with WorkerHost(conductor, [first.worker(load.task_type, seconds=60)], poll_timeout=0.5, grace=0):
            with anyio.fail_after(20):
                while len(first) < 5:  # noqa: ASYNC110 - there is no event to wait for
                    await anyio.sleep(0.05)
        async with WorkerHost(conductor, [second.worker(load.task_type)], poll_timeout=0.5):
            executions = await load.ended()
        nothing_lost(executions, second)


@each_lost
async def test_safe_starts(server_url: str, new_name: NewName, fault: Fault, seed: int):
    runs = Runs()
    async with (
        load_on(server_url, new_name("started")) as load,
        between(over_tcp(server_url), Failing(Operation.START, fault, times=3), seed=seed) as rig,
        client_of(rig) as conductor,
    ):
        for number in range(6):
            handle = await conductor.executor.start(load.name, dedupe_key=f"order-{number}", dedupe_window=5)
            load.ids.append(handle.workflow_id)
            found = await load.conductor.workflow.get_by_correlation_ids(
                load.name, [f"order-{number}"], include_completed=True
            )
            assert [each.workflow_id for each in found[f"order-{number}"]] == [handle.workflow_id]
        assert rig.reached(Operation.START) == 6
        async with WorkerHost(conductor, [runs.worker(load.task_type)], poll_timeout=0.5):
            nothing_lost(await load.ended(), runs)


async def test_a_storm_of_all_faults(server_url: str, new_name: NewName, seed: int):
    """Every fifth request fails, one way or another."""
    runs = Runs()
    storm = Storm(random.Random(seed), rate=0.2, kinds=QUICK)
    async with (
        load_on(server_url, new_name("storm"), tasks=2) as load,
        between(over_tcp(server_url), storm, seed=seed) as rig,
    ):
        await load.start(15)
        async with nothing_leaks():
            client = client_of(rig, retry=NEVER)
            async with client as conductor, WorkerHost(conductor, [runs.worker(load.task_type)], poll_timeout=0.5):
                executions = await load.ended(within=90)
                storm.end()
            await rig.all_closed()
        nothing_lost(executions, runs)


async def test_a_server_that_is_killed_and_comes_back(new_name: NewName, tmp_path: Path, seed: int):
    """Results and starts go on as if nothing had happened, on the data that it had when it was killed."""
    seeded = random.Random(seed)
    runs = Runs()
    async with LocalServer(data_dir=tmp_path) as server, load_on(server.url, new_name("crash"), tasks=2) as load:
        keys: dict[str, str] = {}

        async def start_for_ever() -> None:
            for number in range(40):
                await anyio.sleep(0.05)
                keys[f"order-{number}"] = await _started(load, f"order-{number}")

        async with WorkerHost(load.conductor, [runs.worker(load.task_type, 0.3)], poll_timeout=1):
            async with anyio.create_task_group() as group:
                group.start_soon(start_for_ever)
                await anyio.sleep(seeded.uniform(1, 2))
                await server.kill()
                await anyio.sleep(seeded.uniform(0, 1))
                await server.start()
            load.ids = list(keys.values())
            executions = await load.ended(within=120)
        for key, workflow_id in keys.items():
            found = await load.conductor.workflow.get_by_correlation_ids(load.name, [key], include_completed=True)
            assert [each.workflow_id for each in found[key]] == [workflow_id]
        assert Counter(str(each.status) for each in executions) == {"COMPLETED": 40}
        assert attempts(executions) == {"COMPLETED": 80}
        assert runs.keys() == {task.task_id for execution in executions for task in execution.tasks}


async def test_an_execution_that_the_killed_server_had_written_down_and_no_more(new_name: NewName, tmp_path: Path):
    """It was killed before it put it on its list of executions to decide. Nothing brings it back to that."""
    runs = Runs()
    async with LocalServer(data_dir=tmp_path) as server, load_on(server.url, new_name("crash")) as load:
        workflow_id = await _started(load, "order-42")
        await server.kill()
        written_down_and_no_more(tmp_path / "conductor.db", workflow_id)
        await server.start()
        assert (await load.conductor.workflow.get_workflow(workflow_id)).tasks == []
        assert await _started(load, "order-42") == workflow_id
        load.ids = [workflow_id]
        async with WorkerHost(load.conductor, [runs.worker(load.task_type)], poll_timeout=1):
            nothing_lost(await load.ended(), runs)


def written_down_and_no_more(database: Path, workflow_id: str) -> None:
    """Leaves of an execution what the server writes first: the execution, without a task, on no list."""
    with closing(sqlite3.connect(database)) as connection, connection:
        tasks = connection.execute("SELECT task_id FROM workflow_to_task WHERE workflow_id = ?", (workflow_id,))
        for (message_id,) in [(workflow_id,), *tasks.fetchall()]:
            connection.execute("DELETE FROM queue_message WHERE message_id = ?", (message_id,))
            connection.execute("DELETE FROM task WHERE task_id = ?", (message_id,))
        for table in ("workflow_to_task", "task_scheduled", "task_in_progress"):
            connection.execute(f"DELETE FROM {table} WHERE workflow_id = ?", (workflow_id,))


async def _started(load: Load, key: str) -> str:
    """Starts until it is certain: the same key is one execution, however often it is asked for."""
    while True:
        try:
            return (await load.conductor.executor.start(load.name, dedupe_key=key)).workflow_id
        except ConductorError:
            await anyio.sleep(0.2)
