"""Tasks that publish messages."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    ConductorEventTask,
    EventTask,
    EventTaskInterface,
    KafkaPublishInput,
    KafkaPublishTask,
    SqsEventTask,
)

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


@pytest.mark.parametrize(
    ("task", "sink"),
    [
        (EventTask("e", "kafka:orders"), "kafka:orders"),
        (EventTask("e", workflow.input.sink), "${workflow.input.sink}"),
        (EventTaskInterface("e", "amqp", "orders"), "amqp:orders"),
        (ConductorEventTask("e", "paid"), "conductor:paid"),
        (SqsEventTask("e", f"orders-{workflow.input.region}"), "sqs:orders-${workflow.input.region}"),
    ],
)
def test_events(task, sink):
    assert wire(task) == {"name": "e", "taskReferenceName": "e", "type": "EVENT", "sink": sink}


def test_kafka():
    message = KafkaPublishInput(
        "localhost:9092", workflow.input.key, "org.Serializer", {"a": 1}, 1000, 2000, {"h": "v"}, "orders"
    )
    assert wire(KafkaPublishTask("k", message)) == {
        "name": "k",
        "taskReferenceName": "k",
        "type": "KAFKA_PUBLISH",
        "inputParameters": {
            "kafka_request": {
                "bootStrapServers": "localhost:9092",
                "key": "${workflow.input.key}",
                "keySerializer": "org.Serializer",
                "value": {"a": 1},
                "requestTimeoutMs": 1000,
                "maxBlockMs": 2000,
                "headers": {"h": "v"},
                "topic": "orders",
            }
        },
    }
    task = KafkaPublishTask("k", {"topic": "orders"})
    assert task.kafka_request == {"topic": "orders"}


@pytest.mark.server
@pytest.mark.anyio
async def test_an_event_is_published(perform):
    task = ConductorEventTask("e", "paid", input_parameters={"amount": workflow.input.amount})
    run = await perform(task, given={"amount": 5}, output={"event": task.event_produced, "amount": task.output.amount})
    assert (run.status, run.output) == (
        "COMPLETED",
        {"event": f"conductor:{run.tasks[0].workflow_type}:paid", "amount": 5},
    )


@pytest.mark.server
@pytest.mark.anyio
async def test_event_tasks_of_other_queues_are_stored_unchanged(read_back):
    await read_back(
        SqsEventTask("e", "orders"),
        KafkaPublishTask("k", KafkaPublishInput("localhost:9092", topic="orders", value={"a": 1})),
    )
