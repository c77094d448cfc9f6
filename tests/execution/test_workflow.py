"""Workflows that register themselves and run."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    StartWorkflowRequest,
    WaitTimeoutError,
    WorkflowDef,
    WorkflowFailedError,
)
from conductor_async.errors import BadRequestError, ConflictError, NotFoundError
from conductor_async.tasks import NoopTask, SimpleTask, SwitchTask
from conductor_async.workflow import env, secret

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


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


async def stored(conductor: ConductorClient, name: str, version: int | None = None) -> JsonObject:
    found = (await conductor.metadata.get_workflow_def(name, version)).to_wire()
    for key in ("createTime", "updateTime"):
        found.pop(key, None)
    return found


async def test_the_server_stores_the_definition_as_built(conductor: ConductorClient, new_name: NewName):
    name = new_name("described")
    child = ConductorWorkflow(name=new_name("child"), version=4) >> SimpleTask("x", "x", input_parameters={"a": None})
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
    assert found["restartable"] is False
    assert WorkflowDef.model_validate(found).to_wire() == found
    assert subset(sent.to_wire(), found) == sent.to_wire()


def subset(sent: object, found: object) -> object:
    """What was found, without the defaults that the server added."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return {key: subset(sent[key], found[key]) for key in sent if key in found}
    if isinstance(sent, list) and isinstance(found, list):
        return [subset(*pair) for pair in zip(sent, found, strict=True)]
    return found


async def test_register_without_overwrite_raises_if_the_version_exists(conductor: ConductorClient, new_name: NewName):
    workflow = ConductorWorkflow(conductor.executor, new_name("once")) >> SimpleTask("t", "a")
    await workflow.register(overwrite=False)
    with pytest.raises(ConflictError):
        await workflow.register(overwrite=False)
    await workflow.register()


async def test_sequences_nested_forks_and_outputs(conductor: ConductorClient, new_name: NewName):
    """A fork in a fork, as the last step, of a workflow without a version."""
    kind = new_name("work")
    async with workers(conductor, kind):
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


async def test_the_server_resolves_secrets_and_environment_variables(conductor: ConductorClient, new_name: NewName):
    kind = new_name("work")
    async with workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("secrets")) >> SimpleTask(kind, "a")
        task = SimpleTask(kind, "b")
        task.input_parameters.update(secret=secret("nobody_has_set_this"), region=env("NOBODY_HAS_SET_THIS"), n=1)
        run = await (workflow >> task).execute(timeout=60)
        # Unknown secrets and variables are null: the server has resolved them, else their text would be the output.
        assert run.output == {"ran": "b", "n": 1, "secret": None, "region": None}
        assert run.tasks[1].input_data["secret"] == "${workflow.secrets.nobody_has_set_this}"


async def test_a_workflow_in_a_workflow_runs_as_an_unregistered_sub_workflow(
    conductor: ConductorClient, new_name: NewName
):
    kind = new_name("work")
    async with workers(conductor, kind):
        child = ConductorWorkflow(name=new_name("child")).input_template({"who": "${workflow.input.name}"})
        child >> SimpleTask(kind, "inner", input_parameters={"who": child.input.who})
        parent = ConductorWorkflow(conductor.executor, new_name("parent")) >> SimpleTask(kind, "first") >> child
        run = await parent.execute({"name": "Ada"}, timeout=60)
        assert run.status == "COMPLETED", run.reason_for_incompletion
        assert run.output["ran"] == "inner"
        assert run.output["who"] == "Ada"
        with pytest.raises(NotFoundError):
            await conductor.metadata.get_workflow_def(child.name)


async def test_name_and_version_are_sent_only_for_the_registered_definition(
    conductor: ConductorClient, new_name: NewName
):
    """The definition itself is sent unless the server has it from this object."""
    kind = new_name("work")
    async with workers(conductor, kind):
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


async def test_changes_after_the_registration_are_run_also_in_nested_values(
    conductor: ConductorClient, new_name: NewName
):
    kind = new_name("work")
    nested = {"lines": [1]}
    async with workers(conductor, kind):
        workflow = ConductorWorkflow(conductor.executor, new_name("nested"))
        workflow >> SimpleTask(kind, "a", input_parameters={"order": nested})
        await workflow.register()
        for number in (2, 3):
            nested["lines"].append(number)
            assert (await workflow.execute(timeout=30)).output["order"] == nested
        await workflow.register()
        assert (await workflow.execute(timeout=30)).output["order"] == nested
        duplicate = copy.deepcopy(workflow)
        task = duplicate.task("a")
        task.input_parameters["order"]["lines"].clear()
        assert (await duplicate.execute(timeout=30)).output["order"] == {"lines": []}
        assert (await workflow.execute(timeout=30)).output["order"] == nested


async def test_every_verb_starts_an_execution(conductor: ConductorClient, new_name: NewName):
    kind = new_name("work")
    async with workers(conductor, kind):
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


async def test_a_definition_that_the_server_rejects_raises(conductor: ConductorClient, new_name: NewName):
    workflow = ConductorWorkflow(conductor.executor, new_name("w"))
    switch = SwitchTask("s", "$.x ==== (", True).case("a", NoopTask("n"))
    switch.evaluator_type = "javascript"  # the server checks these scripts only
    workflow >> switch
    with pytest.raises(BadRequestError) as caught:
        await workflow.register()
    assert "tasks[0]" in caught.value.validation_errors[0].path


async def test_execute_returns_when_a_named_task_has_ended(conductor: ConductorClient, new_name: NewName):
    kind = new_name("work")
    async with workers(conductor, kind):
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


async def test_a_failed_run_has_the_reason(conductor: ConductorClient, new_name: NewName):
    kind = new_name("work")
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
