"""Everything that conductor_async raises, in one tree.

```
ConductorError
├─ ConfigurationError (ValueError)      a setting or a name is invalid; nothing was sent
├─ ClientClosedError                    the client is closed
├─ WrongEventLoopError                  the client belongs to another event loop
├─ PayloadError                         a value cannot be JSON (`path`); nothing was sent
├─ WorkflowDefinitionError              a definition is invalid (`problems`); nothing was sent
├─ TransportError                       no response arrived
│   ├─ ConnectionFailedError            the request was provably not sent
│   ├─ RequestTimeoutError              the response did not arrive in time
│   └─ AmbiguousOutcomeError            the server may or may not have processed the request
├─ APIError                             the server responded with an error
│   ├─ BadRequestError                  400, 405, 422 (`validation_errors`)
│   ├─ AuthenticationError              401
│   ├─ PermissionDeniedError            403
│   ├─ NotFoundError                    404, and a 500 that says "No such …"
│   ├─ ConflictError                    409
│   ├─ RateLimitedError                 429 (`retry_after`)
│   ├─ EndpointNotAvailableError        this server does not have the endpoint
│   └─ ServerError                      every other 5xx
├─ ResponseDecodeError                  the server's response could not be read
│   └─ ExternalPayloadError             fetching a payload from external storage failed
├─ WorkflowError                        an execution ended without completing (`execution`)
│   ├─ WorkflowFailedError
│   ├─ WorkflowTerminatedError
│   └─ WorkflowTimedOutError
├─ WaitTimeoutError (TimeoutError)      a wait timed out; the workflow goes on
├─ TaskError                            raised by or into workers
│   ├─ NonRetryableException
│   └─ LeaseLostError
└─ LocalServerError                     the local server did not start, or stopped
```

Every error can be pickled. No error text contains a secret or a payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import Workflow, WorkflowRun

__all__ = [
    "APIError",
    "AmbiguousOutcomeError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConductorError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "EndpointNotAvailableError",
    "ExternalPayloadError",
    "LeaseLostError",
    "LocalServerError",
    "NonRetryableException",
    "NotFoundError",
    "PayloadError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ResponseDecodeError",
    "ServerError",
    "TaskError",
    "TransportError",
    "ValidationProblem",
    "WaitTimeoutError",
    "WorkflowDefinitionError",
    "WorkflowError",
    "WorkflowFailedError",
    "WorkflowTerminatedError",
    "WorkflowTimedOutError",
    "WrongEventLoopError",
]


class ConductorError(Exception):
    """The root: `except ConductorError` catches every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, exceptions with keyword-only arguments cannot be unpickled: rebuild from the state.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[ConductorError], args: tuple[Any, ...], state: dict[str, Any]) -> ConductorError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# -- before anything is sent ---------------------------------------------------------------------


class ConfigurationError(ConductorError, ValueError):
    """A setting, a name or a combination of arguments is invalid. Nothing was sent."""


class ClientClosedError(ConductorError):
    """The client was closed before or during this call."""


class WrongEventLoopError(ConductorError):
    """The client is bound to the event loop that used it first, and this is another one."""


class PayloadError(ConductorError):
    """A value cannot be sent as JSON. Nothing was sent.

    Attributes:
        path: The path of the value, such as `input.order.lines[2].price`.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class WorkflowDefinitionError(ConductorError):
    """A workflow definition is invalid. Nothing was sent.

    Attributes:
        problems: Everything that is wrong with it; each problem starts with its path.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems: tuple[str, ...] = tuple(problems)


# -- while sending ------------------------------------------------------------------------------------


class TransportError(ConductorError):
    """No response arrived.

    Attributes:
        method: The HTTP method.
        route: The endpoint's path template: `/workflow/{workflow_id}`.
        attempts: How often the request was attempted.
    """

    def __init__(self, message: str, *, method: str = "", route: str = "", attempts: int = 1) -> None:
        super().__init__(message)
        self.method = method
        self.route = route
        self.attempts = attempts


class ConnectionFailedError(TransportError):
    """The request was provably not sent: connection refused, unknown host, TLS failed. It is safe to retry."""


class RequestTimeoutError(TransportError):
    """The response did not arrive in time."""


