"""Workers on a real server: what a workflow gets from them, and what it is told when they fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from pydantic import BaseModel

from conductor_async.client import ConductorClient
from conductor_async.errors import BadRequestError, NonRetryableException, NotFoundError
from conductor_async.execution import ConductorWorkflow
from conductor_async.models import Task, TaskDef, Workflow
from conductor_async.worker import (
    TaskContext,
    TaskInProgress,
    WorkerHost,
    get_task_context,
    worker_task,
)

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


@pytest.fixture
async def conductor(server_url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client


@asynccontextmanager
async def serving(conductor: ConductorClient, *workers: Any, **options: Any) -> AsyncIterator[WorkerHost]:
    async with WorkerHost(conductor, workers, **{"grace": 10, **options}) as host:
        yield host


async def start(conductor: ConductorClient, *tasks: Any, **given: Any) -> str:
    """Starts a workflow of these tasks, one after the other. No task is retried."""
    names = {task.task_def_name for task in tasks}
    for name in names:
        await conductor.metadata.register_task_def(TaskDef(name=name, retry_count=0, response_timeout_seconds=60))
    workflow = ConductorWorkflow(executor=conductor.executor, name=f"{min(names)}_flow", version=1)
    workflow.add(list(tasks))
    await workflow.register(overwrite=True)
    return await conductor.workflow.start_workflow_by_name(workflow.name, given)


async def ended(conductor: ConductorClient, workflow_id: str, within: float = 20) -> Workflow:
    with anyio.fail_after(within):
        while True:
            state = await conductor.workflow.get_workflow_status(workflow_id)
            if state.status != "RUNNING":
                return await conductor.workflow.get_workflow(workflow_id)
            await anyio.sleep(0.05)


async def run(conductor: ConductorClient, worker: Any, **inputs: Any) -> Task:
    """What became of one task of this worker."""
    task = worker(task_ref_name="ref", **inputs)
    async with serving(conductor, worker):
        execution = await ended(conductor, await start(conductor, task))
    return execution.tasks[-1]


class Order(BaseModel):
    order_id: str
    lines: list[float]


async def test_async_worker(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("price"))
    async def price(order: Order, discount: float = 0.0) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        return {"id": order.order_id, "total": sum(order.lines) * (1 - discount)}

    task = await run(conductor, price, order={"order_id": "A", "lines": [10, "5.5"]})
    assert (task.status, task.output_data) == ("COMPLETED", {"id": "A", "total": 15.5})


async def test_sync_worker_runs_in_a_thread_with_its_context(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("where"))
    def where() -> dict[str, Any]:
        context = get_task_context()
        context.log("looking around")
        return {"main": threading.current_thread() is threading.main_thread(), "task_id": context.task_id}

    task = await run(conductor, where)
    assert task.output_data == {"main": False, "task_id": task.task_id}
    assert [line.log for line in await conductor.task.get_task_logs(task.task_id)] == ["looking around"]


async def test_task_and_context_as_parameters(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("whole"))
    async def whole(task: Task, context: TaskContext) -> dict[str, Any]:
        return {"a": task.input_data["a"], "same": context.task is task, "worker": task.worker_id}

    task = await run(conductor, whole, a=1)
    assert task.output_data == {"a": 1, "same": True, "worker": task.worker_id}
    assert task.worker_id


@pytest.mark.parametrize(("value", "output"), [("text", {"result": "text"}), (None, {}), ([1], {"result": [1]})])
async def test_scalars_lists_and_none(conductor: ConductorClient, new_name: NewName, value: Any, output: Any):
    @worker_task(new_name("scalar"))
    async def scalar() -> Any:
        return value

    assert (await run(conductor, scalar)).output_data == output


async def test_wrong_input_fails_for_good_with_the_path(conductor: ConductorClient, new_name: NewName):
    called = []

    @worker_task(new_name("picky"))
    async def picky(order: Order) -> None:
        called.append(order)

    task = await run(conductor, picky, order={"order_id": "A", "lines": [1, "x"]})
    assert task.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "order.lines[1]: Input should be a valid number" in (task.reason_for_incompletion or "")
    assert not called


async def test_missing_input_fails_for_good(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("needy"))
    def needy(name: str) -> str:
        return name

    task = await run(conductor, needy, other=1)
    assert task.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "name: Field required" in (task.reason_for_incompletion or "")


async def test_raising_fails_the_task(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("broken"))
    async def broken() -> None:
        raise KeyError(("x", 1))

    before = time.time() * 1000
    task = await run(conductor, broken)
    assert (task.status, task.reason_for_incompletion) == ("FAILED", "KeyError: ('x', 1)")
    [line] = await conductor.task.get_task_logs(task.task_id)
    assert "in broken" in line.log
    assert "conductor_async/worker" not in line.log
    assert before - 5_000 < line.created_time < before + 60_000


@pytest.mark.parametrize("is_async", [True, False])
async def test_non_retryable_fails_for_good(conductor: ConductorClient, new_name: NewName, is_async: bool):
    def final() -> None:
        raise NonRetryableException("no such card")

    async def final_async() -> None:
        final()

    task = await run(conductor, worker_task(new_name("final"))(final_async if is_async else final))
    assert task.status == "FAILED_WITH_TERMINAL_ERROR"
    assert task.reason_for_incompletion == "NonRetryableException: no such card"


async def test_sys_exit_in_a_worker_is_a_failure_like_others(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("exiting"))
    def exiting() -> None:
        raise SystemExit(3)

    task = await run(conductor, exiting)
    assert (task.status, task.reason_for_incompletion) == ("FAILED", "SystemExit: 3")


@pytest.mark.parametrize(
    ("value", "path"),
    [({"a": float("nan")}, "outputData.a"), ({"a": {("k", 1): 2}}, "outputData.a"), (object(), "outputData.result")],
)
async def test_a_result_that_cannot_be_json_fails_for_good(conductor: ConductorClient, new_name, value: Any, path: str):
    @worker_task(new_name("odd"))
    async def odd() -> Any:
        return value

    task = await run(conductor, odd)
    assert task.status == "FAILED_WITH_TERMINAL_ERROR"
    assert path in (task.reason_for_incompletion or "")


async def test_task_in_progress_comes_back(conductor: ConductorClient, new_name: NewName):
    seen: list[tuple[int, dict[str, Any]]] = []

    @worker_task(new_name("slow"))
    async def slow(task: Task) -> dict[str, Any] | TaskInProgress:
        seen.append((get_task_context().poll_count, task.output_data))
        return TaskInProgress(1, {"done": 50}) if len(seen) == 1 else {"done": 100}

    task = await run(conductor, slow)
    assert seen == [(1, {}), (2, {"done": 50})]
    assert (task.status, task.output_data) == ("COMPLETED", {"done": 100})


async def test_as_many_at_once_as_it_has_slots(conductor: ConductorClient, new_name: NewName):
    now = most = 0

    @worker_task(new_name("busy"), concurrency=3)
    async def busy() -> None:
        nonlocal now, most
        now += 1
        most = max(now, most)
        await anyio.sleep(0.3)
        now -= 1

    ids = [await start(conductor, busy.task("ref")) for _ in range(8)]
    async with serving(conductor, busy):
        for each in ids:
            assert (await ended(conductor, each)).status == "COMPLETED"
    assert most == 3


async def test_several_types_in_one_host_and_a_chain(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("one"))
    async def one(n: int) -> int:
        return n + 1

    @worker_task(new_name("two"))
    def two(n: int) -> int:
        return n * 10

    chain = [one.task("a", 1)]
    for index in range(6):
        previous: Any = chain[-1].output("result")
        chain.append((two if index % 2 else one).task(f"t{index}", previous))
    async with serving(conductor, one, two):
        execution = await ended(conductor, await start(conductor, *chain))
    assert execution.tasks[-1].output_data == {"result": 3110}


async def test_domain(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("local"), domain="blue")
    async def blue() -> str:
        return "blue"

    @worker_task(blue.task_definition_name)
    async def plain() -> str:
        return "plain"

    first = await start(conductor, blue.task("ref"))
    async with serving(conductor, blue, plain):
        assert (await ended(conductor, first)).output == {"result": "plain"}
        flow = f"{blue.task_definition_name}_flow"
        run = await conductor.executor.execute(flow, task_to_domain={blue.task_definition_name: "blue"}, timeout=20)
        assert run.output == {"result": "blue"}


class TestLeaving:
    async def test_running_tasks_end_and_are_delivered(self, conductor: ConductorClient, new_name: NewName):
        begun = anyio.Event()

        @worker_task(new_name("ending"))
        async def ending() -> str:
            begun.set()
            await anyio.sleep(0.5)
            return "done"

        workflow_id = await start(conductor, ending.task("ref"))
        async with serving(conductor, ending):
            await begun.wait()
        execution = await conductor.workflow.get_workflow(workflow_id)
        assert (execution.status, execution.output) == ("COMPLETED", {"result": "done"})

    async def test_what_does_not_end_in_time_is_handed_back(self, conductor: ConductorClient, new_name: NewName):
        begun = anyio.Event()

        @worker_task(new_name("endless"))
        async def endless() -> str:
            if begun.is_set():
                return "second host"
            begun.set()
            await anyio.sleep_forever()
            return "never"

        workflow_id = await start(conductor, endless.task("ref"))
        async with serving(conductor, endless, grace=0.2):
            await begun.wait()
        [task] = (await conductor.workflow.get_workflow(workflow_id)).tasks
        assert task.status == "SCHEDULED"
        async with serving(conductor, endless):
            assert (await ended(conductor, workflow_id)).output == {"result": "second host"}

    async def test_a_thread_that_does_not_end_is_handed_back_too(self, conductor: ConductorClient, new_name: NewName):
        begun, go_on = threading.Event(), threading.Event()
        reasons = []

        @worker_task(new_name("stuck"))
        def stuck(context: TaskContext) -> None:
            begun.set()
            go_on.wait(20)
            reasons.append(context.cancelled)

        workflow_id = await start(conductor, stuck.task("ref"))  # type: ignore[call-arg]
        async with serving(conductor, stuck, grace=0.1):
            await anyio.to_thread.run_sync(begun.wait)
        [task] = (await conductor.workflow.get_workflow(workflow_id)).tasks
        assert task.status == "SCHEDULED"
        go_on.set()
        with anyio.fail_after(5):
            while not reasons:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert reasons == ["the worker host is stopping"]

    async def test_cancelling_from_outside_loses_nothing(self, conductor: ConductorClient, new_name: NewName):
        begun = 0

        @worker_task(new_name("many"), concurrency=4)
        async def many() -> str:
            nonlocal begun
            begun += 1
            await anyio.sleep(0.5)
            return "done"

        ids = [await start(conductor, many.task("ref")) for _ in range(8)]
        host = WorkerHost(conductor, [many], grace=5)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(host.run)
                while begun < 4:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
                scope.cancel()
        states = [(await conductor.workflow.get_workflow(each)).tasks[-1].status for each in ids]
        assert sorted(states) == ["COMPLETED"] * 4 + ["SCHEDULED"] * 4

    async def test_a_task_that_arrives_while_stopping_is_not_orphaned(
        self, conductor: ConductorClient, new_name: NewName
    ):
        @worker_task(new_name("late"))
        async def late() -> str:
            return "done"

        await conductor.metadata.register_task_def(TaskDef(name=late.task_definition_name, retry_count=0))
        async with anyio.create_task_group() as group, serving(conductor, late, poll_timeout=2):
            await anyio.sleep(0.3)  # the poll waits at the server now
            group.start_soon(start, conductor, late.task("ref"))
        found = await conductor.workflow.search(query=f"workflowType={late.task_definition_name}_flow")
        for summary in found.results:
            [task] = (await conductor.workflow.get_workflow(summary.workflow_id)).tasks
            assert task.status in ("SCHEDULED", "COMPLETED")


class TestRegistration:
    async def test_the_definition_is_registered_at_start(self, conductor: ConductorClient, new_name: NewName):
        definition = TaskDef(retry_count=7, response_timeout_seconds=33)

        @worker_task(new_name("known"), register_task_def=True, task_def=definition)
        async def known() -> None: ...

        async with serving(conductor, known):
            stored = await conductor.metadata.get_task_def(known.task_definition_name)
        assert (stored.retry_count, stored.response_timeout_seconds) == (7, 33)

    async def test_it_is_kept_if_asked(self, conductor: ConductorClient, new_name: NewName):
        name = new_name("kept")
        await conductor.metadata.register_task_def(TaskDef(name=name, retry_count=9))

        @worker_task(name, register_task_def=True, overwrite_task_def=False)
        async def kept() -> None: ...

        @worker_task(new_name("new"), register_task_def=True, overwrite_task_def=False)
        async def new() -> None: ...

        async with serving(conductor, kept, new):
            pass
        assert (await conductor.metadata.get_task_def(name)).retry_count == 9
        assert (await conductor.metadata.get_task_def(new.task_definition_name)).name == new.task_definition_name

    async def test_without_asking_nothing_is_registered(self, conductor: ConductorClient, new_name: NewName):
        @worker_task(new_name("quiet"))
        async def quiet() -> None: ...

        async with serving(conductor, quiet):
            pass
        with pytest.raises(NotFoundError):
            await conductor.metadata.get_task_def(quiet.task_definition_name)

    async def test_a_definition_that_is_refused_is_the_callers_error(
        self, conductor: ConductorClient, new_name: NewName
    ):
        @worker_task(new_name("bad"), register_task_def=True, task_def=TaskDef(response_timeout_seconds=0))
        async def bad() -> None: ...

        with pytest.raises(BadRequestError):
            async with serving(conductor, bad):
                pytest.fail("the host started")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_run_as_a_background_task_as_in_a_notebook(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("cell"))
    async def cell() -> str:
        return "done"

    workflow_id = await start(conductor, cell.task("ref"))
    background = asyncio.create_task(WorkerHost(conductor, [cell]).run())
    assert (await ended(conductor, workflow_id)).output == {"result": "done"}
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await background


async def test_stop_ends_run(conductor: ConductorClient, new_name: NewName):
    @worker_task(new_name("stopping"))
    async def stopping() -> str:
        return "done"

    host = WorkerHost(conductor, [stopping])
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(host.run)
            assert (await ended(conductor, await start(conductor, stopping.task("ref")))).status == "COMPLETED"
            host.stop()
