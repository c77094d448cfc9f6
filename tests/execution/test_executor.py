"""Workflows described in code, run on the real server."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import (
    BadRequestError,
    ConductorWorkflow,
    ConflictError,
    NotFoundError,
    StartWorkflowRequest,
    TaskDef,
    TaskResult,
    WaitTimeoutError,
    WorkflowDef,
    WorkflowFailedError,
    WorkflowTask,
    WorkflowTerminatedError,
)
from conductor_async.client import ConductorClient
from conductor_async.config import Configuration
from conductor_async.execution import WorkflowExecutor
from conductor_async.tasks import NoopTask, SimpleTask, SwitchTask
from conductor_async.workflow import env, secret

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


@pytest.fixture
def url(server_url: str) -> str:
    return server_url


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(url) as conductor:
        yield conductor


@asynccontextmanager
async def workers(conductor: ConductorClient, *task_types: str) -> AsyncIterator[None]:
    """Completes the tasks of these types; the output says who ran and with what."""

    async def work(task_type: str) -> None:
        while True:
            for task in await conductor.task.batch_poll_tasks(task_type, "w", 1, 0.5):
                output = {"ran": task.reference_task_name, **task.input_data}
                await conductor.task.update_task(task.to_task_result().model_copy(update={"output_data": output}))

    async with anyio.create_task_group() as group:
        for task_type in task_types:
            group.start_soon(work, task_type)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


def set_variable(reference: str, **variables: object) -> WorkflowTask:
    return WorkflowTask(name=reference, task_reference_name=reference, type="SET_VARIABLE", input_parameters=variables)


def wait(reference: str) -> WorkflowTask:
    return WorkflowTask(name=reference, task_reference_name=reference, type="WAIT")


def definition(name: str, tasks: Iterable[WorkflowTask], **settings: object) -> WorkflowDef:
    return WorkflowDef(name=name, tasks=list(tasks), **settings)  # type: ignore[arg-type]


async def stored(conductor: ConductorClient, name: str, version: int | None = None) -> JsonObject:
    found = (await conductor.metadata.get_workflow_def(name, version)).to_wire()
    for key in ("createTime", "updateTime"):
        found.pop(key, None)
    return found


# -- definitions -----------------------------------------------------------------------------------


async def test_what_is_described_is_what_is_stored(url: str, new_name: NewName):
    name = new_name("described")
    async with connected(url) as conductor:
        child = ConductorWorkflow(name=new_name("child"), version=4) >> SimpleTask(
            "x", "x", input_parameters={"a": None}
        )
        workflow = ConductorWorkflow(conductor.executor, name, 2, "all of it")
        workflow >> SimpleTask("t", "a", retry_count=0, start_delay=1, optional=True) >> [[SimpleTask("t", "b")], child]
        workflow.restartable(False).timeout_seconds(60).timeout_policy("TIME_OUT_WF").failure_workflow("undo", 3)
        workflow.variables({"v": None}).output_parameters({"r": workflow.input.customer["first name"]}).enforce_schema(
            False
        )
        workflow.metadata({"team": "a"}).input_template({"a": 1}).enable_status_listener("sink").owner_email("a@b.cd")
        await workflow.register()
        found = await stored(conductor, name, 2)
        sent = workflow.to_workflow_def()
        assert sent.restartable is False
        assert found["restartable"] is False  # D48
        assert WorkflowDef.model_validate(found).to_wire() == found
        assert subset(sent.to_wire(), found) == sent.to_wire()


def subset(sent: object, found: object) -> object:
    """What was found, without the defaults that the server added."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return {key: subset(sent[key], found[key]) for key in sent if key in found}
    if isinstance(sent, list) and isinstance(found, list):
        return [subset(*pair) for pair in zip(sent, found, strict=True)]
    return found