class AmbiguousOutcomeError(TransportError):
    """The request was sent and the response lost: the server may or may not have processed it.

    It is not retried, because that could start a second execution. Check before you send it again.

    Attributes:
        workflow_name: The workflow to start, if the request was a start.
        correlation_id: The correlation id of the start, to find the execution by.
        workflow_id: The execution that the request addressed, if any.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        route: str = "",
        attempts: int = 1,
        workflow_name: str | None = None,
        correlation_id: str | None = None,
        workflow_id: str | None = None,
    ) -> None:
        super().__init__(message, method=method, route=route, attempts=attempts)
        self.workflow_name = workflow_name
        self.correlation_id = correlation_id
        self.workflow_id = workflow_id


# -- error responses ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValidationProblem:
    """One problem that the server found in a request.

    Attributes:
        path: The path of the value, in the server's notation: `registerWorkflowDef.arg0.tasks[0].name`.
        message: What is wrong with it.
        invalid_value: The value as the server read it, if the response includes it.
    """

    path: str
    message: str
    invalid_value: str | None = None


class APIError(ConductorError):
    """The server responded with an error.

    Attributes:
        status: The HTTP status. It tells little: the server responds to many client mistakes with 500.
        message: The server's own message.
        method: The HTTP method.
        route: The endpoint's path template: `/workflow/{workflow_id}`.
        body: The response's body: the parsed JSON, or the text.
        retryable: Whether the server calls the error retryable.
        code: The server's error code, if any (`EXPIRED_TOKEN`).
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        message: str,
        method: str = "",
        route: str = "",
        body: object = None,
        retryable: bool = False,
        code: str | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.message = message
        self.method = method
        self.route = route
        self.body = body
        self.retryable = retryable
        self.code = code


class BadRequestError(APIError):
    """The request is invalid.

    Attributes:
        validation_errors: Every problem that the server found, with its path.
    """

    validation_errors: tuple[ValidationProblem, ...] = ()


class AuthenticationError(APIError):
    """The key or the secret is wrong, or the server rejected the token."""


class PermissionDeniedError(APIError):
    """The access key does not have the permission."""


class NotFoundError(APIError):
    """The requested object does not exist."""


class ConflictError(APIError):
    """The current state forbids it: the definition already exists, the execution has ended."""


class RateLimitedError(APIError):
    """Too many requests.

    Attributes:
        retry_after: The seconds of the response's `Retry-After`, if any.
    """

    retry_after: float | None = None


class EndpointNotAvailableError(APIError):
    """This server does not have the endpoint: it needs another version, a setting, or Orkes Conductor."""


class ServerError(APIError):
    """The server, or a proxy in front of it, failed.

    Attributes:
        retry_after: The seconds of the response's `Retry-After`, if any.
    """

    retry_after: float | None = None


class ResponseDecodeError(ConductorError):
    """The server's response could not be read: it is not JSON, is truncated, or is an HTML page.

    Attributes:
        status: The HTTP status of the response.
        method: The HTTP method.
        route: The endpoint's path template.
    """

    def __init__(self, message: str, *, status: int = 0, method: str = "", route: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.route = route


class ExternalPayloadError(ResponseDecodeError):
    """Fetching a payload from external storage failed.

    Attributes:
        path: The payload's path in external storage.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


# -- executions ----------------------------------------------------------------------------------------


class WorkflowError(ConductorError):
    """An execution ended without completing.

    Attributes:
        execution: The execution, with its status, tasks and reason.
    """

    def __init__(self, message: str, *, execution: Workflow | WorkflowRun | None = None) -> None:
        super().__init__(message)
        self.execution = execution


class WorkflowFailedError(WorkflowError):
    """The execution ended FAILED."""


class WorkflowTerminatedError(WorkflowError):
    """The execution ended TERMINATED."""


class WorkflowTimedOutError(WorkflowError):
    """The execution ended TIMED_OUT."""


class WaitTimeoutError(ConductorError, TimeoutError):
    """The wait timed out. The workflow goes on.

    Attributes:
        workflow_id: The execution.
    """

    def __init__(self, message: str, *, workflow_id: str = "") -> None:
        super().__init__(message)
        self.workflow_id = workflow_id


# -- workers -----------------------------------------------------------------------------------------


class TaskError(ConductorError):
    """Raised by or into a worker. If a worker raises it, the task fails, and the server may retry it."""


class NonRetryableException(TaskError):  # noqa: N818 - the name that Conductor's SDKs share
    """Raise it in a worker to fail the task without retries: FAILED_WITH_TERMINAL_ERROR."""


class LeaseLostError(TaskError):
    """The server has given the task to another worker, or ended it."""


# -- local server ------------------------------------------------------------------------------------


class LocalServerError(ConductorError):
    """The local Conductor server did not start, or stopped. The text ends with the last lines of its log."""
