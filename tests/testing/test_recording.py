"""What is recorded on any server can be kept in a file, has no secrets in it, and can be run again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import ConductorWorkflow, SimpleTask, worker_task
from conductor_async.errors import ConfigurationError
from conductor_async.testing import (
    Recording,
    Redaction,
    WorkflowEnvironment,
    assert_replays,
    assert_task_replays,
    capture,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio


def orders(name: str, *, discount: bool = False) -> ConductorWorkflow:
    workflow = ConductorWorkflow(name=f"{name}_flow")
    charge, thank = SimpleTask(name, "charge"), SimpleTask(f"{name}_thank", "thank")
    charge.input_parameters["price"] = workflow.input("sale" if discount else "price")
    thank.input_parameters["text"] = charge.output("text")
    return workflow >> charge >> thank


@pytest.fixture
async def recording(env: WorkflowEnvironment, new_name: Callable[[str], str]) -> Recording:
    name = new_name("charge")
    env.mock(name, output={"text": "with 123456 and s3cr3t", "token": "s3cr3t"})
    env.mock(f"{name}_thank", output={})
    workflow = orders(name)
    run = await env.client.executor.execute_request(workflow_request(workflow), timeout=20)
    return await capture(env.client, run.workflow_id, redaction=Redaction(patterns=[r"\d{6}"]))


def workflow_request(workflow: ConductorWorkflow) -> Any:
    from conductor_async import StartWorkflowRequest

    definition = workflow.to_workflow_def()
    return StartWorkflowRequest(name=definition.name, input={"price": 21}, workflow_def=definition)


async def test_secrets_are_removed_everywhere(recording: Recording, tmp_path: Path) -> None:
    recording.save(tmp_path / "order.json")
    text = (tmp_path / "order.json").read_text()
    assert "s3cr3t" not in text
    assert "123456" not in text
    loaded = Recording.load(tmp_path / "order.json")
    assert loaded.task("charge").output_data == {"text": "with [redacted] and [redacted]", "token": "[redacted]"}
    assert loaded.task("thank").input_data == {"text": "with [redacted] and [redacted]"}


async def test_an_unchanged_workflow_replays(recording: Recording) -> None:
    assert_replays(recording)


async def test_a_changed_workflow_does_not_replay(recording: Recording) -> None:
    name = recording.execution["workflowName"].removesuffix("_flow")
    assert_replays(recording, orders(name))
    with pytest.raises(AssertionError, match=r"charge\.input\.price should be 21, and is null"):
        assert_replays(recording, orders(name, discount=True))


async def test_a_worker_replays_on_its_recorded_input(recording: Recording) -> None:
    @worker_task("charge")
    async def same(price: int) -> dict[str, str]:
        assert price == 21
        return {"text": "with [redacted] and [redacted]", "token": "[redacted]"}

    @worker_task("charge")
    def another(price: int) -> dict[str, int]:
        return {"price": price}

    await assert_task_replays(recording, "charge", same)
    with pytest.raises(AssertionError, match=r"charge\.output\.price should not be there, and is 21"):
        await assert_task_replays(recording, "charge", another)


def test_only_recordings_of_a_known_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for wire, said in (
        ({"a": 1}, "is not a recording"),
        ({"format": "conductor-async/recording", "version": 9}, "only 1"),
    ):
        path.write_text(json.dumps(wire))
        with pytest.raises(ConfigurationError, match=said):
            Recording.load(path)
