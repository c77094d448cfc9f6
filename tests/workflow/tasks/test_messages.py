"""PULL_WORKFLOW_MESSAGES on a real server whose message queue is switched on: by default it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async import ConductorClient, ConductorWorkflow
from conductor_async.errors import ConflictError
from conductor_async.tasks import HumanTask, LoopTask, PullWorkflowMessagesTask, SetVariableTask

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.server,
    pytest.mark.only_on("server", reason="the embedded engine has no switch for its message queues"),
    pytest.mark.anyio,
]


async def test_a_workflow_takes_the_messages_that_are_sent_to_it(
    conductor: ConductorClient, new_name: Callable[[str], str]
):
    workflow = ConductorWorkflow(conductor.executor, new_name("messages"), 1)
    first, rest = PullWorkflowMessagesTask("first"), PullWorkflowMessagesTask("rest", 10)
    note = SetVariableTask("note", {"first": first.messages[0].payload.say})
    gate = HumanTask("gate")  # until all messages are there
    workflow >> first >> note >> gate >> rest
    workflow.output_parameters({"first": workflow.variables.first, "n": rest.count, "last": rest.messages[-1].payload})
    handle = await workflow.start()
    ids = [await conductor.executor.send_message(handle.workflow_id, {"say": text}) for text in ("a", "b", "c")]
    await handle.wait_for_task("note", timeout=60)
    await conductor.task.update_task_by_ref_name(handle.workflow_id, "gate", "COMPLETED", {})
    run = await handle.wait(timeout=60)
    assert run.output == {"first": "a", "n": 2, "last": {"say": "c"}}
    taken = [each for task in run.tasks for each in task.output_data.get("messages", ())]
    assert [each["id"] for each in taken] == ids
    with pytest.raises(ConflictError):
        await conductor.executor.send_message(handle.workflow_id, {"say": "late"})


async def test_only_a_blocking_task_waits_for_the_first_message(
    conductor: ConductorClient, new_name: Callable[[str], str]
):
    look = PullWorkflowMessagesTask("look", blocking=False)
    waiting = LoopTask("twice", 2, PullWorkflowMessagesTask("wait"))
    workflow = ConductorWorkflow(conductor.executor, new_name("no_messages"), 1) >> look >> waiting
    workflow.output_parameters({"at_once": look.count, "rounds": waiting.iteration})
    handle = await workflow.start()
    assert (await handle.wait_for_task("look", timeout=60)).output_data["count"] == 0
    assert await handle.status() == "RUNNING"
    for text in ("a", "b"):
        await conductor.executor.send_message(handle.workflow_id, {"say": text})
    assert await handle.result(timeout=60) == {"at_once": 0, "rounds": 2}
