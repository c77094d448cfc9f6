"""What is sent: a request with what is known of repeating it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conductor_async._http.routes import utf8
from conductor_async.errors import AmbiguousOutcomeError, APIError, EndpointNotAvailableError, NotFoundError
from conductor_async.models import StartWorkflowRequest, encode_json

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from conductor_async._http.routes import Route
    from conductor_async.errors import ConductorError


class EncodedJson(bytes):
    """A body that is JSON already."""


@dataclass(slots=True)
class Request:
    """A request as it will be sent, once or more.

    Attributes:
        method: The HTTP method.
        route: The endpoint.
        url: The whole URL, with the query.
        headers: Those of this request alone.
        content: The body.
        timeout: Seconds for one try.
        repeatable: Whether carrying it out twice does no more than once.
        repeat_on_500: Whether a 500 is worth another try even if the server does not say so.
        already_so: A repetition refused with a message that matches means that an earlier try was carried out.
    """

    method: str
    route: Route
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float
    repeatable: bool
    repeat_on_500: bool = False
    already_done_pattern: re.Pattern[str] | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Method and path, for the log."""
        return self.method, self.route.path

    def is_already_so(self, error: ConductorError) -> bool:
        """Whether a repetition was refused because an earlier try had been carried out."""
        if (
            self.method == "DELETE"
            and isinstance(error, NotFoundError)
            and not isinstance(error, EndpointNotAvailableError)
        ):
            return True
        return (
            self.already_done_pattern is not None
            and isinstance(error, APIError)
            and bool(self.already_done_pattern.search(error.message))
        )

    def ambiguous(self, error: ConductorError, attempts: int) -> AmbiguousOutcomeError:
        """The error to raise when it may have been carried out although it failed so."""
        return AmbiguousOutcomeError(
            f"{error}. It may or may not have been carried out, so it is not repeated: look before you try again",
            method=self.method,
            route=self.route.template,
            attempts=attempts,
        )


def encoded(json: Any, text: str | None = None, name: str = "body") -> tuple[bytes | None, dict[str, str]]:
    """The body and the headers that tell what it is.

    Args:
        json: A model, anything that can be JSON, or what is JSON already.
        text: Or a text, sent as it is.
        name: What to call the body in an error about a value in it.

    Raises:
        PayloadError: A value in it cannot be JSON, or the text is no valid Unicode.
    """
    if text is not None:
        return utf8(text, "text"), {"Content-Type": "text/plain; charset=utf-8"}
    if json is not None:
        content = json if isinstance(json, EncodedJson) else encode_json(json, name)
        return content, {"Content-Type": "application/json"}
    return None, {}


def with_correlation_id(
    correlation_id: str | None, json: Any, params: Mapping[str, Any] | None
) -> tuple[Any, Mapping[str, Any] | None]:
    """Body and query of a start that has this correlation id, whoever gave it."""
    if isinstance(json, StartWorkflowRequest):
        if json.correlation_id != correlation_id:
            json = json.model_copy(update={"correlation_id": correlation_id})
        return json, params
    return json, {**(params or {}), "correlationId": correlation_id}
