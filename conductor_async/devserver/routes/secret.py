"""Secrets: `/secrets`. As on a server without the AI module, names are listed, and nothing is read or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import Response, json_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime


def _get_names(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.secrets.get_names())


ROUTES = (Route("GET", "/secrets", _get_names),)