async def test_register_without_overwrite_refuses_what_is_there(url: str, new_name: NewName):
    async with connected(url) as conductor:
        workflow = ConductorWorkflow(conductor.executor, new_name("once")) >> SimpleTask("t", "a")
        await workflow.register(overwrite=False)
        with pytest.raises(ConflictError):
            await workflow.register(overwrite=False)
        await workflow.register()


# -- running ---------------------------------------------------------------------------------------


async def test_sequence_fork_and_output(url: str, new_name: NewName):
    """D49, D50, D57: a fork in a fork, as the last step, of a workflow without a version."""
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("forks"))
        a, b, c, d = (SimpleTask(kind, name) for name in "abcd")
        a.input_parameters["greeting"] = f"Hello, {workflow.input.name}!"
        d.input_parameters["heard"] = b.output.greeting
        b.input_parameters["greeting"] = a.output("greeting")
        workflow >> a >> [[b, [c, d]], SimpleTask(kind, "e")]
        d.input_parameters["heard"] = a.output.greeting
        workflow.output_parameters({"joined": "${join_b.output}", "a": a.output})
        await workflow.register()
        run = await workflow.execute({"name": "Ada"}, timeout=60)
        assert run.status == "COMPLETED", run.reason_for_incompletion
        assert run.output["a"] == {"ran": "a", "greeting": "Hello, Ada!"}
        assert run.output["joined"]["join_c"] == {"c": {"ran": "c"}, "d": {"ran": "d", "heard": "Hello, Ada!"}}
        assert run.output["joined"]["e"] == {"ran": "e"}
        assert run.workflow_version == 1


async def test_secrets_and_environment_are_the_servers(url: str, new_name: NewName):
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("secrets")) >> SimpleTask(kind, "a")
        task = SimpleTask(kind, "b")
        task.input_parameters.update(secret=secret("nobody_has_set_this"), region=env("NOBODY_HAS_SET_THIS"), n=1)
        run = await (workflow >> task).execute(timeout=60)
        # What the server does not have is null; had it not read them as its own, the text would have come through.
        assert run.output == {"ran": "b", "n": 1, "secret": None, "region": None}
        assert run.tasks[1].input_data["secret"] == "${workflow.secrets.nobody_has_set_this}"


async def test_a_workflow_inside_another(url: str, new_name: NewName):
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        child = ConductorWorkflow(name=new_name("child")).input_template({"who": "${workflow.input.name}"})
        child >> SimpleTask(kind, "inner", input_parameters={"who": child.input.who})
        parent = ConductorWorkflow(conductor.executor, new_name("parent")) >> SimpleTask(kind, "first") >> child
        run = await parent.execute({"name": "Ada"}, timeout=60)
        assert run.status == "COMPLETED", run.reason_for_incompletion
        assert run.output["ran"] == "inner"
        assert run.output["who"] == "Ada"
        with pytest.raises(NotFoundError):
            await conductor.metadata.get_workflow_def(child.name)


async def test_name_and_version_are_sent_only_for_the_registered_definition(url: str, new_name: NewName):
    """D57: the definition goes along when, and only when, the server does not have it from this object."""
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("versions"), 7) >> SimpleTask(kind, "a")

        assert (await workflow.execute(timeout=30)).workflow_version == 7
        with pytest.raises(NotFoundError):  # it ran without being registered
            await conductor.metadata.get_workflow_def(workflow.name)
        await workflow.register()
        assert (await workflow.execute(timeout=30)).workflow_version == 7
        # Someone else changes what is registered, and that runs: name and version were sent.
        other = (
            ConductorWorkflow(conductor.executor, workflow.name, 7) >> SimpleTask(kind, "a") >> SimpleTask(kind, "b")
        )
        await other.register()
        assert len((await workflow.execute(timeout=30)).tasks) == 2
        # Changed since it was registered: the definition itself is sent.
        workflow >> SimpleTask(kind, "c")
        assert [task.reference_task_name for task in (await workflow.execute(timeout=30)).tasks] == ["a", "c"]
        # Another version is asked for: by name.
        with pytest.raises(NotFoundError):
            await workflow.start(version=8)
        assert len((await workflow.execute(version=7, timeout=30)).tasks) == 2


