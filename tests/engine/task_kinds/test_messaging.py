"""EVENT tasks, and tasks that need an external service."""

from __future__ import annotations

import pytest

from tests.engine.bench import Bench, task


@pytest.mark.parametrize(
    ("sink", "queue", "says"),
    [
        ("bogus:ev", "bogus:ev", "Error loading queue:bogus:ev, for task:{}, error: Unknown queue type bogus"),
        ("bogus", "bogus", "Error loading queue:bogus, for task:{}, error: Illegal event bogus"),
        ("conductors", None, "Invalid / Unsupported sink specified: conductors"),
    ],
)
def test_an_event_to_an_invalid_sink_fails(bench: Bench, sink: str, queue: str | None, says: str) -> None:
    row = bench.tasks(bench.run(task("e", "EVENT", sink=sink, inputParameters={"k": 1})))["e"]
    assert (row["status"], row["reasonForIncompletion"]) == ("FAILED", says.format(row["taskId"]))
    assert (row["outputData"]["k"], row["outputData"].get("event_produced")) == (1, queue)


def test_an_event_with_async_complete(bench: Bench) -> None:
    workflow_id = bench.run(task("e", "EVENT", sink="conductor:ev", asyncComplete=True))
    assert bench.states(workflow_id) == ["e IN_PROGRESS"]
    bench.engine.tasks.update_by_ref_name(workflow_id, "e", "COMPLETED", {})
    assert bench.status(workflow_id) == "COMPLETED"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (task("k", "KAFKA_PUBLISH", inputParameters={"kafka_request": {"topic": "t"}}), "does not run KAFKA_PUBLISH"),
        (task("l", "LLM_CHAT_COMPLETE"), "does not run LLM_CHAT_COMPLETE tasks, which need an external service"),
        (task("e", "EVENT", sink="sqs:queue"), "publishes only to conductor queues, not to sqs:queue"),
    ],
)
def test_a_task_that_needs_an_external_service_fails_with_a_hint(bench: Bench, bad: dict, says: str) -> None:
    workflow_id = bench.run(bad)
    assert bench.status(workflow_id) == "FAILED"
    assert says in bench.execution(workflow_id)["tasks"][0]["reasonForIncompletion"]
