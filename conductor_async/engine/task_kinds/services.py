"""Tasks that need an external service: models, vectors, media, agents, databases, Kafka. They can only be mocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.rows.kind import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

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
"""The types for which the real server calls an external service."""


class ServiceKind(TaskKind):
    """Fails with a reason that says what to do."""

    is_async = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one scheduled row, whose input a mock gets."""
        spec = factory.spec
        task_id = factory.core.ids.new()
        values = factory.input(spec.definition, task_id)
        return [
            factory.new_row(
                "SCHEDULED",
                task_id=task_id,
                input=values,
                retry_count=factory.retry_count,
                callback_after=spec.start_delay,
            )
        ]

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Fails the task: the engine cannot run it."""
        row.status = "FAILED_WITH_TERMINAL_ERROR"
        row.reason = (
            f"The embedded engine does not run {row.task_type} tasks, which need an external service: "
            "mock the task, or run it on a real Conductor server."
        )


for _type in SERVICE_TYPES:
    type(f"{_type.title().replace('_', '')}Kind", (ServiceKind,), {"type": _type})