async def test_all_ways_to_start(url: str, new_name: NewName):
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("starts")) >> SimpleTask(
            kind, "a", input_parameters={"n": "${workflow.input.n}"}
        )
        handle = await workflow.start({"n": 1}, correlation_id="c", priority=5)
        assert (await handle.result(timeout=30))["n"] == 1
        execution = await handle.get()
        assert (execution.correlation_id, execution.priority) == ("c", 5)
        request = StartWorkflowRequest(name="whatever", input={"n": 2})
        workflow_id = await workflow.start_workflow(request)
        assert (await conductor.executor.handle(workflow_id).result(timeout=30))["n"] == 2
        assert request.to_wire() == {"name": "whatever", "input": {"n": 2}}
        workflow_id = await workflow.start_workflow_with_input({"n": 3}, idempotency_key=new_name("key"))
        assert (await conductor.executor.handle(workflow_id).result(timeout=timedelta(seconds=30)))["n"] == 3
        assert (await workflow(n=4)).output["n"] == 4


async def test_the_servers_own_complaint_is_raised(url: str, new_name: NewName):
    async with connected(url) as conductor:
        workflow = ConductorWorkflow(conductor.executor, new_name("w"))
        switch = SwitchTask("s", "$.x ==== (", True).case("a", NoopTask("n"))
        switch.evaluator_type = "javascript"  # the server looks into these scripts only
        workflow >> switch
        with pytest.raises(BadRequestError) as caught:
            await workflow.register()
        assert "tasks[0]" in caught.value.validation_errors[0].path


# -- waiting ---------------------------------------------------------------------------------------


async def test_execute_without_a_version_runs_the_latest(url: str, new_name: NewName):  # D41
    name = new_name("latest")
    async with connected(url) as conductor:
        for version in (1, 2):
            await conductor.executor.register_workflow(
                definition(name, [set_variable("s", v=version)], version=version)
            )
        assert (await conductor.executor.execute(name, timeout=30)).workflow_version == 2
        assert (await conductor.executor.execute(name, 1, timeout=30)).workflow_version == 1


@pytest.mark.only_on("server", reason="it compares with the server's own wait, which looks every 100 ms")
async def test_a_short_workflow_is_back_sooner_than_by_the_servers_own_wait(url: str, new_name: NewName):
    name = new_name("short")
    request = StartWorkflowRequest(name=name, version=1)
    ours, theirs = [], []
    async with connected(url) as conductor:
        await conductor.executor.register_workflow(definition(name, [set_variable("s", v=1)]))
        for _ in range(5):
            begun = time.perf_counter()
            run = await conductor.executor.execute(name, timeout=30)
            done = time.perf_counter()
            assert run.variables == {"v": 1}
            await conductor.executor.execute_workflow(request)
            ours.append(done - begun)
            theirs.append(time.perf_counter() - done)
    assert min(ours) < min(theirs)  # which looks every 100 ms


async def test_wait_until_a_task_has_ended(url: str, new_name: NewName):
    kind = new_name("work")
    async with connected(url) as conductor, workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("until")) >> SimpleTask(kind, "a")
        workflow >> SimpleTask(new_name("nobody"), "b")
        run = await workflow.execute(wait_until_task_ref="a", timeout=30)
        assert run.status == "RUNNING"
        task = run.get_task(task_reference_name="a")
        assert task is not None
        assert task.status == "COMPLETED"
        with pytest.raises(WaitTimeoutError) as caught:
            await workflow.execute(wait_until_task_ref=["b"], timeout=0.3)
        handle = conductor.executor.handle(caught.value.workflow_id)
        assert await handle.status() == "RUNNING"
        assert (await handle.wait(wait_until_task_ref="b,a", timeout=30)).status == "RUNNING"


