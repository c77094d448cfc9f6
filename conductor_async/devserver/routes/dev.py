"""What only the dev server has: `/dev`. The real server answers these paths with 404."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime


def _withdraw_polls(runtime: Runtime, request: Request) -> Response:
    """Answers the open polls of a worker id: its host stops, and need not wait until their time is up."""
    runtime.withdraw_polls(request.text("workerid"))
    return EMPTY


ROUTES = (Route("DELETE", "/dev/polls", _withdraw_polls),)
