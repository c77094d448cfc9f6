"""Tasks that call HTTP services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from conductor_async._language.durations import milliseconds
from conductor_async.models import TaskType
from conductor_async.workflow.references import InputValue, Reference, wire_form
from conductor_async.workflow.tasks.fields import Converted, field
from conductor_async.workflow.tasks.inputs import InputPart, InputTask, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.models import JsonObject

__all__ = ["HttpInput", "HttpMethod", "HttpPollInput", "HttpPollTask", "HttpTask"]

Seconds: TypeAlias = float | timedelta
"""A duration in seconds."""


class HttpMethod(StrEnum):
    """The HTTP methods."""

    GET = "GET"
    PUT = "PUT"
    POST = "POST"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"


class _Request(InputPart):
    """An HTTP request: method, address, headers and body."""

    def to_wire(self) -> JsonObject:
        """Returns the JSON object to send. References in it are kept."""
        request = super().to_wire()
        if isinstance(method := request.get("method"), str) and "$" not in method:
            request["method"] = method.upper()  # the server accepts upper case only
        for key, name in (("connectionTimeOut", "connection_time_out"), ("readTimeOut", "read_timeout")):
            if key in request:
                request[key] = milliseconds(getattr(self, name), name)
        return request


@dataclass
class HttpInput(_Request):
    """A request of an `HttpTask`.

    Attributes:
        method: Default: GET.
        uri: The URL.
        headers: Headers by name, each a text or a list of texts.
        accept: The accepted media type, or media types, of the response.
        content_type: The media type of the body. Default: `application/json`.
        connection_time_out: Seconds until the connection must stand. Default: 3.
        read_timeout: Seconds until the response must be there. Default: 3.
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


@dataclass
class HttpPollInput(_Request):
    """A request of an `HttpPollTask`, and how often it is sent (Orkes).

    Attributes:
        termination_condition: A script that is true when polling ends: `$.output.response.body.state === "DONE"`.
        max_poll_count: The maximum number of requests.
        polling_interval: Seconds between two requests.
        polling_strategy: How the interval grows: `FIXED`, `LINEAR_BACKOFF` or `EXPONENTIAL_BACKOFF`.
        method: Like the following fields, as in `HttpInput`.
        uri: The URL.
        headers: Headers by name, each a text or a list of texts.
        accept: The accepted media type, or media types, of the response.
        content_type: The media type of the body.
        connection_time_out: Seconds until the connection must stand.
        read_timeout: Seconds until the response must be there.
        body: The body: text, or JSON with references anywhere inside.
    """

    _keys: ClassVar[Mapping[str, str]] = {"read_timeout": "readTimeOut"}

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
        """Returns the JSON object to send. References in it are kept."""
        request = super().to_wire()
        if isinstance(self.polling_interval, timedelta):
            request["pollingInterval"] = self.polling_interval.total_seconds()
        return request


def _with_method(request: InputPart | Mapping[str, InputValue]) -> InputValue:
    return {"method": "GET", **wire_form(request)}


class _HttpTask(InputTask):
    """A task whose output is the response to an HTTP request."""

    @property
    def status_code(self) -> Reference:
        """The status of the response: `task.status_code`, or `task.status_code()` as in conductor-python."""
        return self._reference("response.statusCode")

    @property
    def headers(self) -> Reference:
        """The response headers, a list each: `task.headers["Content-Type"][0]`, `task.headers("Date")`."""
        return self._reference("response.headers")

    @property
    def body(self) -> Reference:
        """The response body: `task.body.total`, `task.body("lines[0].price")`. A text if it is not JSON."""
        return self._reference("response.body")

    @property
    def reason_phrase(self) -> Reference:
        """The text of the response status."""
        return self._reference("response.reasonPhrase")


class HttpTask(_HttpTask, task_type=TaskType.HTTP):
    """Sends an HTTP request from the server. A status other than 2xx fails the task.

    ```python
    price = HttpTask("price", HttpInput(uri=f"https://shop.example/items/{workflow.input.item}", read_timeout=10))
    order = HttpTask("order", HttpInput("POST", "https://shop.example/orders", body={"price": price.body.net}))
    ```

    Args:
        http_input: The request: an `HttpInput`, or a dict under the server's names, where times are in milliseconds.

    Further arguments: see `TaskInterface`.
    """

    http_request: Converted[HttpInput | Mapping[str, InputValue], InputValue] = field(
        alias="http_input", key="http_request", convert=_with_method
    )


class HttpPollTask(_HttpTask, task_type="HTTP_POLL"):
    """Sends an HTTP request again and again until a condition holds (Orkes).

    On the open-source server, put an `HttpTask` and a `WaitTask` into a `DoWhileTask`.

    Args:
        http_input: The request: an `HttpPollInput`, or a dict under the server's names.

    Further arguments: see `TaskInterface`.
    """

    http_request: Converted[HttpPollInput | Mapping[str, InputValue], InputValue] = field(
        alias="http_input", key="http_request", convert=_with_method
    )
