"""Searches for executions and tasks. Each returns a SearchResult."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.errors import Invalid
from conductor_async.engine.rows.rendering import execution_to_wire, task_to_wire
from conductor_async.engine.views.search import TASK_FIELDS, Hits, SearchOptions, find
from conductor_async.engine.views.summaries import execution_summary, task_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.models import JsonObject

__all__ = ["SearchCommands"]

_LARGEST_PAGE = 5000


class SearchCommands(Commands):
    """Searches for executions and tasks. Each returns a SearchResult."""

    @command
    def workflows(
        self,
        *,
        classifier: str | None = None,
        top_level_only: bool = False,
        **options: Unpack[SearchOptions],
    ) -> JsonObject:
        """Finds executions, as summaries."""
        hits = self._workflow_hits("searchWorkflows", options, classifier, top_level_only=top_level_only)
        return {"totalHits": hits.total, "results": hits.page}

    @command
    def workflows_v2(
        self,
        *,
        classifier: str | None = None,
        top_level_only: bool = False,
        **options: Unpack[SearchOptions],
    ) -> JsonObject:
        """Finds executions, without their tasks."""
        hits = self._workflow_hits("searchWorkflowsV2", options, classifier, top_level_only=top_level_only)
        return {"totalHits": hits.total, "results": self._whole(summary["workflowId"] for summary in hits.page)}

    @command
    def by_tasks(self, **options: Unpack[SearchOptions]) -> JsonObject:
        """Finds executions by their tasks, as summaries. `totalHits` counts the tasks."""
        hits = self._task_hits(options)
        found = (self.core.store.executions.get(workflow_id) for workflow_id in _workflows_of(hits))
        return {"totalHits": hits.total, "results": [execution_summary(execution) for execution in found if execution]}

    @command
    def by_tasks_v2(self, **options: Unpack[SearchOptions]) -> JsonObject:
        """Finds executions by their tasks. `totalHits` counts the tasks."""
        hits = self._task_hits(options)
        return {"totalHits": hits.total, "results": self._whole(_workflows_of(hits))}

    @command
    def tasks(self, **options: Unpack[SearchOptions]) -> JsonObject:
        """Finds tasks, as summaries."""
        hits = self._task_hits(options)
        return {"totalHits": hits.total, "results": hits.page}

    @command
    def tasks_v2(self, **options: Unpack[SearchOptions]) -> JsonObject:
        """Finds tasks."""
        hits = self._task_hits(options)
        rows = [self.core.store.task(summary["taskId"]) for summary in hits.page]
        return {"totalHits": hits.total, "results": [task_to_wire(row, self.core.now()) for row in rows]}

    # -- what is searched ----------------------------------------------------------------------------

    def _executions(self) -> Iterable[JsonObject]:
        yield from self.core.store.archived.values()
        for execution in self.core.store.executions.values():
            yield execution_summary(execution)

    def _workflow_hits(
        self, method: str, options: SearchOptions, classifier: str | None, *, top_level_only: bool
    ) -> Hits:
        _check_size(options.get("size", 0), method)
        query = _narrowed(options.get("query"), classifier, top_level_only=top_level_only)
        return find(self._executions(), {**options, "query": query})

    def _task_hits(self, options: SearchOptions) -> Hits:
        # The server indexes a task when it is first updated.
        rows = (row for row in self.core.store.tasks.values() if row.status != "SCHEDULED" or row.poll_count)
        return find(map(task_summary, rows), options, TASK_FIELDS)

    def _whole(self, workflow_ids: Iterable[str]) -> list[JsonObject]:
        found = (self.core.store.executions.get(workflow_id) for workflow_id in workflow_ids)
        now = self.core.now()
        return [execution_to_wire(execution, include_tasks=False, now=now) for execution in found if execution]


def _workflows_of(hits: Hits) -> Iterable[str]:
    return dict.fromkeys(summary["workflowId"] for summary in hits.page)


def _check_size(size: int, method: str) -> None:
    if size > _LARGEST_PAGE:
        message = "Cannot return more than 5000 workflows. Please use pagination."
        error: dict[str, object] = {"path": f"{method}.arg1", "message": message, "invalidValue": str(size)}
        raise Invalid.of_errors([error])


def _narrowed(query: str | None, classifier: str | None, *, top_level_only: bool) -> str | None:
    clauses = [query] if query and query.strip() else []
    wanted = ",".join(part.strip() for part in (classifier or "").split(",") if part.strip())
    if wanted:
        clauses.append(f"classifier IN ({wanted})")
    if top_level_only:
        clauses.append('parentWorkflowId=""')
    return " AND ".join(clauses) or None