async def test_the_plain_name_of_a_task_in_a_loop(url: str, new_name: NewName):
    name = new_name("loop")
    loop = WorkflowTask(
        name="loop",
        task_reference_name="loop",
        type="DO_WHILE",
        loop_condition="$.loop.iteration < 2",
        loop_over=[set_variable("inner", v=1), wait("pause")],
    )
    async with connected(url) as conductor:
        await conductor.executor.register_workflow(definition(name, [loop]))
        run = await conductor.executor.execute(name, wait_until_task_ref="inner", timeout=30)
        assert run.status == "RUNNING"
        assert [task.reference_task_name for task in run.tasks if task.task_type == "SET_VARIABLE"] == ["inner__1"]
        await conductor.executor.terminate(run.workflow_id)


async def test_a_failed_run_is_returned_with_its_reason(url: str, new_name: NewName):
    kind = new_name("work")
    async with connected(url) as conductor:
        workflow = ConductorWorkflow(conductor.executor, new_name("fails")) >> SimpleTask(kind, "a")
        handle = await workflow.start()
        async with anyio.create_task_group() as group:

            async def fail() -> None:
                task = await conductor.task.poll_task(kind, "w")
                while task is None:
                    task = await conductor.task.poll_task(kind, "w")
                result = task.to_task_result("FAILED_WITH_TERMINAL_ERROR")
                result.reason_for_incompletion = "out of paper"
                await conductor.task.update_task(result)

            group.start_soon(fail)
            run = await handle.wait(timeout=30)
        assert run.status == "FAILED"
        assert run.reason_for_incompletion is not None
        assert "out of paper" in run.reason_for_incompletion
        with pytest.raises(WorkflowFailedError, match="out of paper") as caught:
            await handle.result()
        assert caught.value.execution is not None


async def test_pause_resume_terminate(url: str, new_name: NewName):
    async with connected(url) as conductor:
        name = new_name("steered")
        await conductor.executor.register_workflow(definition(name, [wait("pause")]))
        handle = conductor.executor.handle(await conductor.executor.start_workflow(StartWorkflowRequest(name=name)))
        await handle.pause()
        assert await handle.status() == "PAUSED"
        with pytest.raises(WaitTimeoutError):  # a pause does not end a wait
            await handle.wait(timeout=0.2)
        await handle.resume()
        await handle.terminate("enough")
        with pytest.raises(WorkflowTerminatedError, match="enough"):
            await handle.result(timeout=10)


async def test_waiting_for_what_is_not_there(url: str):
    async with connected(url) as conductor:
        with pytest.raises(NotFoundError):
            await conductor.executor.handle("no-such-id").wait(timeout=10)


# -- the executor's other calls --------------------------------------------------------------------


async def test_start_workflows_keeps_the_order(url: str, new_name: NewName):
    name = new_name("many")
    async with connected(url) as conductor:
        await conductor.executor.register_workflow(definition(name, [wait("pause")]))
        requests = [StartWorkflowRequest(name=name, input={"n": n}) for n in range(20)]
        ids = await conductor.executor.start_workflows(*requests)
        found = [(await conductor.executor.get_workflow(each, include_tasks=False)).input["n"] for each in ids]
        assert found == list(range(20))
        requests[1].name = new_name("unknown")
        with pytest.raises(NotFoundError) as caught:
            await conductor.executor.start_workflows(*requests[:3])
        assert caught.value.__notes__[-1].startswith("2 of 3 executions have started: ")
        assert await conductor.executor.start_workflows() == []


