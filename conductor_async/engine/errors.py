"""The errors of the engine. The dev server answers each with the status and body of the real server.

```
EngineError               500, `retryable: false`
├─ NotFound               404
├─ Conflict               409
├─ Invalid                400; with `validation_errors` the body has these and no `instance`
├─ Refused                500 for a mistake of the client, as the real server answers it
├─ RequestTimedOut        500 without a message
└─ WorkflowHalted         ends the execution; 500 if it reaches the client
```
"""

from __future__ import annotations

from typing import ClassVar

from conductor_async.errors import ConductorError

__all__ = [
    "Conflict",
    "EngineError",
    "Invalid",
    "NotFound",
    "PayloadOutOfReach",
    "Refused",
    "RequestTimedOut",
    "WorkflowHalted",
]


class EngineError(ConductorError):
    """A command failed.

    Attributes:
        status: The HTTP status that the real server answers with.
        message: The message that the real server answers with.
    """

    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(EngineError):
    """What a command names does not exist."""

    status = 404


class Conflict(EngineError):
    """The execution is in a state that does not allow the command."""

    status = 409


class Invalid(EngineError):
    """The request is not valid.

    Attributes:
        validation_errors: `[{"path", "message", "invalidValue"?}]` for a definition or request that violates rules;
            empty if the message says everything.
    """

    status = 400

    def __init__(self, message: str, validation_errors: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.validation_errors: list[dict[str, object]] = validation_errors or []

    @classmethod
    def of_errors(cls, validation_errors: list[dict[str, object]]) -> Invalid:
        """Returns the error for a definition or request that violates rules."""
        return cls("Validation failed, check below errors for detail.", validation_errors)


class Refused(EngineError):
    """A mistake of the client, which the real server answers with 500."""


class RequestTimedOut(EngineError):
    """A synchronous execution or signal waited longer than the server lets a request wait. The server says no more."""

    def __init__(self) -> None:
        super().__init__("")


class PayloadOutOfReach(Refused):
    """An input or output is in an external payload storage, which the engine does not have."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Unable to download payload from external storage path: {path}")


class WorkflowHalted(EngineError):
    """An execution cannot continue. The decider ends it with this status and reason.

    Attributes:
        workflow_status: The status that the execution ends with.
        task_id: The task that failed it, if one did.
    """

    def __init__(self, message: str, workflow_status: str = "FAILED", task_id: str | None = None) -> None:
        super().__init__(message)
        self.workflow_status = workflow_status
        self.task_id = task_id
