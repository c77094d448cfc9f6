"""Secrets: `/secrets`. As on a server without the AI module: names can be listed, nothing can be read or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import Request, Response, as_json
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime


def _get_names(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.secrets.get_names())


ROUTES = (Route("GET", "/secrets", _get_names),)
