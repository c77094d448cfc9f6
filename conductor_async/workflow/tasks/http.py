"""Tasks that call HTTP services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias, Unpack

from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions
from conductor_async.workflow.tasks.inputs import InputField, InputPart, Number, Text, milliseconds, wire_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.models import JsonObject

__all__ = ["HttpInput", "HttpMethod", "HttpPollInput", "HttpPollTask", "HttpTask"]

Seconds: TypeAlias = float | timedelta
"""A duration in seconds."""


class HttpMethod(StrEnum):
    """The methods of HTTP."""

    GET = "GET"
    PUT = "PUT"
    POST = "POST"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


@dataclass
class HttpInput(InputPart):
    """A request of an `HttpTask`.

    Attributes:
        method: GET if you do not say.
        uri: Where to.
        headers: Headers by name, each a text or a list of them.
        accept: The media type, or types, that the answer may have.
        content_type: The media type of the body: `application/json` if you do not say.
        connection_time_out: Seconds until the connection must stand: 3 if you do not say.
        read_timeout: Seconds until the answer must be there: 3 if you do not say.
        body: The body: text, or JSON with references anywhere inside.
        vip_address: The service's name in a registry that the server is set up for.
        app_name: The application's name there.
    """

    _keys: ClassVar[Mapping[str, str]] = {"read_timeout": "readTimeOut"}

    method: HttpMethod | Text = HttpMethod.GET
    uri: Text | None = None
    headers: Mapping[str, InputValue] | Text | None = None
    accept: Text | Sequence[str] | None = None
    content_type: Text | None = None
    connection_time_out: Seconds | None = None
    read_timeout: Seconds | None = None
    body: InputValue = None
    vip_address: Text | None = None
    app_name: Text | None = None

    def to_wire(self) -> JsonObject:
        """The JSON object that is sent for it; references in it are kept."""
        request = super().to_wire()
        if isinstance(self.method, str) and "$" not in self.method:
            request["method"] = self.method.upper()  # the server knows them in upper case only
        if self.connection_time_out is not None:
            request["connectionTimeOut"] = milliseconds(self.connection_time_out, "connection_time_out")
        if self.read_timeout is not None:
            request["readTimeOut"] = milliseconds(self.read_timeout, "read_timeout")
        return request


@dataclass
class HttpPollInput(InputPart):
    """A request of an `HttpPollTask`, and how often it is made (Orkes). The request's fields are those of `HttpInput`.

    Attributes:
        termination_condition: A script that says when to stop: `$.output.response.body.state === "DONE"`.
        max_poll_count: How often it asks at most.
        polling_interval: Seconds between two requests.
        polling_strategy: How that grows: `FIXED`, `LINEAR_BACKOFF` or `EXPONENTIAL_BACKOFF`.
        method: GET if you do not say.
        uri: Where to.
        headers: Headers by name, each a text or a list of them.
        accept: The media type, or types, that the answer may have.
        content_type: The media type of the body.
        connection_time_out: Seconds until the connection must stand.
        read_timeout: Seconds until the answer must be there.
        body: The body: text, or JSON with references anywhere inside.
    """

    termination_condition: str | None = None
    max_poll_count: Number = 100
    polling_interval: Number | timedelta = 100
    polling_strategy: Text = "FIXED"
    method: HttpMethod | Text = HttpMethod.GET
    uri: Text | None = None
    headers: Mapping[str, InputValue] | Text | None = None
    accept: Text | Sequence[str] | None = None
    content_type: Text | None = None
    connection_time_out: Seconds | None = None
    read_timeout: Seconds | None = None
    body: InputValue = None

    def to_wire(self) -> JsonObject:
        """The JSON object that is sent for it; references in it are kept."""
        request = HttpInput(
            self.method,
            self.uri,
            self.headers,
            self.accept,
            self.content_type,
            self.connection_time_out,
            self.read_timeout,
            self.body,
        )
        interval = self.polling_interval
        polling = {
            "terminationCondition": self.termination_condition,
            "maxPollCount": self.max_poll_count,
            "pollingInterval": interval.total_seconds() if isinstance(interval, timedelta) else interval,
            "pollingStrategy": self.polling_strategy,
        }
        return request.to_wire() | {key: value for key, value in polling.items() if value is not None}


class _HttpTask(TaskInterface):
    http_request: InputField[InputValue] = InputField("http_request")

    def __init__(
        self, task_ref_name: str, http_input: InputPart | Mapping[str, InputValue], **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.http_request = {"method": "GET", **wire_form(http_input)}

    @property
    def status_code(self) -> Reference:
        """The status of the answer: `task.status_code`, or `task.status_code()` as in conductor-python."""
        return self._response("statusCode")

    @property
    def headers(self) -> Reference:
        """The answer's headers, a list each: `task.headers["Content-Type"][0]`, `task.headers("Date")`."""
        return self._response("headers")

    @property
    def body(self) -> Reference:
        """The answer's body: `task.body.total`, `task.body("lines[0].price")`. A text if it is not JSON."""
        return self._response("body")

    @property
    def reason_phrase(self) -> Reference:
        """The text of the answer's status."""
        return self._response("reasonPhrase")

    def _response(self, part: str) -> Reference:
        return Reference(f"{self.task_reference_name}.output.response.{part}")


class HttpTask(_HttpTask, task_type=TaskType.HTTP):
    """Makes an HTTP request from the server. A status other than 2xx fails the task.

    ```python
    price = HttpTask("price", HttpInput(uri=f"https://shop.example/items/{workflow.input.item}", read_timeout=10))
    order = HttpTask("order", HttpInput("POST", "https://shop.example/orders", body={"price": price.body.net}))
    ```

    Args:
        task_ref_name: The name of this place in the workflow.
        http_input: The request: an `HttpInput`, or a dict under the server's names, where times are in milliseconds.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(
        self, task_ref_name: str, http_input: HttpInput | Mapping[str, InputValue], **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, http_input, **options)


class HttpPollTask(_HttpTask, task_type="HTTP_POLL"):
    """Makes an HTTP request again and again until a condition holds (Orkes).

    On the open-source server, put an `HttpTask` and a `WaitTask` into a `DoWhileTask`.

    Args:
        task_ref_name: The name of this place in the workflow.
        http_input: The request: an `HttpPollInput`, or a dict under the server's names.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(
        self, task_ref_name: str, http_input: HttpPollInput | Mapping[str, InputValue], **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, http_input, **options)
