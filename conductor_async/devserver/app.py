"""The dev server as an ASGI app: for uvicorn, for another app to mount, for a test client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver import exchange
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from conductor_async.devserver.server import DevServer

__all__ = ["asgi_app"]

_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def asgi_app(server: DevServer) -> Starlette:
    """An ASGI app that answers as the server does.

    Every path goes to the server: which of Conductor's paths is meant is not for a list of patterns to say, of which
    the first that fits would win.

    Raises:
        ConfigurationError: Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route
    except ImportError as error:
        raise ConfigurationError(
            "The ASGI app needs the extra [embedded]: pip install 'conductor-async[embedded]'."
        ) from error

    async def answer(request: Request) -> Response:
        raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        root: str = request.scope.get("root_path", "")
        given = await server.answer(
            exchange.Request(
                request.method,
                raw_path.partition(b"?")[0].decode("latin-1").removeprefix(root),
                request.scope["query_string"].decode("latin-1"),
                request.headers.get("content-type", ""),
                await request.body(),
            )
        )
        response = Response(given.body, given.status)
        if given.content_type is not None:
            response.headers["Content-Type"] = given.content_type
        response.headers.update(dict(given.headers))
        return response

    return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])
