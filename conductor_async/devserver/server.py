"""`DevServer`: responds to requests as the real Conductor server does, whatever transport they came by.

The path of a request: `app` or a transport → `DevServer.handle` → `routing` → a handler in `routes/` → a command of the
engine → `response`, or `errors` if the engine rejects it.
"""

from __future__ import annotations

import inspect
import logging
import re
from typing import TYPE_CHECKING

from conductor_async.devserver.errors import BAD_REQUEST_PAGE, error_response, method_not_allowed, no_such_endpoint
from conductor_async.devserver.response import Response, json_response, response_of
from conductor_async.devserver.routes import ROUTES
from conductor_async.devserver.routing import RouteTable
from conductor_async.engine.errors import EngineError
from conductor_async.engine.sandbox.job import JobPending

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.routing import Handler
    from conductor_async.devserver.runtime import Runtime

__all__ = ["DevServer"]

logger: logging.Logger = logging.getLogger("conductor_async")

_MAX_URL_LENGTH = 8 * 1024
_NEVER_UNESCAPED = re.compile(r'["<>\[\\\]^`{|}]')
_HEALTHY = json_response({"healthResults": [], "suppressedHealthResults": [], "healthy": True})
_HEALTH_PATHS = frozenset({"/health", "/api/health"})
_TABLE = RouteTable(ROUTES)


class DevServer:
    """Conductor's REST API over an engine.

    Args:
        runtime: The engine, running.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def handle(self, request: Request) -> Response:
        """Returns the response to a request."""
        if request.method == "HEAD":
            request.method = "GET"
            return (await self._respond(request))._replace(body=b"")
        return await self._respond(request)

    async def _respond(self, request: Request) -> Response:
        if _is_malformed(request):
            return BAD_REQUEST_PAGE
        if request.path in _HEALTH_PATHS and request.method == "GET":
            return _HEALTHY
        if not request.path.startswith("/api/"):
            return no_such_endpoint(request.path)
        match = _TABLE.find(request.method, request.path.removeprefix("/api"))
        if not match.methods:
            return no_such_endpoint(request.path)
        if match.handler is not None:
            request.path_parameters = match.path_parameters
            return await self._run(match.handler, request)
        if request.method == "OPTIONS":
            return Response(200, headers=(("Allow", ",".join((*match.methods, "OPTIONS"))), ("Accept-Patch", "")))
        return method_not_allowed(request.method)

    async def _run(self, handler: Handler, request: Request) -> Response:
        try:
            return await self._respond_by(handler, request)
        except EngineError as error:
            return error_response(error)
        except Exception as error:
            # The boundary of one request: a defect that it meets must not end the other requests.
            logger.exception("The embedded Conductor failed on %s %s and answers 500", request.method, request.path)
            return error_response(EngineError(f"{type(error).__name__}: {error}"))
        finally:
            self.runtime.finish_request(is_read=request.method == "GET", is_poll=request.is_poll)

    async def _respond_by(self, handler: Handler, request: Request) -> Response:
        left_before = self.runtime.engine.unfinished()
        while True:
            try:
                result = handler(self.runtime, request)
                if inspect.isawaitable(result):
                    return response_of(await result)
                response = response_of(result)  # of what the command has left, before others change it
                await self.runtime.catch_up(left_before)
                return response
            except JobPending as pending:  # the check of a script's syntax, before anything has changed
                await self.runtime.wait_for_job(pending.job)


def _is_malformed(request: Request) -> bool:
    """Returns whether the real server's web server would reject the URL before Conductor sees it."""
    if len(request.path) + len(request.query) > _MAX_URL_LENGTH or "%2f" in request.path.lower():
        return True
    return _NEVER_UNESCAPED.search(request.path) is not None or _NEVER_UNESCAPED.search(request.query) is not None
