"""Schedules: workflows that start by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["SchedulerCommands"]


from conductor_async.engine.commands.base import Commands


class SchedulerCommands(Commands):
    """Schedules: workflows that start by the clock."""

    def save_schedule(self, schedule: JsonObject) -> JsonObject:
        """Create or update a schedule."""
        raise NotImplementedError

    def get_schedule(self, name: str) -> JsonObject:
        """A schedule."""
        raise NotImplementedError

    def get_all_schedules(self, workflow_name: str | None = None) -> list[JsonObject]:
        """All schedules, or those of a workflow."""
        raise NotImplementedError

    def search_schedules(
        self,
        *,
        workflow_name: str | None = None,
        schedule_name: str | None = None,
        paused: bool | None = None,
        free_text: str = "*",
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
    ) -> JsonObject:
        """A SearchResult of schedules."""
        raise NotImplementedError

    def delete_schedule(self, name: str) -> None:
        """Forget a schedule."""
        raise NotImplementedError

    def pause_schedule(self, name: str, reason: str | None = None) -> None:
        """Fire no more for now."""
        raise NotImplementedError

    def resume_schedule(self, name: str) -> None:
        """Fire again."""
        raise NotImplementedError

    def bulk_pause_schedules(self, names: list[str]) -> JsonObject:
        """Pause several."""
        raise NotImplementedError

    def bulk_resume_schedules(self, names: list[str]) -> JsonObject:
        """Resume several."""
        raise NotImplementedError

    def pause_all_schedules(self) -> None:
        """Pause all of them."""
        raise NotImplementedError

    def resume_all_schedules(self) -> None:
        """Resume all of them."""
        raise NotImplementedError

    def requeue_all_execution_records(self) -> JsonObject:
        """Nothing is ever left over to requeue here."""
        raise NotImplementedError

    def get_next_few_schedules(
        self,
        cron_expression: str,
        *,
        schedule_start_time: int | None = None,
        schedule_end_time: int | None = None,
        limit: int = 5,
    ) -> list[int]:
        """When a cron expression fires next, in epoch milliseconds."""
        raise NotImplementedError

    def search_schedule_executions(
        self,
        *,
        start: int = 0,
        size: int = 100,
        sort: str | None = None,
        free_text: str = "*",
        query: str | None = None,
    ) -> JsonObject:
        """What schedules have started: a SearchResult."""
        raise NotImplementedError
