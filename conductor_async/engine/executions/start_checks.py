"""What is checked of a request to start an execution, with the server's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.definitions.checks import check_workflow_def
from conductor_async.engine.errors import Invalid
from conductor_async.engine.scripts.evaluators import rule_context

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.models import JsonObject

__all__ = ["check_priority", "check_start_request"]

_MAX_PRIORITY = 99


def check_start_request(core: Core, request: JsonObject) -> None:
    """Checks a StartWorkflowRequest with its defaults.

    Raises:
        Invalid: Its name, its priority or the definition that it brings is invalid.
    """
    errors: list[dict[str, object]] = []
    if request.get("name") is None:
        errors.append({"path": "startWorkflow.arg0.name", "message": "Workflow name cannot be null or empty"})
    priority = request["priority"]
    if not 0 <= priority <= _MAX_PRIORITY:
        limit = "maximum 99" if priority > _MAX_PRIORITY else "minimum 0"
        message = f"priority: {priority} should be {limit}"
        errors.append({"path": "startWorkflow.arg0.priority", "message": message, "invalidValue": str(priority)})
    if errors:
        raise Invalid.of_errors(errors)
    if not str(request["name"]).strip() and request.get("workflowDef") is None:
        msg = "Workflow name must be specified when searching for a definition"
        raise Invalid(msg)
    if request.get("workflowDef") is not None:
        check_workflow_def(request["workflowDef"], "startWorkflow.arg0.workflowDef", rule_context(core))


def check_priority(priority: int) -> None:
    """Checks the priority of a start by name.

    Raises:
        Invalid: It is not between 0 and 99.
    """
    if not 0 <= priority <= _MAX_PRIORITY:
        limit = "99 is the maximum" if priority > _MAX_PRIORITY else "0 is the minimum"
        message = f"{limit} priority value"
        raise Invalid.of_errors([{"path": "startWorkflow.arg3", "message": message, "invalidValue": str(priority)}])
