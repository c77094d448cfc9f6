"""Tasks that publish messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.inputs import InputField, InputPart, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ConductorEventTask",
    "EventTask",
    "EventTaskInterface",
    "KafkaPublishInput",
    "KafkaPublishTask",
    "SqsEventTask",
]


class EventTask(TaskInterface, task_type=TaskType.EVENT):
    """Publishes its input as an event.

    Args:
        task_ref_name: The name of this place in the workflow.
        sink: Where to: `conductor` for the server's own queue of this workflow and task, `conductor:<name>`,
            `sqs:<queue>`, `kafka:<topic>`, `amqp:<queue>`, `nats:<subject>`, as far as the server is set up for it.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    sink: Text

    def __init__(self, task_ref_name: str, sink: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, **options)
        self.sink = sink

    @property
    def event_produced(self) -> Reference:
        """The event's full name, which event handlers listen for."""
        return Reference(f"{self.task_reference_name}.output.event_produced")

    def _own_fields(self) -> Mapping[str, Any]:
        return {"sink": plain(self.sink)}


class EventTaskInterface(EventTask):
    """An `EventTask` whose sink is given in two parts: the kind of queue, and its name."""

    def __init__(
        self, task_ref_name: str, event_prefix: str, event_suffix: Text, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, f"{event_prefix}:{event_suffix}", **options)


class ConductorEventTask(EventTaskInterface):
    """Publishes its input in the server itself, as `conductor:<workflow name>:<event name>`.

    Args:
        task_ref_name: The name of this place in the workflow.
        event_name: The event's own name.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(self, task_ref_name: str, event_name: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, "conductor", event_name, **options)


class SqsEventTask(EventTaskInterface):
    """Publishes its input to a queue of Amazon SQS.

    Args:
        task_ref_name: The name of this place in the workflow.
        queue_name: The queue.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(self, task_ref_name: str, queue_name: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, "sqs", queue_name, **options)


@dataclass
class KafkaPublishInput(InputPart):
    """A message for Kafka. All may be expressions; the two times are in milliseconds, as their names say.

    Attributes:
        bootstrap_servers: The brokers: `host:port,host:port`.
        key: The message's key.
        key_serializer: The Java class that writes the key.
        value: The message.
        request_timeout_ms: How long a broker may take to answer.
        max_block_ms: How long to wait for the brokers.
        headers: The message's headers.
        topic: Where to.
    """

    _keys: ClassVar[Mapping[str, str]] = {"bootstrap_servers": "bootStrapServers"}

    bootstrap_servers: Text | None = None
    key: InputValue = None
    key_serializer: Text | None = None
    value: InputValue = None
    request_timeout_ms: Number | None = None
    max_block_ms: Number | None = None
    headers: Mapping[str, InputValue] | None = None
    topic: Text | None = None


class KafkaPublishTask(TaskInterface, task_type=TaskType.KAFKA_PUBLISH):
    """Publishes a message to Kafka.

    Args:
        task_ref_name: The name of this place in the workflow.
        kafka_publish_input: The message: a `KafkaPublishInput`, or a dict under the server's names.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    kafka_request: InputField[InputValue] = InputField("kafka_request")

    def __init__(
        self,
        task_ref_name: str,
        kafka_publish_input: KafkaPublishInput | Mapping[str, InputValue],
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.kafka_request = kafka_publish_input
