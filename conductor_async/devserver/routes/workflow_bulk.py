"""The same thing done to many executions: `/workflow/bulk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import Request, Response, as_json
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime


def _pause(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.pause(ask.strings()))


def _resume(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.resume(ask.strings()))


def _restart(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.restart(ask.strings(), ask.flag("useLatestDefinitions")))


def _retry(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.retry(ask.strings()))


def _terminate(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.terminate(ask.strings(), ask.text("reason")))


def _remove(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.remove(ask.strings(), ask.flag("archiveWorkflow", True)))


def _terminate_remove(runtime: Runtime, ask: Request) -> Response:
    done = runtime.engine.bulk.terminate_remove(ask.strings(), ask.text("reason"), ask.flag("archiveWorkflow", True))
    return as_json(done)


def _search(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.bulk.search(ask.strings(), ask.flag("includeTasks", True)))


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
