"""Checked by mypy and pyright, never run: environments, mocks, assertions, recordings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

from conductor_async import ConductorClient, ConductorWorkflow, worker_task
from conductor_async.models import Task, TaskResult, Workflow, WorkflowRun
from conductor_async.testing import (
    TIMES_OUT,
    Mock,
    Recording,
    Redaction,
    WorkflowEnvironment,
    assert_completed,
    assert_no_task,
    assert_path,
    assert_replays,
    assert_status,
    assert_task,
    assert_task_replays,
    capture,
    execution_tree,
    replay,
    replay_task,
)


@worker_task("greet")
async def greet(name: str) -> str:
    return name


async def doubled(given: dict[str, Any]) -> dict[str, Any]:
    return {"total": given["price"] * 2}


async def environments() -> None:
    async with WorkflowEnvironment.embedded(seed=1) as env:
        assert_type(env, WorkflowEnvironment)
        assert_type(env.client, ConductorClient)
        assert_type(env.skips_time, bool)
        await env.advance(60)
        await env.advance(timedelta(days=1))
        await env.advance("a day")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(WorkflowEnvironment.connect("http://localhost:8080/api"), WorkflowEnvironment)


def mocks(env: WorkflowEnvironment, workflow: ConductorWorkflow) -> None:
    assert_type(env.mock("charge", output={"receipt": 7}), Mock)
    env.mock("charge", doubled)
    env.mock("charge", lambda given: {"total": given["price"]})
    env.mock("charge", [ConnectionError("down"), TIMES_OUT, {"receipt": 7}])
    env.mock("charge", workflow=workflow)
    env.mock("charge", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def assertions(run: WorkflowRun, execution: Workflow) -> None:
    assert_completed(run, {"total": 7})
    assert_status(execution, "RUNNING")
    assert_type(assert_task(run, "charge", attempts=2), Task)
    assert_no_task(execution, "refund")
    assert_path(run, ["charge"])
    assert_type(execution_tree(run), str)


async def recordings(conductor: ConductorClient, workflow: ConductorWorkflow) -> None:
    recording = await capture(conductor, "id", redaction=Redaction(keys=["iban"]))
    assert_type(recording, Recording)
    recording.save(Path("order.json"))
    assert_type(Recording.load("order.json"), Recording)
    assert_type(recording.task("charge"), Task)
    assert_type(replay(recording, workflow), Workflow)
    assert_replays(recording)
    assert_type(await replay_task(recording, "charge", greet), TaskResult)
    await assert_task_replays(recording, "charge", greet)
