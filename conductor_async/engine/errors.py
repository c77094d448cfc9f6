"""What the engine says no with. The dev server turns each kind into the status and body that the real server has.

```
EngineError               500, `retryable: false`
├─ NotFound               404
├─ Conflict               409
├─ Invalid                400; with `validation_errors` the body has these and no `instance`
├─ Refused                500 for what is the client's mistake, as the real server answers it
├─ WorkflowHalted         500 when it reaches the client; inside, it ends the execution
└─ Unsupported            501: this engine does not do it, the real server does
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from conductor_async.errors import ConductorError

if TYPE_CHECKING:
    from conductor_async.engine.state.execution import TaskRow

__all__ = [
    "Conflict",
    "EngineError",
    "Invalid",
    "NotFound",
    "PayloadOutOfReach",
    "Refused",
    "Unsupported",
    "WorkflowHalted",
]


class EngineError(ConductorError):
    """The engine did not do what it was asked to.

    Attributes:
        status: The HTTP status that the real server answers with.
        message: What it says.
    """

    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(EngineError):
    """There is no such thing."""

    status = 404


class Conflict(EngineError):
    """Not in this state."""

    status = 409


class Invalid(EngineError):
    """The request cannot be.

    Attributes:
        validation_errors: `[{"path", "message", "invalidValue"?}]` for a definition or request that broke rules;
            empty when the message says it all.
    """

    status = 400

    def __init__(self, message: str, validation_errors: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.validation_errors = validation_errors or []


class Refused(EngineError):
    """The client's mistake, to which the real server answers 500."""


class PayloadOutOfReach(Refused):
    """An input or output is kept outside, in a storage that there is none of."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Unable to download payload from external storage path: {path}")


class Unsupported(EngineError):
    """The real server does this; this engine does not."""

    status = 501


class WorkflowHalted(EngineError):
    """The execution cannot go on. The decider ends it with this status and reason.

    Attributes:
        workflow_status: The status that the execution ends with.
        task: The task that is to blame.
    """

    def __init__(self, message: str, workflow_status: str = "FAILED", task: TaskRow | None = None) -> None:
        super().__init__(message)
        self.workflow_status = workflow_status
        self.task = task
