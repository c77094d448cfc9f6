"""Searches over executions and tasks. Each returns a SearchResult."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["SearchQueries"]


from conductor_async.engine.commands.base import Commands


class SearchQueries(Commands):
    """Searches over executions and tasks. Each returns a SearchResult."""

    def search_workflows(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
        classifier: str | None = None,
        top_level_only: bool = False,
    ) -> JsonObject:
        """Summaries of executions."""
        raise NotImplementedError

    def search_workflows_v2(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
        classifier: str | None = None,
        top_level_only: bool = False,
    ) -> JsonObject:
        """Executions, without their tasks."""
        raise NotImplementedError

    def search_by_tasks(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
    ) -> JsonObject:
        """Summaries of the executions that have such tasks."""
        raise NotImplementedError

    def search_by_tasks_v2(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
    ) -> JsonObject:
        """The executions that have such tasks."""
        raise NotImplementedError

    def search_tasks(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
    ) -> JsonObject:
        """Summaries of tasks."""
        raise NotImplementedError

    def search_tasks_v2(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
    ) -> JsonObject:
        """Tasks."""
        raise NotImplementedError
