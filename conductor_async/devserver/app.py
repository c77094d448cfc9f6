"""The dev server as an ASGI app: for uvicorn, for another app that mounts it, for a test client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from conductor_async.devserver.origins import why_forbidden
from conductor_async.devserver.request import Request
from conductor_async.devserver.response import Response, json_response
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    import starlette.requests
    import starlette.responses
    from starlette.applications import Starlette

    from conductor_async.devserver.server import DevServer

__all__ = ["asgi_app"]

_CLOSED = Response(499)
"""For nobody: the client has closed the connection."""

_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def asgi_app(server: DevServer, allow_hosts: Collection[str] = ()) -> Starlette:
    """Returns an ASGI app that responds as the server does, but not to web pages of others: see `origins`.

    It has one route for every path. Starlette's own routing takes the first pattern that matches; Conductor's takes
    the most literal one, and is in `RouteTable`.

    Args:
        server: The dev server.
        allow_hosts: Host names that it answers to, beside those of this machine.

    Raises:
        ConfigurationError: Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.responses import Response as HttpResponse
        from starlette.routing import Route
    except ImportError as error:
        raise ConfigurationError(
            "The ASGI app needs the extra [embedded]: pip install 'conductor-async[embedded]'."
        ) from error

    allowed = frozenset(host.lower() for host in allow_hosts)

    async def endpoint(http_request: starlette.requests.Request) -> starlette.responses.Response:
        forbidden = why_forbidden(http_request.headers, allowed)
        if forbidden is not None:
            response = json_response({"status": 403, "message": forbidden, "retryable": False}, 403)
        else:
            request = await _request_of(http_request)
            if request.is_poll:
                response = await _handle_while_connected(server, request, http_request)
            else:
                response = await server.handle(request)
        http_response = HttpResponse(response.body, response.status)
        if response.content_type is not None:
            http_response.headers["Content-Type"] = response.content_type
        http_response.headers.update(dict(response.headers))
        return http_response

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)])


async def _handle_while_connected(
    server: DevServer, request: Request, http_request: starlette.requests.Request
) -> Response:
    """Returns the response to a poll. If the client closes the connection before, the poll hands nothing out."""
    response = _CLOSED
    async with anyio.create_task_group() as group:

        async def cancel_when_closed() -> None:
            while (await http_request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(cancel_when_closed)
        response = await server.handle(request)
        group.cancel_scope.cancel()
    return response


async def _request_of(http_request: starlette.requests.Request) -> Request:
    scope = http_request.scope
    # The path as it was sent: whether a slash was escaped matters to the server, and `path` is decoded.
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    root: str = scope.get("root_path", "")
    return Request(
        http_request.method,
        raw_path.partition(b"?")[0].decode("latin-1").removeprefix(root),
        scope["query_string"].decode("latin-1"),
        http_request.headers.get("content-type", ""),
        await http_request.body(),
    )
