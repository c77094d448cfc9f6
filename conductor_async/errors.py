"""Everything that conductor_async raises, in one tree.

```
ConductorError
├─ ConfigurationError (ValueError)      a setting or a name that cannot work; nothing was sent
├─ ClientClosedError                    the client was closed before this call
├─ WrongEventLoopError                  the client belongs to another event loop
├─ PayloadError                         a value that cannot be JSON (`path`); nothing was sent
├─ WorkflowDefinitionError              a definition that cannot work (`problems`); nothing was sent
├─ TransportError                       no answer came
│   ├─ ConnectionFailedError            the request was provably not sent
│   ├─ RequestTimeoutError              the answer did not come in time
│   └─ AmbiguousOutcomeError            the request may or may not have been carried out
├─ APIError                             the server said no
│   ├─ BadRequestError                  400, 405, 422 (`validation_errors`)
│   ├─ AuthenticationError              401
│   ├─ PermissionDeniedError            403
│   ├─ NotFoundError                    404, and a 500 that says "No such …"
│   ├─ ConflictError                    409
│   ├─ RateLimitedError                 429 (`retry_after`)
│   ├─ EndpointNotAvailableError        this server does not have the endpoint at all
│   └─ ServerError                      every other 5xx
├─ ResponseDecodeError                  the server's answer could not be read
│   └─ ExternalPayloadError             a payload kept outside the server could not be fetched
├─ WorkflowError                        an execution did not complete (`execution`)
│   ├─ WorkflowFailedError
│   ├─ WorkflowTerminatedError
│   └─ WorkflowTimedOutError
├─ WaitTimeoutError (TimeoutError)      the wait ended; the workflow goes on
├─ TaskError                            raised by workers, or into them
│   ├─ NonRetryableException
│   └─ LeaseLostError
└─ LocalServerError                     the local server did not start, or died
```

Every error can be pickled, and none carries a secret or a payload in its text.
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
    """The root: `except ConductorError` catches all that this package raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword arguments do not survive pickling by default: rebuild from the state.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[ConductorError], args: tuple[Any, ...], state: dict[str, Any]) -> ConductorError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# -- before anything is sent ---------------------------------------------------------------------


class ConfigurationError(ConductorError, ValueError):
    """A setting, a name or a combination of arguments cannot work. Nothing was sent."""


class ClientClosedError(ConductorError):
    """The client was closed before this call."""


class WrongEventLoopError(ConductorError):
    """The client is bound to the event loop that used it first, and this is another one."""


class PayloadError(ConductorError):
    """A value cannot be sent as JSON. Nothing was sent.

    Attributes:
        path: Where the value stands, such as `input.order.lines[2].price`.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class WorkflowDefinitionError(ConductorError):
    """A workflow definition cannot work. Nothing was sent.

    Attributes:
        problems: All that is wrong with it, each starting with the path of the place.
    """

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


# -- on the way ------------------------------------------------------------------------------------


class TransportError(ConductorError):
    """No answer came.

    Attributes:
        method: The HTTP method.
        route: The endpoint, as its template: `/workflow/{workflow_id}`.
        attempts: How often the request was tried.
    """

    def __init__(self, message: str, *, method: str = "", route: str = "", attempts: int = 1) -> None:
        super().__init__(message)
        self.method = method
        self.route = route
        self.attempts = attempts


class ConnectionFailedError(TransportError):
    """The request was provably not sent: refused, no such host, TLS failed. It is safe to try again."""


class RequestTimeoutError(TransportError):
    """The answer did not come in time."""


class AmbiguousOutcomeError(TransportError):
    """The request was sent and its answer lost: it may or may not have been carried out.

    It is never repeated blindly, because that could start a second execution. Look before you try again.

    Attributes:
        workflow_name: The workflow that was to be started, if it was a start.
        correlation_id: The correlation id given with the start, to look the execution up by.
        workflow_id: The execution that the request was about, if it was about one.
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


# -- the server said no ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValidationProblem:
    """One thing that the server found wrong with a request.

    Attributes:
        path: The place, in the server's terms: `registerWorkflowDef.arg0.tasks[0].name`.
        message: What is wrong with it.
        invalid_value: The value as the server saw it, if it says so.
    """

    path: str
    message: str
    invalid_value: str | None = None


class APIError(ConductorError):
    """The server answered, and the answer is no.

    Attributes:
        status: The HTTP status. It decides little: many mistakes of a client are answered with 500.
        message: The server's own words.
        method: The HTTP method.
        route: The endpoint, as its template: `/workflow/{workflow_id}`.
        body: The answer as it came: the parsed JSON, or the text.
        retryable: What the server said of trying again, if it said anything.
        code: The server's error code, if it gave one (`EXPIRED_TOKEN`).
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
    """The request cannot be carried out as it is.

    Attributes:
        validation_errors: All that the server found wrong, with the path of each.
    """

    validation_errors: tuple[ValidationProblem, ...] = ()


class AuthenticationError(APIError):
    """The server does not know who asks: wrong key or secret, or the token was refused."""


class PermissionDeniedError(APIError):
    """The server knows who asks, and does not allow it."""


class NotFoundError(APIError):
    """What was asked for is not there."""


class ConflictError(APIError):
    """The state of things forbids it: the definition exists already, the workflow has ended."""


class RateLimitedError(APIError):
    """Too many requests.

    Attributes:
        retry_after: Seconds to wait before the next try, if the server said so.
    """

    retry_after: float | None = None


class EndpointNotAvailableError(APIError):
    """This server does not have the endpoint: it exists on other versions, or on Orkes, or has to be enabled."""


class ServerError(APIError):
    """The server failed, or a proxy before it did.

    Attributes:
        retry_after: Seconds to wait before the next try, if the server said so.
    """

    retry_after: float | None = None


class ResponseDecodeError(ConductorError):
    """The server's answer could not be read: it is not JSON, it is cut off, it is a web page.

    Attributes:
        status: The HTTP status of the answer.
        method: The HTTP method.
        route: The endpoint, as its template.
    """

    def __init__(self, message: str, *, status: int = 0, method: str = "", route: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.route = route


class ExternalPayloadError(ResponseDecodeError):
    """A payload that the server keeps outside could not be fetched, so there is nothing to show.

    Attributes:
        path: Where the server says that the payload is.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


# -- executions ----------------------------------------------------------------------------------------


class WorkflowError(ConductorError):
    """An execution ended without completing.

    Attributes:
        execution: The execution, with its status, tasks and the reason.
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
    """The wait ended before the workflow did. The workflow goes on.

    Attributes:
        workflow_id: The execution that was waited for.
    """

    def __init__(self, message: str, *, workflow_id: str = "") -> None:
        super().__init__(message)
        self.workflow_id = workflow_id


# -- workers -----------------------------------------------------------------------------------------


class TaskError(ConductorError):
    """Raised by a worker, or into it. Raised by a worker, it fails the task, which the server may retry."""


class NonRetryableException(TaskError):  # noqa: N818 - the name that Conductor's SDKs share
    """Raise it in a worker to fail the task for good: FAILED_WITH_TERMINAL_ERROR, never retried."""


class LeaseLostError(TaskError):
    """The server has given the task to another worker, or ended it."""


# -- local server ------------------------------------------------------------------------------------


class LocalServerError(ConductorError):
    """The local Conductor server did not start, or died. The text ends with the tail of its log."""
