"""One operation on many executions: `/workflow/bulk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import Response, json_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime


def _pause(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.pause(request.json_strings()))


def _resume(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.resume(request.json_strings()))


def _restart(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.restart(request.json_strings(), request.flag("useLatestDefinitions")))


def _retry(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.retry(request.json_strings()))


def _terminate(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.terminate(request.json_strings(), request.text("reason")))


def _remove(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.remove(request.json_strings(), request.flag("archiveWorkflow", True)))


def _terminate_remove(runtime: Runtime, request: Request) -> Response:
    done = runtime.engine.bulk.terminate_remove(
        request.json_strings(), request.text("reason"), request.flag("archiveWorkflow", True)
    )
    return json_response(done)


def _search(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.bulk.search(request.json_strings(), request.flag("includeTasks", True)))


ROUTES = (
    Route("PUT", "/workflow/bulk/pause", _pause),
    Route("PUT", "/workflow/bulk/resume", _resume),
    Route("POST", "/workflow/bulk/restart", _restart),
    Route("POST", "/workflow/bulk/retry", _retry),
    Route("POST", "/workflow/bulk/terminate", _terminate),
    Route("DELETE", "/workflow/bulk/remove", _remove),
    Route("DELETE", "/workflow/bulk/terminate-remove", _terminate_remove),
    Route("POST", "/workflow/bulk/search", _search),
)
