"""The parameters that all searches share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request


class Search(TypedDict):
    """The parameters of every search."""

    start: int
    size: int
    sort: str | None
    free_text: str
    query: str | None


def search_parameters(request: Request) -> Search:
    """Returns the parameters of a search."""
    return Search(
        start=request.number_or("start", 0),
        size=request.number_or("size", 100),
        sort=request.text("sort") or None,
        free_text=request.text("freeText") or "*",
        query=request.text("query") or None,
    )
