"""One operation on many executions: `/workflow/bulk`."""

from __future__ import annotations

from conductor_async.devserver.routing import Route

__all__ = ["ROUTES"]

ROUTES = (
    Route("PUT", "/workflow/bulk/pause", lambda runtime, request: runtime.engine.bulk.pause(request.json_strings())),
    Route("PUT", "/workflow/bulk/resume", lambda runtime, request: runtime.engine.bulk.resume(request.json_strings())),
    Route(
        "POST",
        "/workflow/bulk/restart",
        lambda runtime, request: runtime.engine.bulk.restart(
            request.json_strings(), request.flag("useLatestDefinitions")
        ),
    ),
    Route("POST", "/workflow/bulk/retry", lambda runtime, request: runtime.engine.bulk.retry(request.json_strings())),
    Route(
        "POST",
        "/workflow/bulk/terminate",
        lambda runtime, request: runtime.engine.bulk.terminate(request.json_strings(), request.text("reason")),
    ),
    Route(
        "DELETE",
        "/workflow/bulk/remove",
        lambda runtime, request: runtime.engine.bulk.remove(
            request.json_strings(), request.flag("archiveWorkflow", True)
        ),
    ),
    Route(
        "DELETE",
        "/workflow/bulk/terminate-remove",
        lambda runtime, request: runtime.engine.bulk.terminate_remove(
            request.json_strings(), request.text("reason"), request.flag("archiveWorkflow", True)
        ),
    ),
    Route(
        "POST",
        "/workflow/bulk/search",
        lambda runtime, request: runtime.engine.bulk.search(request.json_strings(), request.flag("includeTasks", True)),
    ),
)
