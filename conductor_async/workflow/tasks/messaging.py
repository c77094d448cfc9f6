"""Tasks that publish messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.fields import Converted, field
from conductor_async.workflow.tasks.inputs import InputPart, InputTask, Number, Text

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
        sink: The target: `conductor` for the server's own queue of this workflow and task, `conductor:<name>`,
            `sqs:<queue>`, `kafka:<topic>`, `amqp:<queue>`, `nats:<subject>`, as far as the server is set up for it.

    Further arguments: see `TaskInterface`.
    """

    sink: Text

    @property
    def event_produced(self) -> Reference:
        """The event's full name, which event handlers listen for."""
        return self._reference("event_produced")

    def _own_fields(self) -> Mapping[str, Any]:
        return {"sink": plain(self.sink)}


class EventTaskInterface(EventTask):
    """An `EventTask` whose sink is given in two parts.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        event_prefix: The kind of queue.
        event_suffix: The queue's name.
        options: See `TaskInterface`.
    """

    def __init__(
        self, task_ref_name: str, event_prefix: str, event_suffix: Text, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, f"{event_prefix}:{event_suffix}", **options)


class ConductorEventTask(EventTaskInterface):
    """Publishes its input in the server itself, as `conductor:<workflow name>:<event name>`.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        event_name: The event's own name.
        options: See `TaskInterface`.
    """

    def __init__(self, task_ref_name: str, event_name: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, "conductor", event_name, **options)


class SqsEventTask(EventTaskInterface):
    """Publishes its input to a queue of Amazon SQS.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        queue_name: The queue.
        options: See `TaskInterface`.
    """

    def __init__(self, task_ref_name: str, queue_name: Text, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_ref_name, "sqs", queue_name, **options)


@dataclass
class KafkaPublishInput(InputPart):
    """A message for Kafka. All values may be expressions; the two times are in milliseconds, as their names say.

    Attributes:
        bootstrap_servers: The brokers: `host:port,host:port`.
        key: The message's key.
        key_serializer: The Java class that serializes the key.
        value: The message.
        request_timeout_ms: The timeout of a request to a broker.
        max_block_ms: How long to wait for the brokers.
        headers: The message's headers.
        topic: The topic.
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


class KafkaPublishTask(InputTask, task_type=TaskType.KAFKA_PUBLISH):
    """Publishes a message to Kafka.

    Args:
        kafka_publish_input: The message: a `KafkaPublishInput`, or a dict under the server's names.

    Further arguments: see `TaskInterface`.
    """

    kafka_request: Converted[KafkaPublishInput | Mapping[str, InputValue], InputValue] = field(
        alias="kafka_publish_input", key="kafka_request"
    )
