"""The same tests on an embedded Conductor and on a real server, and what only one of them supports."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import ConductorWorkflow, SetVariableTask, SimpleTask, TaskDef
from conductor_async.errors import ConfigurationError, NonRetryableException
from conductor_async.tasks import WaitForDurationTask
from conductor_async.testing import (
    TIMES_OUT,
    WorkflowEnvironment,
    assert_completed,
    assert_failed,
    assert_status,
    assert_task,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.models import WorkflowRun

pytestmark = pytest.mark.anyio


@pytest.fixture
async def charge(env: WorkflowEnvironment, new_name: Callable[[str], str]) -> str:
    """A task type that is tried three times, and whose workers may be silent for a second."""
    name = new_name("charge")
    definition = TaskDef(name=name, retry_count=2, retry_delay_seconds=0, response_timeout_seconds=1)
    await env.client.metadata.register_task_def(definition)
    return name


async def charging(env: WorkflowEnvironment, charge: str) -> WorkflowRun:
    workflow = ConductorWorkflow(executor=env.client.executor, name=f"{charge}_flow")
    task = SimpleTask(charge, "charge")
    task.input_parameters["price"] = workflow.input("price")
    workflow >> task
    return await workflow.execute({"price": 21}, timeout=20)


async def test_a_mock_returns_an_output(env: WorkflowEnvironment, charge: str) -> None:
    mock = env.mock(charge, output={"receipt": 7})
    run = await charging(env, charge)
    assert_completed(run, {"receipt": 7})
    assert mock.calls == [{"price": 21}]


async def test_a_mock_calls_a_function(env: WorkflowEnvironment, charge: str) -> None:
    env.mock(charge, lambda given: {"total": given["price"] * 2})
    assert_completed(await charging(env, charge), {"total": 42})


async def test_a_mock_fails_twice_then_succeeds(env: WorkflowEnvironment, charge: str) -> None:
    env.mock(charge, [ConnectionError("down"), ConnectionError("still down"), {"receipt": 7}])
    run = await charging(env, charge)
    assert_completed(run, {"receipt": 7})
    assert_task(run, "charge", attempts=3)


async def test_a_mock_fails_every_attempt(env: WorkflowEnvironment, charge: str) -> None:
    mock = env.mock(charge, ConnectionError("down"))
    assert_failed(await charging(env, charge), "down")
    assert len(mock.calls) == 3


async def test_a_mock_fails_without_retries(env: WorkflowEnvironment, charge: str) -> None:
    env.mock(charge, NonRetryableException("card refused"))
    run = await charging(env, charge)
    assert_failed(run, "card refused")
    assert_task(run, "charge", status="FAILED_WITH_TERMINAL_ERROR", attempts=1)


async def test_a_mock_times_out(env: WorkflowEnvironment, charge: str) -> None:
    env.mock(charge, [TIMES_OUT, {"receipt": 7}])
    run = await charging(env, charge)
    assert_completed(run, {"receipt": 7})
    assert run.tasks[0].status == "TIMED_OUT"


async def test_a_mock_runs_a_workflow(env: WorkflowEnvironment, charge: str) -> None:
    pretend = ConductorWorkflow(executor=env.client.executor, name=f"{charge}_pretend")
    seen = SetVariableTask("seen")
    seen.input_parameters["price"] = pretend.input("price")
    pretend >> seen
    pretend.output_parameters({"paid": pretend.input("price")})
    env.mock(charge, workflow=pretend)
    assert_completed(await charging(env, charge), {"paid": 21})


async def test_a_later_mock_replaces_an_earlier_one(env: WorkflowEnvironment, charge: str) -> None:
    first = env.mock(charge, output={"n": 1})
    env.mock(charge, output={"n": 2})
    assert_completed(await charging(env, charge), {"n": 2})
    assert first.calls == []


async def test_a_mock_needs_exactly_one_kind_of_answer(env: WorkflowEnvironment) -> None:
    with pytest.raises(ConfigurationError, match="needs exactly one of an answer"):
        env.mock("charge")


async def test_only_embedded_time_can_be_advanced(env: WorkflowEnvironment, new_name: Any) -> None:
    workflow = ConductorWorkflow(executor=env.client.executor, name=new_name("waiting"))
    workflow >> WaitForDurationTask("w", 30 * 24 * 3600)
    handle = await workflow.start({})
    if env.skips_time:
        await env.advance(timedelta(days=31))
        assert await handle.status() == "COMPLETED"
    else:
        with pytest.raises(ConfigurationError, match="needs an embedded Conductor"):
            await env.advance(timedelta(days=31))
        await handle.terminate()


async def test_a_failing_assertion_shows_the_tasks_of_sub_workflows(env: WorkflowEnvironment, charge: str) -> None:
    env.mock(charge, NonRetryableException("card refused"))
    child = ConductorWorkflow(name=f"{charge}_child")
    child >> SimpleTask(charge, "deep")
    parent = ConductorWorkflow(executor=env.client.executor, name=f"{charge}_parent")
    parent >> child
    run = await parent.execute({}, timeout=20)
    with pytest.raises(AssertionError) as caught:
        assert_status(run, "COMPLETED")
    lines = str(caught.value).splitlines()
    (at,) = [number for number, line in enumerate(lines) if f"deep [SIMPLE {charge}] FAILED_WITH_TERM" in line]
    assert lines[at].startswith("      └─ ")  # below the run, its task, and the child
    assert "card refused" in lines[at + 1]


@pytest.mark.server
async def test_types_that_a_real_server_runs_cannot_be_mocked_there(server_url: str) -> None:
    async with WorkflowEnvironment.connect(server_url) as env:
        with pytest.raises(ConfigurationError, match="Tasks of type HTTP cannot be mocked on a real server"):
            env.mock("HTTP", output={})


@pytest.mark.parametrize(("which", "kind"), [("embedded", "embedded"), ("local", "local"), ("http://x/api", "remote")])
def test_environments_by_name(which: str, kind: str) -> None:
    assert WorkflowEnvironment.named(which).kind == kind


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="There is no environment 'nowhere'"):
        WorkflowEnvironment.named("nowhere")


def test_from_env_uses_the_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WorkflowEnvironment.from_env().kind == "embedded"
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://127.0.0.1:9/api")
    environment = WorkflowEnvironment.from_env()
    assert environment.kind == "remote"
    assert environment.client.configuration.server_api_url == "http://127.0.0.1:9/api"
