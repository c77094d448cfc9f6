"""`DevServer`: answers requests as the real Conductor server does, whatever they came by."""

from __future__ import annotations

import inspect
import logging
import re
from typing import TYPE_CHECKING

from conductor_async.devserver.errors import BAD_REQUEST_PAGE, error_answer, method_not_allowed, no_such_endpoint
from conductor_async.devserver.exchange import Request, Response, as_json
from conductor_async.devserver.routes import ROUTES
from conductor_async.devserver.routing import RouteTable
from conductor_async.engine.errors import EngineError

if TYPE_CHECKING:
    from conductor_async.devserver.routing import Handler
    from conductor_async.devserver.runtime import Runtime

__all__ = ["DevServer"]

logger = logging.getLogger("conductor_async")

_LONGEST_URL = 8 * 1024
_NEVER_RAW = re.compile(r'["<>\[\\\]^`{|}]')
_TABLE = RouteTable(ROUTES)


class DevServer:
    """Conductor's REST API over an engine.

    Args:
        runtime: The engine, running.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def answer(self, ask: Request) -> Response:
        """The answer to a request."""
        if _is_no_url(ask):
            return BAD_REQUEST_PAGE
        if ask.path == "/health" and ask.method in ("GET", "HEAD"):
            return _without_body(ask, as_json({"healthResults": [], "suppressedHealthResults": [], "healthy": True}))
        api, path = ask.path[:4], ask.path[4:]
        if api != "/api" or not path.startswith("/"):
            return no_such_endpoint(ask.path)
        method = "GET" if ask.method == "HEAD" else ask.method
        found = _TABLE.find(method, path)
        if not found.methods:
            return no_such_endpoint(ask.path)
        if found.handler is None:
            if method == "OPTIONS":
                return Response(200, headers=(("Allow", ",".join((*found.methods, "OPTIONS"))), ("Accept-Patch", "")))
            return method_not_allowed(ask.method)
        ask.segments = found.segments
        return _without_body(ask, await self._carry_out(found.handler, ask))

    async def _carry_out(self, handler: Handler, ask: Request) -> Response:
        try:
            answer = handler(self.runtime, ask)
            if inspect.isawaitable(answer):
                answer = await answer
        except EngineError as error:
            answer = error_answer(error)
        except Exception as error:
            # The boundary of one request: what the engine did not expect of it must not end the others.
            logger.exception("The embedded Conductor failed on %s %s", ask.method, ask.path)
            answer = error_answer(EngineError(f"{type(error).__name__}: {error}"))
        finally:
            if ask.method != "GET":
                self.runtime.note_activity()
            if not ask.path.startswith("/api/tasks/poll/"):
                self.runtime.note_request()
            self.runtime.settle()
        return answer


def _is_no_url(ask: Request) -> bool:
    """Whether the real server's web server would refuse it before Conductor sees it."""
    if len(ask.path) + len(ask.query) > _LONGEST_URL or "%2f" in ask.path.lower():
        return True
    return _NEVER_RAW.search(ask.path) is not None or _NEVER_RAW.search(ask.query) is not None


def _without_body(ask: Request, answer: Response) -> Response:
    return answer._replace(body=b"") if ask.method == "HEAD" else answer
