"""Tasks that need a service that is not here: models, vectors, media, agents, databases, Kafka. They can be mocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place

__all__ = ["SERVICE_TYPES", "ServiceKind"]

SERVICE_TYPES = (
    "KAFKA_PUBLISH",
    "LLM_TEXT_COMPLETE",
    "LLM_CHAT_COMPLETE",
    "LLM_INDEX_TEXT",
    "LLM_SEARCH_INDEX",
    "LLM_GENERATE_EMBEDDINGS",
    "LLM_STORE_EMBEDDINGS",
    "LLM_GET_EMBEDDINGS",
    "LLM_SEARCH_EMBEDDINGS",
    "GENERATE_IMAGE",
    "GENERATE_AUDIO",
    "GENERATE_VIDEO",
    "GENERATE_PDF",
    "LIST_MCP_TOOLS",
    "CALL_MCP_TOOL",
    "AGENT",
    "GET_AGENT_CARD",
    "CANCEL_AGENT",
    "JDBC",
)
"""The types that the real server runs with the help of a service."""


class ServiceKind(TaskKind):
    """Fails, and says what to do about it."""

    is_async = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row, with the input that a mock gets."""
        spec = place.spec
        task_id = place.core.ids.new()
        values = place.input(spec.definition, task_id)
        return [
            place.row(
                "SCHEDULED",
                task_id=task_id,
                input=values,
                retry_count=place.retry_count,
                callback_after=spec.start_delay,
            )
        ]

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """There is nothing to do it with."""
        row.status = "FAILED_WITH_TERMINAL_ERROR"
        row.reason = (
            f"The embedded engine does not run {row.task_type} tasks, which need an outside service: "
            "mock the task, or run it on a real Conductor server."
        )


for _type in SERVICE_TYPES:
    type(f"{_type.title().replace('_', '')}Kind", (ServiceKind,), {"type": _type})