async def test_an_executor_of_ones_own(url: str, new_name: NewName):
    name, cid = new_name("own"), new_name("cid")
    async with WorkflowExecutor(Configuration(url)) as executor:
        await executor.register_workflow(definition(name, [wait("pause"), wait("late")]))
        handle = executor.handle(await executor.start_workflow(StartWorkflowRequest(name=name, correlation_id=cid)))
        found = await executor.get_by_correlation_ids_and_names([name, new_name("other")], [cid, "x"])  # D42
        assert {key: [each.workflow_id for each in value] for key, value in found.items()} == {
            cid: [handle.workflow_id],
            "x": [],
        }
        assert list(await executor.get_by_correlation_ids(name, [cid])) == [cid]
        assert (await executor.search(query=f"workflowType={name}")).total_hits == 1
        await executor.signal_async(handle.workflow_id, "COMPLETED", {"a": 1})
        await executor.wait(handle.workflow_id, wait_until_task_ref="pause", timeout=10)
        await executor.update_task_by_ref_name({"b": 2}, handle.workflow_id, "late", "COMPLETED")
        run = await handle.wait(timeout=10)
        assert [task.output_data for task in run.tasks] == [{"a": 1}, {"b": 2}]
        assert (await executor.get_task(run.tasks[0].task_id)).reference_task_name == "pause"
        await executor.restart(handle.workflow_id)
        task = (await handle.get()).tasks[0]
        await executor.update_task(task.task_id, handle.workflow_id, {"c": 3}, "COMPLETED")
        execution = await executor.update_task_by_ref_name_sync({}, handle.workflow_id, "late", "COMPLETED")
        assert execution.status == "COMPLETED"
        await executor.remove_workflow(handle.workflow_id)
        with pytest.raises(NotFoundError):
            await handle.get()


async def test_the_servers_own_synchronous_execution(url: str, new_name: NewName):
    name = new_name("sync")
    async with connected(url) as conductor:
        await conductor.executor.register_workflow(definition(name, [set_variable("s", v=1)]))
        run = await conductor.executor.execute_workflow(StartWorkflowRequest(name=name), "request", name, 1, "s")
        assert run.status == "COMPLETED"
        assert run.request_id == "request"


async def test_camel_case_is_understood(url: str, new_name: NewName):
    name = new_name("camel")
    async with connected(url) as conductor:
        await conductor.executor.registerWorkflow(definition(name, [set_variable("s", v=1)]))  # type: ignore[attr-defined]
        run = await conductor.executor.execute(name, workflowInput={"a": 1}, timeout=30)  # type: ignore[call-arg]
        assert run.input == {"a": 1}


# -- a worker that was not started -----------------------------------------------------------------


async def test_a_task_type_that_nobody_polls_is_named(url: str, new_name: NewName, caplog: pytest.LogCaptureFixture):
    polled, unpolled, kept = new_name("polled"), new_name("unpolled"), new_name("kept")
    async with connected(url) as conductor:
        await conductor.metadata.register_task_def([TaskDef(name=each) for each in (polled, unpolled, kept)])
        workflow = ConductorWorkflow(conductor.executor, new_name("waits"))
        workflow >> [SimpleTask(polled, "p"), SimpleTask(unpolled, "u"), SimpleTask(kept, "k", start_delay=60)]

        async def poll_and_give_back() -> None:
            while True:
                task = await conductor.task.poll_task(polled, "w")
                if task is not None:
                    result: TaskResult = task.to_task_result("IN_PROGRESS")
                    result.callback_after_seconds = 1
                    await conductor.task.update_task(result)
                await anyio.sleep(0.5)

        with caplog.at_level(logging.WARNING, "conductor_async"):
            async with anyio.create_task_group() as group:
                group.start_soon(poll_and_give_back)
                for _ in range(2):
                    with pytest.raises(WaitTimeoutError, match=f"Nobody polls for tasks of type {unpolled!r}: "):
                        await workflow.execute(timeout=14)
                group.cancel_scope.cancel()
        (warning,) = [record.getMessage() for record in caplog.records]
        assert warning.startswith(
            f"Nobody polls for tasks of type {unpolled!r}: task 'u' of workflow {workflow.name!r}"
        )
